//! Split traces made by hand: which copy wins, who is whose parent, what a view leaves alone.

use super::*;

/// A span of a trace; `parent` 0 is none.
fn span(trace: u8, id: u8, parent: u8, start: u64) -> Span {
    Span {
        trace_id: vec![trace; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: format!("span {id}"),
        kind: 1,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 10,
        ..Span::default()
    }
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Spans of a service.
fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![attribute("service.name", Any::StringValue(service.to_owned()))],
        ..Resource::default()
    };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

fn trace_id(trace: u8) -> TraceId {
    TraceId::from_bytes([trace; 16])
}

fn names(snapshot: &Snapshot, filter: Option<&Expr>) -> Vec<String> {
    rows(snapshot, &[SpanColumn::Name, SpanColumn::Service], filter, None)
}

#[test]
fn the_copy_with_smaller_bytes_wins_in_whatever_block_it_is() {
    let copy = |name: &str| Span { name: name.to_owned(), ..span(1, 1, 0, 5) };
    let (small, large) = (vec![request("s", vec![copy("a")])], vec![request("s", vec![copy("b")])]);
    for blocks in [[small.clone(), large.clone()], [large, small]] {
        assert_eq!(names(&assert_whole(&blocks), None), ["a | s | "]);
    }
}

#[test]
fn a_copy_that_one_block_shadows_is_a_copy_for_the_others_too() {
    // The last of three in the order of bytes is alone in its block; the first is shadowed by nobody anywhere.
    let copy = |name: &str| request("s", vec![Span { name: name.to_owned(), ..span(1, 1, 0, 5) }]);
    let whole = assert_whole(&[vec![copy("b"), copy("c")], vec![copy("c"), copy("a")], vec![copy("c")]]);
    assert_eq!(names(&whole, None), ["a | s | "]);
    let spans = whole.find_trace(&trace_id(1)).unwrap().unwrap().spans;
    assert_eq!(spans.iter().map(|span| span.span.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c", "c", "c"]);
    assert_eq!(spans.iter().filter(|span| span.shadowed).count(), 4);
}

#[test]
fn copies_that_differ_in_their_resource_alone() {
    let copy = |service: &str| vec![request(service, vec![span(1, 1, 0, 5)])];
    for blocks in [[copy("x"), copy("y")], [copy("y"), copy("x")]] {
        assert_eq!(names(&assert_whole(&blocks), None), ["span 1 | x | "]);
    }
}

#[test]
fn copies_that_differ_in_what_queries_do_not_see() {
    let copy = |url: &str, present: bool| {
        let mut copy = request("", vec![span(1, 1, 0, 5)]);
        copy.resource_spans[0].schema_url = url.to_owned();
        copy.resource_spans[0].resource = present.then(Resource::default);
        vec![copy]
    };
    let copies = [copy("b", true), copy("a", true), copy("a", false)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let whole = assert_whole(&order.map(|index: usize| copies[index].clone()));
        let first = &whole.find_trace(&trace_id(1)).unwrap().unwrap().spans[0];
        assert_eq!((first.resource.schema_url.as_str(), first.resource.present), ("a", false));
    }
}

#[test]
fn doubles_keep_their_sign_and_nan_is_nan() {
    let nested = |double: f64| {
        let values = vec![attribute("k", Any::DoubleValue(double))];
        attribute("a", Any::KvlistValue(KeyValueList { values }))
    };
    let copy = |double: f64, name: &str| {
        vec![request("s", vec![Span { attributes: vec![nested(double)], name: name.to_owned(), ..span(1, 1, 0, 5) }])]
    };
    // A NaN with a payload, for which a block's JSON has no room: with it the bytes would come behind those of the number.
    let (odd, number) = (f64::from_bits(f64::NAN.to_bits() | 0xff), f64::from_bits(1_f64.to_bits() | 0x80));
    let pairs = [(odd, number), (number, odd), (f64::NAN, odd), (0.0, -0.0), (-0.0, 0.0)];
    for (first, second) in pairs {
        let blocks = [copy(first, "x"), copy(second, "x")];
        let (whole, one) = (cut(&blocks).whole().unwrap(), one(&blocks));
        let columns = attributes(&one);
        assert_eq!(rows(&whole, &columns, None, None), rows(&one, &columns, None, None), "{first:?} {second:?}");
    }
}

#[test]
fn resources_that_are_equal_as_numbers_are() {
    let of = |zero: f64, id: u8| {
        let mut request = request("s", vec![span(1, id, 0, 5)]);
        let resource = request.resource_spans[0].resource.as_mut().unwrap();
        resource.attributes.push(attribute("a", Any::DoubleValue(zero)));
        request
    };
    let whole = assert_whole(&[vec![of(0.0, 1), of(-0.0, 2)], vec![of(0.0, 3)]]);
    let value_type = tracestore::block::AttributeType::Float;
    let zero = SpanColumn::Attribute { scope: AttributeScope::Resource, key: "a".to_owned(), value_type };
    assert_eq!(
        rows(&whole, &[SpanColumn::Name, zero], None, None),
        ["span 1 | 0.0 | ", "span 2 | -0.0 | ", "span 3 | 0.0 | "]
    );
}

#[test]
fn split_traces_with_others_between_them() {
    let full = |trace: u8, id: u8| {
        let start = 100 * u64::from(trace) + u64::from(id);
        let odd = || vec![attribute("a", Any::IntValue(i64::from(trace))), attribute("a", Any::BoolValue(true))];
        let event = |time| Event {
            time_unix_nano: time,
            name: format!("event {trace}"),
            attributes: odd(),
            ..Event::default()
        };
        let link = Link { trace_id: vec![trace + 1; 16], span_id: vec![1; 8], attributes: odd(), ..Link::default() };
        Span {
            attributes: odd(),
            events: vec![event(start + 1), event(start + 2)],
            links: vec![link],
            ..span(trace, id, 0, start)
        }
    };
    let first = (1..8).flat_map(|trace| [full(trace, 1), full(trace, 2)]).collect();
    let second = [1, 2, 4, 7].map(|trace| full(trace, 3)).to_vec();
    let whole = assert_whole(&[vec![request("s", first)], vec![request("t", second)]]);
    assert_eq!(whole.blocks().iter().map(|block| block.traces()).collect::<Vec<_>>(), [3, 0, 4]);
}

#[test]
fn values_as_deep_as_are_taken() {
    let mut value = Any::IntValue(1);
    for _ in 0..31 {
        value = Any::KvlistValue(KeyValueList { values: vec![attribute("k", value)] });
    }
    let deep = Span { attributes: vec![attribute("a", value)], ..span(1, 1, 0, 5) };
    assert_whole(&[vec![request("s", vec![deep])], vec![request("s", vec![span(1, 2, 1, 6)])]]);
}

#[test]
fn a_parent_in_another_block() {
    let whole = assert_whole(&[
        vec![request("s", vec![span(1, 2, 1, 6), span(1, 4, 2, 9)])],
        vec![request("s", vec![span(1, 1, 0, 5), span(1, 3, 2, 7)])],
    ]);
    let columns = [
        SpanColumn::Name,
        SpanColumn::ChildCount,
        SpanColumn::HasParent,
        SpanColumn::NestedSetLeft,
        SpanColumn::NestedSetRight,
        SpanColumn::NestedSetParent,
    ];
    let expected = [
        "span 1 | 1 | false | 1 | 8 | -1 | ",
        "span 2 | 2 | true | 2 | 7 | 1 | ",
        "span 3 | 0 | true | 3 | 4 | 2 | ",
        "span 4 | 0 | true | 5 | 6 | 2 | ",
    ];
    assert_eq!(rows(&whole, &columns, None, None), expected);
}

#[test]
fn a_root_in_another_block() {
    let whole = assert_whole(&[
        vec![request("back", vec![span(1, 2, 1, 6)]), request("other", vec![span(2, 9, 0, 1)])],
        vec![request("front", vec![span(1, 1, 0, 5)])],
    ]);
    let columns = [SpanColumn::Name, SpanColumn::RootName, SpanColumn::RootService, SpanColumn::TraceStart];
    let expected =
        ["span 1 | span 1 | front | 5 | ", "span 2 | span 1 | front | 5 | ", "span 9 | span 9 | other | 1 | "];
    assert_eq!(rows(&whole, &columns, None, None), expected);
    let summary = &summaries(&whole)[&trace_id(1)];
    assert_eq!(summary.root, Some(("span 1".to_owned(), "front".to_owned())));
    assert_eq!((summary.start, summary.duration, summary.services.len()), (5, 11, 2));
}

#[test]
fn two_roots_in_two_blocks() {
    let whole =
        assert_whole(&[vec![request("late", vec![span(1, 1, 0, 6)])], vec![request("early", vec![span(1, 2, 0, 5)])]]);
    assert_eq!(rows(&whole, &[SpanColumn::RootService], None, None), ["early | ", "early | "]);
}

#[test]
fn a_split_trace_is_found_once_with_a_filter_pushed_down() {
    let marked = |id: u8, value: &str| Span {
        attributes: vec![attribute("http.method", Any::StringValue(value.to_owned()))],
        ..span(1, id, 0, 5)
    };
    let whole = assert_whole(&[
        vec![request("s", vec![marked(1, "GET"), marked(2, "PUT"), span(2, 3, 0, 5)])],
        vec![request("s", vec![marked(1, "GET"), span(1, 4, 0, 7)])],
    ]);
    let method = || ident(text_attribute(AttributeScope::Span, "http.method").name());
    assert_eq!(names(&whole, Some(&method().eq(lit("GET")))), ["span 1 | s | "]);
    assert_eq!(names(&whole, Some(&method().is_null())), ["span 3 | s | ", "span 4 | s | "]);
    assert_eq!(names(&whole, Some(&ident("name").eq(lit("span 2")))), ["span 2 | s | "]);
    assert_eq!(names(&whole, Some(&ident("name").eq(lit("none")))), Vec::<String>::new());
}

#[test]
fn parts_that_lie_far_apart_in_time() {
    let (early, late) = (span(1, 1, 0, 5), span(1, 2, 1, u64::MAX - 100));
    let whole = assert_whole(&[vec![request("s", vec![early])], vec![request("s", vec![late])]]);
    // The trace lasts all the time between.
    let time = Some(TimeRange { start: 1 << 40, end: 1 << 41 });
    assert_eq!(rows(&whole, &[SpanColumn::Name], None, time), ["span 1 | ", "span 2 | "]);
}

#[test]
fn a_link_to_a_split_trace() {
    let mut linked = span(2, 1, 0, 5);
    linked.links.push(Link { trace_id: vec![1; 16], span_id: vec![2; 8], ..Link::default() });
    assert_whole(&[vec![request("s", vec![span(1, 1, 0, 5), linked])], vec![request("s", vec![span(1, 2, 1, 6)])]]);
}

#[test]
fn where_nothing_is_split_the_blocks_stay() {
    let blocks: Vec<_> = (1..6).map(|trace| vec![request("s", vec![span(trace, 1, 0, 5)])]).collect();
    let cut = cut(&blocks);
    let whole = cut.whole().unwrap();
    assert_eq!(cut.blocks().len(), whole.blocks().len());
    assert!(cut.blocks().iter().zip(whole.blocks()).all(|(a, b)| Arc::ptr_eq(a, b)));
    let empty = Snapshot::new(Vec::new());
    assert!(empty.whole().unwrap().blocks().is_empty());
    assert!(empty.find_trace(&trace_id(1)).unwrap().is_none());
}

#[test]
fn blocks_keep_their_numbers_and_what_is_not_split() {
    let cut = cut(&[
        vec![request("s", vec![span(1, 1, 0, 5), span(2, 1, 0, 6), span(3, 1, 0, 7)])],
        vec![request("s", vec![span(2, 2, 1, 6)])],
        vec![request("s", vec![span(4, 1, 0, 8)])],
    ]);
    let whole = cut.whole().unwrap();
    let ids = |snapshot: &Snapshot| snapshot.blocks().iter().map(|block| block.id()).collect::<Vec<_>>();
    assert_eq!(ids(&whole)[..3], ids(&cut));
    let counts: Vec<_> = whole.blocks().iter().map(|block| (block.traces(), block.spans())).collect();
    assert_eq!(counts, [(2, 2), (0, 0), (1, 1), (1, 2)]);
    let places: Vec<_> = places(&whole).into_keys().collect();
    assert_eq!(places, [(0, 0), (0, 2), (2, 0), (3, 0)]);
    // The cut itself stays as it was.
    assert_eq!(cut.blocks().iter().map(|block| block.spans()).collect::<Vec<_>>(), [3, 1, 1]);
}

#[test]
fn what_is_hidden_cannot_be_asked_for() {
    let cut = cut(&[
        vec![request("s", vec![span(1, 1, 0, 5), span(2, 1, 0, 6)])],
        vec![request("s", vec![span(2, 2, 1, 6)])],
    ]);
    let whole = cut.whole().unwrap();
    assert!(whole.fetch(0, &[0], &[SpanColumn::Name]).is_ok());
    assert!(whole.fetch(0, &[1], &[SpanColumn::Name]).is_err());
    assert!(whole.blocks()[0].summaries(&[0]).is_ok());
    assert!(whole.blocks()[0].summaries(&[0, 1]).is_err());
    assert_eq!(whole.blocks()[0].trace(&trace_id(2)).unwrap(), None);
    assert_eq!(whole.blocks()[1].traces_of_row_group(0).unwrap(), []);
    assert!(cut.blocks()[0].trace(&trace_id(2)).unwrap().is_some());
}

#[test]
fn the_view_is_made_once() {
    let cut = cut(&[vec![request("s", vec![span(1, 1, 0, 5)])], vec![request("s", vec![span(1, 2, 1, 6)])]]);
    let clone = cut.clone();
    let ask = || {
        std::thread::spawn({
            let cut = cut.clone();
            move || cut.whole().unwrap()
        })
    };
    let views: Vec<_> = [ask(), ask(), ask(), ask()].into_iter().map(|thread| thread.join().unwrap()).collect();
    let whole = clone.whole().unwrap();
    let same = |a: &Snapshot, b: &Snapshot| a.blocks().iter().zip(b.blocks()).all(|(a, b)| Arc::ptr_eq(a, b));
    assert!(views.iter().all(|view| same(view, &whole)));
    assert!(same(&whole, &whole.whole().unwrap()));
    assert_eq!(whole.blocks().len(), 3);
}

#[test]
fn a_block_that_is_given_twice_is_there_once() {
    let block = block(&[request("s", vec![span(1, 1, 0, 5)])]);
    let twice = Snapshot::new(vec![Arc::clone(&block), block]);
    assert_eq!(twice.blocks().len(), 1);
    assert_eq!(twice.whole().unwrap().blocks().len(), 1);
}

#[test]
fn damage_to_a_part_is_an_error() {
    let (vfs, mut builder) = (MemoryVfs::default(), BlockBuilder::new());
    builder.push(&request("s", vec![span(1, 1, 0, 5)]).encode_to_vec().into()).unwrap();
    builder.finish(&vfs, Path::new("block"), BlockId::generate()).unwrap();
    let path = Path::new("block/spans.parquet");
    let mut bytes = vfs.read(path).unwrap().to_vec();
    bytes[4] ^= 1;
    vfs.put(path, bytes.into());
    let damaged = Block::open(Arc::new(vfs), Path::new("block")).unwrap();
    let cut = Snapshot::new(vec![damaged, block(&[request("s", vec![span(1, 2, 1, 6)])])]);
    assert!(cut.whole().unwrap_err().is_corruption());
    assert!(cut.find_trace(&trace_id(1)).unwrap_err().is_corruption());
}

/// Two row groups; of one all traces are hidden, of the other a few.
#[test]
fn row_groups_of_hidden_traces() {
    let traces = 66_000_u32;
    let id = |trace: u32| [[0xff; 12].as_slice(), &trace.to_be_bytes()].concat();
    let of = |trace: u32, id_byte: u8, parent: u8| Span {
        trace_id: id(trace),
        ..span(1, id_byte, parent, 1_000 + u64::from(trace))
    };
    let large = block(&[request("s", (0..traces).flat_map(|trace| [of(trace, 1, 0), of(trace, 2, 1)]).collect())]);
    assert_eq!(large.row_groups(), 2);
    let split: Vec<u32> = (0..traces).filter(|trace| *trace > 65_000 || trace % 7_000 == 3).collect();
    let small = block(&[request("t", split.iter().map(|trace| of(*trace, 3, 2)).collect())]);
    let whole = Snapshot::new(vec![large, small]).whole().unwrap();
    assert_eq!(whole.blocks()[0].traces(), u64::from(traces) - split.len() as u64);
    let columns = [SpanColumn::TraceIdText, SpanColumn::SpanIdText, SpanColumn::ChildCount];
    let expected: BTreeSet<String> = (0..traces)
        .flat_map(|trace| {
            let trace_id = TraceId::from_slice(&id(trace)).unwrap();
            let split = split.binary_search(&trace).is_ok();
            let row =
                move |id: u8, children: u8| format!("{trace_id} | {} | {children} | ", format!("{id:02x}").repeat(8));
            [Some(row(1, 1)), Some(row(2, split.into())), split.then(|| row(3, 0))].into_iter().flatten()
        })
        .collect();
    let found = rows(&whole, &columns, None, None);
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().all(|row| expected.contains(row)));
    let plan = RUNTIME.block_on(async {
        let table = SpanTable::new(whole.clone(), vec![SpanColumn::Name]);
        table.scan(&SESSION.state(), None, &[], None).await.unwrap()
    });
    let shown = datafusion::physical_plan::displayable(plan.as_ref()).one_line().to_string();
    // Nothing of the second block is left, and of the first one half.
    assert!(shown.contains("blocks=3, units=2,"), "{shown}");
    // A span lasts as long as ten more take to start.
    let late = Some(TimeRange { start: 1_000 + 66_000, end: u64::MAX });
    assert_eq!(rows(&whole, &[SpanColumn::Name], None, late).len(), 10 * 3);
}
