//! Hints that change what a metrics query counts (SEMANTICS.md M8).

use tracestore::block::SpanColumn;

use crate::{
    Result,
    nodes::series::rows::{Sample, WEIGHT_UNIT},
    syntax::{
        Diagnostic, Diagnostics,
        ast::{Hint, Literal},
    },
};

/// What the hints of a query say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Hints {
    /// Quantiles are of values, not of buckets.
    pub(super) exact: bool,
    /// Only some spans are counted, and stand for the others.
    pub(super) sample: Option<Sample>,
    /// Spans stand for those that were not kept when they were sampled.
    pub(super) extrapolate: bool,
    /// How many exemplars are wanted.
    pub(super) exemplars: Option<usize>,
}

impl Hints {
    pub(super) fn of(text: &str, list: &[Hint]) -> Result<Self> {
        let mut hints = Self::default();
        for hint in list {
            match hint.name.as_str() {
                "exact" => hints.exact = hint.value == Literal::Bool(true),
                "extrapolate" => hints.extrapolate = hint.value == Literal::Bool(true),
                "sample" | "trace_sample" => hints.sample = sample(text, hint, SpanColumn::TraceHash)?,
                "span_sample" => hints.sample = sample(text, hint, SpanColumn::SpanHash)?,
                "exemplars" => {
                    hints.exemplars = match hint.value {
                        Literal::Int(count) => usize::try_from(count).ok(),
                        Literal::Bool(wanted) => Some(if wanted { 100 } else { 0 }),
                        _ => None,
                    }
                }
                _ => {}
            }
        }
        Ok(hints)
    }

    /// For how many spans each stands that is counted; by what counts are multiplied.
    pub(super) fn scale(&self) -> f64 {
        let unit = if self.extrapolate { 1.0 / WEIGHT_UNIT as f64 } else { 1.0 };
        self.sample.as_ref().map_or(unit, |sample| unit / sample.fraction)
    }
}

/// The sample that a hint asks for. `true` leaves its size to the engine, which takes all.
fn sample(text: &str, hint: &Hint, column: SpanColumn) -> Result<Option<Sample>> {
    let fraction = match hint.value {
        Literal::Bool(_) => return Ok(None),
        Literal::Float(fraction) => fraction,
        Literal::Int(fraction) => fraction as f64,
        _ => f64::NAN,
    };
    if fraction > 0.0 && fraction <= 1.0 {
        return Ok((fraction < 1.0).then_some(Sample { column, fraction }));
    }
    let fault = Diagnostic::new("TQ0906", hint.span, "a sample is a part: more than 0, at most 1");
    Err(Diagnostics::new(text, vec![fault.help("as in `with (sample = 0.1)`")]).into())
}
