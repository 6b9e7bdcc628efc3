//! Plans: from a query's text to a physical plan, which is not run. Most of it is DataFusion's; printing the plan, which
//! is all that one gets to see of it, is in it.

#![allow(clippy::unwrap_used, reason = "a benchmark")]

mod support;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use traceql::SearchOptions;

const QUERIES: [(&str, &str); 5] = [
    ("filter", "{ resource.service.name = \"payment\" && span.http.request.method = \"GET\" && duration > 50ms }"),
    ("structure", "{ resource.service.name = \"api-gateway\" } >> { status = error }"),
    ("aggregate", "{ kind = client } | by(resource.service.name) | avg(duration) > 300ms"),
    ("metrics", "{ kind = server } | quantile_over_time(duration, .5, .99) by (resource.service.name)"),
    ("compare", "{ resource.service.name = \"payment\" } | compare({ status = error })"),
];

fn plan(criterion: &mut Criterion) {
    let (engine, runtime) = (support::engine(), support::runtime());
    let mut group = criterion.benchmark_group("plan");
    for (name, query) in QUERIES {
        let options = SearchOptions::default();
        let explain = || black_box(runtime.block_on(engine.explain(query, &options, false)).unwrap()).len();
        group.bench_function(name, |bench| bench.iter(explain));
    }
}

criterion_group!(benches, plan);
criterion_main!(benches);
