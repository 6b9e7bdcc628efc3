//! What overhead/c_api.c does, through the Rust crates: `rust_api FILE ROUNDS`.

use std::{error::Error, io::Cursor, num::NonZero, sync::Arc};

use traceql::{
    Engine, EngineOptions, MetricsOptions, SearchOptions,
    ir::Body,
    output::{series_to_json, trace_match_to_json},
};
use tracestore::{StoreOptions, TraceStore, io::MemoryVfs, otlp::MessageSource};

const QUERIES: [&str; 4] = [
    "{ status = error }",
    "{ resource.service.name = \"api-gateway\" } >> { status = error }",
    "{ kind = server } | by(resource.service.name) | avg(duration) > 10ms",
    "{ } | rate() by (resource.service.name)",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, rounds] = arguments.as_slice() else { return Err("usage: rust_api FILE ROUNDS".into()) };
    let content = std::fs::read(path)?;
    let mut options = StoreOptions::default();
    (options.vfs, options.background) = (Arc::new(MemoryVfs::default()), None);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
    let store = TraceStore::open("memory", options)?;
    let mut spans = 0;
    for request in MessageSource::from_reader("data", Cursor::new(content))? {
        spans += store.ingest(request?.bytes)?.spans;
    }
    store.flush()?;
    let mut answered = 0;
    for _ in 0..rounds.parse::<usize>()? {
        for query in QUERIES {
            let engine = Engine::with_options(
                store.snapshot()?,
                EngineOptions::default().with_partitions(NonZero::<usize>::MIN),
            );
            let lines: String = match traceql::compile(query)?.body {
                Body::Search(_) => {
                    let response = runtime.block_on(engine.search(query, &SearchOptions::default()))?;
                    response.traces.iter().map(|trace| format!("{}\n", trace_match_to_json(trace))).collect()
                }
                Body::Metrics(_) => {
                    let options = MetricsOptions::over(engine.snapshot(), None, None, false);
                    let response = runtime.block_on(engine.query_range(query, &options))?;
                    response.series.iter().map(|series| format!("{}\n", series_to_json(&response, series))).collect()
                }
            };
            answered += lines.len();
        }
    }
    store.close()?;
    println!("{spans} spans, {answered} bytes of answers");
    Ok(())
}
