//! Columns of a few rows, against the same columns of all rows: what is left out because none of the rows has a value, or
//! because other owners have it, is not missed.

#![cfg(feature = "datafusion")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/scan.rs"]
mod scan;

use std::sync::LazyLock;

use datafusion::{
    arrow::{
        array::{Array, AsArray, BooleanArray, RecordBatch},
        compute::filter_record_batch,
        datatypes::UInt32Type,
    },
    common::ScalarValue,
    logical_expr::{Expr, lit},
    prelude::ident,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value as Any},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use proptest::prelude::*;
use scan::{block_of, scan};
use tracestore::{
    Snapshot,
    block::{AttributeScope, AttributeType, SpanColumn},
};

/// Three pages of spans and a part of one.
const SPANS: u64 = 26_000;
const SERVICES: [&str; 4] = ["a", "b", "c", "d"];

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn array(values: impl IntoIterator<Item = Any>) -> Any {
    let values = values.into_iter().map(|value| AnyValue { value: Some(value) });
    Any::ArrayValue(ArrayValue { values: values.collect() })
}

fn hash(id: u64) -> u64 {
    id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33
}

fn service_of(id: u64) -> usize {
    (hash(id + SPANS) % 4) as usize
}

/// Attributes that all spans have, those of one service, those of one in a few, and rare ones and lists, which have no
/// column.
fn attributes(id: u64, service: usize) -> Vec<KeyValue> {
    let hash = hash(id);
    let mut pairs = vec![pair("all", Any::StringValue(format!("v{}", hash % 7)))];
    pairs.push(match service {
        0 => pair("of.a", Any::IntValue((hash % 1000) as i64)),
        1 => pair("of.b", Any::StringValue(format!("{hash:x}"))),
        2 => pair("of.c", Any::DoubleValue(hash as f64 / 8.0)),
        _ => pair("of.d", Any::BoolValue(hash.is_multiple_of(3))),
    });
    if hash % 50 == 1 {
        pairs.push(pair("some", Any::StringValue("x".repeat((hash % 5) as usize))));
        pairs.push(pair("mixed", if hash % 4 == 1 { Any::IntValue(4) } else { Any::StringValue("four".to_owned()) }));
    }
    if id > 9_000 && id < 9_400 {
        pairs.push(pair("one.page", Any::IntValue(id as i64)));
    }
    if hash % 3_000 == 5 {
        pairs.push(pair("rare", Any::StringValue(format!("r{id}"))));
    }
    if service == 1 && hash % 9 == 1 {
        pairs.push(pair("list", array((0..hash % 4).map(|number| Any::IntValue(number as i64)))));
        pairs.push(pair("texts", array(["p", "q"].map(|text| Any::StringValue(text.to_owned())))));
    }
    if service == 3 && hash % 11 == 1 {
        pairs.push(pair("list", array([Any::DoubleValue(0.5)])));
    }
    pairs
}

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let request = |(number, service): (usize, &&str)| {
        let of_service = (1..=SPANS).filter(|id| service_of(*id) == number);
        let spans = of_service.map(|id| Span {
            trace_id: u128::from(id / 9 + 1).to_be_bytes().to_vec(),
            span_id: id.to_be_bytes().to_vec(),
            name: format!("n{}", id % 5),
            start_time_unix_nano: 1_000_000 + id,
            end_time_unix_nano: 1_000_000 + id * 2,
            attributes: attributes(id, number),
            ..Span::default()
        });
        let resource = vec![
            pair("service.name", Any::StringValue((*service).to_owned())),
            pair("host", Any::StringValue(format!("host of {service}"))),
        ];
        let resource_spans = ResourceSpans {
            resource: Some(Resource { attributes: resource, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans: spans.collect(), ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        };
        ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
    };
    block_of(&SERVICES.iter().enumerate().map(request).collect::<Vec<_>>())
});

/// Every attribute in every type that it has, and what is found by way of traces, resources and scopes.
static COLUMNS: LazyLock<Vec<SpanColumn>> = LazyLock::new(|| {
    let mut columns = vec![
        SpanColumn::Row,
        SpanColumn::Trace,
        SpanColumn::Name,
        SpanColumn::Service,
        SpanColumn::ScopeName,
        SpanColumn::TraceStart,
        SpanColumn::RootService,
        SpanColumn::Attribute {
            scope: AttributeScope::Resource,
            key: "host".to_owned(),
            value_type: AttributeType::String,
        },
    ];
    let keys = ["all", "of.a", "of.b", "of.c", "of.d", "some", "mixed", "one.page", "rare", "list", "texts"];
    for key in keys {
        let types = SNAPSHOT.attribute_types(AttributeScope::Span, key).unwrap();
        assert!(!types.is_empty(), "{key}");
        columns.extend(types.into_iter().map(|value_type| SpanColumn::Attribute {
            scope: AttributeScope::Span,
            key: key.to_owned(),
            value_type,
        }));
    }
    columns
});

static ALL: LazyLock<RecordBatch> = LazyLock::new(|| scan(&SNAPSHOT, &COLUMNS, &[]));

fn check(filters: &[Expr], meets: impl Fn(usize) -> bool) {
    let mask: BooleanArray = (0..ALL.num_rows()).map(|row| Some(meets(row))).collect();
    assert!(scan(&SNAPSHOT, &COLUMNS, filters) == filter_record_batch(&ALL, &mask).unwrap(), "{filters:?}");
}

fn service_is(service: &str) -> Expr {
    ident(SpanColumn::Service.name()).eq(lit(ScalarValue::Utf8View(Some(service.to_owned()))))
}

#[test]
fn everything_is_there() {
    assert_eq!(ALL.num_rows() as u64, SPANS);
    let nulls = |key: &str| ALL.column_by_name(key).unwrap().null_count() as u64;
    assert_eq!(nulls("span.all:str"), 0);
    for (number, key) in ["span.of.a:int", "span.of.b:str", "span.of.c:float", "span.of.d:bool"].into_iter().enumerate()
    {
        let of_others = (1..=SPANS).filter(|id| service_of(*id) != number).count() as u64;
        assert_eq!(nulls(key), of_others, "{key}");
    }
}

#[test]
fn a_service_has_its_own_attributes_and_no_others() {
    let services = ALL.column_by_name("service").unwrap().as_string_view();
    for service in SERVICES {
        check(&[service_is(service)], |row| services.value(row) == service);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_of_some_rows_are_those_of_all_rows_filtered(
        modulus in prop_oneof![2..5_u32, 100..SPANS as u32],
        rest in any::<u32>(),
        service in prop::option::of(prop::sample::select(SERVICES.to_vec())),
        (from, len) in (0..SPANS as u32, prop_oneof![1..200_u32, 1..SPANS as u32]),
    ) {
        let rest = rest % modulus;
        let row = || ident(SpanColumn::Row.name());
        let mut filters = vec![(row() % lit(modulus)).eq(lit(rest)), row().gt_eq(lit(from)), row().lt(lit(from + len))];
        filters.extend(service.map(service_is));
        let rows = ALL.column_by_name("row").unwrap().as_primitive::<UInt32Type>();
        let services = ALL.column_by_name("service").unwrap().as_string_view();
        check(&filters, |index| {
            let row = rows.value(index);
            row % modulus == rest && (from..from + len).contains(&row)
                && service.is_none_or(|service| services.value(index) == service)
        });
    }
}
