//! Series as the JSON of Prometheus' query API, for whatever draws its graphs. Label names are made what Prometheus takes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value as Json, json};

use crate::{
    MetricsResponse,
    series::{Label, Series},
};

/// The answer as Prometheus would give it: a matrix, or the vector of an instant query. Values are text.
#[must_use]
pub fn metrics_to_prometheus(response: &MetricsResponse) -> Json {
    let instant = response.intervals.len() == 1;
    let times: Vec<Json> = response.intervals.ends().map(seconds).collect();
    let metrics = metrics(response);
    let result = response.series.iter().zip(metrics).filter(|(series, _)| series.has_values());
    let result = result.map(|(series, metric)| {
        let mut values = times.iter().zip(&series.values).filter(|(_, value)| !value.is_nan());
        let sample = |(time, value): (&Json, &f64)| json!([time, float(*value)]);
        match instant {
            true => json!({ "metric": metric, "value": values.next().map(sample) }),
            false => json!({ "metric": metric, "values": values.map(sample).collect::<Vec<_>>() }),
        }
    });
    let result_type = if instant { "vector" } else { "matrix" };
    let data = json!({ "resultType": result_type, "result": result.collect::<Vec<_>>() });
    let mut body = json!({ "status": "success", "data": data });
    if let Some(body) = body.as_object_mut().filter(|_| !response.notes.is_empty()) {
        body.insert("warnings".to_owned(), json!(response.notes));
    }
    body
}

/// The exemplars as Prometheus' `/api/v1/query_exemplars` would give them.
#[must_use]
pub fn exemplars_to_prometheus(response: &MetricsResponse) -> Json {
    let names = Names::of(response.series.iter().flat_map(|series| &series.exemplars).flat_map(|found| &found.labels));
    let with_exemplars =
        response.series.iter().zip(metrics(response)).filter(|(series, _)| !series.exemplars.is_empty());
    let data = with_exemplars.map(|(series, metric)| {
        let exemplars = series.exemplars.iter().map(|found| {
            json!({
                "labels": names.metric(&found.labels),
                "value": float(found.value),
                "timestamp": seconds(found.time_unix_nano),
            })
        });
        json!({ "seriesLabels": metric, "exemplars": exemplars.collect::<Vec<_>>() })
    });
    json!({ "status": "success", "data": data.collect::<Vec<_>>() })
}

/// The label sets of all series. Prometheus knows no types: series that only types tell apart are numbered.
fn metrics(response: &MetricsResponse) -> Vec<Map<String, Json>> {
    let names = Names::of(response.series.iter().flat_map(|series| &series.labels));
    let mut seen: HashMap<String, u32> = HashMap::new();
    let numbered = response.series.iter().map(|series: &Series| {
        let mut metric = names.metric(&series.labels);
        let before = seen.entry(json!(metric).to_string()).or_default();
        *before += 1;
        if *before > 1 {
            metric.insert("__series".to_owned(), json!(before.to_string()));
        }
        metric
    });
    numbered.collect()
}

/// What each label is called.
struct Names(BTreeMap<String, String>);

impl Names {
    /// Of two names that would become the same, one that needs no change keeps it; others are numbered in their order.
    fn of<'a>(labels: impl Iterator<Item = &'a Label>) -> Self {
        let names: BTreeSet<&str> = labels.map(|label| label.name.as_str()).collect();
        let mut taken: BTreeSet<String> =
            names.iter().filter(|name| valid(name) == **name).map(|name| (*name).to_owned()).collect();
        let called = names.into_iter().map(|name| {
            let wanted = valid(name);
            if wanted == name {
                return (name.to_owned(), wanted);
            }
            let numbered = (2..).map(|number: u64| format!("{wanted}_{number}"));
            let free = std::iter::once(wanted.clone()).chain(numbered).find(|free| !taken.contains(free));
            let free = free.unwrap_or(wanted);
            taken.insert(free.clone());
            (name.to_owned(), free)
        });
        Self(called.collect())
    }

    fn metric(&self, labels: &[Label]) -> Map<String, Json> {
        let called = |label: &Label| self.0.get(&label.name).cloned().unwrap_or_else(|| label.name.clone());
        labels.iter().map(|label| (called(label), json!(label.value_text()))).collect()
    }
}

/// A name with `_` for what Prometheus does not allow.
fn valid(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let name: String = name.chars().map(allowed).collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Seconds, to the millisecond.
fn seconds(nanos: u64) -> Json {
    let millis = nanos / 1_000_000;
    if millis.is_multiple_of(1_000) { json!(millis / 1_000) } else { json!(millis as f64 / 1e3) }
}

/// A number as Go's shortest form has it, with an exponent where Prometheus writes one.
fn float(value: f64) -> String {
    let size = value.abs();
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() => if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        value if size != 0.0 && !(1e-6..1e21).contains(&size) => {
            let text = format!("{value:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn numbers_are_written_as_go_does() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (2.0, "2"),
            (0.1, "0.1"),
            (1e-6, "0.000001"),
            (9.5e-7, "9.5e-07"),
            (1e20, "100000000000000000000"),
            (-1e21, "-1e+21"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, text) in cases {
            assert_eq!(float(value), text);
        }
        assert_eq!([seconds(1_500_000_000), seconds(2_000_000_999)], [json!(1.5), json!(2)]);
    }

    #[test]
    fn names_are_made_valid_and_stay_apart() {
        let labels = ["span.a.b", "span_a_b", ".a", "span.a_b", "1x", "", "__bucket", "p", "span.é"];
        let labels = labels.map(|name| Label::new(name, Value::Int(1)));
        let names = Names::of(labels.iter());
        let called: Vec<&str> = labels.iter().map(|label| names.0[&label.name].as_str()).collect();
        let expected = ["span_a_b_2", "span_a_b", "_a", "span_a_b_3", "_1x", "_", "__bucket", "p", "span__"];
        assert_eq!(called, expected);
    }
}
