//! Why a span was not taken. A refused span never takes others with it: it is counted, and reported with its reason.

use std::fmt;

use super::view::{SpanView, WireReason};

/// A reason for which one span is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Refusal {
    /// The trace id is not 16 bytes long, or all zero.
    TraceId,
    /// The span id is not 8 bytes long, or all zero.
    SpanId,
    /// The parent id is neither empty nor 8 bytes long.
    ParentId,
    /// A text of the span, its resource or its scope is not UTF-8.
    Utf8,
    /// A value is nested deeper than 32 levels.
    Depth,
    /// The span's bytes cannot be decoded.
    Malformed,
}

/// How many spans were refused, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals {
    counts: [u64; Refusal::ALL.len()],
}

impl Refusal {
    const ALL: [Self; 6] = [Self::TraceId, Self::SpanId, Self::ParentId, Self::Utf8, Self::Depth, Self::Malformed];

    /// Why a span with these ids would be refused.
    pub(crate) fn of_ids(span: &SpanView<'_>) -> Option<Self> {
        let zero = |id: &[u8]| id.iter().all(|byte| *byte == 0);
        if span.trace_id.len() != 16 || zero(span.trace_id) {
            return Some(Self::TraceId);
        }
        if span.span_id.len() != 8 || zero(span.span_id) {
            return Some(Self::SpanId);
        }
        (!matches!(span.parent_span_id.len(), 0 | 8)).then_some(Self::ParentId)
    }
}

impl From<WireReason> for Refusal {
    fn from(reason: WireReason) -> Self {
        match reason {
            WireReason::Utf8 => Self::Utf8,
            WireReason::Depth => Self::Depth,
            _ => Self::Malformed,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TraceId => "a trace id that is not 16 bytes or all zero",
            Self::SpanId => "a span id that is not 8 bytes or all zero",
            Self::ParentId => "a parent id that is not 8 bytes",
            Self::Utf8 => "text that is not UTF-8",
            Self::Depth => "a value nested deeper than 32 levels",
            Self::Malformed => "bytes that cannot be decoded",
        })
    }
}

impl Refusals {
    /// Counts spans refused for a reason.
    pub fn add(&mut self, refusal: Refusal, spans: u64) {
        if let Some(count) = self.counts.get_mut(refusal as usize) {
            *count += spans;
        }
    }

    /// Adds what another count has.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
    }

    /// How many spans were refused in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The reasons that occurred, with how many spans each.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> {
        Refusal::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Display for Refusals {
    /// `3 spans refused: 2 with a trace id that is not 16 bytes or all zero, 1 with text that is not UTF-8`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        write!(f, "{total} {} refused", if total == 1 { "span" } else { "spans" })?;
        for (index, (refusal, count)) in self.iter().enumerate() {
            write!(f, "{} {count} with {refusal}", if index == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_read_as_a_sentence() {
        let mut refusals = Refusals::default();
        refusals.add(Refusal::TraceId, 2);
        refusals.add(Refusal::Utf8, 1);
        let text = "3 spans refused: 2 with a trace id that is not 16 bytes or all zero, 1 with text that is not UTF-8";
        assert_eq!(refusals.to_string(), text);
    }
}
