//! A block that is damaged as the input says, with checksums that fit: the decoders are reached. Spans or errors, never a
//! panic that escapes, never memory beyond what the rows take (the fuzzer's limit).
#![no_main]

#[path = "../../tracestore/tests/support/forged.rs"]
mod forged;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use forged::{Original, small_block};
use libfuzzer_sys::fuzz_target;
use tracestore::{
    Snapshot,
    block::{AttributeScope, Block},
    io::MemoryVfs,
};

const DIR: &str = "block";

fn original() -> &'static Original {
    static ORIGINAL: OnceLock<Original> = OnceLock::new();
    ORIGINAL.get_or_init(|| {
        // Panics of the decoder are caught where it is called: one that comes as far as the fuzzer ends it.
        std::panic::set_hook(Box::new(|_| {}));
        Original::read(&small_block(Path::new(DIR)), Path::new(DIR))
    })
}

/// Five bytes each: a file, a place in it (of 65,536), and what to do there.
fn damage(content: &mut Vec<u8>, edits: &[[u8; 5]]) {
    for [_, high, low, action, value] in edits {
        let at = content.len() * usize::from(u16::from_be_bytes([*high, *low])) >> 16;
        match action % 8 {
            0 => content.truncate(at),
            1 => content.insert(at, *value),
            2 => drop(content.drain(at..(at + usize::from(*value)).min(content.len()))),
            3 => content.iter_mut().skip(at).take(4).for_each(|byte| *byte = *value),
            4 => content.iter_mut().skip(at).take(1).for_each(|byte| *byte = *value),
            5 => content.iter_mut().skip(at).take(1).for_each(|byte| *byte = byte.wrapping_add(*value)),
            _ => content.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (value % 8)),
        }
    }
}

fn read(vfs: &MemoryVfs) -> tracestore::Result<()> {
    let block = Block::open(Arc::new(vfs.clone()), Path::new(DIR))?;
    let _ = block.columns();
    let mut ids = Vec::new();
    for group in 0..block.row_groups() {
        if let Ok(traces) = block.traces_of_row_group(group) {
            ids.extend(traces.iter().map(|trace| trace.trace_id));
        }
    }
    for scope in [AttributeScope::Resource, AttributeScope::Span, AttributeScope::Event] {
        let _ = block.attribute_types(scope, "http.method");
    }
    let snapshot = Snapshot::new(vec![Arc::clone(&block), block]);
    for id in ids.iter().take(4) {
        let _ = snapshot.find_trace(id);
    }
    let _ = snapshot.find_by_prefix("01", 10);
    let _ = snapshot.whole();
    Ok(())
}

fuzz_target!(|data: &[u8]| {
    let original = original();
    let (edits, _) = data.as_chunks::<5>();
    let count = original.files.len() + 1;
    let _ = read(&original.forge(|name, content| {
        let index = original.files.iter().position(|(other, ..)| other == name).unwrap_or(count - 1);
        let edits: Vec<_> = edits.iter().filter(|edit| usize::from(edit[0]) % count == index).copied().collect();
        damage(content, &edits);
    }));
});
