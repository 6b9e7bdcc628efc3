//! What the benchmarks measure over: a generated workload of 100,000 spans, in memory.

#![allow(dead_code, reason = "each benchmark uses a part")]

use bytes::Bytes;
use trace_benches::{memory, workload::Workload};
use traceql::Engine;
use tracestore::Snapshot;

/// How many spans there are.
pub(crate) const SPANS: u64 = 100_000;

pub(crate) fn requests(spans: u64) -> Vec<Bytes> {
    Workload::new(1, spans, 0.02).map(Bytes::from).collect()
}

pub(crate) fn bytes(requests: &[Bytes]) -> u64 {
    requests.iter().map(|request| request.len() as u64).sum()
}

pub(crate) fn snapshot() -> Snapshot {
    memory::snapshot(&requests(SPANS)).unwrap()
}

/// An engine over them.
pub(crate) fn engine() -> Engine {
    Engine::new(snapshot())
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().build().unwrap()
}
