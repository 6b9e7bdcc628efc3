//! Span metrics: every rule of SPANMETRICS.md on a few spans, with the series written out by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod metrics_support;
mod support;

use std::sync::Arc;

use metrics_support::{
    CLIENT, INTERNAL, MILLI, SECOND, SERVER, START, With, bool, double, int, request, resource, samples, service, span,
    text, texts, written,
};
use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    trace::v1::{ResourceSpans, Span},
};
use prost::Message;
use tracestore::{
    Snapshot,
    spanmetrics::{
        ConfigError, DimensionMapping, FilterPolicy, HistogramMode, PolicyCondition, PolicyMatch, PolicyValue,
        SpanFacts, SpanMetrics, SpanMetricsConfig, SpanPredicate, TextFormat, Window, for_each_span,
    },
};

const CALLS: &str = "traces_spanmetrics_calls_total";
const BUCKET: &str = "traces_spanmetrics_latency_bucket";
const SIZE: &str = "traces_spanmetrics_size_total";
const TARGET: &str = "traces_target_info";

type Change = fn(&mut SpanMetricsConfig);

fn config(change: Change) -> SpanMetricsConfig {
    let mut config = SpanMetricsConfig::default();
    change(&mut config);
    config
}

/// Labels that are the same of all spans of most tests are left out there.
fn only_names(config: &mut SpanMetricsConfig) {
    config.intrinsics.service = false;
    config.intrinsics.span_kind = false;
    config.intrinsics.status_code = false;
}

fn metrics_of(config: SpanMetricsConfig, spans: Vec<ResourceSpans>) -> SpanMetrics {
    let mut metrics = SpanMetrics::new(config).unwrap();
    for_each_span(&request(spans), &mut |span| metrics.observe(span, START));
    metrics
}

fn text_of(metrics: &SpanMetrics) -> String {
    written(TextFormat::Prometheus, |out| metrics.write(out))
}

/// `calls_total` of spans of a service `shop`.
fn calls(change: Change, spans: Vec<Span>) -> Vec<String> {
    let text = text_of(&metrics_of(config(change), vec![service("shop", spans)]));
    samples(&text, CALLS).into_iter().map(str::to_owned).collect()
}

#[test]
fn the_default_series() {
    let spans = vec![
        span(1, 0, SERVER, "buy").took(10),
        span(2, 0, SERVER, "buy").took(2),
        span(3, 1, CLIENT, "pay").took(20_000).error(),
    ];
    let (first, second, third) = (spans[0].encoded_len(), spans[1].encoded_len(), spans[2].encoded_len());
    let labels = "service=\"shop\",span_name=\"buy\",span_kind=\"SPAN_KIND_SERVER\",status_code=\"STATUS_CODE_UNSET\"";
    let failed = "service=\"shop\",span_name=\"pay\",span_kind=\"SPAN_KIND_CLIENT\",status_code=\"STATUS_CODE_ERROR\"";
    let mut expected = vec![
        "# HELP traces_spanmetrics_calls_total Number of spans.".to_owned(),
        "# TYPE traces_spanmetrics_calls_total counter".to_owned(),
        format!("{CALLS}{{{labels}}} 2"),
        format!("{CALLS}{{{failed}}} 1"),
        "# HELP traces_spanmetrics_latency Duration of spans in seconds.".to_owned(),
        "# TYPE traces_spanmetrics_latency histogram".to_owned(),
    ];
    let bounds = [
        "0.002", "0.004", "0.008", "0.016", "0.032", "0.064", "0.128", "0.256", "0.512", "1.024", "2.048", "4.096",
        "8.192", "16.384", "+Inf",
    ];
    let counts = [1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2];
    expected.extend(bounds.iter().zip(counts).map(|(le, count)| format!("{BUCKET}{{{labels},le=\"{le}\"}} {count}")));
    expected.push(format!("traces_spanmetrics_latency_sum{{{labels}}} 0.012"));
    expected.push(format!("traces_spanmetrics_latency_count{{{labels}}} 2"));
    let counts = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    expected.extend(bounds.iter().zip(counts).map(|(le, count)| format!("{BUCKET}{{{failed},le=\"{le}\"}} {count}")));
    expected.push(format!("traces_spanmetrics_latency_sum{{{failed}}} 20"));
    expected.push(format!("traces_spanmetrics_latency_count{{{failed}}} 1"));
    expected.push("# HELP traces_spanmetrics_size_total Size of spans as protobuf messages in bytes.".to_owned());
    expected.push("# TYPE traces_spanmetrics_size_total counter".to_owned());
    expected.push(format!("{SIZE}{{{labels}}} {}", first + second));
    expected.push(format!("{SIZE}{{{failed}}} {third}"));
    let found = text_of(&metrics_of(SpanMetricsConfig::default(), vec![service("shop", spans)]));
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn received_and_stored_spans_give_the_same() {
    let spans = vec![
        span(1, 0, SERVER, "buy").with(&[text("a", "x"), int("n", 3), texts("list", &["p", "q"])]),
        span(2, 1, CLIENT, "pay").took(20).error().with(&[bool("b", true)]).links(4, 4),
    ];
    let shop = [text("service.name", "shop"), text("service.instance.id", "i1"), int("host.cpus", 4)];
    let requests = vec![resource(&shop, spans)];
    let config = || {
        config(|config| {
            config.dimensions = ["a", "b", "n", "list", "host.cpus"].map(str::to_owned).to_vec();
            config.intrinsics.status_message = true;
            config.target_info = true;
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans");
    std::fs::write(&file, request(requests.clone())).unwrap();
    let mut stored = SpanMetrics::new(config()).unwrap();
    stored.add_snapshot(&Snapshot::open(&[file]).unwrap(), START).unwrap();
    let received = text_of(&metrics_of(config(), requests));
    assert_eq!(text_of(&stored), received);
    assert!(received.contains("a=\"x\",n=\"3\",list=\"[\\\"p\\\",\\\"q\\\"]\",host_cpus=\"4\""), "{received}");
    assert!(received.contains("status_message=\"it broke\",b=\"true\""), "{received}");
}

#[test]
fn a_span_that_ends_before_it_starts_takes_no_time() {
    let mut back = span(1, 0, SERVER, "back");
    back.end_time_unix_nano = START - SECOND;
    let text = text_of(&metrics_of(config(only_names), vec![service("shop", vec![back])]));
    assert_eq!(samples(&text, "traces_spanmetrics_latency_sum"), ["{span_name=\"back\"} 0"]);
    assert_eq!(samples(&text, BUCKET)[0], "{span_name=\"back\",le=\"0.002\"} 1");
}

#[test]
fn unknown_kinds_and_codes_are_numbers_and_empty_labels_none() {
    let mut odd = span(1, 0, 9, "");
    odd.status = Some(opentelemetry_proto::tonic::trace::v1::Status { message: String::new(), code: 7 });
    let found = calls(|config| config.intrinsics.status_message = true, vec![odd]);
    assert_eq!(found, ["{service=\"shop\",span_kind=\"9\",status_code=\"7\"} 1"]);
}

#[test]
fn label_values_are_escaped() {
    let found = calls(only_names, vec![span(1, 0, SERVER, "a\"b\\c\nd")]);
    assert_eq!(found, ["{span_name=\"a\\\"b\\\\c\\nd\"} 1"]);
}

#[test]
fn dimensions_come_from_the_resource_first_and_are_sanitised() {
    fn change(config: &mut SpanMetricsConfig) {
        only_names(config);
        // `span_name` is a label already; `service` is not, since it is switched off.
        config.dimensions = ["http.method", "span.name", "service", "missing"].map(str::to_owned).to_vec();
    }
    let both = [text("service.name", "shop"), text("http.method", "of the resource")];
    let one =
        span(1, 0, SERVER, "one").with(&[text("http.method", "GET"), text("span.name", "x"), text("service", "y")]);
    let spans = vec![resource(&both, vec![one.clone()]), service("shop", vec![one])];
    let text = text_of(&metrics_of(config(change), spans));
    assert_eq!(
        samples(&text, CALLS),
        [
            "{span_name=\"one\",http_method=\"GET\",__span_name=\"x\",service=\"y\"} 1",
            "{span_name=\"one\",http_method=\"of the resource\",__span_name=\"x\",service=\"y\"} 1",
        ]
    );
}

#[test]
fn mappings_rename_and_join() {
    fn change(config: &mut SpanMetricsConfig) {
        only_names(config);
        let mapping = |name: &str, source: &[&str], join: &str| DimensionMapping {
            name: name.to_owned(),
            source_labels: source.iter().map(|key| (*key).to_owned()).collect(),
            join: join.to_owned(),
        };
        config.dimension_mappings =
            vec![mapping("method", &["http.method"], ""), mapping("at", &["host", "gone", "port"], ":")];
    }
    let attributes = [text("http.method", "GET"), text("host", "h"), int("port", 80)];
    let found = calls(
        change,
        vec![span(1, 0, SERVER, "one").with(&attributes), span(2, 0, SERVER, "two").with(&attributes[2..])],
    );
    assert_eq!(found, ["{span_name=\"one\",method=\"GET\",at=\"h:80\"} 1", "{span_name=\"two\",at=\"80\"} 1"]);
}

#[test]
fn labels_that_would_be_there_twice_are_refused() {
    let error = |change: Change| SpanMetrics::new(config(change)).unwrap_err();
    let twice = error(|config| config.dimensions = vec!["http.method".to_owned(), "http_method".to_owned()]);
    let said = "the label `http_method` would be there twice: once for the dimension `http.method`, once for the dimension `http_method`";
    assert_eq!(twice.to_string(), said);
    let empty = error(|config| {
        config.dimension_mappings = vec![DimensionMapping { name: "x".to_owned(), ..Default::default() }]
    });
    assert_eq!(empty, ConfigError::EmptyMapping { name: "x".to_owned() });
    assert_eq!(error(|config| config.histogram_buckets = vec![1.0, 1.0]), ConfigError::Bounds);
    assert_eq!(error(|config| config.histogram_buckets = vec![1.0, f64::INFINITY]), ConfigError::Bounds);
}

#[test]
fn target_info_and_the_labels_that_join_it() {
    let shop = [
        text("service.name", "shop"),
        text("service.namespace", "eu"),
        text("service.instance.id", "i1"),
        text("host.name", "h"),
        text("host_name", "also h"),
        text("secret", "s"),
        text("job", "of the resource"),
        bool("up", true),
    ];
    let config = |config: &mut SpanMetricsConfig| {
        only_names(config);
        config.target_info = true;
        config.target_info_excluded = vec!["secret".to_owned()];
    };
    let spans = vec![
        resource(&shop, vec![span(1, 0, SERVER, "a"), span(2, 0, SERVER, "a")]),
        // Nothing to say about this one, and nobody to say it of.
        service("bare", vec![span(3, 0, SERVER, "b")]),
        resource(&[text("host.name", "h")], vec![span(4, 0, SERVER, "c")]),
    ];
    let found = text_of(&metrics_of(self::config(config), spans.clone()));
    assert_eq!(
        samples(&found, CALLS),
        [
            "{span_name=\"a\",job=\"eu/shop\",instance=\"i1\"} 2",
            "{span_name=\"b\",job=\"bare\"} 1",
            "{span_name=\"c\"} 1",
        ]
    );
    let info = "{job=\"eu/shop\",instance=\"i1\",__job=\"of the resource\",host_name=\"h\",up=\"true\"} 1";
    assert_eq!(samples(&found, TARGET), [info]);
    let without = text_of(&metrics_of(
        self::config(|config| {
            config.target_info = true;
            config.instance_label = false;
        }),
        spans,
    ));
    assert!(samples(&without, TARGET)[0].starts_with("{job=\"eu/shop\",__job="), "{without}");
    assert!(!without.contains("instance="));
}

#[test]
fn spans_stand_for_those_that_were_sampled_away() {
    fn change(config: &mut SpanMetricsConfig) {
        only_names(config);
        config.span_multiplier_key = Some("ratio".to_owned());
        config.tracestate_multiplier = true;
    }
    let weighted = |name: &str, ratio: KeyValue| span(1, 0, SERVER, name).with(&[ratio]);
    let mut state = span(1, 0, SERVER, "state");
    state.trace_state = "ot=th:c".to_owned();
    let spans = vec![
        weighted("a", double("ratio", 0.25)),
        weighted("b", text("ratio", "0.5")),
        weighted("zero", double("ratio", 0.0)),
        weighted("negative", int("ratio", -2)),
        Span { name: "key".to_owned(), ..state.clone() }.with(&[double("ratio", 0.1)]),
        state,
    ];
    let size = spans[0].encoded_len();
    let found = text_of(&metrics_of(config(change), vec![service("shop", spans)]));
    let calls = samples(&found, CALLS);
    let name = |name: &str, count| format!("{{span_name=\"{name}\"}} {count}");
    let expected = [("a", 4), ("b", 2), ("key", 10), ("negative", 1), ("state", 4), ("zero", 1)];
    assert_eq!(calls, expected.map(|(span, count)| name(span, count)));
    assert_eq!(samples(&found, "traces_spanmetrics_latency_count")[0], name("a", 4));
    assert_eq!(samples(&found, "traces_spanmetrics_latency_sum")[0], "{span_name=\"a\"} 0.04");
    // Bytes are what was received.
    assert_eq!(samples(&found, SIZE)[0], name("a", i32::try_from(size).unwrap()));
}

fn condition(key: &str, value: &str) -> PolicyCondition {
    PolicyCondition { key: key.to_owned(), value: PolicyValue::String(value.to_owned()) }
}

/// Names of the spans that policies let through.
fn let_through(policies: Vec<FilterPolicy>) -> (Vec<String>, u64) {
    let mut config = config(only_names);
    config.filter_policies = policies;
    let spans = vec![
        span(1, 0, SERVER, "get /a").with(&[int("code", 200), text("tier", "gold")]),
        span(2, 0, SERVER, "get /b").with(&[int("code", 500), bool("retried", true)]).error(),
        span(3, 0, CLIENT, "call").with(&[double("code", 500.0)]),
        span(4, 0, INTERNAL, "work"),
    ];
    let mut metrics =
        metrics_of(config, vec![service("shop", spans.clone()), service("other", vec![span(5, 0, SERVER, "get /c")])]);
    let names =
        samples(&text_of(&metrics), CALLS).iter().map(|line| line.split('"').nth(1).unwrap().to_owned()).collect();
    metrics.remove_stale(u64::MAX);
    assert_eq!(metrics.entities(), 0);
    (names, metrics.counts().filtered)
}

#[test]
fn policies_include_and_exclude() {
    let include = |found| FilterPolicy { include: Some(found), ..FilterPolicy::default() };
    let exclude = |found| FilterPolicy { exclude: Some(found), ..FilterPolicy::default() };
    let any = |found| FilterPolicy { include_any: Some(found), ..FilterPolicy::default() };
    let kind = condition("kind", "SPAN_KIND_SERVER");
    let failed = condition("status", "STATUS_CODE_ERROR");
    let value = |key: &str, value| PolicyCondition { key: key.to_owned(), value };
    for (policies, names) in [
        (vec![include(PolicyMatch::Strict(vec![kind.clone()]))], vec!["get /a", "get /b", "get /c"]),
        (vec![include(PolicyMatch::Strict(vec![kind.clone(), failed.clone()]))], vec!["get /b"]),
        (
            vec![include(PolicyMatch::Strict(vec![kind.clone()])), exclude(PolicyMatch::Strict(vec![failed.clone()]))],
            vec!["get /a", "get /c"],
        ),
        // Only what meets all of it is excluded.
        (
            vec![exclude(PolicyMatch::Strict(vec![kind.clone(), failed.clone()]))],
            vec!["call", "get /a", "get /c", "work"],
        ),
        (vec![any(PolicyMatch::Strict(vec![failed, condition("name", "work")]))], vec!["get /b", "work"]),
        (
            vec![include(PolicyMatch::Regex(vec![
                condition("name", "/[ab]$"),
                condition("resource.service.name", "sh"),
            ]))],
            vec!["get /a", "get /b"],
        ),
        (vec![include(PolicyMatch::Regex(vec![condition("kind", "CLIENT|INTERNAL")]))], vec!["call", "work"]),
        (vec![include(PolicyMatch::Strict(vec![value("span.code", PolicyValue::Int(500))]))], vec!["call", "get /b"]),
        (vec![include(PolicyMatch::Strict(vec![value("span.code", PolicyValue::Double(200.0))]))], vec!["get /a"]),
        (vec![include(PolicyMatch::Strict(vec![value("span.retried", PolicyValue::Bool(true))]))], vec!["get /b"]),
        (vec![include(PolicyMatch::Strict(vec![condition("span.code", "500")]))], vec![]),
        (vec![include(PolicyMatch::Regex(vec![condition("span.code", "5..")]))], vec![]),
        (vec![], vec!["call", "get /a", "get /b", "get /c", "work"]),
    ] {
        let said = format!("{policies:?}");
        let filtered = 5 - names.len() as u64;
        assert_eq!(let_through(policies), (names.into_iter().map(str::to_owned).collect(), filtered), "{said}");
    }
}

#[derive(Debug)]
struct Longer(u64);

impl SpanPredicate for Longer {
    fn matches(&self, span: &SpanFacts<'_>) -> bool {
        span.duration_nanos() > self.0 && span.resource.service == "shop"
    }
}

#[test]
fn a_policy_may_be_any_predicate() {
    let policy = || PolicyMatch::Predicate(Arc::new(Longer(5 * MILLI)));
    let (names, _) = let_through(vec![FilterPolicy { exclude: Some(policy()), ..FilterPolicy::default() }]);
    assert_eq!(names, ["get /c"]);
    let (names, filtered) = let_through(vec![FilterPolicy { include: Some(policy()), ..FilterPolicy::default() }]);
    assert_eq!((names.len(), filtered), (4, 1));
}

#[test]
fn policies_without_a_meaning_are_refused() {
    let error = |found: PolicyMatch| {
        let mut config = SpanMetricsConfig::default();
        config.filter_policies = vec![FilterPolicy { include: Some(found), ..FilterPolicy::default() }];
        SpanMetrics::new(config).unwrap_err()
    };
    for key in ["duration", "span.", "event.x", ""] {
        assert_eq!(
            error(PolicyMatch::Strict(vec![condition(key, "x")])),
            ConfigError::PolicyKey { key: key.to_owned() }
        );
    }
    let number = PolicyCondition { key: "name".to_owned(), value: PolicyValue::Int(1) };
    assert_eq!(error(PolicyMatch::Regex(vec![number])), ConfigError::PolicyValue { key: "name".to_owned() });
    assert!(matches!(error(PolicyMatch::Regex(vec![condition("name", "(")])), ConfigError::Pattern { .. }));
}

#[test]
fn names_and_values_of_labels_are_cut() {
    let change: Change = |config| {
        only_names(config);
        config.dimensions = vec!["http.method".to_owned()];
        (config.labels.max_name_length, config.labels.max_value_length) = (9, 4);
    };
    let found = calls(change, vec![span(1, 0, SERVER, "purchase").with(&[text("http.method", "OPTIONS")])]);
    assert_eq!(found, ["{span_name=\"purc\",http_meth=\"OPTI\"} 1"]);
}

#[test]
fn label_sets_beyond_the_limit_overflow() {
    let spans = ["a", "b", "c", "d", "a"].iter().enumerate();
    let spans: Vec<_> = spans.map(|(id, name)| span(u8::try_from(id).unwrap() + 1, 0, SERVER, name)).collect();
    let expected = ["{metric_overflow=\"true\"} 2", "{span_name=\"a\"} 2", "{span_name=\"b\"} 1"];
    // A label set has 19 series: calls, size, 15 buckets, sum and count.
    let by_series: Change = |config| {
        only_names(config);
        config.max_active_series = 2 * 19 + 5;
    };
    let by_entities: Change = |config| {
        only_names(config);
        config.max_active_entities = 2;
    };
    for change in [by_series, by_entities] {
        let metrics = metrics_of(config(change), vec![service("shop", spans.clone())]);
        assert_eq!(samples(&text_of(&metrics), CALLS), expected);
        assert_eq!((metrics.counts().overflowed, metrics.counts().counted), (2, 5));
    }
    let values = calls(
        |config| {
            only_names(config);
            config.labels.max_cardinality = 1;
        },
        spans,
    );
    assert_eq!(values, ["{span_name=\"__cardinality_overflow__\"} 3", "{span_name=\"a\"} 2"]);
}

#[test]
fn series_that_are_not_counted_any_more_go() {
    let mut metrics = SpanMetrics::new(config(only_names)).unwrap();
    let request = |name: &str| request(vec![service("shop", vec![span(1, 0, SERVER, name)])]);
    for_each_span(&request("old"), &mut |span| metrics.observe(span, START));
    for_each_span(&request("new"), &mut |span| metrics.observe(span, START + 10 * SECOND));
    metrics.remove_stale(START + SECOND);
    assert_eq!(samples(&text_of(&metrics), CALLS), ["{span_name=\"new\"} 1"]);
}

#[test]
fn native_histograms_beside_classic_ones() {
    let spans = || vec![service("shop", vec![span(1, 0, SERVER, "a")])];
    let change: Change = |config| {
        only_names(config);
        config.histograms = HistogramMode::Native;
    };
    let text = text_of(&metrics_of(config(change), spans()));
    assert_eq!(samples(&text, BUCKET), ["{span_name=\"a\",le=\"+Inf\"} 1"]);
    assert_eq!(samples(&text, "traces_spanmetrics_latency_count"), ["{span_name=\"a\"} 1"]);
    let change: Change = |config| config.histograms = HistogramMode::Both;
    assert_eq!(samples(&text_of(&metrics_of(config(change), spans())), BUCKET).len(), 15);
}

#[test]
fn open_metrics_has_exemplars() {
    let change: Change = |config| {
        only_names(config);
        config.histogram_buckets = vec![0.01, 1.0];
        config.size = false;
    };
    let spans =
        vec![span(1, 0, SERVER, "a").took(1_500), span(2, 0, SERVER, "a").took(10).trace(7), span(3, 0, SERVER, "a")];
    let mut metrics = metrics_of(config(change), vec![service("shop", spans)]);
    let expected = "\
# HELP traces_spanmetrics_calls Number of spans.
# TYPE traces_spanmetrics_calls counter
traces_spanmetrics_calls_total{span_name=\"a\"} 3
# HELP traces_spanmetrics_latency Duration of spans in seconds.
# TYPE traces_spanmetrics_latency histogram
traces_spanmetrics_latency_bucket{span_name=\"a\",le=\"0.01\"} 2 # {traceID=\"01010101010101010101010101010101\"} 0.01 1700000000.01
traces_spanmetrics_latency_bucket{span_name=\"a\",le=\"1.0\"} 2
traces_spanmetrics_latency_bucket{span_name=\"a\",le=\"+Inf\"} 3 # {traceID=\"01010101010101010101010101010101\"} 1.5 1700000001.5
traces_spanmetrics_latency_sum{span_name=\"a\"} 1.52
traces_spanmetrics_latency_count{span_name=\"a\"} 3
# EOF
";
    assert_eq!(written(TextFormat::OpenMetrics, |out| metrics.write(out)), expected);
    metrics.clear_exemplars();
    assert!(!written(TextFormat::OpenMetrics, |out| metrics.write(out)).contains("traceID"));
}

#[test]
fn backfill_has_a_sample_at_the_end_of_each_interval() {
    let mut config = config(only_names);
    config.latency = false;
    config.size = false;
    // Intervals end at 10, 20, 30 and 35 s; each has its end in it.
    let window = Window::in_steps(START, START + 35 * SECOND, 10 * SECOND);
    let mut metrics = SpanMetrics::over(config, window).unwrap();
    let at = |seconds, name| span(1, 0, SERVER, name).starts(seconds * SECOND);
    let spans = vec![at(0, "outside"), at(36, "outside"), at(10, "a"), at(31, "a"), at(11, "b"), at(20, "b")];
    for_each_span(&request(vec![service("shop", spans)]), &mut |span| metrics.observe(span, START));
    let text = written(TextFormat::OpenMetrics, |out| metrics.write(out));
    assert_eq!(
        samples(&text, CALLS),
        [
            "{span_name=\"a\"} 0 1700000000",
            "{span_name=\"a\"} 1 1700000010",
            "{span_name=\"a\"} 1 1700000020",
            "{span_name=\"a\"} 1 1700000030",
            "{span_name=\"a\"} 2 1700000035",
            "{span_name=\"b\"} 0 1700000010",
            "{span_name=\"b\"} 2 1700000020",
            "{span_name=\"b\"} 2 1700000030",
            "{span_name=\"b\"} 2 1700000035",
        ]
    );
    assert_eq!(metrics.counts().outside, 2);
    let classic = written(TextFormat::Prometheus, |out| metrics.write(out));
    assert_eq!(samples(&classic, CALLS)[4], "{span_name=\"a\"} 2 1700000035000");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn what_ingest_takes_is_counted(request in support::request()) {
        let bytes = request.encode_to_vec();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spans");
        std::fs::write(&file, &bytes).unwrap();
        let store = tracestore::Store::open_or_create(&folder.path().join("store")).unwrap();
        let taken = store.ingest([file], &mut |_| {}).unwrap().spans;

        let mut config = config(|config| config.target_info = true);
        config.dimensions = ["a", "http.method", "\"quoted\""].map(str::to_owned).to_vec();
        let mut metrics = SpanMetrics::new(config).unwrap();
        for_each_span(&bytes, &mut |span| metrics.observe(span, START));
        proptest::prop_assert_eq!(metrics.counts().counted, taken);
        let text = text_of(&metrics);
        let value = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        proptest::prop_assert_eq!(samples(&text, CALLS).into_iter().map(value).sum::<u64>(), taken);
        // A heading or a sample on every line, whatever values have in them.
        let is_line = |line: &str| line.starts_with("# ") || line.starts_with("traces_") && line.contains("} ");
        proptest::prop_assert!(text.lines().all(is_line), "{}", text);
    }
}

#[test]
fn every_span_of_the_shop_is_counted() {
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");
    let mut metrics = SpanMetrics::new(SpanMetricsConfig::default()).unwrap();
    metrics.add_snapshot(&Snapshot::open(&[shop.into()]).unwrap(), START).unwrap();
    let text = text_of(&metrics);
    let value = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
    let sum = |name: &str| samples(&text, name).into_iter().map(value).sum::<f64>();
    assert_eq!(sum(CALLS), 2_999.0);
    assert_eq!(sum("traces_spanmetrics_latency_count"), 2_999.0);
    let ends = samples(&text, BUCKET).into_iter().filter(|line| line.contains("le=\"+Inf\"")).map(value).sum::<f64>();
    assert_eq!(ends, 2_999.0);
    assert_eq!(metrics.counts().counted, 2_999);
}
