//! Blocks that were forged together with their checksums: spans or an error, never a panic that escapes, never memory that
//! only a lie asks for.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/forged.rs"]
mod forged;

use std::{path::Path, sync::Arc};

use forged::{Original, small_block};
use tracestore::{
    Result, Snapshot,
    block::Block,
    io::{MemoryVfs, Vfs},
};

const DIR: &str = "block";

/// Reads all that there is.
fn read(vfs: &MemoryVfs) -> Result<usize> {
    let block = Block::open(Arc::new(vfs.clone()) as Arc<dyn Vfs>, Path::new(DIR))?;
    block.columns()?;
    let mut spans = 0;
    for group in 0..block.row_groups() {
        spans += block.traces_of_row_group(group)?.iter().map(|trace| trace.spans.len()).sum::<usize>();
    }
    let id = "01010101010101010101010101010101".parse().unwrap();
    let snapshot = Snapshot::new(vec![block]);
    assert!(snapshot.find_trace(&id)?.is_none_or(|trace| trace.spans.len() <= spans));
    snapshot.find_by_prefix("02", 10)?;
    Ok(spans)
}

fn original() -> Original {
    Original::read(&small_block(Path::new(DIR)), Path::new(DIR))
}

/// The error of a block with one file changed; it names the file.
fn refused(original: &Original, file: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let forged = original.forge(|name, content| {
        if name == file {
            change(content);
        }
    });
    let error = read(&forged).unwrap_err();
    assert!(error.is_corruption() && error.to_string().contains(&format!("{DIR}/{file}: ")), "{error}");
    error.to_string()
}

#[test]
fn what_is_not_forged_is_read() {
    assert_eq!(read(&original().forge(|_, _| {})).unwrap(), 39);
}

#[test]
fn bytes_may_be_forged() {
    let original = original();
    let mut names: Vec<(String, usize)> =
        original.files.iter().map(|(name, content, _)| (name.clone(), content.len())).collect();
    names.push(("meta.json".to_owned(), 6_000));
    let (mut read_all, mut refused) = (0, 0);
    for (file, len) in &names {
        // Some bytes of all files; the fuzz target `block_read` has more time.
        for at in (0..*len).step_by(23) {
            let forged = original.forge(|name, content| {
                if let (true, Some(byte)) = (name == file, content.get_mut(at)) {
                    *byte = [*byte ^ 1 << (at % 8), 0xff, 0, *byte ^ 0x80][at / 8 % 4];
                }
            });
            match read(&forged) {
                Ok(_) => read_all += 1,
                Err(_) => refused += 1,
            }
        }
    }
    println!("{read_all} forged blocks were read, {refused} were refused");
    assert!(refused > 100);
}

#[test]
fn a_footer_is_as_long_as_it_says_and_its_lists_too() {
    let original = original();
    // 2^28 schema elements of some hundred bytes each, in a footer of 50 bytes.
    let mut footer = vec![0x15, 2, 0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 1];
    footer.resize(50, 0);
    let end = |footer: &[u8], len: u32| [footer, &len.to_le_bytes()[..], b"PAR1"].concat();
    for file in ["spans.parquet", "traces.parquet", "keys.parquet"] {
        let error = refused(&original, file, |content| {
            let tail = content.len() - 100;
            content.truncate(tail);
            content.extend(end(&footer, 50));
        });
        assert!(error.contains("its lists are shorter than they say"), "{error}");
        for len in [u32::MAX, i32::MAX.cast_unsigned(), 1 << 26, 1 << 20] {
            refused(&original, file, |content| {
                let tail = content.len() - 8;
                content.truncate(tail);
                content.extend(end(&[], len));
            });
        }
    }
}
