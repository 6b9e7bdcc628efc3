//! Random sequences of calls through the C ABI: any function with any handle, open or not, of the right kind or not.
//! There is a code for everything, nothing panics, and nothing is left open.
#![no_main]

#[path = "../../tracestore-ffi/tests/support/calls.rs"]
mod calls;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| calls::run(data));
