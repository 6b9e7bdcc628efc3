//! Evaluating rules when they are due: queries to the source, samples to alerts and records. The clock is the host's.

use std::collections::BTreeMap;

use super::{
    alert::{self, Alert, AlertState, Transition},
    file::{Group, RecordingRule, Rule, RuleFile},
    labels::{FUNCTION, Labels, Sample},
    source::Source,
    state::State,
};
use crate::{Error, Result};

/// How often rules are evaluated, and how far they look back, where nothing says so: a minute, as in Prometheus.
pub const DEFAULT_INTERVAL: u64 = 60_000_000_000;

/// Evaluates the rules of a file.
///
/// ```no_run
/// # async fn example(engine: traceql::Engine, now: u64) -> Result<(), Box<dyn std::error::Error>> {
/// use traceql::rules::{AlertState, Evaluator, RuleFile};
///
/// let rules = RuleFile::parse(&std::fs::read_to_string("rules.yaml")?)?;
/// let mut evaluator = Evaluator::new(rules);
/// let evaluation = evaluator.evaluate(&engine, now).await; // again, and again
/// for change in evaluation.changes.iter().filter(|change| change.to == AlertState::Firing) {
///     println!("{:?} {:?}", change.alert.labels, change.alert.annotations);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Evaluator {
    rules: RuleFile,
    interval: u64,
    state: State,
    /// Alerts of rules that are no more, to be ended.
    left: Vec<(String, Alert)>,
}

/// What came of an evaluation.
#[derive(Debug, Default)]
pub struct Evaluation {
    /// Alerts that came to another state, in order of the rules and of labels.
    pub changes: Vec<Change>,
    /// What recording rules gave: for the host, nothing here reads it.
    pub recorded: Vec<Recorded>,
    /// Rules that could not be evaluated. Their alerts are what they were.
    pub failures: Vec<Failure>,
}

/// An alert that has come to another state.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The group of its rule.
    pub group: String,
    /// When, ns since 1970.
    pub at: u64,
    /// The state before.
    pub from: AlertState,
    /// The state now. From firing to inactive is what is called resolved.
    pub to: AlertState,
    /// The alert now; with the last value and annotations it had where it is over.
    pub alert: Alert,
}

/// A sample of a recording rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The group of its rule.
    pub group: String,
    /// When, ns since 1970.
    pub at: u64,
    /// The rule's name.
    pub name: String,
    /// The labels, without the name.
    pub labels: Labels,
    /// The value.
    pub value: f64,
}

/// A rule that could not be evaluated.
#[derive(Debug)]
pub struct Failure {
    /// The group of the rule.
    pub group: String,
    /// The rule's name.
    pub rule: String,
    /// When, ns since 1970.
    pub at: u64,
    /// Why.
    pub error: Error,
}

impl Change {
    /// Whether it has fired and does so no more.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        (self.from, self.to) == (AlertState::Firing, AlertState::Inactive)
    }

    fn new(group: &str, at: u64, transition: Transition) -> Self {
        let Transition { from, alert } = transition;
        Self { group: group.to_owned(), at, from, to: alert.state, alert }
    }
}

impl Evaluator {
    /// Nothing was evaluated yet.
    #[must_use]
    pub fn new(rules: RuleFile) -> Self {
        Self::with_state(rules, State::default())
    }

    /// Goes on from a state, perhaps one of other rules: alerts are kept where group and rule have the same names, the
    /// others end with the next evaluation.
    #[must_use]
    pub fn with_state(rules: RuleFile, state: State) -> Self {
        let (state, left) = state.arranged(&rules);
        Self { rules, interval: DEFAULT_INTERVAL, state, left }
    }

    /// How often groups are evaluated that do not say so themselves, in ns.
    #[must_use]
    pub fn with_interval(self, interval: u64) -> Self {
        Self { interval: interval.max(1), ..self }
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &RuleFile {
        &self.rules
    }

    /// What is known: to be kept.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The alerts that are pending or firing.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.state.groups.iter().flat_map(|group| &group.rules).flat_map(|rule| &rule.alerts)
    }

    /// When the next group is due, ns since 1970: 0 where one was never evaluated, `None` where there is none.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        let groups = self.rules.groups.iter().zip(&self.state.groups);
        let due = groups.map(|(group, state)| {
            state.evaluated_at.map_or(0, |last| last.saturating_add(group.interval.unwrap_or(self.interval)))
        });
        due.min()
    }

    /// Evaluates the groups that are due: those that were not evaluated for an interval. An evaluation that was missed
    /// is not made up for, and a time before the last evaluation does nothing.
    pub async fn evaluate(&mut self, source: &impl Source, at: u64) -> Evaluation {
        let mut evaluation = Evaluation::default();
        for (group, alert) in std::mem::take(&mut self.left) {
            evaluation.changes.push(Change::new(&group, at, alert::ended(&alert)));
        }
        for (group, state) in self.rules.groups.iter().zip(&mut self.state.groups) {
            let interval = group.interval.unwrap_or(self.interval);
            if state.evaluated_at.is_some_and(|last| at < last.saturating_add(interval)) {
                continue;
            }
            state.evaluated_at = Some(at);
            for (rule, state) in group.rules.iter().zip(&mut state.rules) {
                let end = at.saturating_sub(group.query_offset);
                let start = end.saturating_sub(rule.query().range.unwrap_or(interval));
                let evaluated = match source.samples(&rule.query().text, start, end).await {
                    Ok(samples) => take(group, rule, &mut state.alerts, &samples, at, &mut evaluation),
                    Err(error) => Err(error),
                };
                if let Err(error) = evaluated {
                    let (group, rule) = (group.name.clone(), rule.name().to_owned());
                    evaluation.failures.push(Failure { group, rule, at, error });
                }
            }
        }
        evaluation
    }
}

/// What follows from the samples of a rule.
fn take(
    group: &Group,
    rule: &Rule,
    alerts: &mut Vec<Alert>,
    samples: &[Sample],
    at: u64,
    evaluation: &mut Evaluation,
) -> Result<()> {
    match rule {
        Rule::Alert(rule) => {
            let transitions = alert::advance(rule, group.limit, alerts, samples, at)
                .map_err(|count| Error::Limit(format!("{count} alerts, and the group's limit is {}", group.limit)))?;
            evaluation
                .changes
                .extend(transitions.into_iter().map(|transition| Change::new(&group.name, at, transition)));
        }
        Rule::Record(rule) => evaluation.recorded.extend(record(group, rule, samples, at)?),
    }
    Ok(())
}

/// The samples under their new name.
fn record(group: &Group, rule: &RecordingRule, samples: &[Sample], at: u64) -> Result<Vec<Recorded>> {
    let mut values: BTreeMap<Labels, f64> = BTreeMap::new();
    for sample in samples {
        let mut labels = sample.labels.clone();
        labels.remove(FUNCTION);
        labels.extend(rule.labels.iter().cloned());
        labels.retain(|_, value| !value.is_empty());
        if values.contains_key(&labels) {
            return Err(Error::Execution(format!("two series have the same labels {labels:?}")));
        }
        values.insert(labels, sample.value);
    }
    if group.limit > 0 && values.len() > group.limit {
        let reason = format!("{} samples, and the group's limit is {}", values.len(), group.limit);
        return Err(Error::Limit(reason));
    }
    let recorded = values.into_iter().map(|(labels, value)| Recorded {
        group: group.name.clone(),
        at,
        name: rule.name.clone(),
        labels,
        value,
    });
    Ok(recorded.collect())
}
