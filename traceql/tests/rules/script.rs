//! A source of samples without an engine: what a query gives at which second is written down.

use std::{collections::BTreeMap, sync::Mutex};

use traceql::{
    Error, Result,
    rules::{Change, Evaluator, Labels, RuleFile, Sample, Source},
};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// What queries give by the second that they end at; an `Err` is a query that fails.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) answers: BTreeMap<u64, Result<Vec<Sample>, String>>,
    /// What was asked: query, start and end in seconds.
    pub(crate) asked: Mutex<Vec<(String, u64, u64)>>,
}

impl Source for Script {
    async fn samples(&self, query: &str, start: u64, end: u64) -> Result<Vec<Sample>> {
        self.asked.lock().unwrap().push((query.to_owned(), start / SECOND, end / SECOND));
        match self.answers.get(&(end / SECOND)) {
            Some(Ok(samples)) => Ok(samples.clone()),
            Some(Err(reason)) => Err(Error::Execution(reason.clone())),
            None => Ok(Vec::new()),
        }
    }
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn sample(service: &str, value: f64) -> Sample {
    Sample { labels: labels(&[("resource.service.name", service)]), value }
}

/// A script of the services that have a series at each second.
pub(crate) fn script(seconds: &[(u64, &[&str])]) -> Script {
    let answers = seconds.iter().map(|(second, services)| {
        (*second, Ok(services.iter().map(|service| sample(service, *second as f64)).collect()))
    });
    Script { answers: answers.collect(), ..Script::default() }
}

/// The rules of a group that is evaluated every 10 seconds.
pub(crate) fn rules(rest: &str) -> RuleFile {
    let text = format!("groups:\n  - name: g\n    interval: 10s\n{rest}");
    RuleFile::parse(&text).unwrap_or_else(|faults| panic!("{faults}"))
}

/// One alert `A` with more keys, one on a line.
pub(crate) fn alert(keys: &[&str]) -> RuleFile {
    let keys: String = keys.iter().map(|key| format!("        {key}\n")).collect();
    rules(&format!(
        "    rules:\n      - alert: A\n        expr: '{{ }} | rate() by (resource.service.name) > 0'\n{keys}"
    ))
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// `10 a inactive>pending`: what changes when evaluated at these seconds.
pub(crate) fn changes(
    evaluator: &mut Evaluator,
    source: &Script,
    seconds: impl IntoIterator<Item = u64>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for second in seconds {
        let evaluation = run(evaluator.evaluate(source, second * SECOND));
        lines.extend(evaluation.changes.iter().map(line));
        lines.extend(evaluation.failures.iter().map(|failure| format!("{second} {} {}", failure.rule, failure.error)));
    }
    lines
}

fn line(change: &Change) -> String {
    let service = change.alert.labels.get("resource.service.name").map_or("", String::as_str);
    format!("{} {service} {}>{}", change.at / SECOND, change.from.name(), change.to.name())
}
