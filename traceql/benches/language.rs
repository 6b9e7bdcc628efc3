//! The language alone: what it takes to read, check and lower a query. `cargo bench -p traceql --no-default-features --bench language`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]

use std::{hint::black_box, io::Read};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use traceql::Compiler;

/// The queries of the four recordings.
fn conformance() -> Vec<String> {
    let mut queries = Vec::new();
    for name in ["shop", "clean", "random-a", "random-b"] {
        let path = format!("{}/../testdata/conformance/{name}.expected.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        let query =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["q"].as_str().unwrap().to_owned();
        queries.extend(text.lines().map(query));
    }
    queries
}

fn conformance_queries(criterion: &mut Criterion) {
    let queries = conformance();
    let bytes: usize = queries.iter().map(String::len).sum();
    let compiler = Compiler::new();
    for (unit, throughput) in
        [("bytes", Throughput::Bytes(bytes as u64)), ("queries", Throughput::Elements(queries.len() as u64))]
    {
        let mut group = criterion.benchmark_group(format!("conformance queries, {unit}"));
        group.throughput(throughput);
        group.bench_function("parse and check", |bench| {
            bench.iter(|| {
                queries.iter().map(|query| black_box(compiler.check(query)).diagnostics.list().len()).sum::<usize>()
            });
        });
        group.bench_function("parse, check, lower, simplify", |bench| {
            bench.iter(|| queries.iter().filter(|query| black_box(compiler.compile(query)).is_ok()).count());
        });
        let trees: Vec<_> = queries.iter().map(|query| traceql::parse(query).unwrap()).collect();
        group.bench_function("print", |bench| {
            bench.iter(|| trees.iter().map(|tree| black_box(tree.to_string()).len()).sum::<usize>());
        });
    }
}

fn long_queries(criterion: &mut Criterion) {
    let queries = [
        ("100 KB of conditions with ||", format!("{{ {}.a = 1 }}", ".a = 1 || ".repeat(10_000))),
        ("100 KB of filters with ||", format!("{}{{ }}", "{ } || ".repeat(14_500))),
        ("100 KB of || alone", "||".repeat(50_000)),
        ("1,000 parentheses", format!("{{ {}.a{} }}", "(".repeat(1_000), ")".repeat(1_000))),
        ("60,000 parentheses", format!("{{ {}.a", "(".repeat(60_000))),
    ];
    let mut group = criterion.benchmark_group("long queries");
    for (name, query) in &queries {
        group.throughput(Throughput::Bytes(query.len() as u64));
        group.bench_function(*name, |bench| bench.iter(|| black_box(Compiler::new().check(query)).verdict()));
    }
}

criterion_group!(benches, conformance_queries, long_queries);
criterion_main!(benches);
