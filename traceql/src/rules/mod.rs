//! Alert and recording rules over metrics, in the rule format of Prometheus. See RULES.md for the files.
//!
//! ```text
//! YAML ─▶ yaml (tree with places) ─▶ file (checked rules, faults) ─┐
//!                            Source (an Engine) ─▶ samples at a time ─┴▶ Evaluator ─▶ changes of alerts, records
//! ```
//!
//! The host has the clock: it calls [`Evaluator::evaluate`] as often as it likes, and rules are evaluated when they are
//! due. What an evaluator knows is a [`State`] that can be kept with serde.

mod alert;
mod check;
mod duration;
mod evaluator;
mod expr;
mod file;
mod labels;
mod source;
mod state;
mod template;
pub mod unit;

pub use alert::{Alert, AlertState};
pub use duration::{format_duration, parse_duration};
pub use evaluator::{Change, DEFAULT_INTERVAL, Evaluation, Evaluator, Failure, Recorded};
pub use file::{AlertRule, FileReport, Group, RecordingRule, Rule, RuleFile, RuleQuery};
pub use labels::{Labels, Sample, prometheus_labels, prometheus_name};
pub use source::Source;
pub use state::{GroupState, RuleState, State};
pub use template::Template;

#[cfg(doctest)]
#[doc = include_str!("../../RULES.md")]
struct Documentation;
