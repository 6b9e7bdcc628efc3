//! Compaction: eight blocks of a stream, whose traces are partly split, merged into one; in memory.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

mod support;

use std::{path::Path, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use support::{SPANS, requests};
use tracestore::{StoreOptions, TimeWindows, TraceStore, io::MemoryVfs};

const BLOCKS: usize = 8;

fn compaction(criterion: &mut Criterion) {
    let requests = requests(SPANS);
    let blocks = || {
        let mut options = StoreOptions::default();
        (options.background, options.compaction) = (None, None);
        options.vfs = Arc::new(MemoryVfs::default());
        let store = TraceStore::open(Path::new("store"), options).unwrap();
        for part in requests.chunks(requests.len().div_ceil(BLOCKS)) {
            for request in part {
                store.ingest(request.clone()).unwrap();
            }
            store.flush().unwrap();
        }
        store
    };
    let merge = |store: TraceStore| {
        assert_eq!(store.compact(Some(&TimeWindows::default().at_once())).unwrap().outputs, 1);
        store
    };
    let mut group = criterion.benchmark_group("compaction");
    group.throughput(Throughput::Elements(SPANS)).sample_size(10);
    group.bench_function("eight blocks into one", |bench| bench.iter_batched(blocks, merge, BatchSize::PerIteration));
}

criterion_group!(benches, compaction);
criterion_main!(benches);
