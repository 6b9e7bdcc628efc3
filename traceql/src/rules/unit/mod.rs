//! Unit tests of rules, in the manner of promtool: spans with times in, and which alerts and samples there are then.
//!
//! ```text
//! YAML ─▶ read ─▶ TestFile ─▶ run: spans ─▶ Engine ─▶ Evaluator, evaluation by evaluation ─▶ compare ─▶ failures
//! ```

mod compare;
mod read;
mod run;
mod spans;

use std::path::PathBuf;

pub use run::{RunError, TestFailure, TestResult};

use self::spans::SpanSpec;
use super::{alert::AlertState, labels::Labels};
use crate::syntax::Diagnostics;

/// A file of unit tests.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// As they are written.
    rule_files: Vec<PathBuf>,
    interval: Option<u64>,
    tests: Vec<Test>,
}

/// What there is to say about a test file.
#[derive(Debug, Clone)]
pub struct TestFileReport {
    /// The tests; `None` when there are errors.
    pub tests: Option<TestFile>,
    /// Errors, warnings and notes in order of the file.
    pub diagnostics: Diagnostics,
}

/// Spans, and what rules make of them.
#[derive(Debug, Clone)]
struct Test {
    name: String,
    /// Time 0 of the test, ns since 1970.
    start: Option<u64>,
    input: Vec<PathBuf>,
    spans: Vec<SpanSpec>,
    /// In order of their times.
    cases: Vec<Case>,
}

/// What is expected at a time.
#[derive(Debug, Clone)]
struct Case {
    /// ns after the test's start.
    at: u64,
    line: usize,
    column: usize,
    expected: Expected,
}

#[derive(Debug, Clone)]
enum Expected {
    Alerts { name: String, alerts: Vec<ExpectedAlert> },
    Recorded { name: String, samples: Vec<ExpectedSample> },
    Values { query: String, range: Option<u64>, samples: Vec<ExpectedSample> },
}

#[derive(Debug, Clone)]
struct ExpectedAlert {
    state: AlertState,
    labels: Labels,
    /// Looked at where they are given.
    annotations: Option<Labels>,
}

#[derive(Debug, Clone)]
struct ExpectedSample {
    labels: Labels,
    value: f64,
}
