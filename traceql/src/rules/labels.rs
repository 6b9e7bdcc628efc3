//! Labels of alerts and of recorded samples, and the one place where names with dots become names without.

use std::collections::BTreeMap;

use crate::series::Series;

/// Names and values. A name is what TraceQL calls the field, as in `resource.service.name`.
pub type Labels = BTreeMap<String, String>;

/// The name that TraceQL gives to a series without groups: that of the function.
pub(super) const FUNCTION: &str = "__name__";
/// The label that says which alert it is.
pub(super) const ALERT_NAME: &str = "alertname";

/// What a rule's expression gave: one series at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The series' labels, their values as text.
    pub labels: Labels,
    /// The value, never NaN.
    pub value: f64,
}

impl Sample {
    /// The sample of a series of an instant query; `None` where it has no value.
    #[must_use]
    pub fn of(series: &Series) -> Option<Self> {
        let value = *series.values.last()?;
        let labels = series.labels.iter().map(|label| (label.name.clone(), label.value_text()));
        (!value.is_nan()).then(|| Self { labels: labels.collect(), value })
    }
}

/// A name as Prometheus and the systems around it want labels to be called: what is no letter, digit or `_` becomes
/// `_`, as in `resource_service_name`; a digit at the beginning gets a `_` before it.
#[must_use]
pub fn prometheus_name(name: &str) -> String {
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    digit.then_some('_').into_iter().chain(plain).collect()
}

/// Labels for a host that hands them to such a system. Of names that become equal the first keeps it, the others are
/// numbered: `a_b`, `a_b_2`.
#[must_use]
pub fn prometheus_labels(labels: &Labels) -> Labels {
    let mut renamed = Labels::new();
    for (name, value) in labels {
        let plain = prometheus_name(name);
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|name| !renamed.contains_key(name));
        renamed.insert(free.unwrap_or(plain), value.clone());
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_plain_and_kept_apart() {
        assert_eq!(prometheus_name("resource.service.name"), "resource_service_name");
        assert_eq!(prometheus_name(".5xx-rate"), "_5xx_rate");
        assert_eq!(prometheus_name("2é"), "_2_");
        let labels = ["a.b", "a_b", "a b", "c"].map(|name| (name.to_owned(), name.to_owned())).into();
        let expected = [("a_b", "a b"), ("a_b_2", "a.b"), ("a_b_3", "a_b"), ("c", "c")];
        assert_eq!(
            prometheus_labels(&labels),
            expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
        );
    }
}
