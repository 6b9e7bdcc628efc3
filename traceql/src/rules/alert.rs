//! The states of alerts: a pure function from the alerts of a rule and what its query gave to the alerts after that.
//!
//! ```text
//!            series, held for less than `for`         held for `for`
//! inactive ─────────────────────────────────▶ pending ──────────────▶ firing
//!     ▲                                          │ no series             │ no series, for `keep_firing_for`
//!     └──────────────────────────────────────────┴───────────────────────┘
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    file::AlertRule,
    labels::{ALERT_NAME, FUNCTION, Labels, Sample},
};

/// What an alert is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// There is no alert: not yet, or no more.
    Inactive,
    /// The query has a series, not for long enough.
    Pending,
    /// It has had one for long enough, and somebody should know.
    Firing,
}

/// An alert that is pending or firing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// What tells it apart: the series' labels, those of the rule, `alertname`.
    pub labels: Labels,
    /// What is said of it, as of the last evaluation that had a series.
    pub annotations: Labels,
    /// The series' value then.
    #[serde(with = "float")]
    pub value: f64,
    /// Pending or firing.
    pub state: AlertState,
    /// Since when there is a series, ns since 1970.
    pub active_at: u64,
    /// Since when there is none, while it is kept firing, ns since 1970.
    pub gone_at: Option<u64>,
}

/// An alert after it has come to another state, and the state before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Transition {
    pub(super) from: AlertState,
    pub(super) alert: Alert,
}

/// JSON has no infinite numbers: they are texts there.
mod float {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Float {
        Number(f64),
        Text(String),
    }

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        let value = if value.is_finite() { Float::Number(*value) } else { Float::Text(value.to_string()) };
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Float::deserialize(deserializer)? {
            Float::Number(value) => Ok(value),
            Float::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

impl AlertState {
    /// `inactive`, `pending`, `firing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// Takes the alerts of a rule to the time `at`, given what its query gave then. Of series that make equal labels the
/// first one counts. With more alerts than `limit` nothing changes.
///
/// # Errors
/// How many alerts there would be, when they are too many.
pub(super) fn advance(
    rule: &AlertRule,
    limit: usize,
    alerts: &mut Vec<Alert>,
    samples: &[Sample],
    at: u64,
) -> Result<Vec<Transition>, usize> {
    let mut before: BTreeMap<&Labels, &Alert> = alerts.iter().map(|alert| (&alert.labels, alert)).collect();
    let mut after: BTreeMap<Labels, Alert> = BTreeMap::new();
    let mut transitions = Vec::new();
    for sample in samples {
        let labels = labels(rule, sample);
        if after.contains_key(&labels) {
            continue;
        }
        let known = before.remove(&labels);
        let (from, active_at) = known.map_or((AlertState::Inactive, at), |alert| (alert.state, alert.active_at));
        let held = at.saturating_sub(active_at) >= rule.hold;
        let fires = from == AlertState::Firing || held;
        let alert = Alert {
            labels: labels.clone(),
            annotations: annotations(rule, sample),
            value: sample.value,
            state: if fires { AlertState::Firing } else { AlertState::Pending },
            active_at,
            gone_at: None,
        };
        if alert.state != from {
            transitions.push(Transition { from, alert: alert.clone() });
        }
        after.insert(labels, alert);
    }
    for (labels, alert) in before {
        let gone_at = alert.gone_at.unwrap_or(at);
        let is_kept = alert.state == AlertState::Firing && at.saturating_sub(gone_at) < rule.keep_firing_for;
        if is_kept {
            after.insert(labels.clone(), Alert { gone_at: Some(gone_at), ..alert.clone() });
        } else {
            transitions.push(ended(alert));
        }
    }
    if limit > 0 && after.len() > limit {
        return Err(after.len());
    }
    transitions.sort_by(|a, b| a.alert.labels.cmp(&b.alert.labels));
    *alerts = after.into_values().collect();
    Ok(transitions)
}

/// The end of an alert.
pub(super) fn ended(alert: &Alert) -> Transition {
    Transition { from: alert.state, alert: Alert { state: AlertState::Inactive, ..alert.clone() } }
}

/// The labels of a series, those of its rule, and the alert's name. A label that is empty is none.
fn labels(rule: &AlertRule, sample: &Sample) -> Labels {
    let mut labels = sample.labels.clone();
    labels.remove(FUNCTION);
    for (name, template) in &rule.labels {
        labels.insert(name.clone(), template.expand(&sample.labels, sample.value));
    }
    labels.insert(ALERT_NAME.to_owned(), rule.name.clone());
    labels.retain(|_, value| !value.is_empty());
    labels
}

fn annotations(rule: &AlertRule, sample: &Sample) -> Labels {
    let texts = rule.annotations.iter();
    texts.map(|(name, template)| (name.clone(), template.expand(&sample.labels, sample.value))).collect()
}
