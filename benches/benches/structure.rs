//! Each structural operator over 100,000 spans of one trace, in which span i hangs on span (i − 1) / 4. The kernel is what a
//! row takes more than `&&`, which reads and marks the same.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

mod support;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use trace_benches::{memory, workload::tree_request};
use traceql::{Engine, SearchOptions};

const SPANS: u32 = 100_000;
const OPERATORS: [&str; 16] =
    ["&&", ">", ">>", "<", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>", "&>>", "&<", "&<<", "&~"];

fn operators(criterion: &mut Criterion) {
    let engine = Engine::new(memory::snapshot(&[tree_request(SPANS).into()]).unwrap());
    let (runtime, options) = (support::runtime(), SearchOptions::default());
    let mut group = criterion.benchmark_group("structure");
    group.throughput(Throughput::Elements(SPANS.into()));
    for operator in OPERATORS {
        let query = format!("{{ duration >= 0s }} {operator} {{ status = error }}");
        let search = || black_box(runtime.block_on(engine.search(&query, &options)).unwrap()).traces.len();
        group.bench_function(operator, |bench| bench.iter(search));
    }
}

criterion_group!(benches, operators);
criterion_main!(benches);
