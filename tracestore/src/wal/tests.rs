//! A small log, damaged in every way: right records, or damage that is named; never an invented one.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use super::{Replay, Wal, WalOptions, replay, segments};
use crate::{
    Error,
    io::{MemoryVfs, Vfs},
};

const DIR: &str = "wal";

fn wal(vfs: &MemoryVfs, segment_bytes: u64) -> Wal {
    Wal::new(Arc::new(vfs.clone()), PathBuf::from(DIR), WalOptions { segment_bytes }, 1, 1)
}

fn payload(sequence: u64) -> Vec<u8> {
    format!("payload {sequence} {}", "x".repeat(sequence as usize * 3)).into_bytes()
}

/// A log of nine records in three segments, the last two of one sync.
fn small_log() -> MemoryVfs {
    let vfs = MemoryVfs::default();
    let wal = wal(&vfs, 300);
    for sequence in 1..=9 {
        assert_eq!(wal.append(&payload(sequence)).unwrap(), sequence);
        if sequence != 8 {
            wal.commit(sequence).unwrap();
        }
    }
    drop(wal);
    assert_eq!(segments(&vfs, Path::new(DIR), 0).unwrap().len(), 3);
    vfs
}

fn read(vfs: &MemoryVfs) -> Replay {
    replay(vfs, Path::new(DIR), 0, 0).unwrap()
}

fn sequences(replay: &Replay) -> Vec<u64> {
    for record in &replay.records {
        assert_eq!(record.payload, payload(record.sequence), "an invented record");
    }
    replay.records.iter().map(|record| record.sequence).collect()
}

/// The same files with other content for one of them.
fn with(vfs: &MemoryVfs, path: &Path, content: Vec<u8>) -> MemoryVfs {
    let copy = MemoryVfs::default();
    for (_, other) in segments(vfs, Path::new(DIR), 0).unwrap() {
        copy.put(&other, vfs.read(&other).unwrap());
    }
    copy.put(path, Bytes::from(content));
    copy
}

#[test]
fn what_was_appended_is_replayed_in_order() {
    let replay = read(&small_log());
    assert_eq!(sequences(&replay), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!((replay.last, replay.torn_bytes, replay.damage.len()), (9, 0, 0));
    let replay = super::replay(&small_log(), Path::new(DIR), 0, 5).unwrap();
    assert_eq!(sequences(&replay), [6, 7, 8, 9]);
    assert!(replay.damage.is_empty());
}

#[test]
fn every_flipped_bit_costs_its_record_and_names_the_file() {
    let vfs = small_log();
    let files = segments(&vfs, Path::new(DIR), 0).unwrap();
    for (index, (_, path)) in files.iter().enumerate() {
        let bytes = vfs.read(path).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let replay = read(&with(&vfs, path, damaged));
            let found = sequences(&replay);
            // The last records of the log, of which no later one says that they were synced.
            let tail = index == 2 && (!found.contains(&8) || !found.contains(&9));
            assert!(found.len() >= 8, "bit {bit} of {}: {found:?}", path.display());
            assert_eq!(replay.last, if found.contains(&9) { 9 } else { 8 });
            match tail {
                true => assert!(replay.damage.is_empty() && replay.torn_bytes > 0),
                false => assert_eq!(replay.damage.iter().map(|damage| &damage.path).collect::<Vec<_>>(), [path]),
            }
        }
    }
}

#[test]
fn both_headers_damaged_cost_a_segment_and_no_other() {
    let vfs = small_log();
    let (_, path) = segments(&vfs, Path::new(DIR), 0).unwrap().remove(1);
    let mut bytes = vfs.read(&path).unwrap().to_vec();
    let all = sequences(&read(&vfs));
    let first = sequences(&read(&with(&vfs, &path, Vec::new())));
    bytes[10] ^= 1;
    bytes[60] ^= 1;
    let replay = read(&with(&vfs, &path, bytes));
    assert_eq!(sequences(&replay), first);
    assert!(first.len() < all.len() && first.contains(&1) && first.contains(&9));
    assert_eq!(
        replay.damage[0].to_string(),
        "wal/00000000000000000002.wal: damaged at byte 0: this is no header of a segment"
    );
}

#[test]
fn every_truncation_keeps_what_is_before_and_after() {
    let vfs = small_log();
    let files = segments(&vfs, Path::new(DIR), 0).unwrap();
    let whole = read(&vfs);
    for (index, (_, path)) in files.iter().enumerate() {
        let bytes = vfs.read(path).unwrap();
        for len in 0..bytes.len() {
            let replay = read(&with(&vfs, path, bytes[..len].to_vec()));
            let found = sequences(&replay);
            let others = whole.records.iter().filter(|record| record.segment != index);
            assert!(others.map(|record| record.sequence).all(|sequence| found.contains(&sequence)));
            assert!(found.len() < 9);
            // What is missing before the last segment was synced.
            assert_eq!(replay.damage.is_empty(), index == 2, "{len} bytes of {}", path.display());
        }
    }
}

#[test]
fn a_file_that_is_gone_is_missed() {
    let vfs = small_log();
    let (_, path) = segments(&vfs, Path::new(DIR), 0).unwrap().remove(0);
    vfs.remove(&path).unwrap();
    let replay = read(&vfs);
    assert!(sequences(&replay).ends_with(&[7, 8, 9]));
    assert!(replay.damage[0].to_string().starts_with("wal: damaged at byte 0: the records 1 to "));
}

#[test]
fn a_payload_that_holds_a_record_invents_none() {
    let vfs = MemoryVfs::default();
    let log = wal(&vfs, 1 << 20);
    let mut inner = Vec::new();
    super::record::encode(0, 2, 1, b"forged", &mut inner);
    log.append(&inner).unwrap();
    // What a copy of a log holds, as a request.
    let other = small_log();
    let (_, path) = segments(&other, Path::new(DIR), 0).unwrap().remove(0);
    log.append(&other.read(&path).unwrap()).unwrap();
    log.commit_all().unwrap();
    let (_, path) = segments(&vfs, Path::new(DIR), 0).unwrap().remove(0);
    let bytes = vfs.read(&path).unwrap();
    for index in 96..bytes.len() {
        let mut damaged = bytes.to_vec();
        damaged[index] ^= 1;
        assert!(read(&with(&vfs, &path, damaged)).records.len() == 1);
    }
}

#[test]
fn covered_segments_go_and_numbers_go_on() {
    let vfs = MemoryVfs::default();
    let wal = wal(&vfs, 300);
    for sequence in 1..=9 {
        wal.append(&payload(sequence)).unwrap();
    }
    wal.rotate();
    assert_eq!(wal.append(b"more").unwrap(), 10);
    wal.commit_all().unwrap();
    wal.remove_covered(9).unwrap();
    assert_eq!(segments(&vfs, Path::new(DIR), 0).unwrap().len(), 1);
    let found = replay(&vfs, Path::new(DIR), 0, 9).unwrap();
    assert_eq!((found.records.len(), found.last, found.damage.len()), (1, 10, 0));
    wal.remove_covered(10).unwrap();
    assert_eq!(segments(&vfs, Path::new(DIR), 0).unwrap(), []);
    assert_eq!(wal.append(b"more").unwrap(), 11);
}

#[test]
fn writers_in_many_threads_share_syncs_and_lose_nothing() {
    let vfs = MemoryVfs::default();
    let wal = wal(&vfs, 2000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let sequence = wal.append(b"request").unwrap();
                    wal.commit(sequence).unwrap();
                    assert!(
                        replay(&vfs, Path::new(DIR), 0, 0)
                            .unwrap()
                            .records
                            .iter()
                            .any(|found| found.sequence == sequence)
                    );
                }
            });
        }
    });
    let replay = read_any(&vfs);
    assert_eq!((replay.records.len(), replay.last, replay.torn_bytes), (400, 400, 0));
}

fn read_any(vfs: &MemoryVfs) -> Replay {
    replay(vfs, Path::new(DIR), 0, 0).unwrap()
}

#[test]
fn a_request_that_is_too_long_is_a_limit() {
    let vfs = MemoryVfs::default();
    let error = wal(&vfs, 300).append(&vec![0; super::writer::MAX_RECORD + 1]).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }));
}
