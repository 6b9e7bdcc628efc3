//! Random traces over a small vocabulary, and random queries over the same, so that most queries find something.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event, span::Link},
};
use proptest::prelude::*;

const KEYS: [&str; 4] = ["a", "b", "service.name", "http.method"];
const TEXTS: [&str; 4] = ["", "x", "y", "xy"];

fn scalar() -> impl Strategy<Value = Any> {
    prop_oneof![
        3 => prop::sample::select(TEXTS.to_vec()).prop_map(|text| Any::StringValue(text.to_owned())),
        3 => (-1..3_i64).prop_map(Any::IntValue),
        1 => Just(Any::IntValue(i64::MAX)),
        2 => prop::sample::select(vec![0.0, -0.0, 1.0, 1.5, 2.0, f64::NAN, f64::INFINITY]).prop_map(Any::DoubleValue),
        2 => any::<bool>().prop_map(Any::BoolValue),
    ]
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let list = |values: Vec<Any>| {
        let values = values.into_iter().map(|value| AnyValue { value: Some(value) }).collect();
        Any::ArrayValue(ArrayValue { values })
    };
    prop_oneof![
        8 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(list),
        1 => prop::collection::vec((-1..3_i64).prop_map(Any::IntValue), 1..4).prop_map(list),
        1 => prop::collection::vec(any::<bool>().prop_map(Any::BoolValue), 1..3).prop_map(list),
        1 => prop::collection::vec(prop::sample::select(TEXTS.to_vec()).prop_map(|text| Any::StringValue(text.to_owned())), 1..3)
            .prop_map(list),
        1 => Just(Any::BytesValue(vec![1])),
    ]
    .prop_map(|value| AnyValue { value: Some(value) })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let entry = (prop::sample::select(KEYS.to_vec()), any_value());
    let entry =
        entry.prop_map(|(key, value)| KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() });
    prop::collection::vec(entry, 0..4)
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (1..4_u8, 1..8_u8, 0..9_u8);
    let times = (0..6_u64, 0..60_u64);
    let event = (prop::sample::select(TEXTS.to_vec()), attributes(), 0..40_u64).prop_map(|(name, attributes, time)| {
        Event { name: name.to_owned(), attributes, time_unix_nano: time, dropped_attributes_count: 0 }
    });
    let link = (0..3_u8, attributes()).prop_map(|(id, attributes)| Link {
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        attributes,
        ..Link::default()
    });
    let lists = (attributes(), prop::collection::vec(event, 0..3), prop::collection::vec(link, 0..3));
    (ids, prop::sample::select(TEXTS.to_vec()), 0..7_i32, times, lists, prop::option::of(0..4_i32)).prop_map(
        |((trace, id, parent), name, kind, (start, end), (attributes, events, links), status)| {
            // Answers name spans by id. Halves with one id and two kinds (T2) start at different times, so that the
            // last of them is the same in both answers.
            let (kind, start) = if start == 0 { (i32::from(id) % 7, 0) } else { (kind, start * 8 + kind as u64) };
            Span {
                trace_id: vec![trace; 16],
                span_id: vec![id; 8],
                parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
                name: name.to_owned(),
                kind,
                start_time_unix_nano: start,
                end_time_unix_nano: end,
                attributes,
                events,
                links,
                status: status.map(|code| Status { code, message: TEXTS[code as usize].to_owned() }),
                ..Span::default()
            }
        },
    )
}

/// A request with spans of three traces.
pub(crate) fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = (prop::sample::select(TEXTS.to_vec()), attributes()).prop_map(|(name, attributes)| {
        InstrumentationScope { name: name.to_owned(), attributes, ..Default::default() }
    });
    let scope_spans = (scope, prop::collection::vec(span(), 0..6)).prop_map(|(scope, spans)| ScopeSpans {
        scope: Some(scope),
        spans,
        schema_url: String::new(),
    });
    let resource = attributes().prop_map(|attributes| Resource { attributes, ..Resource::default() });
    let resource_spans = (resource, prop::collection::vec(scope_spans, 0..3)).prop_map(|(resource, scope_spans)| {
        ResourceSpans { resource: Some(resource), scope_spans, schema_url: String::new() }
    });
    prop::collection::vec(resource_spans, 1..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// The text of a filter; nearly all are well typed.
pub(crate) fn query() -> impl Strategy<Value = String> {
    condition().prop_map(|condition| format!("{{ {condition} }}"))
}

fn attribute() -> impl Strategy<Value = String> {
    let scopes = [".", "span.", "resource.", "event.", "link.", "instrumentation."];
    (prop::sample::select(scopes.to_vec()), prop::sample::select(KEYS.to_vec()), 0..20).prop_map(
        |(scope, key, rare)| {
            if rare == 0 { format!("{scope}nobody.has.this") } else { format!("{scope}{key}") }
        },
    )
}

fn number() -> impl Strategy<Value = String> {
    let intrinsics = [
        "duration",
        "traceDuration",
        "span:childCount",
        "nestedSetLeft",
        "nestedSetRight",
        "nestedSetParent",
        "event:timeSinceStart",
    ];
    let leaf = prop_oneof![
        3 => attribute(),
        2 => prop::sample::select(intrinsics.to_vec()).prop_map(str::to_owned),
        3 => prop::sample::select(vec!["0", "1", "2", "1.0", "1.5", "2ns", "maxInt", "minInt"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        let op = prop::sample::select(vec!["+", "-", "*", "/", "%", "^"]);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            inner.prop_map(|a| format!("(-{a})")),
        ]
    })
}

fn text_field() -> impl Strategy<Value = String> {
    let intrinsics = [
        "name",
        "statusMessage",
        "rootName",
        "rootServiceName",
        "event:name",
        "instrumentation:name",
        "span:id",
        "span:parentID",
        "trace:id",
        "link:spanID",
        "link:traceID",
    ];
    prop_oneof![3 => attribute(), 2 => prop::sample::select(intrinsics.to_vec()).prop_map(str::to_owned)]
}

fn condition() -> impl Strategy<Value = String> {
    let order = || prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let equality = || prop::sample::select(vec!["=", "!="]);
    let texts = prop::sample::select(vec![
        "``",
        "`x`",
        "`y`",
        "`0101010101010101`",
        "`1010101010101010101010101010101`",
        "`zz`",
    ]);
    let patterns = prop::sample::select(vec!["`x.*`", "`.*y`", "``", "`[^x]`", "`0.*`"]);
    let leaf = prop_oneof![
        4 => (number(), order(), number()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        4 => (text_field(), order(), texts).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (text_field(), prop::sample::select(vec!["=~", "!~"]), patterns).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (attribute(), equality(), prop::sample::select(vec!["true", "false"])).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (attribute(), order(), attribute()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (equality(), prop::sample::select(vec!["ok", "error", "unset"])).prop_map(|(op, b)| format!("status {op} {b}")),
        2 => (equality(), prop::sample::select(vec!["client", "server", "internal"])).prop_map(|(op, b)| format!("kind {op} {b}")),
        2 => (attribute(), equality()).prop_map(|(a, op)| format!("{a} {op} nil")),
        1 => attribute(),
        1 => prop::sample::select(vec!["true", "false"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), prop::sample::select(vec!["=", "!="]), inner)
                .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
        ]
    })
}
