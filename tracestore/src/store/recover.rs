//! What a log holds when a store is opened for writing becomes blocks, and the log is empty.
//!
//! ```text
//! replay ─▶ blocks, observer ─▶ copies of damaged segments in `quarantine` ─▶ observer's state ─▶ publish ─▶ remove
//!           the segments
//! ```
//!
//! A crash on the way changes nothing: until the version is published the log is as it was, after it the log's records
//! are covered, and the segments only wait to be removed.

use std::{
    fmt,
    io::Write,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{
    derived,
    ingest::BLOCK_BYTES,
    observer::{Feed, Feeding},
    writer::Writer,
};
use crate::{
    Error, Result,
    block::{Block, BlockBuilder},
    catalog::Covered,
    io::Vfs,
    wal::{self, Damage, Replay},
};

/// What was found in a store's log when it was opened for writing, and what was done with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Requests that were in the log and in no block. They are in blocks now.
    pub requests: u64,
    /// Their spans.
    pub spans: u64,
    /// Bytes at the end of the log, or after a write that failed, that were never acknowledged: a crash leaves them. In
    /// the modes that acknowledge before they sync they may have been acknowledged.
    pub torn_bytes: u64,
    /// What was stored and is not what was written. All that is whole around it was recovered.
    pub damage: Vec<Damage>,
    /// Requests that are in blocks and that the [observer](super::IngestObserver) was never given: somebody had the store
    /// open without it.
    pub unobserved: u64,
    /// Copies of the damaged files. They are never deleted, and never read again.
    pub quarantined: Vec<PathBuf>,
}

impl Recovery {
    /// The last writer closed the store, and nothing is damaged.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Recovery {
    /// What to tell people, line by line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} spans in {} requests were recovered from the log", self.spans, self.requests)?;
        if self.torn_bytes > 0 {
            write!(f, "\n{} bytes that were not synced yet were torn, and left out", self.torn_bytes)?;
        }
        if self.unobserved > 0 {
            write!(f, "\n{} requests were stored while nobody observed", self.unobserved)?;
        }
        self.damage.iter().try_for_each(|damage| write!(f, "\n{damage}"))?;
        self.quarantined.iter().try_for_each(|path| write!(f, "\na copy of the damaged file is {}", path.display()))
    }
}

/// Empties the log into blocks. Tells what it did, and the number for the next segment.
///
/// # Errors
/// [`Error::Io`], [`Error::UnsupportedVersion`]; nothing is lost then, and the next call does it all.
pub(super) fn recover(writer: &mut Writer, feed: Option<&Feed>) -> Result<(Recovery, u64)> {
    let Covered { records: covered, first_segment } = writer.covered();
    let mut replay = wal::replay(writer.log.vfs.as_ref(), &writer.log.wal, first_segment, covered)?;
    let next_segment = replay.segments.last().map_or(first_segment.max(1), |(number, _)| number.saturating_add(1));
    let mut recovery = Recovery { torn_bytes: replay.torn_bytes, ..Recovery::default() };
    let mut feeding = feed.map(Feed::hold);
    if let Some(feeding) = &mut feeding {
        restore(writer, feeding, &mut recovery)?;
    }
    let blocks = write_blocks(writer, &mut replay, feeding.as_mut(), &mut recovery)?;
    for (_, path) in &replay.segments {
        if replay.damage.iter().any(|damage| damage.path == *path) {
            let copy = quarantine(writer.log.vfs.as_ref(), path, &writer.log.quarantine)?;
            recovery.quarantined.push(copy);
        }
    }
    recovery.damage.append(&mut replay.damage);
    let mut last = replay.last;
    if let Some(mut feeding) = feeding {
        // A state may go further than the log does when that is damaged: its numbers are not used again.
        last = last.max(feeding.sequence());
        feeding.go_on_behind(last);
        // What became due meanwhile: whoever looks first finds no counter behind what it was.
        feeding.tick();
        if !replay.segments.is_empty() || last > covered || recovery.unobserved > 0 {
            sync_log(writer.log.vfs.as_ref(), &replay)?;
            feeding.save(&writer.log)?;
        }
    }
    if !replay.segments.is_empty() || last > covered {
        let covered = Covered { records: last, first_segment: next_segment };
        writer.publish_blocks(blocks, Some(covered))?;
    }
    for (_, path) in wal::segments(writer.log.vfs.as_ref(), &writer.log.wal, 0)? {
        // They are passed over from now on: the next one to open the store may have more luck with it.
        let _ = writer.log.vfs.remove(&path);
    }
    Ok((recovery, next_segment))
}

/// Gives the observer what it kept. What cannot be used is put aside: derived data does not keep anybody from their spans.
fn restore(writer: &Writer, feeding: &mut Feeding<'_>, recovery: &mut Recovery) -> Result<()> {
    let (log, covered) = (&writer.log, writer.covered().records);
    let path = derived::state_path(&log.derived, feeding.name());
    let reason = match derived::load(log.vfs.as_ref(), &log.derived, feeding.name()) {
        Ok(None) => {
            feeding.go_on_behind(covered);
            return Ok(());
        }
        Ok(Some(saved)) => match feeding.restore(&saved) {
            Ok(()) => {
                recovery.unobserved = covered.saturating_sub(saved.sequence);
                feeding.go_on_behind(saved.sequence.max(covered));
                return Ok(());
            }
            Err(reason) => reason,
        },
        Err(error) if error.is_corruption() => error.to_string(),
        Err(error) => return Err(error),
    };
    feeding.go_on_behind(covered);
    recovery.quarantined.push(quarantine(log.vfs.as_ref(), &path, &log.quarantine)?);
    let reason = format!("what was derived from spans begins anew: {reason}");
    recovery.damage.push(Damage { path, offset: 0, reason });
    Ok(())
}

/// What was read may not be on stable storage: the last writer may have ended between a write and its sync. An observer's
/// state must not be ahead of the log.
fn sync_log(vfs: &dyn Vfs, replay: &Replay) -> Result<()> {
    replay.segments.iter().try_for_each(|(_, path)| vfs.append(path)?.sync())
}

fn write_blocks(
    writer: &Writer,
    replay: &mut Replay,
    mut feeding: Option<&mut Feeding<'_>>,
    recovery: &mut Recovery,
) -> Result<Vec<std::sync::Arc<Block>>> {
    let (mut builder, mut blocks) = (BlockBuilder::new(), Vec::new());
    let mut write = |builder: BlockBuilder| {
        let (id, dir) = writer.new_block();
        builder.finish(writer.vfs.as_ref(), &dir, id)?;
        blocks.push(Block::open(std::sync::Arc::clone(&writer.vfs), &dir)?);
        Ok::<_, Error>(())
    };
    for record in std::mem::take(&mut replay.records) {
        match builder.push(&record.payload) {
            Ok(pushed) => {
                recovery.requests += 1;
                recovery.spans += pushed.spans;
                if let Some(feeding) = &mut feeding {
                    feeding.replay(record.sequence, &record.payload);
                }
            }
            // What another build took and this one cannot read is not thrown away.
            Err(error) => {
                let path = replay.segments.get(record.segment).map_or_else(PathBuf::new, |(_, path)| path.clone());
                let reason = format!("record {} holds no request: {error}", record.sequence);
                replay.damage.push(Damage { path, offset: 0, reason });
            }
        }
        if builder.bytes() >= BLOCK_BYTES {
            write(std::mem::take(&mut builder))?;
        }
    }
    if builder.spans() > 0 {
        write(builder)?;
    }
    Ok(blocks)
}

/// Copies a file into the folder for damaged ones. A copy that an earlier try has made is found again.
fn quarantine(vfs: &dyn Vfs, path: &Path, dir: &Path) -> Result<PathBuf> {
    let content = vfs.read(path)?;
    let name = path.file_name().map_or_else(Default::default, |name| name.to_string_lossy().into_owned());
    vfs.create_dir(dir)?;
    for number in 0_u32.. {
        let copy = dir.join(if number == 0 { name.clone() } else { format!("{name}.{number}") });
        match vfs.size(&copy)? {
            Some(_) if vfs.read(&copy)? == content => return Ok(copy),
            Some(_) => {}
            None => {
                write_copy(vfs, &copy, &content)?;
                vfs.sync_dir(dir)?;
                return Ok(copy);
            }
        }
    }
    Err(Error::Internal("there are too many damaged files".to_owned()))
}

fn write_copy(vfs: &dyn Vfs, path: &Path, content: &Bytes) -> Result<()> {
    let mut file = vfs.create(path)?;
    file.write_all(content).map_err(|error| Error::io("write", path, error))?;
    file.sync()
}
