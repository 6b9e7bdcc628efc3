//! All traces of a view, whole, a few at a time: for whoever wants to have them elsewhere.

use std::sync::Arc;

use super::Snapshot;
use crate::{
    Result,
    block::Block,
    model::{Trace, TraceId},
};

/// A batch ends with the trace that brings it to this many spans.
const BATCH_SPANS: usize = 8 << 10;

/// Whole traces, batch by batch. See [`Snapshot::traces`].
#[derive(Debug)]
pub struct Traces<F> {
    blocks: std::vec::IntoIter<Arc<Block>>,
    /// The block that is being read, and its next trace.
    at: Option<(Arc<Block>, usize)>,
    is_wanted: F,
}

impl Snapshot {
    /// The whole traces whose ids are wanted, in batches of about 8 Ki spans: memory is that of a batch, beside the
    /// [whole view](Snapshot::whole). Blocks follow each other; in a block traces come by their start. Nothing more comes
    /// after an error.
    ///
    /// # Errors
    /// As [`Snapshot::whole`].
    pub fn traces<F: FnMut(&TraceId) -> bool>(&self, is_wanted: F) -> Result<Traces<F>> {
        let blocks: Vec<_> = self.whole()?.blocks().to_vec();
        Ok(Traces { blocks: blocks.into_iter(), at: None, is_wanted })
    }
}

impl<F: FnMut(&TraceId) -> bool> Traces<F> {
    /// The next wanted traces of the block at hand; none at its end.
    fn read(&mut self) -> Result<Vec<Trace>> {
        let Some((block, next)) = &mut self.at else { return Ok(Vec::new()) };
        let table = block.trace_table()?;
        let rows = table.rows()?;
        let (mut ordinals, mut spans) = (Vec::new(), 0);
        for (ordinal, rows) in rows.values().iter().enumerate().skip(*next) {
            if spans >= BATCH_SPANS {
                break;
            }
            *next = ordinal + 1;
            if !block.is_hidden(ordinal as u32) && (self.is_wanted)(&table.id(ordinal)?) {
                ordinals.push(ordinal as u32);
                spans += *rows as usize;
            }
        }
        if ordinals.is_empty() { Ok(Vec::new()) } else { block.traces_at(&ordinals) }
    }
}

impl<F: FnMut(&TraceId) -> bool> Iterator for Traces<F> {
    type Item = Result<Vec<Trace>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read() {
                Ok(traces) if traces.is_empty() => self.at = Some((self.blocks.next()?, 0)),
                Ok(traces) => return Some(Ok(traces)),
                Err(error) => {
                    (self.blocks, self.at) = (Vec::new().into_iter(), None);
                    return Some(Err(error));
                }
            }
        }
    }
}
