//! Order, pages and limits of searches.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{ops::ControlFlow, path::PathBuf, time::Duration};

use traceql::{BlockingEngine, Cursor, SearchKey, SearchOptions, SearchOrder, TagOptions, TraceMatch};
use tracestore::Snapshot;

fn engine() -> BlockingEngine {
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");
    BlockingEngine::new(Snapshot::open(&[PathBuf::from(shop)]).unwrap()).unwrap()
}

const QUERIES: [&str; 3] =
    ["{ status = error }", "{ kind = server } >> { kind = client }", "{ } | by(resource.service.name) | count() > 2"];

fn orders() -> Vec<SearchOrder> {
    let keys = [SearchKey::Start, SearchKey::Duration];
    keys.into_iter().flat_map(|key| [false, true].map(|ascending| SearchOrder { key, ascending })).collect()
}

#[test]
fn traces_come_in_the_order_asked_for() {
    let engine = engine();
    for query in QUERIES {
        for order in orders() {
            let options = SearchOptions::default().with_order(order).with_limit(10_000);
            let all = engine.search(query, &options).unwrap().traces;
            assert!(all.len() > 20, "{query}: {}", all.len());
            let key = |trace: &TraceMatch| match order.key {
                SearchKey::Start => trace.start_time_unix_nano,
                SearchKey::Duration => trace.duration_nanos,
            };
            let mut sorted = all.clone();
            sorted.sort_by(|a, b| {
                let by_key = if order.ascending { key(a).cmp(&key(b)) } else { key(b).cmp(&key(a)) };
                by_key.then(a.trace_id.cmp(&b.trace_id))
            });
            assert!(all == sorted, "{query} {order:?}");
            // A limit takes the first of them.
            let few = engine.search(query, &options.with_limit(7)).unwrap();
            assert_eq!(few.traces, all[..7], "{query} {order:?}");
        }
    }
}

/// As many stages as a query may have, in a thread with as much stack as asynchronous runtimes give theirs.
#[test]
fn long_chains_of_stages_take_no_stack() {
    let search = || {
        let engine = engine();
        for stage in ["|by(name)", "|count()>0"] {
            let query = format!("{{ status = error }}{}", stage.repeat(8_000));
            let found = engine.search(&query, &SearchOptions::default()).unwrap().traces;
            let expected = engine.search(&format!("{{ status = error }}{stage}"), &SearchOptions::default()).unwrap();
            let ids = |traces: &[TraceMatch]| traces.iter().map(|trace| trace.trace_id).collect::<Vec<_>>();
            assert_eq!(ids(&found), ids(&expected.traces), "{stage}");
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(search).unwrap().join().unwrap();
}

#[test]
fn pages_are_the_whole_cut_up() {
    let engine = engine();
    for query in QUERIES {
        for order in orders() {
            let options = SearchOptions::default().with_order(order);
            let all = engine.search(query, &options.clone().with_limit(10_000)).unwrap();
            assert!(all.next.is_none());
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let page = engine.search(query, &options.clone().with_limit(13).with_after(after)).unwrap();
                paged.extend(page.traces);
                // A cursor survives being written down.
                after = page.next.map(|next| next.to_string().parse::<Cursor>().unwrap());
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(paged, all.traces, "{query} {order:?}");
        }
    }
    assert!("nonsense".parse::<Cursor>().is_err());
}

#[test]
fn limits_end_a_search_with_an_error_or_a_part() {
    let engine = engine();
    let slow = "{ span.http.method =~ \".*\" && name =~ \".*\" } >> { } | by(name) | count() > 0";
    let zero = SearchOptions::default().with_limits(Some(Duration::ZERO), None, false);
    let error = engine.search(slow, &zero).unwrap_err();
    assert!(error.is_limit(), "{error}");
    let part = engine.search(slow, &zero.with_limits(Some(Duration::ZERO), None, true)).unwrap();
    assert!(part.partial);
    let generous = SearchOptions::default().with_limits(Some(Duration::from_secs(600)), Some(u64::MAX), false);
    assert!(!engine.search(slow, &generous).unwrap().partial);
}

#[test]
fn bytes_are_limited_however_short_a_search_is() {
    let engine = engine();
    for query in QUERIES {
        let read = engine.search(query, &SearchOptions::default()).unwrap().stats.bytes_read;
        assert!(read > 1, "{query}");
        let little = SearchOptions::default().with_limits(None, Some(1), false);
        assert!(engine.search(query, &little).unwrap_err().is_limit(), "{query}");
        assert!(engine.search(query, &little.with_limits(None, Some(1), true)).is_ok(), "{query}");
        assert!(
            engine.search(query, &SearchOptions::default().with_limits(None, Some(read), false)).is_ok(),
            "{query}"
        );
    }
}

#[test]
fn a_range_that_ends_before_it_starts_is_an_error() {
    let engine = engine();
    let backwards = SearchOptions::default().with_time(Some(9000), Some(1000));
    for query in QUERIES {
        assert!(engine.search(query, &backwards).unwrap_err().is_options(), "{query}");
        assert!(engine.explain(query, &backwards, false).unwrap_err().is_options(), "{query}");
    }
    let tags = TagOptions::default().with_time(Some(9000), Some(1000));
    assert!(engine.tag_names(&tags).unwrap_err().is_options());
    assert!(engine.tag_values("span.http.method", &tags).unwrap_err().is_options());
    // A moment is a range.
    assert!(engine.search("{ }", &SearchOptions::default().with_time(Some(9000), Some(9000))).is_ok());
}

/// Every part that holds something: the scan, the pipeline, the traces kept, the answer.
#[test]
fn memory_is_limited() {
    let engine = engine();
    for query in QUERIES {
        let all = SearchOptions::default().with_limit(10_000).with_spss(0);
        let expected = engine.search(query, &all).unwrap().traces;
        let mut refused = 0;
        // It takes so much, and no less: what is enough once is enough with more.
        let enough = (8..30).map(|bits| 1 << bits).find(|memory| {
            match engine.search(query, &all.clone().with_max_memory(Some(*memory))) {
                Ok(response) => {
                    assert!(response.traces == expected && !response.partial, "{query} in {memory} bytes");
                    true
                }
                Err(error) => {
                    let message = format!("the search needs more than {memory} bytes of memory");
                    assert!(error.is_limit() && error.to_string() == message, "{query}: {error}");
                    refused += 1;
                    false
                }
            }
        });
        let enough = enough.unwrap();
        assert!(refused >= 4, "{query} takes {enough} bytes");
        // That parts of the answer would do does not help.
        let partial = all.with_limits(None, None, true).with_max_memory(Some(256));
        assert!(engine.search(query, &partial).unwrap_err().is_limit());
        // A search that failed holds nothing.
        assert!(engine.search(query, &SearchOptions::default()).is_ok());
    }
}

#[test]
fn whoever_watches_can_end_a_search() {
    let engine = engine();
    let mut told = 0;
    let response = engine.search_watched("{ } ~ { }", &SearchOptions::default(), |_| {
        told += 1;
        ControlFlow::Break(())
    });
    // The first look is taken before anything is read.
    assert!(told == 1 && response.unwrap().partial);
    let mut units = 0;
    let response = engine.search_watched("{ }", &SearchOptions::default(), |progress| {
        units = units.max(progress.units);
        ControlFlow::Continue(())
    });
    let response = response.unwrap();
    assert!(!response.partial && response.traces.len() == 20);
}
