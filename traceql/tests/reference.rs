//! The reference data set of traceql.md (the description of TraceQL as Tempo runs it), appendix B, and what every search
//! listed there finds in it: by the engine, and by the naive judge.
//!
//! The rows stand in the appendix's order. An answer without a comment is Tempo's and ours. Where Tempo's is an accident
//! of its storage or a bug, or the appendix says less, a comment names the rule of SEMANTICS.md that the answer follows
//! from, and gives Tempo's.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "reference/metrics.rs"]
mod metrics;
mod naive;
mod support;

use std::{path::Path, sync::Arc};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Event, Link},
    },
};
use prost::Message;
use traceql::{Engine, SearchOptions, output::search_to_tempo};
use tracestore::{
    Snapshot,
    block::{Block, BlockBuilder},
    io::{MemoryVfs, Vfs},
    model::BlockId,
};

/// A query and the spansets it finds. A spanset is its trace, its spans, and each of its attributes after a `+`.
type Row = (&'static str, &'static [&'static str]);

/// Appendix B, "Search results", but for the last row.
const SEARCHES: &[Row] = &[
    ("{} | count() > 1", &["a1 R G1 C1 C2 O +count()=5", "b2 BR1 BR2 BC +count()=3", "c3 X1 X2 +count()=2"]),
    // 5 ns
    ("{} | count() > 1s", &[]),
    ("{} | avg(duration) > 100ms", &["a1 R G1 C1 C2 O +avg(duration)=390ms"]),
    (
        "{} | sum(span.i) > 0",
        &["a1 R G1 C1 C2 O +sum(span.i)=20", "b2 BR1 BR2 BC +sum(span.i)=6", "c3 X1 X2 +sum(span.i)=3"],
    ),
    (
        "{} | avg(span.i) > 0",
        &["a1 R G1 C1 C2 O +avg(span.i)=4.0", "b2 BR1 BR2 BC +avg(span.i)=2.0", "c3 X1 X2 +avg(span.i)=1.5"],
    ),
    // V8: 2 + 3 + 2.0, a float since the types are mixed. Tempo: 5, without the 2.0.
    ("{} | sum(span.n) > 0", &["a1 R G1 C1 C2 O +sum(span.n)=7.0"]),
    // V8: 7.0 / 3. Tempo: 5 / 3 = 1.667.
    ("{} | avg(span.n) > 0", &["a1 R G1 C1 C2 O +avg(span.n)=2.3333333333333335"]),
    // V5, V8: (2.0 + 4.5) / 2, of the spans that have both. Tempo: 6.5 / 5 = 1.3.
    ("{} | avg(span.i + span.f) > 0", &["a1 R G1 C1 C2 O +avg(span.i + span.f)=3.25"]),
    // V8: it is −3. Tempo: a1, 1.8446744073709552e19.
    ("{} | avg(span.negi) > 0", &[]),
    ("{} | min(span.negi) < 0", &["a1 R G1 C1 C2 O +min(span.negi)=-3"]),
    ("{} | sum(.missing) = 0", &[]),
    (
        "{} | by(span.b)",
        &[
            "a1 R +by(span.b)=true",
            "a1 G1 C1 +by(span.b)=false",
            "a1 C2 O +by(span.b)=nil",
            "b2 BR1 BR2 BC +by(span.b)=nil",
            "c3 X1 X2 +by(span.b)=nil",
            "d4 D1 +by(span.b)=nil",
        ],
    ),
    // D1 lacks i. The appendix leaves b2 and c3 out.
    (
        "{} | by(span.i > 2)",
        &[
            "a1 R C1 +by(span.i > 2)=false",
            "a1 G1 C2 O +by(span.i > 2)=true",
            "b2 BR1 BR2 +by(span.i > 2)=false",
            "b2 BC +by(span.i > 2)=true",
            "c3 X1 X2 +by(span.i > 2)=false",
            "d4 D1 +by(span.i > 2)=false",
        ],
    ),
    (
        "{} | by(name) | by(kind)",
        &[
            "a1 R +by(name)=R +by(kind)=server",
            "a1 G1 +by(name)=G1 +by(kind)=client",
            "a1 C1 +by(name)=C1 +by(kind)=internal",
            "a1 C2 +by(name)=C2 +by(kind)=internal",
            "a1 O +by(name)=O +by(kind)=internal",
            "b2 BR1 +by(name)=BR1 +by(kind)=server",
            "b2 BR2 +by(name)=BR2 +by(kind)=server",
            "b2 BC +by(name)=BC +by(kind)=client",
            "c3 X1 +by(name)=X1 +by(kind)=server",
            "c3 X2 +by(name)=X2 +by(kind)=server",
            "d4 D1 +by(name)=D1 +by(kind)=server",
        ],
    ),
    // S1: once per value, nil without events. Tempo: a1 {C1}"e1" {C2}"e3" {R,G1,O}"".
    (
        "{} | by(event:name)",
        &[
            "a1 C1 +by(event:name)=e1",
            "a1 C1 +by(event:name)=e2",
            "a1 C2 +by(event:name)=e3",
            "a1 R G1 O +by(event:name)=nil",
            "b2 BR1 BR2 BC +by(event:name)=nil",
            "c3 X1 X2 +by(event:name)=nil",
            "d4 D1 +by(event:name)=nil",
        ],
    ),
    (
        "{} | by(resource.service.name) | count() > 2",
        &[
            "a1 C1 C2 O +by(resource.service.name)=svcB +count()=3",
            "b2 BR1 BR2 BC +by(resource.service.name)=svcA +count()=3",
        ],
    ),
    ("{} | by(resource.service.name) | coalesce() | count() > 4", &["a1 R G1 C1 C2 O +count()=5"]),
    // S3: counts every span of the trace. Tempo: none, it counts the spans named R.
    (r#"count() > 1 | { name = "R" }"#, &["a1 R +count()=5"]),
    // S3: only d4 has one span, and that is not named so. Tempo: a1 {R}.
    (r#"count() = 1 | { name = "R" }"#, &[]),
    //
    (r#"{ name = "R" } > {}"#, &["a1 C1 C2"]),
    (r#"{ name = "R" } >> {}"#, &["a1 G1 C1 C2"]),
    (r#"{ name = "G1" } < {}"#, &["a1 C1"]),
    (r#"{ name = "G1" } << {}"#, &["a1 R C1"]),
    (r#"{ name = "C1" } ~ {}"#, &["a1 C2"]),
    ("{} ~ {}", &["a1 C1 C2", "b2 BR1 BR2"]),
    // T1: also O and X1, whose parents are missing. Tempo: R; BR1 BR2; D1.
    ("{} !> {}", &["a1 R O", "b2 BR1 BR2", "c3 X1", "d4 D1"]),
    // T1: also O and X2. Tempo: G1 C2; BR1 BC; D1.
    ("{} !< {}", &["a1 G1 C2 O", "b2 BR1 BC", "c3 X2", "d4 D1"]),
    // T1: also O, X1 and X2. Tempo: R G1; BC; D1.
    ("{} !~ {}", &["a1 R G1 O", "b2 BC", "c3 X1 X2", "d4 D1"]),
    // T1: also X1 and its child. Tempo: R C1 C2 G1; BR2 BC.
    ("{} &> {}", &["a1 R G1 C1 C2", "b2 BR2 BC", "c3 X1 X2"]),
    ("{} &~ {}", &["a1 C1 C2", "b2 BR1 BR2"]),
    (r#"{ name = "R" } &>> { name = "G1" }"#, &["a1 R G1"]),
    (r#"{ name = "R" } !> { name != "zz" }"#, &["a1 R G1 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    (r#"{ name = "nope" } !> { name = "R" }"#, &["a1 R"]),
    // T5: the right side keeps its attributes. Tempo: C1, and the count is lost.
    (r#"({ name = "R" } | count() = 1) > ({ name = "C1" } | count() = 1)"#, &["a1 C1 +count()=1"]),
    //
    (r#"{ span.s != "x" }"#, &["a1 G1 C2"]),
    (r#"{ span.s != "x" || span.s = nil }"#, &["a1 G1 C1 C2 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    (r#"{ .s != "x" }"#, &["a1 G1 C1 C2 O"]),
    // V1: neither the span nor the resource has it. Tempo: also C1 and O, which have resB of the resource.
    ("{ .s = nil }", &["b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    (r#"{ .s = "resA" }"#, &[]),
    (r#"{ .s = "resB" }"#, &["a1 C1 O"]),
    (r#"{ span.s != "x" && span.s != "y" }"#, &["a1 G1"]),
    ("{ span.n = 2 || span.n = 2.0 }", &["a1 R C1"]),
    ("{ span.i = span.n }", &["a1 C1"]),
    // V6: every element must differ. Tempo: R, since its x does.
    (r#"{ span.arr_s !~ "a|b" }"#, &[]),
    // V1: cannot be queried, but is there. Tempo: none.
    ("{ span.arr_mix != nil }", &["a1 R"]),
    ("{ span.empty_arr = nil }", &["a1 G1 C1 C2 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    ("{ span.i ^ 2 = 4 }", &["a1 C1", "b2 BR2", "c3 X2"]),
    // V5: no value. Tempo: HTTP 500.
    ("{ span.i / 0 = 0 }", &[]),
    ("{ span.f / 0 > 0 }", &["a1 R C1"]),
    ("{ span.i < span.f }", &["a1 C1"]),
    ("{ duration / traceDuration > 0.4 }", &["a1 R C1", "c3 X1 X2"]),
    ("{ nestedSetParent < 0 }", &["a1 R", "b2 BR1 BR2", "d4 D1"]),
    ("{ nestedSetLeft = 0 }", &["a1 O", "c3 X1 X2"]),
    // V4: as span.i > 2. Tempo: none.
    ("{ 2 < span.i }", &["a1 G1 C2 O", "b2 BC"]),
    // V4: as span.i >= 3. Tempo: C2; BC.
    ("{ 3 <= span.i }", &["a1 G1 C2 O", "b2 BC"]),
    // V2: either, a missing b is no obstacle. Tempo: none.
    (r#"{ span.b || name = "O" }"#, &["a1 R O"]),
    ("{ status = error || span.b }", &["a1 R G1"]),
    (r#"{ rootName = "" }"#, &["c3 X1 X2"]),
    (r#"{ statusMessage = "" }"#, &["a1 R C1 C2 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    (r#"{ span:parentID = "0000000000000000" }"#, &["a1 R", "b2 BR1 BR2", "d4 D1"]),
    (r#"{ event:name != "e1" }"#, &["a1 C1 C2"]),
    ("{ event.k = nil }", &[]),
    (r#"{ event:name = "" }"#, &[]),
    (r#"{ link:traceID = "ff" }"#, &["a1 C1"]),
];

/// Appendix B, the last row of "Search results": what `{}` finds in a range, seconds after t0.
const RANGES: &[((u64, u64), &[&str])] = &[
    // b2 from 1 s to 2.02 s, c3 from 3 s
    ((2, 3), &["b2 BR1 BR2 BC", "c3 X1 X2"]),
    ((4, 5), &["d4 D1"]),
    // a1 to 1 s
    ((1, 2), &["a1 R G1 C1 C2 O", "b2 BR1 BR2 BC"]),
];

/// Section 12.2, "Effects": with the answers that stand there in brackets.
const EFFECTS: &[Row] = &[
    // V2: the complement, so D1 too, which lacks i. Tempo: none.
    ("{ !(span.i = 1) }", &["a1 G1 C1 C2 O", "b2 BR2 BC", "c3 X2", "d4 D1"]),
    // V2. Tempo: none.
    (r#"{ !(name = "R") }"#, &["a1 G1 C1 C2 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    // V2. Tempo: none.
    (r#"{ (name = "R") = false }"#, &["a1 G1 C1 C2 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    // V2, S3. Tempo: looks only at spans with i = 1 or named R.
    (r#"{ !(span.i = 1) } || { name = "R" }"#, &["a1 R G1 C1 C2 O", "b2 BR2 BC", "c3 X2", "d4 D1"]),
    // V2. Tempo: R.
    (r#"{ true || name = "R" }"#, &["a1 R G1 C1 C2 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    // V2: either. Tempo: spans that have b and an error.
    ("{ span.b || status = error }", &["a1 R G1"]),
    // V4. Tempo: none.
    ("{ 2 < span.i }", &["a1 G1 C2 O", "b2 BC"]),
    // V4. Tempo: none.
    ("{ 1s > duration }", &["a1 G1 C1 C2 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    // V2: spans without s. Tempo: none.
    ("{} | { !(span.s != nil) }", &["a1 C1 O", "b2 BR1 BR2 BC", "c3 X1 X2", "d4 D1"]),
    // V3. Tempo: none.
    ("{ span.f = 1 }", &["a1 R"]),
    // T1: also O and X1. Tempo: without spans that no root is above, so R; BR1 BR2; D1.
    ("{} !>> {}", &["a1 R O", "b2 BR1 BR2", "c3 X1", "d4 D1"]),
    // S3: of traces with one span. Tempo: R.
    (r#"count() = 1 | { name = "R" }"#, &[]),
];

/// A whole second.
const T0: u64 = 1_700_000_000;
const SECOND: u64 = 1_000_000_000;
const MS: u64 = 1_000_000;

/// The spans; the first has id 1, and so on.
const SPANS: [&str; 11] = ["R", "G1", "C1", "C2", "O", "BR1", "BR2", "BC", "X1", "X2", "D1"];

/// The name of a parent that was never received.
const LOST: &str = "lost";

/// OTLP's number.
#[derive(Clone, Copy)]
enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}
use Kind::{Client, Internal, Server};

fn reference() -> ExportTraceServiceRequest {
    let r = Span {
        status: status(1, ""),
        attributes: vec![
            attribute("s", text("x")),
            attribute("i", int(1)),
            attribute("f", float(1.0)),
            attribute("b", Any::BoolValue(true)),
            attribute("n", int(2)),
            attribute("d", float(2.0)),
            attribute("negi", int(-3)),
            attribute("nilstr", text("nil")),
            attribute("arr_s", array([text("a"), text("b"), text("x")])),
            attribute("arr_i", array([int(1), int(2)])),
            attribute("arr_mix", array([text("a"), int(1)])),
            attribute("empty_arr", array([])),
            attribute("kv", Any::KvlistValue(KeyValueList { values: vec![attribute("a", int(1))] })),
        ],
        ..span(0xa1, "R", "", Server, 0, SECOND)
    };
    let g1 = Span {
        status: status(2, "boom"),
        attributes: vec![
            attribute("s", text("g")),
            attribute("i", int(5)),
            attribute("b", Any::BoolValue(false)),
            attribute("n", int(3)),
            attribute("arr_s", array([text("a"), text("b")])),
        ],
        ..span(0xa1, "G1", "C1", Client, 200 * MS, 100 * MS)
    };
    let c1_start = 100 * MS;
    let c1 = Span {
        attributes: vec![
            attribute("i", int(2)),
            attribute("f", float(2.5)),
            attribute("b", Any::BoolValue(false)),
            attribute("n", float(2.0)),
            attribute("d", int(2)),
            attribute("sf", text("1")),
        ],
        links: vec![Link {
            trace_id: trace_id(0xff),
            span_id: span_id(0xee),
            attributes: vec![attribute("lk", text("v"))],
            ..Link::default()
        }],
        events: vec![
            event("e1", c1_start + 10 * MS, vec![attribute("k", int(1)), attribute("m", text("p"))]),
            event("e2", c1_start + 20 * MS, vec![attribute("k", int(2)), attribute("m", text("q"))]),
        ],
        ..span(0xa1, "C1", "R", Internal, c1_start, 500 * MS)
    };
    let c2_start = 100 * MS;
    let c2 = Span {
        attributes: vec![attribute("s", text("y")), attribute("i", int(3))],
        events: vec![event("e3", c2_start + 5 * MS, vec![attribute("k", int(3))])],
        ..span(0xa1, "C2", "R", Internal, c2_start, 300 * MS)
    };
    let o = Span {
        attributes: vec![attribute("i", int(9)), attribute("orphan", Any::BoolValue(true))],
        ..span(0xa1, "O", LOST, Internal, 100 * MS, 50 * MS)
    };
    let with_i = |i, span| Span { attributes: vec![attribute("i", int(i))], ..span };
    let br1 = with_i(1, span(0xb2, "BR1", "", Server, SECOND, 10 * MS));
    let br2 = with_i(2, span(0xb2, "BR2", "", Server, 2 * SECOND, 20 * MS));
    let bc = with_i(3, span(0xb2, "BC", "BR2", Client, 2 * SECOND, 5 * MS));
    let x1 = with_i(1, span(0xc3, "X1", LOST, Server, 3 * SECOND, 10 * MS));
    let x2 = with_i(2, span(0xc3, "X2", "X1", Server, 3 * SECOND, 10 * MS));
    let d1 = Span { attributes: vec![attribute("z", int(0))], ..span(0xd4, "D1", "", Server, 4 * SECOND, 0) };

    let sc = scope("sc", "1", vec![]);
    let lib = scope("lib", "2.0", vec![attribute("ia", text("z"))]);
    let none = InstrumentationScope::default;
    ExportTraceServiceRequest {
        resource_spans: vec![
            // Which service and scope a span has, the rows tell, as well as that svcA of b2 has no s.
            spans_of("svcA", vec![attribute("s", text("resA")), attribute("ra", text("1"))], sc, vec![r, g1]),
            spans_of("svcB", vec![attribute("s", text("resB"))], lib, vec![c1, c2, o]),
            spans_of("svcA", vec![], none(), vec![br1, br2, bc]),
            spans_of("svcC", vec![], none(), vec![x1, x2]),
            spans_of("svcD", vec![], none(), vec![d1]),
        ],
    }
}

/// A span that starts so long after t0 and takes so long, in nanoseconds.
fn span(trace: u8, name: &str, parent: &str, kind: Kind, start: u64, duration: u64) -> Span {
    let id_of = |name: &str| SPANS.iter().position(|other| *other == name).map(|place| span_id(place as u8 + 1));
    let parent_span_id = match parent {
        "" => Vec::new(),
        LOST => span_id(0x99),
        parent => id_of(parent).unwrap(),
    };
    Span {
        trace_id: trace_id(trace),
        span_id: id_of(name).unwrap(),
        parent_span_id,
        name: name.to_owned(),
        kind: kind as i32,
        start_time_unix_nano: T0 * SECOND + start,
        end_time_unix_nano: T0 * SECOND + start + duration,
        ..Span::default()
    }
}

fn trace_id(last: u8) -> Vec<u8> {
    [vec![0; 15], vec![last]].concat()
}

fn span_id(last: u8) -> Vec<u8> {
    [vec![0; 7], vec![last]].concat()
}

fn event(name: &str, time: u64, attributes: Vec<KeyValue>) -> Event {
    Event { name: name.to_owned(), time_unix_nano: T0 * SECOND + time, attributes, ..Event::default() }
}

fn status(code: i32, message: &str) -> Option<Status> {
    Some(Status { code, message: message.to_owned() })
}

fn scope(name: &str, version: &str, attributes: Vec<KeyValue>) -> InstrumentationScope {
    InstrumentationScope { name: name.to_owned(), version: version.to_owned(), attributes, ..Default::default() }
}

fn spans_of(service: &str, rest: Vec<KeyValue>, scope: InstrumentationScope, spans: Vec<Span>) -> ResourceSpans {
    let attributes = [vec![attribute("service.name", text(service))], rest].concat();
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(value: &str) -> Any {
    Any::StringValue(value.to_owned())
}

fn int(value: i64) -> Any {
    Any::IntValue(value)
}

fn float(value: f64) -> Any {
    Any::DoubleValue(value)
}

fn array<const N: usize>(values: [Any; N]) -> Any {
    Any::ArrayValue(ArrayValue { values: values.map(|value| AnyValue { value: Some(value) }).into() })
}

fn engine_over(request: &ExportTraceServiceRequest) -> Engine {
    let mut builder = BlockBuilder::new();
    builder.push(&request.encode_to_vec().into()).unwrap();
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
    builder.finish(vfs.as_ref(), Path::new("block"), BlockId::generate()).unwrap();
    Engine::new(Snapshot::new(vec![Block::open(vfs, Path::new("block")).unwrap()]))
}

/// The spansets of an answer in the notation of the rows.
fn spansets(answer: &serde_json::Value) -> Vec<String> {
    let mut texts = Vec::new();
    for (id, trace) in answer.as_object().unwrap() {
        for set in trace["span_sets"].as_array().unwrap() {
            let mut ids: Vec<&String> = set["spans"].as_object().unwrap().keys().collect();
            ids.sort();
            let spans = ids.iter().map(|id| SPANS[usize::from_str_radix(id, 16).unwrap() - 1].to_owned());
            let attributes = set["attributes"].as_array().unwrap().iter().map(|pair| {
                let value = pair[1].as_str().map_or_else(|| pair[1].to_string(), str::to_owned);
                format!("+{}={value}", pair[0].as_str().unwrap())
            });
            let words: Vec<String> = [id[30..].to_owned()].into_iter().chain(spans).chain(attributes).collect();
            texts.push(words.join(" "));
        }
    }
    texts.sort();
    texts
}

/// What is asked, of the traces of which seconds, and what is expected.
type Question = (&'static str, Option<(u64, u64)>, &'static [&'static str]);

fn questions() -> Vec<Question> {
    let rows = SEARCHES.iter().chain(EFFECTS).map(|(query, expected)| (*query, None, *expected));
    let ranges = RANGES.iter().map(|((start, end), expected)| ("{}", Some((T0 + start, T0 + end)), *expected));
    rows.chain(ranges).collect()
}

#[tokio::test]
async fn every_search_of_the_reference_finds_what_it_should() {
    let request = reference();
    let engine = engine_over(&request);
    let traces = naive::Trace::of(&[request]);
    let (questions, mut wrong) = (questions(), Vec::new());
    for (query, range, expected) in &questions {
        let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        expected.sort();

        let options = SearchOptions::default()
            .with_limit(1_000)
            .with_spss(0)
            .with_time(range.map(|(start, _)| start * SECOND), range.map(|(_, end)| end * SECOND));
        let of_engine = match engine.search(query, &options).await {
            Ok(response) => support::normalise(&search_to_tempo(&response)),
            Err(error) => {
                wrong.push(format!("{query}\n  engine   {error}"));
                continue;
            }
        };
        let of_judge = naive::search(&traceql::parse(query).unwrap(), &traces, *range);

        for (who, answer) in [("engine", &of_engine), ("judge ", &of_judge)] {
            let found = spansets(answer);
            if found != expected {
                wrong.push(format!("{query} {range:?}\n  expected {expected:?}\n  {who}   {found:?}"));
            }
        }
        // All the rest: names, times, numbers of spans, attributes of spans.
        if let Some(difference) = support::difference(&of_judge, &of_engine) {
            wrong.push(format!("{query} {range:?}\n  the engine differs from the judge: {difference}"));
        }
    }
    println!("compared {} searches", questions.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
