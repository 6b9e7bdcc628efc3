//! TraceQL filters as policies: on every span what the search finds.

use std::collections::BTreeMap;

use traceql::spanmetrics::SpanFilter;
use tracestore::{
    Snapshot,
    model::Trace,
    spanmetrics::{SpanFacts, SpanPredicate},
};

use super::support;

/// How many of the recordings' filters a policy can be; the test fails if it compared fewer.
const FILTERS: usize = 150;

fn traces(snapshot: &Snapshot) -> Vec<Trace> {
    let whole = snapshot.whole().unwrap();
    let blocks = whole.blocks().iter();
    blocks
        .flat_map(|block| (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).unwrap()))
        .collect()
}

#[test]
fn a_policy_lets_through_what_the_search_finds() {
    let (mut compared, mut matched, mut wrong) = (0, 0, Vec::new());
    for name in support::RECORDINGS {
        let traces = traces(&Snapshot::open(&[support::recording(name)]).unwrap());
        for case in support::single_filters(name).into_iter().filter(|case| case.code == 200) {
            let Ok(filter) = SpanFilter::new(&case.query) else { continue };
            compared += 1;
            let mut found: BTreeMap<String, u64> = BTreeMap::new();
            for span in traces.iter().flat_map(|trace| &trace.spans).filter(|span| !span.shadowed) {
                if filter.matches(&SpanFacts::stored(span)) {
                    *found.entry(span.span.trace_id.to_string()).or_default() += 1;
                    matched += 1;
                }
            }
            let expected = case.answer.as_object().unwrap().iter().map(|(id, trace)| {
                let sets = trace["span_sets"].as_array().unwrap();
                (id.clone(), sets.iter().map(|set| set["matched"].as_u64().unwrap()).sum())
            });
            if found != expected.collect::<BTreeMap<String, u64>>() {
                wrong.push(format!("{name}: {}", case.query));
            }
        }
    }
    println!("compared {compared} filters, {matched} spans matched");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= FILTERS && matched > 10_000, "only {compared} filters, {matched} spans");
}

#[test]
fn what_is_no_policy_is_refused() {
    for (query, reason) in [
        ("{ kind = }", "expected"),
        ("{ } | rate()", "this query gives series"),
        ("{ name = `a` } >> { name = `b` }", "one filter"),
        ("{ } | count() > 1", "one filter"),
        ("{ event:name = `x` }", "it has no `event:name`"),
        ("{ parent.http.method = `x` }", "it has no `parent.http.method`"),
        ("{ name = `a` && traceDuration > 1s }", "it has no `traceDuration`"),
    ] {
        let said = SpanFilter::new(query).unwrap_err();
        assert!(said.contains(reason), "{query}: {said}");
    }
    assert_eq!(SpanFilter::new("{ kind = server }").unwrap().text(), "{ kind = server }");
}
