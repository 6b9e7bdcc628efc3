//! Names and values: what the engine lists is what a look at every span finds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod naive;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use naive::tags::Meant;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use traceql::{
    Engine, TagNames, TagOptions, TagScope, TagValues, Value,
    output::{tag_names_to_tempo, tag_values_to_tempo},
    syntax::{ast::Field, parse_field},
};
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::BlockId,
};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");

/// What has values by nature.
const INTRINSICS: [&str; 21] = [
    "duration",
    "name",
    "status",
    "statusMessage",
    "kind",
    "span:id",
    "span:parentID",
    "span:childCount",
    "traceDuration",
    "rootName",
    "rootServiceName",
    "trace:id",
    "event:name",
    "event:timeSinceStart",
    "link:traceID",
    "link:spanID",
    "instrumentation:name",
    "instrumentation:version",
    "nestedSetLeft",
    "nestedSetRight",
    "nestedSetParent",
];

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

/// A block for each list of requests in which there is a span.
fn engine_over(blocks: &[Vec<ExportTraceServiceRequest>]) -> Engine {
    let blocks = blocks.iter().filter_map(|requests| {
        let mut builder = BlockBuilder::new();
        for request in requests {
            builder.push(&request.encode_to_vec().into()).unwrap();
        }
        if builder.spans() == 0 {
            return None;
        }
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        builder.finish(vfs.as_ref(), Path::new("block"), BlockId::generate()).unwrap();
        Some(Block::open(vfs, Path::new("block")).unwrap())
    });
    Engine::new(Snapshot::new(blocks.collect()))
}

fn shop() -> Engine {
    Engine::new(Snapshot::open(&[SHOP.into()]).unwrap())
}

/// The options, and what they mean to the judge.
fn asked(query: Option<&str>, range: Option<(u64, u64)>) -> (TagOptions, Meant) {
    let options = TagOptions::default().with_query(query.map(str::to_owned));
    let options = options.with_time(range.map(|range| range.0), range.map(|range| range.1));
    (options, Meant { query: query.map(|query| traceql::parse(query).unwrap()), range })
}

/// The names of attributes by scope.
fn by_scope(names: &TagNames) -> BTreeMap<String, BTreeSet<String>> {
    let scopes = names.scopes.iter().filter(|scope| scope.scope != TagScope::Intrinsic);
    scopes.map(|scope| (scope.scope.name().to_owned(), scope.names.iter().cloned().collect())).collect()
}

/// The values as the judge has them; checks their order on the way.
fn counts(values: &TagValues) -> BTreeMap<String, u64> {
    for pair in values.values.windows(2) {
        assert!(pair[0].count >= pair[1].count, "{pair:?}");
        let ascending = match (&pair[0].value, &pair[1].value) {
            _ if pair[0].count > pair[1].count => true,
            (Value::String(a), Value::String(b)) => a < b,
            (Value::Int(a), Value::Int(b)) | (Value::Duration(a), Value::Duration(b)) => a < b,
            (Value::Float(a), Value::Float(b)) => a.total_cmp(b).is_lt(),
            _ => true,
        };
        assert!(ascending, "{pair:?}");
    }
    assert_eq!(values.distinct, values.values.len());
    let counts: BTreeMap<String, u64> =
        values.values.iter().map(|found| (format!("{:?}", found.value), found.count)).collect();
    assert_eq!(counts.len(), values.distinct, "a value is there twice: {:?}", values.values);
    counts
}

/// What differs between engine and judge, over names and some fields.
fn difference(
    engine: &Engine,
    traces: &[naive::Trace],
    fields: &[Field],
    (options, meant): &(TagOptions, Meant),
) -> Option<String> {
    let runtime = runtime();
    let names = by_scope(&runtime.block_on(engine.tag_names(options)).unwrap());
    let expected = naive::tags::names(traces, meant);
    if names != expected {
        return Some(format!("names for {options:?}\nexpected {expected:?}\nfound    {names:?}"));
    }
    fields.iter().find_map(|field| {
        let found = counts(&runtime.block_on(engine.field_values(field, options)).unwrap());
        let expected = naive::tags::values(traces, field, meant);
        (found != expected).then(|| format!("{field} for {options:?}\nexpected {expected:?}\nfound    {found:?}"))
    })
}

/// Every attribute that is there, as it is scoped and without scope, its parent's, and every intrinsic.
fn all_fields(traces: &[naive::Trace]) -> Vec<Field> {
    let mut texts: BTreeSet<String> = INTRINSICS.into_iter().chain(["parent"]).map(str::to_owned).collect();
    for (scope, names) in naive::tags::names(traces, &Meant::default()) {
        for name in names {
            let prefixes = [format!("{scope}."), ".".to_owned(), "parent.".to_owned(), "parent.resource.".to_owned()];
            texts.extend(prefixes.map(|prefix| format!("{prefix}\"{name}\"")));
        }
    }
    texts.iter().map(|text| parse_field(text).unwrap()).collect()
}

#[test]
fn a_recording_has_the_names_and_values_that_a_full_scan_finds() {
    let (engine, traces) = (shop(), naive::read_traces(Path::new(SHOP)));
    let fields = all_fields(&traces);
    assert!(fields.len() > 60, "{}", fields.len());
    let (start, end) = (traces.iter().map(|trace| trace.start).min(), traces.iter().map(|trace| trace.end).max());
    let (start, end) = (start.unwrap(), end.unwrap());
    let third = (end - start) / 3;
    for (query, range) in [
        (None, None),
        (None, Some((start, end))),
        (None, Some((start + third, end - third))),
        (Some("{ }"), None),
        (Some("{ status = error }"), None),
        (Some("{ resource.service.name = \"api-gateway\" && duration > 30ms }"), Some((start + third, end))),
        (Some("{ event:name = \"exception\" || kind = producer }"), None),
        (Some("{ name = \"nobody\" }"), None),
        (Some("{ false }"), None),
    ] {
        let difference = difference(&engine, &traces, &fields, &asked(query, range));
        assert_eq!(difference, None);
    }
}

#[test]
fn counts_are_there_to_be_read() {
    let (engine, runtime) = (shop(), runtime());
    let services = runtime.block_on(engine.tag_values("resource.service.name", &TagOptions::default())).unwrap();
    assert_eq!(services.distinct, 6);
    assert_eq!(services.values.iter().map(|found| found.count).sum::<u64>(), 2_999);
    let limited = TagOptions::default().with_limit(Some(2));
    let two = runtime.block_on(engine.tag_values("resource.service.name", &limited)).unwrap();
    assert_eq!((two.values.as_slice(), two.distinct), (&services.values[..2], 6));
    let names = runtime.block_on(engine.tag_names(&limited.with_scope(Some(TagScope::Span)))).unwrap();
    assert_eq!((names.scopes.len(), names.scopes[0].names.len()), (1, 2));
}

fn cases() -> u32 {
    std::env::var("DIFFERENTIAL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60)
}

/// Every span in a request of its own, given to one block or two.
fn cut(requests: &[ExportTraceServiceRequest], places: &[(u8, Option<u8>)]) -> Vec<Vec<ExportTraceServiceRequest>> {
    let mut blocks = vec![Vec::new(); 3];
    let mut places = places.iter().cycle();
    for resource_spans in requests.iter().flat_map(|request| &request.resource_spans) {
        for scope_spans in &resource_spans.scope_spans {
            for span in &scope_spans.spans {
                let mut part = resource_spans.clone();
                part.scope_spans = vec![scope_spans.clone()];
                part.scope_spans[0].spans = vec![span.clone()];
                let request = ExportTraceServiceRequest { resource_spans: vec![part] };
                let (first, second) = places.next().unwrap();
                for place in [Some(*first), *second].into_iter().flatten() {
                    blocks[usize::from(place)].push(request.clone());
                }
            }
        }
    }
    blocks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// Copies of spans, split traces and resources without spans included.
    #[test]
    fn random_spans_have_the_names_and_values_that_a_full_scan_finds(
        requests in prop::collection::vec(naive::request(), 1..3),
        places in prop::collection::vec((0..3_u8, prop::option::weighted(0.2, 0..3_u8)), 7),
        whole in any::<bool>(),
        queries in prop::collection::vec(naive::query(), 2),
        range in prop::option::weighted(0.3, (0..60_u64, 0..30_u64)),
    ) {
        let traces = naive::Trace::of(&requests);
        let blocks = if whole { vec![requests.clone()] } else { cut(&requests, &places) };
        let (engine, fields) = (engine_over(&blocks), all_fields(&traces));
        let range = range.map(|(start, len)| (start, start + len));
        let queries = queries.iter().filter(|query| traceql::compile(query).is_ok()).map(|query| Some(query.as_str()));
        for query in [None].into_iter().chain(queries) {
            let difference = difference(&engine, &traces, &fields, &asked(query, range));
            prop_assert!(difference.is_none(), "{}", difference.unwrap());
        }
    }
}

#[test]
fn what_is_typed_of_a_query_counts() {
    let (engine, runtime) = (shop(), runtime());
    let ask = |query: &str| {
        let options = TagOptions::default().with_query(Some(query.to_owned()));
        let names = runtime.block_on(engine.tag_names(&options)).unwrap();
        (names, runtime.block_on(engine.tag_values("name", &options)).unwrap())
    };
    let all = ask("{ }");
    let errors = ask("{ status = error }");
    assert!(all.1.distinct > errors.1.distinct && errors.1.distinct > 0);
    for (unfinished, finished) in [
        ("{ status = error", &errors),
        ("{ status = error && ", &errors),
        ("{ status = error && span.http.method = }", &errors),
        ("{ status = error && span.http.meth", &errors),
        ("{ status = error && name", &errors),
        ("{ span.http.method", &all),
        ("{ (status = error && (.a = ) } | rate()", &errors),
        ("{ status = error } | by(", &errors),
        ("{ status = error } >> { ", &all),
        ("{ span.", &all),
        ("{ status = error || name = ", &all),
        ("{ status = 7 }", &all),
        ("", &all),
    ] {
        assert_eq!(&ask(unfinished), finished, "{unfinished}");
    }
}

#[test]
fn an_empty_store_has_intrinsics_and_no_values() {
    let (engine, runtime) = (engine_over(&[]), runtime());
    for (options, _) in [asked(None, None), asked(Some("{ name = \"x\" }"), Some((1, 2)))] {
        let names = runtime.block_on(engine.tag_names(&options)).unwrap();
        assert_eq!(names.scopes.len(), 1);
        assert_eq!((names.scopes[0].scope, names.scopes[0].names.len()), (TagScope::Intrinsic, INTRINSICS.len()));
        for field in ["resource.service.name", "name", "span.a", ".a", "event:name"] {
            let values = runtime.block_on(engine.tag_values(field, &options)).unwrap();
            assert_eq!((values.values.len(), values.distinct), (0, 0), "{field}");
        }
    }
}

#[test]
fn unknown_names_have_no_values_and_wrong_ones_are_refused() {
    let (engine, runtime) = (shop(), runtime());
    for field in ["span.nobody.has.this", ".nobody", "event.nobody", "parent.nobody", "nobody.has.this"] {
        assert_eq!(runtime.block_on(engine.tag_values(field, &TagOptions::default())).unwrap().distinct, 0, "{field}");
    }
    for (text, message) in [
        ("", "a field is expected, such as"),
        ("status = error", "and nothing behind it"),
        ("nme", "did you mean `name`?"),
        ("{ name }", "expected an attribute, found `{`"),
        ("span.", ""),
    ] {
        let error = runtime.block_on(engine.tag_values(text, &TagOptions::default())).unwrap_err();
        assert!(error.is_query() && error.to_string().contains(message), "{text}: {error}");
    }
}

#[test]
fn a_resource_without_spans_has_no_attributes() {
    let text = |text: &str| json!({ "stringValue": text });
    let attribute = |key: &str, value: Json| json!([{ "key": key, "value": value }]);
    let span = json!({ "traceId": "01".repeat(16), "spanId": "02".repeat(8), "name": "a" });
    let document = json!({ "resourceSpans": [
        { "resource": { "attributes": attribute("used", text("x")) }, "scopeSpans": [{ "spans": [span] }] },
        { "resource": { "attributes": attribute("unused", text("x")) },
          "scopeSpans": [{ "scope": { "name": "empty", "attributes": attribute("unused", text("x")) }, "spans": [] }] },
    ] });
    let request: ExportTraceServiceRequest = serde_json::from_value(document).unwrap();
    let (engine, runtime) = (engine_over(&[vec![request]]), runtime());
    let names = by_scope(&runtime.block_on(engine.tag_names(&TagOptions::default())).unwrap());
    let expected = BTreeSet::from(["service.name".to_owned(), "used".to_owned()]);
    assert_eq!(names, BTreeMap::from([("resource".to_owned(), expected)]));
    let values = runtime.block_on(engine.tag_values("instrumentation:name", &TagOptions::default())).unwrap();
    assert_eq!(counts(&values), BTreeMap::from([("String(\"\")".to_owned(), 1)]));
}

#[test]
fn tempos_json() {
    let (engine, runtime) = (shop(), runtime());
    let options = TagOptions::default();
    let names = tag_names_to_tempo(&runtime.block_on(engine.tag_names(&options)).unwrap());
    let scopes = names["scopes"].as_array().unwrap();
    let tags = |scope: &str| &scopes.iter().find(|found| found["name"] == scope).unwrap()["tags"];
    assert!(tags("resource").as_array().unwrap().contains(&json!("service.name")));
    assert_eq!(tags("intrinsic").as_array().unwrap().len(), 25);
    let values = |field: &str| {
        tag_values_to_tempo(&runtime.block_on(engine.tag_values(field, &options)).unwrap())["tagValues"].clone()
    };
    assert!(values("span.http.method").as_array().unwrap().contains(&json!({ "type": "string", "value": "GET" })));
    assert_eq!(values("status")[0], json!({ "type": "keyword", "value": "ok" }));
    assert_eq!(values("kind").as_array().unwrap().len(), 6);
    assert_eq!(values("duration"), json!([]));
}

/// A key that one block has says nothing of events in another: found by the random test above.
#[test]
fn what_events_lack_is_missing_in_every_block() {
    let event = |key: &str| json!({ "name": "e", "attributes": [{ "key": key, "value": { "stringValue": "v" } }] });
    let request = |id: &str, event: Json| -> ExportTraceServiceRequest {
        let span = json!({ "traceId": id.repeat(16), "spanId": id.repeat(8), "name": id, "events": [event] });
        serde_json::from_value(json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] })).unwrap()
    };
    let engine = engine_over(&[vec![request("01", event("x"))], vec![request("02", event("y"))]]);
    for (query, expected) in [
        ("{ event.x = nil }", "String(\"02\")"),
        ("{ event.x != nil }", "String(\"01\")"),
        ("{ event.x = `v` }", "String(\"01\")"),
    ] {
        let (options, _) = asked(Some(query), None);
        let names = runtime().block_on(engine.tag_values("name", &options)).unwrap();
        assert_eq!(counts(&names), BTreeMap::from([(expected.to_owned(), 1)]), "{query}");
    }
}

fn traceql(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_traceql")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout).unwrap()
}

#[test]
fn the_command_lists_names() {
    let lines = traceql(&["tags", SHOP]);
    let lines: Vec<&str> = stdout(&lines).lines().collect();
    assert!(lines.contains(&"span.http.method") && lines.contains(&"resource.service.name"), "{lines:?}");
    assert!(lines.contains(&"duration"));
    let resource = traceql(&["tags", "--scope", "resource", "-q", "{ status = error && ", "-o", "ndjson", SHOP]);
    for line in stdout(&resource).lines() {
        let found: Json = serde_json::from_str(line).unwrap();
        assert_eq!(found["field"], format!("resource.{}", found["name"].as_str().unwrap()));
    }
    let json: Json = serde_json::from_str(stdout(&traceql(&["tags", "-o", "json", SHOP]))).unwrap();
    assert_eq!(json["scopes"][0]["scope"], "span");
    let tempo: Json = serde_json::from_str(stdout(&traceql(&["tags", "-o", "tempo", SHOP]))).unwrap();
    assert_eq!(tempo["scopes"][0]["name"], "span");
    let table = traceql(&["tags", "-o", "table", SHOP]);
    assert!(stdout(&table).contains("resource (") && stdout(&table).contains("  resource.service.name\n"));
    let unfiltered = traceql(&["tags", "-q", "{ status = ", SHOP]);
    assert_eq!(stdout(&unfiltered).lines().count(), lines.len());
    assert!(String::from_utf8_lossy(&unfiltered.stderr).contains("all spans are meant"));
    for all in ["", "{}", "{ }", "{ } | rate()"] {
        assert_eq!(traceql(&["tags", "-q", all, SHOP]).stderr.is_empty(), !all.is_empty(), "{all}");
    }
}

#[test]
fn a_name_is_a_line_whatever_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("odd.json");
    let attributes = ["a\nb", "q\"", "\u{1b}[2J"].map(|key| json!({ "key": key, "value": { "boolValue": true } }));
    let span = json!({ "traceId": "01".repeat(16), "spanId": "02".repeat(8), "attributes": attributes });
    let document = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] });
    std::fs::write(&file, document.to_string()).unwrap();
    let lines = traceql(&["tags", "--scope", "span", file.to_str().unwrap()]);
    assert_eq!(stdout(&lines), "span.\\u{1b}[2J\nspan.\"a\\nb\"\nspan.\"q\\\"\"\n");
    let json = traceql(&["tags", "--scope", "span", "-o", "ndjson", file.to_str().unwrap()]);
    let names = stdout(&json).lines().map(|line| serde_json::from_str::<Json>(line).unwrap()["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["\u{1b}[2J", "a\nb", "q\""]);
}

#[test]
fn the_command_lists_values() {
    let lines = traceql(&["values", "span.http.method", SHOP]);
    let lines: BTreeSet<&str> = stdout(&lines).lines().collect();
    assert!(lines.contains("GET") && lines.contains("POST"), "{lines:?}");
    let table = traceql(&["values", "status", "-q", "{ kind = server }", "-o", "table", SHOP]);
    assert!(
        stdout(&table).contains("  unset\n") && stdout(&table).contains(" values of status\n"),
        "{}",
        stdout(&table)
    );
    let json: Json = serde_json::from_str(stdout(&traceql(&["values", "status", "-o", "json", SHOP]))).unwrap();
    assert_eq!((&json["field"], &json["values"][0]["type"]), (&json!("status"), &json!("keyword")));
    let first = traceql(&["values", "span:childCount", "--limit", "1", "-o", "ndjson", SHOP]);
    let first: Json = serde_json::from_str(stdout(&first)).unwrap();
    assert!(first["type"] == "int" && first["value"].is_i64() && first["count"].as_u64() > Some(100));
    let tempo: Json = serde_json::from_str(stdout(&traceql(&["values", "kind", "-o", "tempo", SHOP]))).unwrap();
    assert_eq!(tempo["tagValues"].as_array().unwrap().len(), 6);
    // A value is a line, whatever is in it.
    let messages = traceql(&["values", "event.exception.stacktrace", "--limit", "1", SHOP]);
    assert!(stdout(&messages).lines().count() <= 1, "{}", stdout(&messages));
    let wrong = traceql(&["values", "nme", "/no/such/file"]);
    assert_eq!(wrong.status.code(), Some(3));
    assert_eq!(traceql(&["values", "name", "--start", "20", "--end", "10", SHOP]).status.code(), Some(2));
}
