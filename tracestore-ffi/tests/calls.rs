//! Random sequences of calls through the C functions: whatever is called with whatever, there is a code, nothing panics,
//! and nothing is left open. More runs with `TRACESTORE_CALLS`, guided ones by the fuzz target `c_api`. One test, since it counts all handles of
//! the process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(unsafe_code, reason = "calls of the C ABI")]

#[path = "support/calls.rs"]
mod calls;

use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestRunner},
};

#[test]
fn any_sequence_of_calls_ends_well() {
    let cases = std::env::var("TRACESTORE_CALLS").map_or(256, |cases| cases.parse().unwrap());
    let config = Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&vec(any::<u8>(), 0..400), |bytes| {
            calls::run(&bytes);
            Ok(())
        })
        .unwrap();
}
