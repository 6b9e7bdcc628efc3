//! Remote write: what is sent, what becomes of it when the receiver is slow, gone or unwilling, and of the spool when the
//! process or the machine stops.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "shared with other tests")]

#[path = "support/crash_vfs.rs"]
mod crash_vfs;
mod metrics_support;
#[path = "remote_write/receiver.rs"]
mod receiver;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use crash_vfs::{CrashVfs, Entry, Survives};
use metrics_support::{SECOND, SERVER, START, request, service, span};
use receiver::{Receiver, nowhere};
use tracestore::{
    Error,
    io::{MemoryVfs, Vfs},
    spanmetrics::{
        Exposition, HistogramMode, RemoteWrite, RemoteWriteOptions, SpanMetrics, SpanMetricsConfig, for_each_span,
    },
};

/// Nothing here takes so long, unless it never ends.
const LONG: Duration = Duration::from_secs(60);

fn options(url: String) -> RemoteWriteOptions {
    let mut options = RemoteWriteOptions::new(url);
    options.min_backoff = Duration::from_millis(1);
    options.max_backoff = Duration::from_millis(5);
    options
}

fn open(vfs: &MemoryVfs, options: RemoteWriteOptions) -> RemoteWrite {
    RemoteWrite::open(Arc::new(vfs.clone()), "spool", options).unwrap()
}

/// Counts spans of one name: after each there is one more sample to send.
struct Calls(SpanMetrics, u64);

impl Calls {
    fn new() -> Self {
        let mut config = SpanMetricsConfig::default();
        (config.latency, config.size) = (false, false);
        Self(SpanMetrics::new(config).unwrap(), 0)
    }

    fn push(&mut self, remote: &RemoteWrite) {
        self.1 += 1;
        for_each_span(&request(vec![service("shop", vec![span(1, 0, SERVER, "GET")])]), &mut |span| {
            self.0.observe(span, START)
        });
        let mut samples = remote.samples(self.1 * SECOND);
        self.0.write(&mut samples).unwrap();
        samples.finish().unwrap();
    }
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<f64> {
    range.map(f64::from).collect()
}

#[test]
fn a_request_is_what_the_protocol_asks_for() {
    let receiver = Receiver::new(&[]);
    let options = options(receiver.url()).with_bearer_token("secret").with_header("X-Scope-OrgID", "shop");
    let remote = open(&MemoryVfs::default(), options);
    let mut config = SpanMetricsConfig::default();
    config.histograms = HistogramMode::Both;
    config.histogram_buckets = vec![0.005, 2.0];
    let mut metrics = SpanMetrics::new(config).unwrap();
    for_each_span(
        &request(vec![service("shop", vec![span(1, 0, SERVER, "GET"), span(2, 1, SERVER, "GET")])]),
        &mut |span| metrics.observe(span, 0),
    );
    let mut samples = remote.samples(7 * SECOND);
    metrics.write(&mut samples).unwrap();
    samples.finish().unwrap();
    assert!(remote.wait(0, LONG));
    let status = remote.status();
    assert_eq!((status.sent, status.queued_requests, status.lost()), (8, 0, 0));

    let received = receiver.received();
    assert_eq!(received.len(), 1);
    for header in [
        "post /api/v1/write http/1.1",
        "content-encoding: snappy",
        "content-type: application/x-protobuf",
        "x-prometheus-remote-write-version: 0.1.0",
        "authorization: bearer secret",
        "x-scope-orgid: shop",
    ] {
        assert!(received[0].headers.iter().any(|line| line == header), "{header}: {:?}", received[0].headers);
    }
    let described: Vec<_> =
        received[0].request.metadata.iter().map(|family| (family.kind, family.metric_family_name.as_str())).collect();
    let (calls, latency, size) =
        ("traces_spanmetrics_calls_total", "traces_spanmetrics_latency", "traces_spanmetrics_size_total");
    assert_eq!(described, [(1, calls), (3, latency), (1, size)]);
    let mut seen = Vec::new();
    for series in &received[0].request.timeseries {
        let labels: Vec<_> = series.labels.iter().map(|label| (label.name.as_str(), label.value.as_str())).collect();
        assert!(labels.is_sorted() && labels.contains(&("service", "shop")), "{labels:?}");
        let of = |name: &str| labels.iter().find(|label| label.0 == name).map_or("", |label| label.1);
        assert!(series.samples.iter().all(|sample| sample.timestamp == 7_000));
        seen.push((
            format!("{} {}", of("__name__"), of("le")),
            series.samples.first().map(|sample| sample.value),
            series.exemplars.len(),
        ));
        for histogram in &series.histograms {
            assert_eq!((histogram.count_int, histogram.schema, histogram.timestamp), (2, 3, 7_000));
            assert_eq!(histogram.positive_deltas, [2]);
        }
    }
    let bytes = seen.last().unwrap().1.unwrap();
    let expected = [
        (format!("{calls} "), Some(2.0), 0),
        (format!("{latency}_bucket 0.005"), Some(0.0), 0),
        (format!("{latency}_bucket 2"), Some(2.0), 1),
        (format!("{latency}_bucket +Inf"), Some(2.0), 0),
        (format!("{latency}_sum "), Some(0.02), 0),
        (format!("{latency}_count "), Some(2.0), 0),
        (format!("{latency} "), None, 0),
        (format!("{size} "), Some(bytes), 0),
    ];
    assert_eq!(seen, expected);
    assert!(bytes > 20.0);
}

#[test]
fn what_may_succeed_later_is_sent_again_in_order() {
    let busy = "429 Too Many Requests\r\nRetry-After: 0";
    let receiver = Receiver::new(&["503 Service Unavailable", busy, "204 No Content", "500 Internal Server Error"]);
    let remote = open(&MemoryVfs::default(), options(receiver.url()));
    let mut calls = Calls::new();
    (0..5).for_each(|_| calls.push(&remote));
    assert!(remote.wait(0, LONG));
    assert_eq!(receiver.values(), numbers(1..=5));
    let status = remote.status();
    assert_eq!((status.sent, status.retries, status.lost()), (5, 3, 0));
    assert_eq!(receiver.received().len(), 8);
}

#[test]
fn what_is_refused_is_counted_and_not_sent_again() {
    let receiver = Receiver::new(&["204 No Content", "400 Bad Request", "301 Moved\r\nLocation: /"]);
    let remote = open(&MemoryVfs::default(), options(receiver.url()));
    let mut calls = Calls::new();
    (0..4).for_each(|_| calls.push(&remote));
    assert!(remote.wait(0, LONG));
    assert_eq!(receiver.values(), [1.0, 4.0]);
    let status = remote.status();
    assert_eq!((status.sent, status.refused, status.retries), (2, 2, 0));
    assert_eq!(status.last_error.as_deref(), Some("301 Moved Permanently"));
}

#[test]
fn a_restart_loses_nothing_and_sends_nothing_twice() {
    let vfs = MemoryVfs::default();
    let mut calls = Calls::new();
    let first = Receiver::new(&[]);
    let remote = open(&vfs, options(first.url()));
    (0..3).for_each(|_| calls.push(&remote));
    assert!(remote.wait(0, LONG));
    drop(remote);
    for _ in 0..3 {
        let remote = open(&vfs, options(nowhere()));
        (0..2).for_each(|_| calls.push(&remote));
        assert!(!remote.wait(0, Duration::ZERO));
    }
    let second = Receiver::new(&[]);
    let remote = open(&vfs, options(second.url()));
    calls.push(&remote);
    assert!(remote.wait(0, LONG));
    assert_eq!((first.values(), second.values()), (numbers(1..=3), numbers(4..=10)));
    assert_eq!(remote.status().damaged_requests, 0);
}

#[test]
fn what_has_no_room_or_waits_for_too_long_is_dropped_and_counted() {
    let vfs = MemoryVfs::default();
    let mut calls = Calls::new();
    let mut small = options(nowhere());
    small.max_bytes = 1000;
    let remote = open(&vfs, small);
    (0..20).for_each(|_| calls.push(&remote));
    let status = remote.status();
    assert!(status.queued_bytes <= 1000 && status.overflowed > 0, "{status:?}");
    drop(remote);
    let receiver = Receiver::new(&[]);
    let remote = open(&vfs, options(receiver.url()));
    assert!(remote.wait(0, LONG));
    let first = u32::try_from(status.overflowed).unwrap() + 1;
    assert_eq!(receiver.values(), numbers(first..=20));

    let mut impatient = options(nowhere());
    impatient.max_age = Duration::ZERO;
    let remote = open(&MemoryVfs::default(), impatient);
    (0..3).for_each(|_| calls.push(&remote));
    assert!(remote.wait(0, LONG));
    assert_eq!((remote.status().expired, remote.status().sent), (3, 0));
}

#[test]
fn a_spool_has_one_sender() {
    let vfs = MemoryVfs::default();
    let remote = open(&vfs, options(nowhere()));
    let second = RemoteWrite::open(Arc::new(vfs.clone()), "spool", options(nowhere()));
    assert!(matches!(second, Err(Error::Locked { .. })));
    drop(remote);
    assert!(RemoteWrite::open(Arc::new(vfs), "spool", options("nowhere".to_owned())).unwrap_err().is_config());
}

/// Whatever operation a crash comes after, and whatever it leaves of what was not synced: what was taken is sent.
#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_taken() {
    let vfs = CrashVfs::new(crash_vfs::Files::default());
    let mut calls = Calls::new();
    for session in 0..2 {
        let remote = RemoteWrite::open(Arc::new(vfs.clone()), "/spool", options(nowhere())).unwrap();
        for _ in 0..4 {
            calls.push(&remote);
            vfs.note(Entry::Acknowledged(calls.1));
        }
        assert_eq!(remote.status().queued_requests, 4 * (session + 1));
    }
    let journal = vfs.journal();
    let mut crashes = 0;
    for operations in 0..=journal.len() {
        for survives in [Survives::Synced, Survives::All, Survives::Some(operations as u64)] {
            let crashed = CrashVfs::new(vfs.crash(operations, survives));
            let receiver = Receiver::new(&[]);
            let remote =
                RemoteWrite::open(Arc::new(crashed) as Arc<dyn Vfs>, "/spool", options(receiver.url())).unwrap();
            assert!(remote.wait(0, LONG));
            let taken = journal[..operations].iter().filter_map(|entry| match entry {
                Entry::Acknowledged(number) => Some(*number),
                _ => None,
            });
            let values = receiver.values();
            assert!(values.is_sorted() && values.iter().collect::<Vec<_>>().windows(2).all(|pair| pair[0] < pair[1]));
            let sent: BTreeSet<u64> = values.into_iter().map(|value| value as u64).collect();
            assert!(taken.clone().all(|number| sent.contains(&number)), "after {operations} operations, {survives:?}");
            crashes += 1;
        }
    }
    println!("{crashes} crashes");
    assert!(crashes > 100, "{crashes}");
}
