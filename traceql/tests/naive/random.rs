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

/// A request with larger traces: something for structural operators and groups.
pub(crate) fn large_request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let part = (attributes(), prop::collection::vec(span(), 3..12)).prop_map(|(attributes, spans)| ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    });
    prop::collection::vec(part, 1..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// The text of a filter; nearly all are well typed.
pub(crate) fn query() -> impl Strategy<Value = String> {
    // Conditions that some spans meet, so that most answers are neither nothing nor everything.
    let some =
        ["name = `x`", "kind = client", "status = error", "duration > 20ns", "span.a != nil", "span:childCount > 0"];
    let some = || prop::sample::select(some.to_vec());
    let condition = prop_oneof![
        2 => condition(),
        3 => (condition(), some()).prop_map(|(a, b)| format!("({a}) || {b}")),
        1 => (condition(), some()).prop_map(|(a, b)| format!("!({a}) && {b}")),
    ];
    condition.prop_map(|condition| format!("{{ {condition} }}")).boxed()
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

fn order() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="])
}

fn equality() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["=", "!="])
}

fn condition() -> impl Strategy<Value = String> {
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

/// The text of any search; nearly all are well typed.
pub(crate) fn pipeline() -> BoxedStrategy<String> {
    prop_oneof![
        8 => stages(0),
        4 => stages(1),
        3 => wrapped_pipelines(),
        2 => pipeline_condition(),
    ]
    .boxed()
}

/// A pipeline of at least so many stages after its first.
fn stages(at_least: usize) -> BoxedStrategy<String> {
    let first = prop_oneof![8 => spansets(), 1 => group(), 1 => aggregate_condition(), 1 => select()];
    let next = prop_oneof![
        2 => spansets(),
        6 => group(),
        3 => aggregate_condition(),
        1 => Just("coalesce()".to_owned()),
        1 => select(),
    ];
    (first, prop::collection::vec(next, at_least..at_least + 3))
        .prop_map(|(first, next)| std::iter::once(first).chain(next).collect::<Vec<_>>().join(" | "))
        .boxed()
}

/// What joins spansets.
fn spanset_op() -> impl Strategy<Value = &'static str> {
    let structural = [">", ">>", "<", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>", "&>>", "&<", "&<<", "&~"];
    prop_oneof![2 => prop::sample::select(vec!["&&", "||"]), 5 => prop::sample::select(structural.to_vec())]
}

/// Filters and what joins them, with and without parentheses.
fn spansets() -> BoxedStrategy<String> {
    filter()
        .prop_recursive(2, 4, 2, |inner| {
            prop_oneof![
                2 => inner.clone(),
                3 => (inner.clone(), spanset_op(), inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
                1 => (inner.clone(), spanset_op(), inner).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            ]
        })
        .boxed()
}

/// A filter; most let many spans pass, so that something is left to the next stage.
fn filter() -> BoxedStrategy<String> {
    let common = ["", "", "kind != client", "name != `x`", "status != error", "span.a != nil", "duration > 5ns"];
    prop_oneof![
        2 => query(),
        8 => prop::sample::select(common.to_vec()).prop_map(|condition| format!("{{ {condition} }}")),
        2 => parent_condition().prop_map(|condition| format!("{{ {condition} }}")),
    ]
    .boxed()
}

fn parent_attribute() -> impl Strategy<Value = String> {
    let scopes = ["parent.", "parent.span.", "parent.resource."];
    (prop::sample::select(scopes.to_vec()), prop::sample::select(KEYS.to_vec()))
        .prop_map(|(scope, key)| format!("{scope}{key}"))
}

fn parent_condition() -> BoxedStrategy<String> {
    let texts = prop::sample::select(vec!["``", "`x`", "`y`"]);
    let operators = prop::sample::select(vec!["=", "!=", "=~", "!~"]);
    prop_oneof![
        2 => (parent_attribute(), order(), number()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (parent_attribute(), operators, texts).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        1 => (parent_attribute(), order(), attribute()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (parent_attribute(), equality()).prop_map(|(a, op)| format!("{a} {op} nil")),
        2 => equality().prop_map(|op| format!("parent {op} nil")),
        1 => (parent_attribute(), condition()).prop_map(|(a, b)| format!("!{a} || ({b})")),
    ]
    .boxed()
}

/// `by (…)`: attributes, of which arrays and those of events have several values, and expressions.
fn group() -> BoxedStrategy<String> {
    let numbers = (measure(), prop::sample::select(vec!["+ 1", "% 2", "/ 0", "* 1.5", "> 10", "!= nil"]));
    let expr = prop_oneof![
        6 => attribute(),
        2 => parent_attribute(),
        2 => text_field(),
        2 => prop::sample::select(vec!["status", "kind", "span:childCount", "nestedSetParent"]).prop_map(str::to_owned),
        2 => numbers.prop_map(|(a, rest)| format!("({a}) {rest}")),
        1 => (attribute(), equality()).prop_map(|(a, op)| format!("{a} {op} nil")),
        1 => (text_field(), equality()).prop_map(|(a, op)| format!("{a} {op} `x`")),
        1 => (attribute(), attribute()).prop_map(|(a, b)| format!("{a} && {b}")),
    ];
    expr.prop_map(|expr| format!("by({expr})")).boxed()
}

fn select() -> BoxedStrategy<String> {
    let field = prop_oneof![3 => attribute(), 1 => parent_attribute(), 1 => text_field()];
    prop::collection::vec(field, 1..4).prop_map(|fields| format!("select({})", fields.join(", "))).boxed()
}

/// A number of the span.
fn measure() -> BoxedStrategy<String> {
    let intrinsics = ["duration", "traceDuration", "span:childCount", "nestedSetLeft", "event:timeSinceStart"];
    let leaf = prop_oneof![
        4 => attribute(),
        1 => parent_attribute(),
        3 => prop::sample::select(intrinsics.to_vec()).prop_map(str::to_owned),
    ];
    let rest = prop::sample::select(vec!["+ 1", "* 2", "/ 2", "- .b", "+ 2 * 3", "* 1ns"]);
    prop_oneof![
        4 => leaf.clone(),
        1 => (leaf, rest).prop_map(|(a, rest)| format!("{a} {rest}")),
    ]
    .boxed()
}

fn aggregate() -> BoxedStrategy<String> {
    let functions = prop::sample::select(vec!["min", "max", "avg", "sum"]);
    prop_oneof![
        1 => Just("count()".to_owned()),
        1 => prop::sample::select(vec!["max(duration)", "sum(span:childCount)"]).prop_map(str::to_owned),
        2 => (functions, measure()).prop_map(|(function, operand)| format!("{function}({operand})")),
    ]
    .boxed()
}

/// The text of any metrics query over every function; nearly all are well typed.
pub(crate) fn metrics_query() -> BoxedStrategy<String> {
    let first = prop_oneof![
        3 => Just("{ }".to_owned()),
        3 => filter(),
        3 => stages(0),
        1 => wrapped_pipelines(),
    ];
    let leaf = (first, metrics_function()).prop_map(|(first, function)| format!("{first} | {function}"));
    let threshold = (order(), prop::sample::select(vec!["0", "1", "2", "0.1", "10ns"]));
    let stage = prop_oneof![
        1 => (1..4).prop_map(|limit| format!("topk({limit})")),
        1 => (1..4).prop_map(|limit| format!("bottomk({limit})")),
    ];
    let staged = prop_oneof![
        6 => leaf.clone(),
        2 => (leaf.clone(), stage).prop_map(|(leaf, stage)| format!("{leaf} | {stage}")),
        2 => (leaf, threshold).prop_map(|(leaf, (op, constant))| format!("{leaf} {op} {constant}")),
    ];
    let op = || prop::sample::select(vec!["+", "-", "*", "/"]);
    prop_oneof![
        6 => staged.clone(),
        1 => (staged.clone(), op(), staged.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
        1 => (staged, op(), prop::sample::select(vec!["0", "2", "0.5"])).prop_map(|(a, op, b)| format!("({a}) {op} {b}")),
    ]
    .boxed()
}

/// A metrics function, with and without groups.
fn metrics_function() -> BoxedStrategy<String> {
    let number = || {
        prop_oneof![
            3 => attribute(),
            1 => parent_attribute(),
            3 => prop::sample::select(vec!["duration", "traceDuration", "span:childCount", "event:timeSinceStart"])
                .prop_map(str::to_owned),
        ]
    };
    let function = prop_oneof![
        2 => Just("rate()".to_owned()),
        3 => Just("count_over_time()".to_owned()),
        5 => (prop::sample::select(vec!["min", "max", "sum", "avg", "histogram"]), number())
            .prop_map(|(function, operand)| format!("{function}_over_time({operand})")),
        2 => number().prop_map(|operand| format!("quantile_over_time({operand}, .5, 0, 0.99)")),
    ];
    let fixed = [
        "status",
        "kind",
        "name",
        "rootName",
        "span:childCount",
        "event:name",
        "statusMessage",
        "resource.service.name",
    ];
    let field = prop_oneof![
        4 => attribute(),
        1 => parent_attribute(),
        3 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned),
    ];
    let by = prop::collection::vec(field, 1..4).prop_map(|fields| format!(" by({})", fields.join(", ")));
    let grouped = (function, prop_oneof![1 => Just(String::new()), 2 => by]).prop_map(|(function, by)| function + &by);
    let compare = (condition_of_compare(), prop::sample::select(vec!["", ", 1", ", 2", ", 3, 10, 40"]))
        .prop_map(|(condition, rest)| format!("compare({{ {condition} }}{rest})"));
    prop_oneof![8 => grouped, 1 => compare].boxed()
}

/// What selects spans of a comparison.
fn condition_of_compare() -> impl Strategy<Value = String> {
    query().prop_map(|query| query.trim_start_matches('{').trim_end_matches('}').trim().to_owned())
}

fn constant() -> impl Strategy<Value = String> {
    let constants = ["0", "1", "2", "3", "-1", "1.5", "10ns", "30ns", "1 + 1", "-(3 - 2)", "7 / 2"];
    prop::sample::select(constants.to_vec()).prop_map(str::to_owned)
}

fn arithmetic() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["+", "-", "*", "/", "%", "^"])
}

/// `count() > 2`, and aggregates with aggregates.
fn aggregate_condition() -> BoxedStrategy<String> {
    let scalar = aggregate().prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            2 => (inner.clone(), arithmetic(), inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            1 => (inner.clone(), arithmetic(), constant()).prop_map(|(a, op, b)| format!("({a} {op} ({b}))")),
            1 => (constant(), arithmetic(), inner).prop_map(|(a, op, b)| format!("(({a}) {op} {b})")),
        ]
    });
    prop_oneof![
        4 => (aggregate(), order(), constant()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => aggregate().prop_map(|a| format!("{a} != 5")),
        2 => (scalar.clone(), order(), constant()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        1 => (constant(), order(), scalar.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        2 => (scalar.clone(), order(), scalar).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
    ]
    .boxed()
}

/// Pipelines as operands. The first has a stage that is no filter: else it would be one, and no pipeline could follow.
fn wrapped_pipelines() -> BoxedStrategy<String> {
    let first = (stages(0), prop_oneof![group(), aggregate_condition(), select()]);
    let first = first.prop_map(|(stages, last)| format!("{stages} | {last}"));
    let operand = prop_oneof![2 => stages(0), 1 => (spansets(), group()).prop_map(|(a, by)| format!("{a} | {by}"))];
    let rest = prop::collection::vec((spanset_op(), operand), 1..3);
    (first, rest, any::<bool>())
        .prop_map(|(first, rest, nested)| {
            rest.into_iter().fold(format!("({first})"), |left, (op, stages)| {
                if nested { format!("({left} {op} ({stages}))") } else { format!("{left} {op} ({stages})") }
            })
        })
        .boxed()
}

/// A condition on aggregates of pipelines.
fn pipeline_condition() -> BoxedStrategy<String> {
    let scalar = (stages(0), aggregate()).prop_map(|(stages, aggregate)| format!("({stages} | {aggregate})"));
    let scalar = scalar.prop_recursive(1, 2, 2, |inner| {
        (inner.clone(), arithmetic(), inner).prop_map(|(a, op, b)| format!("({a} {op} {b})"))
    });
    prop_oneof![
        (scalar.clone(), order(), constant()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (scalar.clone(), order(), scalar).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
    ]
    .boxed()
}
