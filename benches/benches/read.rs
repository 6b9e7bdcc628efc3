//! Blocks read: columns decoded one by one, traces looked up.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

mod support;

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion::prelude::SessionContext;
use support::SPANS;
use traceql::SearchOptions;
use tracestore::{
    block::{AttributeScope, AttributeType, SpanColumn},
    model::TraceId,
    table::SpanTable,
};

fn columns() -> Vec<SpanColumn> {
    let attribute = |scope, key: &str, value_type| SpanColumn::Attribute { scope, key: key.to_owned(), value_type };
    vec![
        SpanColumn::StartTime,
        SpanColumn::Duration,
        SpanColumn::Name,
        SpanColumn::SpanId,
        SpanColumn::Kind,
        SpanColumn::Status,
        attribute(AttributeScope::Span, "user.id", AttributeType::String),
    ]
}

/// A scan of one column of all spans, as queries make it.
fn decode(criterion: &mut Criterion) {
    let (snapshot, runtime) = (support::snapshot(), support::runtime());
    let mut group = criterion.benchmark_group("decode a column");
    group.throughput(Throughput::Elements(SPANS));
    for column in columns() {
        let name = column.name();
        let table = Arc::new(SpanTable::new(snapshot.clone(), vec![column]));
        let scan = || {
            let table = Arc::clone(&table);
            runtime.block_on(async { SessionContext::new().read_table(table).unwrap().collect().await.unwrap() })
        };
        group.bench_function(name, |bench| bench.iter(|| black_box(scan()).len()));
    }
}

/// A trace that is there, and one that the Bloom filter rules out.
fn lookup(criterion: &mut Criterion) {
    let (engine, runtime) = (support::engine(), support::runtime());
    let options = SearchOptions::default().with_limit(1_000);
    let found = runtime.block_on(engine.search("{ }", &options)).unwrap().traces;
    let mut group = criterion.benchmark_group("trace by id");
    let mut present = found.iter().map(|trace| trace.trace_id).cycle();
    group.bench_function("present", |bench| {
        bench.iter(|| engine.snapshot().find_trace(&present.next().unwrap()).unwrap().unwrap().spans.len());
    });
    let mut number = 0_u128;
    group.bench_function("absent", |bench| {
        bench.iter(|| {
            number += 0x9e37_79b9_7f4a_7c15_f39c_0c8d_2b7a_1e35_u128.wrapping_add(number);
            engine.snapshot().find_trace(&TraceId::from_bytes(number.to_be_bytes())).unwrap().is_some()
        });
    });
}

criterion_group!(benches, decode, lookup);
criterion_main!(benches);
