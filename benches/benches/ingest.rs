//! Ingest by its parts: OTLP decoded, the log appended, blocks collected and encoded.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

mod support;

use std::{hint::black_box, path::Path, sync::Arc};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use support::{SPANS, bytes, requests};
use trace_benches::memory;
use tracestore::{
    StoreOptions, SyncMode, TraceStore,
    io::{MemoryVfs, Vfs},
    model::BlockId,
    otlp::{RequestView, SpanView},
};

/// Every span and attribute of a request is looked at; gives their number.
fn walk(request: &Bytes) -> usize {
    let mut seen = 0;
    for resource_spans in RequestView::new(request).resource_spans() {
        for scope_spans in resource_spans.unwrap().scope_spans() {
            for span in scope_spans.unwrap().spans() {
                seen += 1 + SpanView::parse(span.unwrap()).unwrap().attributes().count();
            }
        }
    }
    seen
}

fn decode(criterion: &mut Criterion) {
    let requests = requests(SPANS);
    let mut group = criterion.benchmark_group("OTLP decode");
    group.throughput(Throughput::Bytes(bytes(&requests)));
    group.bench_function("views of spans and attributes", |bench| {
        bench.iter(|| requests.iter().map(|request| black_box(walk(request))).sum::<usize>());
    });
}

fn blocks(criterion: &mut Criterion) {
    let requests = requests(SPANS);
    let mut group = criterion.benchmark_group("block");
    group.throughput(Throughput::Elements(SPANS)).sample_size(20);
    group.bench_function("collect", |bench| {
        bench.iter_with_large_drop(|| memory::collected(&requests).unwrap());
    });
    group.bench_function("encode", |bench| {
        let encode = |builder: tracestore::block::BlockBuilder| {
            let vfs = MemoryVfs::default();
            builder.finish(&vfs, Path::new("block"), BlockId::generate()).unwrap();
            vfs
        };
        bench.iter_batched(|| memory::collected(&requests).unwrap(), encode, BatchSize::LargeInput);
    });
}

/// The log's share of an ingest that waits for no disk: checking, appending, keeping.
fn log(criterion: &mut Criterion) {
    let requests = requests(SPANS);
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Bytes(bytes(&requests))).sample_size(20);
    let store = |vfs: Arc<dyn Vfs>, folder: &Path| {
        let mut options = StoreOptions::default();
        (options.sync, options.background, options.vfs) = (SyncMode::Off, None, vfs);
        TraceStore::open(folder, options).unwrap()
    };
    let ingest = |store: TraceStore| {
        for request in &requests {
            store.ingest(request.clone()).unwrap();
        }
        store
    };
    group.bench_function("append in memory", |bench| {
        bench.iter_batched(
            || store(Arc::new(MemoryVfs::default()), Path::new("store")),
            ingest,
            BatchSize::PerIteration,
        );
    });
    group.bench_function("append to a file", |bench| {
        let folder = tempfile::tempdir().unwrap();
        let mut number = 0;
        let new = || {
            number += 1;
            store(StoreOptions::default().vfs, &folder.path().join(number.to_string()))
        };
        bench.iter_batched(new, ingest, BatchSize::PerIteration);
    });
}

criterion_group!(benches, decode, log, blocks);
criterion_main!(benches);
