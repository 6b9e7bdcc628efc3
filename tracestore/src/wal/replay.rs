//! Reads a log without changing it: every record that is whole, and what is wrong with the rest.
//!
//! ```text
//! segments in order ─▶ records (skipping what no record is) ─▶ gaps in the sequence ─┬▶ up to the last sync: damage
//!                                                                                    └▶ behind it: a torn tail
//! ```

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{
    record,
    segment::{RECORDS, SegmentHeader, segments},
};
use crate::{Result, io::Vfs};

/// A file of a log that does not hold what was written and synced.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// The file, where it was when it was read; the log's folder when files are missing.
    pub path: PathBuf,
    /// Where the damage begins, as near as is known.
    pub offset: u64,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: damaged at byte {}: {}", self.path.display(), self.offset, self.reason)
    }
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replayed {
    pub(crate) sequence: u64,
    /// The request, as it was received.
    pub(crate) payload: Bytes,
    /// Which of the segments it is in.
    pub(crate) segment: usize,
}

/// What a log holds.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// By sequence, each once.
    pub(crate) records: Vec<Replayed>,
    /// The segments by number.
    pub(crate) segments: Vec<(u64, PathBuf)>,
    pub(crate) damage: Vec<Damage>,
    /// Bytes that are no record although nothing synced is missing: what a crash leaves of writes.
    pub(crate) torn_bytes: u64,
    /// The greatest sequence that any record or header names, or what was covered.
    pub(crate) last: u64,
}

/// A segment as it was scanned.
struct Scanned {
    /// `None`: the header is damaged.
    first: Option<u64>,
    /// Where the first byte is that belongs to no record.
    bad_at: Option<u64>,
    bad_bytes: u64,
    len: u64,
    header_damaged: bool,
    /// The greatest sequence of its records.
    last: u64,
}

/// Reads the log in a folder, from this segment on; records up to `covered` are left out, and not missed.
///
/// # Errors
/// [`crate::Error::Io`]; [`crate::Error::UnsupportedVersion`].
pub(crate) fn replay(vfs: &dyn Vfs, dir: &Path, first_segment: u64, covered: u64) -> Result<Replay> {
    let segments = segments(vfs, dir, first_segment)?;
    let mut records = BTreeMap::new();
    // All records up to here were on stable storage at some time.
    let mut durable = covered;
    let mut last = covered;
    let mut scanned = Vec::with_capacity(segments.len());
    for (segment, (number, path)) in segments.iter().enumerate() {
        let bytes = vfs.read(path)?;
        scanned.push(scan(path, *number, &bytes, |header, payload| {
            durable = durable.max(header.durable);
            last = last.max(header.sequence);
            if header.sequence > covered {
                let (sequence, payload) = (header.sequence, bytes.slice_ref(payload));
                records.entry(sequence).or_insert(Replayed { sequence, payload, segment });
            }
        })?);
    }
    for first in scanned.iter().filter_map(|segment| segment.first) {
        durable = durable.max(first.saturating_sub(1));
    }
    last = last.max(durable);
    let missing = gaps(covered, durable, records.keys().copied());
    let mut replay = Replay { segments, last, ..Replay::default() };
    judge(dir, &scanned, &missing, &mut replay);
    replay.records = records.into_values().collect();
    Ok(replay)
}

/// The records of one segment that are whole, with their numbers, ascending. What is not is passed over.
///
/// # Errors
/// As [`replay`].
#[cfg(feature = "remote-write")]
pub(crate) fn read_segment(vfs: &dyn Vfs, path: &Path, number: u64) -> Result<Vec<(u64, Bytes)>> {
    let bytes = vfs.read(path)?;
    let mut records: Vec<(u64, Bytes)> = Vec::new();
    scan(path, number, &bytes, |header, payload| {
        if records.last().is_none_or(|(last, _)| *last < header.sequence) {
            records.push((header.sequence, bytes.slice_ref(payload)));
        }
    })?;
    Ok(records)
}

/// Finds the records of a segment. A header that is sound names its payload's end even if that is damaged; where none is,
/// the next one is searched for: its hash, seeded with the salt, cannot come about by chance or design.
fn scan<'a>(
    path: &Path,
    number: u64,
    bytes: &'a [u8],
    mut visit: impl FnMut(record::RecordHeader, &'a [u8]),
) -> Result<Scanned> {
    let found = SegmentHeader::decode(path, bytes)?.filter(|found| found.header.number == number);
    let len = bytes.len() as u64;
    let Some(found) = found else {
        return Ok(Scanned { first: None, bad_at: Some(0), bad_bytes: len, len, header_damaged: true, last: 0 });
    };
    let salt = found.header.salt;
    let (mut at, mut bad_at, mut bad_bytes, mut last) = (RECORDS, None, 0, 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let header = record::decode_header(salt, rest);
        let size = match header.and_then(|header| Some((header, header.payload(salt, rest)?))) {
            Some((header, payload)) => {
                visit(header, payload);
                last = last.max(header.sequence);
                at += header.size();
                continue;
            }
            None => header.map_or(1, |header| header.size()).min(rest.len()),
        };
        bad_at.get_or_insert(at as u64);
        bad_bytes += size as u64;
        at += size;
    }
    Ok(Scanned { first: Some(found.header.first), bad_at, bad_bytes, len, header_damaged: found.damaged, last })
}

/// The numbers from `covered` to `durable`, both left out and in, that are not among the ascending `present`.
fn gaps(covered: u64, durable: u64, present: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut gaps = Vec::new();
    let mut next = covered + 1;
    for sequence in present.take_while(|sequence| *sequence <= durable).chain([durable + 1]) {
        if next < sequence {
            gaps.push((next, sequence - 1));
        }
        next = sequence + 1;
    }
    gaps
}

/// Tells damage from what a crash leaves.
fn judge(dir: &Path, scanned: &[Scanned], missing: &[(u64, u64)], replay: &mut Replay) {
    let mut explained = vec![false; missing.len()];
    for (index, (segment, (_, path))) in scanned.iter().zip(&replay.segments).enumerate() {
        let mut damage = |offset, reason: String| replay.damage.push(Damage { path: path.clone(), offset, reason });
        let next = scanned.get(index + 1);
        // The first sequence that is not this segment's.
        let after = match next.map(|next| next.first) {
            Some(Some(first)) => first,
            Some(None) if segment.bad_at.is_none() => segment.last + 1,
            _ => u64::MAX,
        };
        // What a crash, or a full disk, leaves of a new segment.
        let unborn = segment.len <= RECORDS as u64;
        let Some(first) = segment.first else {
            // A segment gets records when its header is on stable storage.
            if unborn && missing.is_empty() {
                replay.torn_bytes += segment.len;
            } else {
                damage(0, "this is no header of a segment".to_owned());
                explained.fill(true);
            }
            continue;
        };
        let lost = |(gap, explained): (&(u64, u64), &mut bool)| {
            let here = gap.1 >= first && gap.0 < after;
            *explained |= here;
            here.then(|| (gap.1 + 1).min(after).saturating_sub(gap.0.max(first)))
        };
        let lost: u64 = missing.iter().zip(&mut explained).filter_map(lost).sum();
        if lost > 0 {
            let records = if lost == 1 { "record that was synced is" } else { "records that were synced are" };
            damage(segment.bad_at.unwrap_or(segment.len), format!("{lost} {records} missing"));
        } else if segment.header_damaged && !unborn {
            damage(0, "one of the two headers is damaged; all records are there".to_owned());
        }
        replay.torn_bytes += if lost > 0 { 0 } else { segment.bad_bytes };
    }
    for (gap, _) in missing.iter().zip(explained).filter(|(_, explained)| !explained) {
        let reason = format!("the records {} to {} are missing, with their files", gap.0, gap.1);
        replay.damage.push(Damage { path: dir.to_owned(), offset: 0, reason });
    }
}
