//! What span metrics and service graphs cost: spans a second on one core, memory of many label sets, a state of many
//! label sets written and read back, and ingest beside it.
//!
//! ```sh
//! cargo bench -p tracestore --bench span_metrics -- [FILE]      # OTLP in any form; the recording of the shop
//! ```

#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::{hint::black_box, io::sink, path::PathBuf, sync::Arc};

use bytes::Bytes;
use cpu_time::ThreadTime;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use peak_alloc::PeakAlloc;
use prost::Message;
use tracestore::{
    IngestObserver, MetricsGenerator, StoreOptions, SyncMode, TraceStore,
    io::MemoryVfs,
    otlp::MessageSource,
    servicegraph::{ServiceGraph, ServiceGraphConfig},
    spanmetrics::{SpanMetrics, SpanMetricsConfig, TextFormat, TextWriter, for_each_span},
};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// How often something is measured; the best time counts.
const ROUNDS: usize = 9;
/// A round goes through a file until it has seen this many spans.
const SPANS: u64 = 60_000;
const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");
const LABEL_SETS: u32 = 100_000;
/// Prometheus series of a label set: 17 of the latency, calls, size.
const SERIES: usize = 19;

fn main() {
    // Cargo says `--bench`.
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let file = PathBuf::from(file.unwrap_or_else(|| SHOP.to_owned()));
    let requests: Vec<Bytes> = MessageSource::open(&file).unwrap().map(|request| request.unwrap().bytes).collect();
    let mut spans = 0;
    requests.iter().for_each(|request| for_each_span(request, &mut |_| spans += 1));
    println!("{}: {spans} spans in {} requests", file.display(), requests.len());
    speed(&requests, spans);
    memory();
    ingest(&requests, spans);
}

fn metrics() -> SpanMetrics {
    SpanMetrics::new(SpanMetricsConfig::default()).unwrap()
}

fn graph() -> ServiceGraph {
    ServiceGraph::new(ServiceGraphConfig::default()).unwrap()
}

fn generator(config: SpanMetricsConfig) -> MetricsGenerator {
    MetricsGenerator::new(Some(config), Some(ServiceGraphConfig::default())).unwrap()
}

/// Prints the best of some rounds, each of several runs over all spans.
fn best(what: &str, spans: u64, mut run: impl FnMut() -> f64) {
    let runs = SPANS.div_ceil(spans.max(1));
    let rounds = (0..ROUNDS).map(|_| (0..runs).map(|_| run()).sum::<f64>() / runs as f64);
    let seconds = rounds.fold(f64::INFINITY, f64::min);
    let nanos = seconds * 1e9 / spans as f64;
    println!("{what:<36} {:>12.0} spans/s {nanos:>8.0} ns/span", spans as f64 / seconds);
}

/// CPU seconds of this thread: what others do meanwhile does not count.
fn timed(work: impl FnOnce()) -> f64 {
    let begun = ThreadTime::now();
    work();
    begun.elapsed().as_secs_f64()
}

fn speed(requests: &[Bytes], spans: u64) {
    let each = |visit: &mut dyn FnMut(&tracestore::spanmetrics::SpanFacts<'_>)| {
        requests.iter().for_each(|request| for_each_span(request, &mut |span| visit(span)));
    };
    best("decoding alone", spans, || timed(|| each(&mut |span| _ = black_box(span.start))));
    best("span metrics", spans, || {
        let mut metrics = metrics();
        timed(|| each(&mut |span| metrics.observe(span, 0)))
    });
    best("service graph", spans, || {
        let mut graph = graph();
        timed(|| each(&mut |span| graph.observe(span, 0)))
    });
    best("both, as a store feeds them", spans, || {
        let generator = generator(SpanMetricsConfig::default());
        timed(|| requests.iter().for_each(|request| generator.observe(request)))
    });
}

/// A request with spans of a hundred label sets, each four times, with four durations.
fn many(part: u32) -> Vec<u8> {
    let text = |value: String| Some(AnyValue { value: Some(Value::StringValue(value)) });
    let span = |number: u32, copy: u32| Span {
        trace_id: u128::from(number + 1).to_be_bytes().to_vec(),
        span_id: (u64::from(number) << 8 | u64::from(copy + 1)).to_be_bytes().to_vec(),
        name: format!("GET /v1/resources/{number:06}/items"),
        kind: 2,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_000_000_000 + (5_000_000 << (copy * 2)),
        ..Span::default()
    };
    let spans = (part * 100..part * 100 + 100).flat_map(|number| (0..4).map(move |copy| span(number, copy))).collect();
    let service = KeyValue {
        key: "service.name".into(),
        value: text(format!("resource-service-{}", part % 20)),
        ..KeyValue::default()
    };
    let resource = Some(Resource { attributes: vec![service], ..Resource::default() });
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
    }
    .encode_to_vec()
}

fn memory() {
    let mut config = SpanMetricsConfig::default();
    config.max_active_entities = LABEL_SETS as usize;
    let before = ALLOCATOR.current_usage();
    let counted = generator(config.clone());
    let used = |what: &str, generator: &MetricsGenerator| {
        let (bytes, sets) = (ALLOCATOR.current_usage() - before, generator.entities());
        let per_set = bytes / sets;
        println!(
            "{what:<36} {sets:>12} label sets {:>6.1} MB, {per_set} bytes each, {} bytes a series; {} spans overflow",
            bytes as f64 / 1e6,
            per_set / SERIES,
            generator.counts().spans.overflowed,
        );
    };
    (0..LABEL_SETS / 100).for_each(|part| counted.observe(&many(part)));
    used("memory", &counted);
    (LABEL_SETS / 100..LABEL_SETS / 50).for_each(|part| counted.observe(&many(part)));
    used("memory, twice as many offered", &counted);
    counted.clear_exemplars();
    used("memory, exemplars collected", &counted);
    let mut state = Vec::new();
    let save = timed(|| state = counted.save());
    let again = generator(config);
    let restore = timed(|| again.restore(&state).unwrap());
    println!(
        "{:<36} {:>12.1} MB, written in {:.0} ms, read back in {:.0} ms",
        "state",
        state.len() as f64 / 1e6,
        save * 1e3,
        restore * 1e3
    );
    let write = timed(|| counted.write(&mut TextWriter::new(sink(), TextFormat::Prometheus)).unwrap());
    println!("{:<36} {:>12.0} ms", "all series as text", write * 1e3);
}

/// What ingest takes with an observer that the thread of the store feeds, and without. Nothing is synced, and no block cut.
fn ingest(requests: &[Bytes], spans: u64) {
    for (what, observed) in [("ingest without an observer", false), ("ingest with a generator", true)] {
        best(what, spans, || {
            let mut options = StoreOptions::default();
            options.vfs = Arc::new(MemoryVfs::default());
            options.sync = SyncMode::Off;
            options.memory_budget = usize::MAX;
            options.cut.bytes = usize::MAX;
            options.background = Some(std::time::Duration::from_millis(10));
            options.observer = observed.then(|| Arc::new(generator(SpanMetricsConfig::default())) as _);
            let store = TraceStore::open("store", options).unwrap();
            timed(|| requests.iter().for_each(|request| _ = store.ingest(request.clone()).unwrap()))
        });
    }
}
