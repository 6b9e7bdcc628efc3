//! Making blocks: OTLP requests in, a folder of files out.
//!
//! ```text
//! push: check, index, count keys ─▶ Collected
//! finish: Order (traces, trees) ─▶ per row group: decode into arrays ─▶ encode, checksum ─▶ small tables ─▶ meta.json
//! ```

mod collect;
mod encoding;
mod file;
mod keys;
mod order;
mod residual;
mod rows;
mod tables;
mod tree;
mod write;

use std::path::Path;

use bytes::Bytes;

use crate::{
    Result,
    io::Vfs,
    model::BlockId,
    otlp::{Pushed, WireError},
};

/// Collects encoded requests and writes them as a block.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    collected: collect::Collected,
}

impl BlockBuilder {
    /// A builder of an empty block.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder that leaves out copies of spans which another copy stands for: queries never see them, and whichever copy
    /// stands for all of them also does for those that come later, in other blocks.
    #[must_use]
    pub(crate) fn without_copies() -> Self {
        let mut builder = Self::default();
        builder.collected.drops_copies = true;
        builder
    }

    /// Takes the spans of an encoded `ExportTraceServiceRequest`. Spans that cannot be taken are left out and counted.
    ///
    /// # Errors
    /// When the request is malformed outside of its spans; nothing of it is taken then.
    pub fn push(&mut self, request: &Bytes) -> Result<Pushed, WireError> {
        self.collected.push(request)
    }

    /// How many spans were taken.
    #[must_use]
    pub fn spans(&self) -> usize {
        self.collected.spans.len()
    }

    /// How many traces they belong to.
    #[must_use]
    pub fn traces(&self) -> usize {
        self.collected.traces.len()
    }

    /// Bytes of the requests, which are kept until the block is written.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.collected.bytes()
    }

    /// Writes the block into the folder `dir`, which is made. On an error nothing is left behind.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn finish(self, vfs: &dyn Vfs, dir: &Path, id: BlockId) -> Result<()> {
        let written = write::write(self.collected, vfs, dir, id);
        if written.is_err() {
            // The first error is the one to report.
            let _ = vfs.remove(dir);
        }
        written
    }
}
