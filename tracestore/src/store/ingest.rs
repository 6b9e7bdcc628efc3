//! OTLP sources into blocks: all of them, or none.

use std::path::Path;

use crate::{
    Error, Result,
    block::BlockBuilder,
    io::Vfs,
    model::BlockId,
    otlp::{MessageSource, Refusals},
};

/// A block is written when the requests that it holds have this many bytes ...
pub(super) const BLOCK_BYTES: usize = 512 << 20;
/// ... or this many spans.
const BLOCK_SPANS: usize = 8 << 20;

/// How far an ingest is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IngestProgress {
    /// Bytes of the files read so far, as they are in the files.
    pub bytes_read: u64,
    /// Spans taken so far.
    pub spans: u64,
}

/// What an ingest did.
#[derive(Debug, Clone, Default)]
pub struct IngestReport {
    /// The blocks that were made.
    pub blocks: Vec<BlockId>,
    /// Spans taken.
    pub spans: u64,
    /// Traces in the blocks; one that is cut by the end of a block counts in each.
    pub traces: u64,
    /// Spans that were not taken, and why.
    pub refusals: Refusals,
    /// Bytes of the files, as they are in the files.
    pub bytes_in: u64,
    /// Bytes of the blocks.
    pub bytes_out: u64,
}

/// Reads all sources and writes blocks into `folder`.
pub(super) fn ingest(
    vfs: &dyn Vfs,
    folder: &Path,
    sources: impl Iterator<Item = Result<MessageSource>>,
    progress: &mut dyn FnMut(IngestProgress),
) -> Result<IngestReport> {
    let mut report = IngestReport::default();
    let result = fill(vfs, folder, sources, progress, &mut report);
    if let Err(error) = result {
        for id in &report.blocks {
            // The first error is the one to report.
            let _ = vfs.remove(&folder.join(id.to_string()));
        }
        return Err(error);
    }
    Ok(report)
}

fn fill(
    vfs: &dyn Vfs,
    folder: &Path,
    sources: impl Iterator<Item = Result<MessageSource>>,
    progress: &mut dyn FnMut(IngestProgress),
    report: &mut IngestReport,
) -> Result<()> {
    let mut builder = BlockBuilder::new();
    for source in sources {
        let mut source = source?;
        let before = report.bytes_in;
        while let Some(request) = source.next().transpose()? {
            let pushed = builder.push(&request.bytes).map_err(|error| Error::Otlp {
                input: source.name().to_owned(),
                offset: request.offset + error.offset_in(&request.bytes) as u64,
                reason: error.to_string(),
            })?;
            report.spans += pushed.spans;
            report.refusals.merge(&pushed.refusals);
            report.bytes_in = before + source.bytes_taken();
            progress(IngestProgress { bytes_read: report.bytes_in, spans: report.spans });
            if builder.bytes() >= BLOCK_BYTES || builder.spans() >= BLOCK_SPANS {
                write(vfs, folder, std::mem::take(&mut builder), report)?;
            }
        }
        report.bytes_in = before + source.bytes_taken();
    }
    if builder.spans() > 0 {
        write(vfs, folder, builder, report)?;
    }
    Ok(())
}

fn write(vfs: &dyn Vfs, folder: &Path, builder: BlockBuilder, report: &mut IngestReport) -> Result<()> {
    let id = BlockId::generate();
    let dir = folder.join(id.to_string());
    report.traces += builder.traces() as u64;
    builder.finish(vfs, &dir, id)?;
    report.blocks.push(id);
    for name in vfs.list(&dir)? {
        report.bytes_out += vfs.size(&dir.join(name))?.unwrap_or(0);
    }
    Ok(())
}
