//! Checked rules: what a rule file says. Made by [`super::check`].

use super::template::Template;
use crate::syntax::Diagnostics;

/// The rules of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFile {
    /// In order of the file; names are told apart.
    pub groups: Vec<Group>,
}

/// Rules that are evaluated together, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The name, one of its kind in the file.
    pub name: String,
    /// How often the rules are evaluated, in ns; `None` for the evaluator's default.
    pub interval: Option<u64>,
    /// How far before the time of evaluation queries end, in ns: for spans that arrive late.
    pub query_offset: u64,
    /// How many alerts, or recorded samples, a rule may have at once; 0 for any number.
    pub limit: usize,
    /// In order of the file. The group's labels are among theirs.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// Alerts when a query has series.
    Alert(AlertRule),
    /// Keeps what a query gives.
    Record(RecordingRule),
}

/// A query, and what makes alerts of its series.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// The name, `alertname` among the labels.
    pub name: String,
    /// The query.
    pub query: RuleQuery,
    /// How long the query has to have a series before its alert fires, in ns.
    pub hold: u64,
    /// How long it fires on when the series is gone, in ns.
    pub keep_firing_for: u64,
    /// Labels that alerts get, by name. They go before those of series.
    pub labels: Vec<(String, Template)>,
    /// Annotations, by name.
    pub annotations: Vec<(String, Template)>,
}

/// A query, and the name that its samples are kept under.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingRule {
    /// What the samples are called: `__name__` among their labels.
    pub name: String,
    /// The query.
    pub query: RuleQuery,
    /// Labels that samples get, by name. They go before those of series.
    pub labels: Vec<(String, String)>,
}

/// A metrics query of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleQuery {
    /// Its text.
    pub text: String,
    /// How much time it looks back over, in ns: its hint `range`; `None` for the interval of the group.
    pub range: Option<u64>,
}

/// What there is to say about a rule file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// The rules; `None` when there are errors.
    pub rules: Option<RuleFile>,
    /// Errors, warnings and notes in order of the file; their places are places of the file, also those in queries.
    pub diagnostics: Diagnostics,
}

impl RuleFile {
    /// The rules of a file.
    ///
    /// # Errors
    /// All that is wrong with it, warnings included.
    pub fn parse(text: &str) -> Result<Self, Diagnostics> {
        let report = Self::check(text);
        report.rules.ok_or(report.diagnostics)
    }
}

impl Rule {
    /// The alert's name, or that of what is recorded.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Alert(rule) => &rule.name,
            Self::Record(rule) => &rule.name,
        }
    }

    /// The query.
    #[must_use]
    pub fn query(&self) -> &RuleQuery {
        match self {
            Self::Alert(rule) => &rule.query,
            Self::Record(rule) => &rule.query,
        }
    }
}
