//! Metrics of what a store takes, over restarts: every rule on a few spans, with the series written out by hand.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod metrics_support;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use metrics_support::{CLIENT, CONSUMER, PRODUCER, SECOND, SERVER, START, With, samples, service, span, text, written};
use opentelemetry_proto::tonic::trace::v1::Span;
use tracestore::{
    MetricsGenerator, SavedMetrics, StoreOptions, StoreReader, TraceStore,
    io::{MemoryVfs, Vfs},
    servicegraph::ServiceGraphConfig,
    spanmetrics::{SpanMetricsConfig, TextFormat},
};

const CALLS: &str = "traces_spanmetrics_calls_total";
const REQUESTS: &str = "traces_service_graph_request_total";

/// A disk, a clock, and how spans are counted.
struct World {
    vfs: MemoryVfs,
    clock: Arc<AtomicU64>,
    config: SpanMetricsConfig,
}

/// A store that is open.
struct Session {
    store: TraceStore,
    generator: Arc<MetricsGenerator>,
}

impl World {
    /// Only the names of spans are labels, unless `change` says more.
    fn new(change: fn(&mut SpanMetricsConfig)) -> Self {
        let mut config = SpanMetricsConfig::default();
        config.intrinsics.service = false;
        config.intrinsics.span_kind = false;
        config.intrinsics.status_code = false;
        change(&mut config);
        // A minute after the spans.
        Self { vfs: MemoryVfs::default(), clock: Arc::new(AtomicU64::new(START + 60 * SECOND)), config }
    }

    fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds * SECOND, Relaxed);
    }

    fn options(&self) -> StoreOptions {
        let mut options = StoreOptions::default();
        options.vfs = Arc::new(self.vfs.clone());
        options.background = None;
        options
    }

    fn open(&self) -> Session {
        let clock = Arc::clone(&self.clock);
        let generator = MetricsGenerator::new(Some(self.config.clone()), Some(ServiceGraphConfig::default())).unwrap();
        let generator = Arc::new(generator.with_clock(move || clock.load(Relaxed)));
        let mut options = self.options();
        options.observer = Some(Arc::<MetricsGenerator>::clone(&generator));
        Session { store: TraceStore::open("store", options).unwrap(), generator }
    }
}

impl Session {
    fn ingest(&self, spans: Vec<Span>) {
        self.store.ingest(request("shop", spans)).unwrap();
    }

    fn text(&self) -> String {
        self.store.feed_observer();
        written(TextFormat::Prometheus, |out| self.generator.write(out))
    }

    fn calls(&self) -> Vec<String> {
        samples(&self.text(), CALLS).into_iter().map(str::to_owned).collect()
    }

    fn requests(&self) -> Vec<String> {
        samples(&self.text(), REQUESTS).into_iter().map(str::to_owned).collect()
    }
}

fn request(name: &str, spans: Vec<Span>) -> Bytes {
    metrics_support::request(vec![service(name, spans)]).into()
}

#[test]
fn counters_go_on_after_a_restart_in_the_middle_of_ingest() {
    let world = World::new(|_| {});
    let session = world.open();
    session.ingest(vec![span(1, 0, SERVER, "a"), span(2, 1, CLIENT, "b")]);
    session.store.flush().unwrap().unwrap();
    session.ingest(vec![span(3, 0, SERVER, "a")]);
    let before = session.text();
    assert_eq!(session.calls(), ["{span_name=\"a\"} 2", "{span_name=\"b\"} 1"]);
    // Not fed yet when the process ends.
    session.ingest(vec![span(4, 0, SERVER, "c")]);
    drop(session);
    let session = world.open();
    assert_eq!((session.store.recovery().requests, session.store.recovery().unobserved), (2, 0));
    assert_eq!(session.calls(), ["{span_name=\"a\"} 2", "{span_name=\"b\"} 1", "{span_name=\"c\"} 1"]);
    // The other series too: what was there before is there with the same values.
    let text = session.text();
    let gone: Vec<_> = before.lines().filter(|line| line.contains("\"b\"") && !text.contains(line)).collect();
    assert!(gone.is_empty(), "{gone:?}");
    session.ingest(vec![span(5, 0, SERVER, "a")]);
    session.store.close().unwrap();
    drop(session);
    let session = world.open();
    assert!(session.store.recovery().is_clean());
    assert_eq!(session.calls(), ["{span_name=\"a\"} 3", "{span_name=\"b\"} 1", "{span_name=\"c\"} 1"]);
}

#[test]
fn a_request_that_is_sent_again_counts_once() {
    let world = World::new(|_| {});
    let session = world.open();
    let spans = || vec![span(1, 0, SERVER, "a")];
    session.ingest(spans());
    session.ingest(spans());
    assert_eq!((session.calls(), session.generator.counts().repeated), (vec!["{span_name=\"a\"} 1".to_owned()], 1));
    drop(session);
    // The client was not answered, and does not know of the restart.
    let session = world.open();
    session.ingest(spans());
    assert_eq!(session.calls(), ["{span_name=\"a\"} 1"]);
    // The same span in another request is what was received.
    session.ingest(vec![span(1, 0, SERVER, "a"), span(2, 0, SERVER, "b")]);
    assert_eq!(session.calls(), ["{span_name=\"a\"} 2", "{span_name=\"b\"} 1"]);
    session.store.close().unwrap();
    let session = world.open();
    session.ingest(spans());
    assert_eq!(session.calls(), ["{span_name=\"a\"} 2", "{span_name=\"b\"} 1"]);
}

#[test]
fn halves_of_edges_wait_over_a_restart() {
    let world = World::new(|_| {});
    let session = world.open();
    session.ingest(vec![span(2, 9, CLIENT, "call"), span(3, 9, PRODUCER, "send")]);
    session.store.flush().unwrap();
    session.ingest(vec![span(4, 9, CLIENT, "call").starts(58 * SECOND)]);
    assert!(session.requests().is_empty());
    drop(session);
    let session = world.open();
    session.store.ingest(request("pay", vec![span(12, 2, SERVER, "answer"), span(14, 4, SERVER, "answer")])).unwrap();
    session.store.ingest(request("mail", vec![span(13, 0, CONSUMER, "receive").trace(2).links(1, 3)])).unwrap();
    let expected = [
        "{client=\"shop\",server=\"mail\",connection_type=\"messaging_system\"} 1",
        "{client=\"shop\",server=\"pay\"} 2",
    ];
    assert_eq!(session.requests(), expected);
}

#[test]
fn what_was_given_up_is_given_up_again() {
    let world = World::new(|_| {});
    let session = world.open();
    let to = |id: u8, peer: &str| span(id, 9, CLIENT, "call").starts(59 * SECOND).with(&[text("peer.service", peer)]);
    session.ingest(vec![to(2, "kept")]);
    session.store.flush().unwrap();
    session.ingest(vec![to(3, "logged")]);
    assert!(session.requests().is_empty());
    world.pass(10);
    let edge = |peer: &str| format!("{{client=\"shop\",server=\"{peer}\",connection_type=\"virtual_node\"}} 1");
    let expected = [edge("kept"), edge("logged")];
    assert_eq!(session.requests(), expected);
    drop(session);
    // A counter that were lower for a while would look like a new one.
    let session = world.open();
    let text = written(TextFormat::Prometheus, |out| session.generator.write(out));
    assert_eq!(samples(&text, REQUESTS), expected);
    assert_eq!(session.requests(), expected);
    session.store.close().unwrap();
    assert_eq!(world.open().requests(), expected);
}

#[test]
fn stale_series_and_limits_over_a_restart() {
    let world = World::new(|config| {
        config.max_active_entities = 2;
        config.dimensions = vec!["zone".to_owned()];
        config.labels.max_cardinality = 2;
    });
    let session = world.open();
    let named = |id: u8, name: &str| vec![span(id, 0, SERVER, name)];
    session.ingest(named(1, "a"));
    world.pass(600);
    session.ingest(named(2, "b"));
    session.ingest(named(3, "c"));
    let both = ["{metric_overflow=\"true\"} 1", "{span_name=\"a\"} 1", "{span_name=\"b\"} 1"];
    assert_eq!(session.calls(), both);
    drop(session);
    let session = world.open();
    assert_eq!(session.calls(), both);
    session.ingest(named(4, "c"));
    session.ingest(named(5, "b"));
    session.store.close().unwrap();
    let session = world.open();
    assert_eq!(session.calls(), ["{metric_overflow=\"true\"} 2", "{span_name=\"a\"} 1", "{span_name=\"b\"} 2"]);
    assert_eq!(session.generator.counts().spans.overflowed, 2);
    // `a` was last counted ten minutes earlier: its time is known over restarts, and its room free after it.
    world.pass(350);
    session.store.close().unwrap();
    let session = world.open();
    assert_eq!(session.calls(), ["{metric_overflow=\"true\"} 2", "{span_name=\"b\"} 2"]);
    world.pass(900);
    assert!(session.calls().is_empty());
}

#[test]
fn values_of_labels_are_limited_over_a_restart() {
    let world = World::new(|config| config.labels.max_cardinality = 2);
    let session = world.open();
    for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
        session.ingest(vec![span(id, 0, SERVER, name)]);
    }
    session.store.close().unwrap();
    let session = world.open();
    session.ingest(vec![span(4, 0, SERVER, "d"), span(5, 0, SERVER, "a")]);
    let expected = ["{span_name=\"__cardinality_overflow__\"} 2", "{span_name=\"a\"} 2", "{span_name=\"b\"} 1"];
    assert_eq!(session.calls(), expected);
    // Values of series that are gone make room.
    world.pass(901);
    assert!(session.calls().is_empty());
    session.ingest(vec![span(6, 0, SERVER, "d")]);
    assert_eq!(session.calls(), ["{span_name=\"d\"} 1"]);
}

#[test]
fn a_hundred_thousand_label_sets_and_no_more() {
    let world = World::new(|config| config.max_active_entities = 100_000);
    let session = world.open();
    for part in 0..1_001_u32 {
        let named = |number: u32| Span {
            span_id: (number + 1).to_be_bytes().repeat(2),
            ..span(1, 0, SERVER, &number.to_string())
        };
        session.ingest((part * 100..part * 100 + 100).map(named).collect());
    }
    session.store.flush().unwrap();
    session.ingest(vec![span(1, 0, SERVER, "7"), span(2, 0, SERVER, "another")]);
    drop(session);
    let session = world.open();
    let calls = session.calls();
    assert_eq!(calls.len(), 100_001);
    assert!(
        calls.contains(&"{metric_overflow=\"true\"} 101".to_owned())
            && calls.contains(&"{span_name=\"7\"} 2".to_owned())
    );
    assert_eq!(calls.iter().filter(|line| line.ends_with(" 1")).count(), 99_999);
    let counts = session.generator.counts().spans;
    assert_eq!((counts.counted, counts.overflowed), (100_102, 101));
}

#[test]
fn other_buckets_begin_anew_and_calls_go_on() {
    let mut world = World::new(|_| {});
    let session = world.open();
    session.ingest(vec![span(1, 0, SERVER, "a")]);
    session.store.close().unwrap();
    world.config.histogram_buckets = vec![1.0];
    let session = world.open();
    session.ingest(vec![span(2, 0, SERVER, "a")]);
    let text = session.text();
    assert_eq!(samples(&text, CALLS), ["{span_name=\"a\"} 2"]);
    assert_eq!(samples(&text, "traces_spanmetrics_latency_count"), ["{span_name=\"a\"} 1"]);
}

#[test]
fn a_state_that_is_damaged_is_put_aside() {
    let world = World::new(|_| {});
    let session = world.open();
    session.ingest(vec![span(1, 0, SERVER, "a")]);
    session.store.close().unwrap();
    session.store.close().unwrap();
    drop(session);
    let file = Path::new("store/derived/span-metrics.state");
    let mut bytes = world.vfs.read(file).unwrap().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    world.vfs.put(file, bytes.clone().into());
    let session = world.open();
    let recovery = session.store.recovery();
    assert_eq!(recovery.quarantined, [Path::new("store/quarantine/span-metrics.state")]);
    assert_eq!(
        recovery.damage[0].to_string(),
        "store/derived/span-metrics.state: damaged at byte 0: what was derived from spans begins anew: \
         store/derived/span-metrics.state: corrupt at byte 0: the checksum does not match"
    );
    assert!(session.calls().is_empty());
    session.ingest(vec![span(2, 0, SERVER, "a")]);
    session.store.close().unwrap();
    assert_eq!(world.open().calls(), ["{span_name=\"a\"} 1"]);
    assert_eq!(world.vfs.read(Path::new("store/quarantine/span-metrics.state")).unwrap(), bytes);
}

#[test]
fn what_came_in_while_nobody_observed_is_told() {
    let world = World::new(|_| {});
    let session = world.open();
    session.ingest(vec![span(1, 0, SERVER, "a")]);
    session.store.close().unwrap();
    let store = TraceStore::open("store", world.options()).unwrap();
    store.ingest(request("shop", vec![span(2, 0, SERVER, "a")])).unwrap();
    store.close().unwrap();
    let session = world.open();
    assert_eq!(session.store.recovery().unobserved, 1);
    assert!(session.store.recovery().to_string().contains("1 requests were stored while nobody observed"));
    session.ingest(vec![span(3, 0, SERVER, "a")]);
    drop(session);
    let session = world.open();
    assert_eq!((session.calls(), session.store.recovery().unobserved), (vec!["{span_name=\"a\"} 2".to_owned()], 0));
}

#[test]
fn who_looks_from_outside_sees_what_was_kept() {
    let world = World::new(|config| config.histogram_buckets = vec![0.5, 1.0]);
    let session = world.open();
    let reader = StoreReader::open_on(Arc::new(world.vfs.clone()), Path::new("store")).unwrap();
    assert!(SavedMetrics::of_store(&reader).unwrap().is_none());
    session.ingest(vec![span(1, 0, SERVER, "a").took(700)]);
    session.store.flush().unwrap();
    let inside = session.text();
    // Not kept yet.
    session.ingest(vec![span(2, 0, SERVER, "a")]);
    let saved = SavedMetrics::of_store(&reader).unwrap().unwrap();
    let outside = written(TextFormat::Prometheus, |out| {
        saved.span_metrics.as_ref().unwrap().write(out)?;
        saved.service_graph.as_ref().unwrap().write(out)
    });
    assert_eq!(outside, inside);
}

#[test]
fn the_thread_of_the_store_feeds() {
    let world = World::new(|_| {});
    let generator = Arc::new(MetricsGenerator::new(Some(world.config.clone()), None).unwrap());
    let mut options = world.options();
    options.background = Some(Duration::from_millis(1));
    options.observer = Some(Arc::<MetricsGenerator>::clone(&generator));
    let store = TraceStore::open("store", options).unwrap();
    store.ingest(request("shop", vec![span(1, 0, SERVER, "a")])).unwrap();
    while generator.counts().spans.counted == 0 {
        std::thread::yield_now();
    }
    assert_eq!(generator.counts().spans.counted, 1);
}
