//! Running tests: evaluation by evaluation up to the last time that something is expected at.

use std::{
    io,
    path::{Path, PathBuf},
};

use tracestore::Snapshot;

use super::{Case, Expected, Test, TestFile, compare, spans::block_of};
use crate::{
    Engine, Error,
    rules::{
        alert::Alert,
        duration::format_duration,
        evaluator::{DEFAULT_INTERVAL, Evaluator, Recorded},
        file::RuleFile,
        labels::Sample,
        source::Source,
    },
    syntax::Diagnostics,
};

/// Time 0 of tests that have no recording and say nothing else: the year 2000.
const DEFAULT_START: u64 = 946_684_800_000_000_000;
/// More evaluations than a test would wait for.
const MAX_EVALUATIONS: usize = 100_000;

/// Why tests could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A rule file has errors.
    #[error("{}:\n{diagnostics}", path.display())]
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        diagnostics: Diagnostics,
    },
    /// The spans of a test cannot be had.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    /// Its name.
    pub name: String,
    /// How many expectations it has.
    pub cases: usize,
    /// Those that were not met; none in a test that passed.
    pub failures: Vec<TestFailure>,
}

/// What was not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailure {
    /// The line of the test file, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What was looked at, when.
    pub what: String,
    /// The differences, line by line: `-` before what is missing, `+` before what should not be there.
    pub differences: Vec<String>,
}

impl TestFile {
    /// Runs the tests. Paths in the file are relative to `folder`.
    ///
    /// # Errors
    /// [`RunError`]: no test says anything then.
    pub async fn run(&self, folder: &Path) -> Result<Vec<TestResult>, RunError> {
        let mut rules = Vec::with_capacity(self.rule_files.len());
        for path in &self.rule_files {
            let path = folder.join(path);
            let text = std::fs::read_to_string(&path).map_err(|error| RunError::Input { path: path.clone(), error })?;
            rules.push(RuleFile::parse(&text).map_err(|diagnostics| RunError::Rules { path, diagnostics })?);
        }
        let mut results = Vec::with_capacity(self.tests.len());
        for test in &self.tests {
            results.push(self.run_test(test, &rules, folder).await?);
        }
        Ok(results)
    }

    async fn run_test(&self, test: &Test, rules: &[RuleFile], folder: &Path) -> Result<TestResult, RunError> {
        let paths: Vec<PathBuf> = test.input.iter().map(|path| folder.join(path)).collect();
        let mut blocks = Snapshot::open(&paths).map_err(Error::from)?.blocks().to_vec();
        // The first second that a recording has spans in.
        let recorded = blocks.iter().filter(|block| block.spans() > 0).map(|block| block.time_range().0).min();
        let recorded = recorded.map(|start| start - start % 1_000_000_000);
        let start = test.start.or(recorded).unwrap_or(DEFAULT_START);
        blocks.extend(block_of(&test.spans, start)?);
        let interval = self.interval.unwrap_or(DEFAULT_INTERVAL);
        let evaluators = rules.iter().map(|rules| {
            let evaluator = Evaluator::new(rules.clone()).with_interval(interval);
            Evaluated { evaluator, recorded: Vec::new() }
        });
        let engine = Engine::new(Snapshot::new(blocks));
        let mut run = Run { engine, start, interval, files: evaluators.collect(), left: MAX_EVALUATIONS };
        let mut failures = Vec::new();
        for case in &test.cases {
            let mut faults = run.evaluate_until(case.at).await?;
            let (what, differences) = run.compare(case).await?;
            faults.extend(differences);
            if !faults.is_empty() {
                failures.push(TestFailure { line: case.line, column: case.column, what, differences: faults });
            }
        }
        Ok(TestResult { name: test.name.clone(), cases: test.cases.len(), failures })
    }
}

/// A test that is being run.
struct Run {
    engine: Engine,
    start: u64,
    interval: u64,
    files: Vec<Evaluated>,
    /// How many evaluations there may still be.
    left: usize,
}

/// The rules of a file so far.
struct Evaluated {
    evaluator: Evaluator,
    /// The samples of each group's last evaluation.
    recorded: Vec<Recorded>,
}

impl Evaluated {
    /// Evaluates what is due; gives what went wrong.
    async fn evaluate(&mut self, engine: &Engine, time: u64, start: u64) -> Vec<String> {
        let evaluation = self.evaluator.evaluate(engine, time).await;
        let groups = &self.evaluator.state().groups;
        let is_last = |found: &Recorded| {
            groups.iter().any(|group| group.name == found.group && group.evaluated_at == Some(found.at))
        };
        self.recorded.retain(is_last);
        self.recorded.extend(evaluation.recorded);
        let after = format_duration(time - start);
        let failed = evaluation.failures.iter();
        let lines = failed.map(|failure| {
            format!("rule {} of group {} failed at {after}: {}", failure.rule, failure.group, failure.error)
        });
        lines.collect()
    }
}

impl Run {
    /// Makes the evaluations up to and with a time, ns after the start; gives what went wrong in them.
    async fn evaluate_until(&mut self, at: u64) -> Result<Vec<String>, Error> {
        let mut faults = Vec::new();
        loop {
            let due = self.files.iter().filter_map(|file| file.evaluator.next_due()).min();
            let end = self.start.saturating_add(at);
            let Some(time) = due.map(|due| due.max(self.start)).filter(|time| *time <= end) else {
                return Ok(faults);
            };
            let too_many = || Error::Limit(format!("a test makes more than {MAX_EVALUATIONS} evaluations"));
            self.left = self.left.checked_sub(1).ok_or_else(too_many)?;
            for file in &mut self.files {
                faults.extend(file.evaluate(&self.engine, time, self.start).await);
            }
        }
    }

    /// What a case looks at, and how that differs from what it expects.
    async fn compare(&self, case: &Case) -> Result<(String, Vec<String>), Error> {
        let at = format_duration(case.at);
        match &case.expected {
            Expected::Alerts { name, alerts } => {
                let all = self.files.iter().flat_map(|file| file.evaluator.alerts());
                let is_meant = |alert: &&Alert| alert.labels.get("alertname") == Some(name);
                let found: Vec<&Alert> = all.filter(is_meant).collect();
                let known = self.files.iter().flat_map(|file| &file.evaluator.rules().groups);
                let mut lines = compare::alerts(alerts, &found);
                if !known.flat_map(|group| &group.rules).any(|rule| rule.name() == name) {
                    lines.push(format!("there is no rule `{name}`"));
                }
                Ok((format!("alerts {name} at {at}"), lines))
            }
            Expected::Recorded { name, samples } => {
                let all = self.files.iter().flat_map(|file| &file.recorded);
                let found = all.filter(|found| found.name == *name);
                let found: Vec<Sample> =
                    found.map(|found| Sample { labels: found.labels.clone(), value: found.value }).collect();
                Ok((format!("samples {name} at {at}"), compare::samples(samples, &found)))
            }
            Expected::Values { query, range, samples } => {
                let end = self.start.saturating_add(case.at);
                let begin = end.saturating_sub(range.unwrap_or(self.interval));
                let found = self.engine.samples(query, begin, end).await?;
                Ok((format!("`{query}` at {at}"), compare::samples(samples, &found)))
            }
        }
    }
}
