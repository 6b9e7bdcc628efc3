//! The smaller codecs on any bytes; the first one chooses among them.
#![no_main]

#[path = "../../tracestore/tests/support/codecs.rs"]
mod codecs;
#[path = "../../tracestore/tests/support/forged.rs"]
mod forged;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((first, rest)) = data.split_first() {
        codecs::feed(codecs::CODECS[usize::from(*first) % codecs::CODECS.len()], rest);
    }
});
