//! Each metrics function over 100,000 spans, and grouping by different labels.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::SPANS;
use traceql::MetricsOptions;

const FUNCTIONS: [&str; 14] = [
    "rate()",
    "count_over_time()",
    "sum_over_time(duration)",
    "avg_over_time(duration)",
    "min_over_time(duration)",
    "max_over_time(duration)",
    "quantile_over_time(duration, .5, .99)",
    "histogram_over_time(duration)",
    "compare({ status = error })",
    "rate() by (resource.service.name)",
    "rate() by (name)",
    "rate() by (name, resource.service.name, status)",
    "rate() by (span.user.id)",
    "rate() by (span.db.rows)",
];

fn functions(criterion: &mut Criterion) {
    let (engine, runtime) = (support::engine(), support::runtime());
    let (start, end) = engine.snapshot().blocks().first().unwrap().time_range();
    let options = MetricsOptions::new(start - 1, end).with_step(15_000_000_000);
    let mut group = criterion.benchmark_group("metrics");
    group.throughput(Throughput::Elements(SPANS));
    for function in FUNCTIONS {
        let query = format!("{{ }} | {function}");
        let ask = || black_box(runtime.block_on(engine.query_range(&query, &options)).unwrap()).series.len();
        group.bench_function(function, |bench| bench.iter(ask));
    }
}

criterion_group!(benches, functions);
criterion_main!(benches);
