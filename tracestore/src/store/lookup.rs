//! Traces by the first digits of their ids.

use std::collections::BTreeMap;

use super::{
    Snapshot,
    join::{InMemory, Limits, join},
    split::Part,
};
use crate::{
    Result,
    model::{ParseIdError, TraceId},
};

/// A trace whose id starts with the digits that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceCandidate {
    /// Its id.
    pub trace_id: TraceId,
    /// The earliest span start, ns since 1970; zero times are left out unless all are zero.
    pub start: u64,
    /// Name and service of the root span that starts first. Of a trace with parts in several blocks: of the part that
    /// starts first among those with a root.
    pub root: Option<(String, String)>,
}

impl Snapshot {
    /// The traces whose ids start with some hexadecimal digits, at most `limit` of them, ascending by id. A trace that
    /// lies in several blocks is there once. The digits are those of the id at full width, leading zeros included.
    ///
    /// *Cost.* A binary search in the trace ids of every block, which are read for it. No spans are read.
    ///
    /// # Errors
    /// [`crate::Error::Id`] for what is not 1 to 32 hexadecimal digits; [`crate::Error::Corrupt`], [`crate::Error::Io`].
    pub fn find_by_prefix(&self, digits: &str, limit: usize) -> Result<Vec<TraceCandidate>> {
        let (low, high) = bounds(digits)?;
        let mut parts: BTreeMap<TraceId, Vec<(usize, usize)>> = BTreeMap::new();
        for (number, block) in self.blocks().iter().enumerate() {
            for (id, ordinal) in block.find_between(low, high, limit)? {
                parts.entry(id).or_default().push((number, ordinal));
            }
        }
        parts.into_iter().take(limit).map(|(id, parts)| self.candidate(id, &parts)).collect()
    }

    /// A trace given by its parts: numbers of blocks, and ordinals there.
    fn candidate(&self, trace_id: TraceId, parts: &[(usize, usize)]) -> Result<TraceCandidate> {
        let mut summaries = Vec::with_capacity(parts.len());
        for (number, ordinal) in parts {
            let Some(block) = self.blocks().get(*number) else { continue };
            match block.is_partly_deleted(*ordinal as u32) {
                // The summary is that of all its spans.
                true => {
                    let part = Part { trace: trace_id, block: *number as u32, ordinal: *ordinal as u32 };
                    for block in join(self.blocks(), &[part], Limits::default(), &mut InMemory)? {
                        summaries.extend(block.summaries(&[0])?);
                    }
                }
                false => summaries.extend(block.summaries(&[*ordinal])?),
            }
        }
        // A start of zero is no time.
        summaries.sort_by_key(|summary| (summary.start == 0, summary.start));
        let start = summaries.first().map_or(0, |summary| summary.start);
        Ok(TraceCandidate { trace_id, start, root: summaries.into_iter().find_map(|summary| summary.root) })
    }
}

/// The first and the last id that start with some digits.
fn bounds(digits: &str) -> Result<(TraceId, TraceId), ParseIdError> {
    let expected = "the start of a trace id: 1 to 32 hexadecimal digits";
    let error = || ParseIdError { text: digits.to_owned(), expected };
    let missing = 32_usize.checked_sub(digits.len()).filter(|missing| *missing < 32).ok_or_else(error)?;
    let filled = |digit: &str| format!("{digits}{}", digit.repeat(missing)).parse().map_err(|_| error());
    Ok((filled("0")?, filled("f")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_bound_a_range_of_ids() {
        let (low, high) = bounds("00A").unwrap();
        assert_eq!(low.to_string(), "00a00000000000000000000000000000");
        assert_eq!(high.to_string(), "00afffffffffffffffffffffffffffff");
        let whole = "0123456789abcdef0123456789abcdef";
        let (low, high) = bounds(whole).unwrap();
        assert!(low == high && low.to_string() == whole);
        for bad in ["", "12g4", "é", "0123456789abcdef0123456789abcdef0"] {
            assert_eq!(bounds(bad).unwrap_err().text, bad);
        }
    }
}
