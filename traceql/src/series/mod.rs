//! Series: what metrics queries answer. Pure data, and pure functions on it: intervals, arithmetic between series, what
//! works on whole answers. The numbers in them come from [`crate::Engine::query_range`] and go to [`crate::output`].

mod arithmetic;
mod intervals;
mod label;
mod stage;

pub(crate) use arithmetic::{Operand, arithmetic};
pub use intervals::Intervals;
pub use label::Label;
pub(crate) use label::shown;
pub(crate) use stage::{bottom, threshold, top};

/// Values of something over time, and what tells it apart from others.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What tells it apart from other series: each name once.
    pub labels: Vec<Label>,
    /// A value for each interval; NaN where there is none.
    pub values: Vec<f64>,
    /// Spans that stand behind some values.
    pub exemplars: Vec<Exemplar>,
}

/// A span that stands for others of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Its trace and what the query names of it: `trace:id`, `span:id`, fields.
    pub labels: Vec<Label>,
    /// What it added to the series; where spans are counted, the value of the series at its time.
    pub value: f64,
    /// Its start, ns since 1970.
    pub time_unix_nano: u64,
}

impl Series {
    /// Whether there is a value in any interval: a series of nothing else is no answer.
    #[must_use]
    pub fn has_values(&self) -> bool {
        self.values.iter().any(|value| !value.is_nan())
    }
}

/// Answers in their order, without series that have no value: fewer labels first, then by their
/// names, then by the texts of their values.
pub(crate) fn finish(mut series: Vec<Series>) -> Vec<Series> {
    series.retain(Series::has_values);
    series.sort_by(|a, b| label::answer_order(&a.labels, &b.labels));
    series
}
