//! Requests on their way: a spool of the write-ahead log's segments (see WAL.md), bounded by age and bytes, and an index of
//! it in memory. What has been sent is noted in a file beside them. No thread, no clock.
//!
//! ```text
//! FOLDER/LOCK
//! FOLDER/00000000000000000003.wal    records: time in ns u64 | samples u32 | the request's body, compressed
//! FOLDER/done                        the last record that is done with u64 | XXH3 of it u64
//! ```

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::{RemoteWriteOptions, RemoteWriteStatus};
use crate::{
    Error, Result,
    io::{Vfs, VfsLock},
    wal::{Wal, WalOptions, read_segment, segments},
};

/// Small: one of them is in memory while its requests are sent.
const SEGMENT_BYTES: u64 = 1 << 20;
/// Bytes of a record before the body.
const HEADER: usize = 12;

/// Requests, oldest first.
#[derive(Debug)]
pub(super) struct Queue {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    _lock: Box<dyn VfsLock>,
    wal: Wal,
    index: VecDeque<Waiting>,
    /// Segments of those before us, and the last record of each.
    old: VecDeque<(PathBuf, u64)>,
    /// The segment that was read last.
    loaded: Vec<(u64, Bytes)>,
    max_age: u64,
    max_bytes: u64,
    status: RemoteWriteStatus,
}

/// A request that waits.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    sequence: u64,
    segment: u64,
    /// When it came, ns since 1970.
    time: u64,
    samples: u32,
    bytes: u64,
}

/// The request to be sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) sequence: u64,
    pub(super) body: Bytes,
}

/// Why a request is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Sent,
    Refused,
    Expired,
    Overflowed,
    Damaged,
}

impl Queue {
    /// Opens the spool in a folder: what waits there goes first.
    pub(super) fn open(vfs: Arc<dyn Vfs>, dir: PathBuf, options: &RemoteWriteOptions) -> Result<Self> {
        vfs.create_dir(&dir)?;
        let lock = vfs.lock(&dir.join("LOCK"))?.ok_or_else(|| Error::Locked { path: dir.clone() })?;
        let mut status = RemoteWriteStatus::default();
        let noted = read_done(&*vfs, &dir)?;
        let (mut index, mut old) = (VecDeque::new(), VecDeque::new());
        let (mut last, mut next_segment) = (noted.unwrap_or(0), 1);
        for (number, path) in segments(&*vfs, &dir, 0)? {
            next_segment = number + 1;
            for (sequence, record) in read_segment(&*vfs, &path, number)? {
                if sequence <= last {
                    continue;
                }
                // Of records that follow each other none is missing, but before the first one nobody knows.
                status.damaged_requests += if last > 0 { sequence - last - 1 } else { 0 };
                last = sequence;
                match Waiting::of(sequence, number, &record) {
                    Some(waiting) => index.push_back(waiting),
                    None => status.damaged_requests += 1,
                }
            }
            old.push_back((path, last));
        }
        let wal = Wal::new(
            Arc::clone(&vfs),
            dir.clone(),
            WalOptions { segment_bytes: SEGMENT_BYTES },
            last + 1,
            next_segment,
        );
        let max_age = u64::try_from(options.max_age.as_nanos()).unwrap_or(u64::MAX);
        let (max_bytes, loaded) = (options.max_bytes, Vec::new());
        let mut queue = Self { vfs, dir, _lock: lock, wal, index, old, loaded, max_age, max_bytes, status };
        queue.count();
        queue.forget()?;
        Ok(queue)
    }

    /// Puts a request in; it is on stable storage then. Drops the oldest ones where there is no room.
    pub(super) fn push(&mut self, body: &[u8], samples: u32, now: u64) -> Result<()> {
        let bytes = body.len() as u64;
        if bytes > self.max_bytes {
            self.status.overflowed += u64::from(samples);
            return Ok(());
        }
        let before = self.index.len();
        while self.status.queued_bytes + bytes > self.max_bytes && self.take(Done::Overflowed) {}
        if self.index.len() < before {
            self.forget()?;
        }
        let mut record = Vec::with_capacity(HEADER + body.len());
        record.extend_from_slice(&now.to_le_bytes());
        record.extend_from_slice(&samples.to_le_bytes());
        record.extend_from_slice(body);
        let sequence = self.wal.append(&record)?;
        self.index.push_back(Waiting { sequence, segment: self.wal.segment(), time: now, samples, bytes });
        self.count();
        self.wal.commit(sequence)
    }

    /// The oldest request; drops those that have waited for too long.
    pub(super) fn next(&mut self, now: u64) -> Result<Option<Next>> {
        let before = self.index.len();
        while self.index.front().is_some_and(|oldest| now.saturating_sub(oldest.time) > self.max_age) {
            self.take(Done::Expired);
        }
        let mut next = None;
        while let Some(oldest) = self.index.front().copied() {
            if let Some(body) = self.body(oldest)? {
                next = Some(Next { sequence: oldest.sequence, body });
                break;
            }
            self.take(Done::Damaged);
        }
        if self.index.len() < before {
            self.forget()?;
        }
        Ok(next)
    }

    /// Notes that a request is done with, unless it has been dropped since.
    pub(super) fn done(&mut self, sequence: u64, why: Done) -> Result<()> {
        if self.index.front().is_some_and(|oldest| oldest.sequence == sequence) {
            self.take(why);
            self.forget()?;
        }
        Ok(())
    }

    pub(super) fn status(&self) -> &RemoteWriteStatus {
        &self.status
    }

    pub(super) fn status_mut(&mut self) -> &mut RemoteWriteStatus {
        &mut self.status
    }

    /// Takes the oldest request out of the index.
    fn take(&mut self, why: Done) -> bool {
        let Some(oldest) = self.index.pop_front() else { return false };
        let samples = u64::from(oldest.samples);
        match why {
            Done::Sent => self.status.sent += samples,
            Done::Refused => self.status.refused += samples,
            Done::Expired => self.status.expired += samples,
            Done::Overflowed => self.status.overflowed += samples,
            Done::Damaged => self.status.damaged_requests += 1,
        }
        self.status.queued_requests = self.index.len();
        self.status.queued_samples -= samples;
        self.status.queued_bytes -= oldest.bytes;
        true
    }

    /// Counts what waits.
    fn count(&mut self) {
        self.status.queued_requests = self.index.len();
        self.status.queued_samples = self.index.iter().map(|waiting| u64::from(waiting.samples)).sum();
        self.status.queued_bytes = self.index.iter().map(|waiting| waiting.bytes).sum();
    }

    /// Notes on disk what is done with, and removes segments that hold nothing else.
    fn forget(&mut self) -> Result<()> {
        let done = match self.index.front() {
            Some(oldest) => oldest.sequence - 1,
            None => self.wal.last(),
        };
        write_done(&*self.vfs, &self.dir, done)?;
        while self.old.front().is_some_and(|(_, last)| *last <= done) {
            if let Some((path, _)) = self.old.pop_front() {
                self.vfs.remove(&path)?;
            }
        }
        self.wal.remove_covered(done)
    }

    /// The body of a request, from the segment that is loaded or is to be; `None` if the disk does not hold it any more.
    fn body(&mut self, waiting: Waiting) -> Result<Option<Bytes>> {
        for load in [false, true] {
            if load {
                let path = segments(&*self.vfs, &self.dir, waiting.segment)?.into_iter().next();
                let Some((_, path)) = path.filter(|(number, _)| *number == waiting.segment) else { return Ok(None) };
                self.loaded = read_segment(&*self.vfs, &path, waiting.segment)?;
            }
            if let Ok(place) = self.loaded.binary_search_by_key(&waiting.sequence, |(sequence, _)| *sequence) {
                return Ok(self
                    .loaded
                    .get(place)
                    .filter(|(_, record)| record.len() >= HEADER)
                    .map(|(_, record)| record.slice(HEADER..)));
            }
        }
        Ok(None)
    }
}

impl Waiting {
    fn of(sequence: u64, segment: u64, record: &Bytes) -> Option<Self> {
        let time = u64::from_le_bytes(record.get(..8)?.try_into().ok()?);
        let samples = u32::from_le_bytes(record.get(8..HEADER)?.try_into().ok()?);
        Some(Self { sequence, segment, time, samples, bytes: (record.len() - HEADER) as u64 })
    }
}

/// The last record that is done with; `None` where that is not known, and all are sent again.
fn read_done(vfs: &dyn Vfs, dir: &Path) -> Result<Option<u64>> {
    let path = dir.join("done");
    if vfs.size(&path)?.is_none() {
        return Ok(None);
    }
    let bytes = vfs.read(&path)?;
    let Some((sequence, hash)) = bytes.split_first_chunk::<8>() else { return Ok(None) };
    Ok((*hash == xxh3_64(sequence).to_le_bytes()).then(|| u64::from_le_bytes(*sequence)))
}

fn write_done(vfs: &dyn Vfs, dir: &Path, sequence: u64) -> Result<()> {
    let sequence = sequence.to_le_bytes();
    vfs.write_whole(&dir.join("done"), &[sequence, xxh3_64(&sequence).to_le_bytes()].concat())
}
