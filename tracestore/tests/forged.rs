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
    // Whose rows are the first of the block, and the last.
    snapshot.find_by_prefix("02", 10)?;
    snapshot.find_by_prefix("01", 10)?;
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

#[test]
fn pages_and_rows_are_as_many_as_they_say() {
    let original = original();
    let chunk = original.files.iter().find(|(name, ..)| name == "traces.parquet").unwrap().2[0].clone();
    // The header of a data page: its kind, its bytes before and after compression, and the number of its values.
    let header = |content: &[u8]| content[chunk.start..chunk.start + 4].to_vec();
    let content = &original.files.iter().find(|(name, ..)| name == "traces.parquet").unwrap().1;
    assert_eq!(header(content), [0x15, 0, 0x15, 96], "48 bytes of ids");
    let error = refused(&original, "traces.parquet", |content| content[chunk.start + 3] = 126);
    assert!(error.contains("is said to have 63 bytes"), "{error}");
    let error = refused(&original, "traces.parquet", |content| content[chunk.start + 5] = 126);
    assert!(error.contains("is cut short"), "{error}");
    let spans = |text: &str| {
        original.forge(|name, content| {
            if name == "meta.json" {
                let meta = String::from_utf8(content.clone()).unwrap();
                *content = meta.replace("\"spans\":39", text).into_bytes();
            }
        })
    };
    for text in ["\"spans\":40", "\"spans\":18446744073709551615"] {
        assert!(read(&spans(text)).unwrap_err().to_string().contains("meta.json: corrupt"));
    }
    // Row groups and totals agree, and the file has fewer rows.
    let more = original.forge(|name, content| {
        if name == "meta.json" {
            let meta = String::from_utf8(content.clone()).unwrap();
            let meta = meta.replace("\"spans\":39", "\"spans\":4000000000");
            *content = meta.replace("\"rows\":39", "\"rows\":4000000000").into_bytes();
        }
    });
    let error = read(&more).unwrap_err().to_string();
    assert!(error.contains("spans.parquet: corrupt") && error.contains("other rows than meta.json says"), "{error}");
}

/// Found by fuzzing: a page with fewer repetition levels than values held the decoder for ever.
#[test]
fn lists_have_as_many_levels_as_they_say() {
    let original = original();
    let (_, _, chunks) = original.files.iter().find(|(name, ..)| name == "traces.parquet").unwrap();
    // The chunks of `services`: texts, spans, errors.
    let places = chunks[chunks.len() - 3..].iter().cloned().flatten();
    let (mut read_all, mut refused) = (0, 0);
    for (at, bit) in places.flat_map(|at| [(at, 1), (at, at % 8)]) {
        let forged = original.forge(|name, content| {
            if name == "traces.parquet" {
                content[at] ^= 1 << bit;
            }
        });
        match read(&forged) {
            Ok(_) => read_all += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(refused > read_all, "{refused} refused, {read_all} read");
}
