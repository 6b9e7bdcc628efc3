//! A store with a damaged log or catalog, and with every file cut short: queries are right, or the error names the file.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use tokio::runtime::Runtime;
use traceql::{Engine, SearchOptions};
use tracestore::{
    StoreOptions, StoreReader, TraceStore,
    io::{MemoryVfs, Vfs},
};

/// Requests with one trace each: the first are in blocks, the last in the log.
const REQUESTS: u8 = 6;
const IN_BLOCKS: u8 = 2;

fn request(number: u8) -> Vec<u8> {
    let span = |id: u8| Span {
        trace_id: vec![number + 1; 16],
        span_id: vec![id; 8],
        name: format!("request {number}"),
        start_time_unix_nano: 1_000 + u64::from(number),
        end_time_unix_nano: 5_000,
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span(1), span(2)], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn store() -> MemoryVfs {
    let vfs = MemoryVfs::default();
    let mut options = StoreOptions::default();
    options.background = None;
    options.segment_bytes = 300;
    options.vfs = Arc::new(vfs.clone());
    let store = TraceStore::open("store", options).unwrap();
    for number in 0..REQUESTS {
        store.ingest(request(number).into()).unwrap();
        if number < IN_BLOCKS {
            store.flush().unwrap().unwrap();
        }
    }
    vfs
}

/// The requests whose traces a query finds, both spans of each.
fn ask(vfs: &MemoryVfs, runtime: &Runtime) -> traceql::Result<BTreeSet<u8>> {
    let snapshot = StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store"))?.snapshot()?;
    let options = SearchOptions::default().with_limit(100).with_spss(0);
    let query = "{ duration > 3us && name =~ \"request .*\" } | count() = 2";
    let response = runtime.block_on(Engine::new(snapshot).search(query, &options))?;
    assert!(response.traces.iter().all(|trace| trace.spansets[0].spans.len() == 2));
    Ok(response.traces.iter().map(|trace| trace.trace_id.as_bytes()[0] - 1).collect())
}

fn files(vfs: &MemoryVfs, dir: &str) -> Vec<PathBuf> {
    vfs.list(Path::new(dir)).unwrap().into_iter().map(|name| Path::new(dir).join(name)).collect()
}

/// Damages a file in every way, and asks. `is_right` judges an answer to a change at some place.
fn damage_all(vfs: &MemoryVfs, path: &Path, runtime: &Runtime, is_right: impl Fn(&BTreeSet<u8>, usize) -> bool) {
    let content = vfs.read(path).unwrap();
    let flipped = (0..content.len()).map(|at| {
        let mut damaged = content.to_vec();
        damaged[at] ^= 1 << (at % 8);
        (at, damaged)
    });
    let cut = (0..content.len()).map(|len| (len, content[..len].to_vec()));
    for (at, damaged) in flipped.chain(cut) {
        let len = damaged.len();
        vfs.put(path, damaged.into());
        let what = format!("{} changed at {at}, {len} bytes", path.display());
        match ask(vfs, runtime) {
            Ok(found) => assert!(is_right(&found, at), "{what}: {found:?}"),
            Err(error) => {
                assert!(error.is_corruption(), "{what}: {error}");
                assert!(error.to_string().contains(path.to_str().unwrap()), "{what}: {error}");
            }
        }
    }
    vfs.put(path, content);
}

#[test]
fn queries_on_a_damaged_store_are_right_or_name_the_file() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let vfs = store();
    let all: BTreeSet<u8> = (0..REQUESTS).collect();
    assert_eq!(ask(&vfs, &runtime).unwrap(), all);
    let newest = files(&vfs, "store/catalog").pop().unwrap();
    damage_all(&vfs, &newest, &runtime, |found, _| *found == all);
    let segments = files(&vfs, "store/wal");
    assert!(segments.len() > 1);
    let (last, before) = segments.split_last().unwrap();
    for path in before {
        damage_all(&vfs, path, &runtime, |found, _| *found == all);
    }
    // Nobody says of the last record that it was synced, and of what is behind it: that is a torn write.
    let known = |found: &BTreeSet<u8>| found.is_subset(&all) && (0..REQUESTS - 2).all(|number| found.contains(&number));
    damage_all(&vfs, last, &runtime, |found, _| known(found));
    for block in files(&vfs, "store/blocks") {
        for path in files(&vfs, block.to_str().unwrap()) {
            let content = vfs.read(&path).unwrap();
            for len in (0..content.len()).step_by(7) {
                vfs.put(&path, content.slice(..len));
                let error = ask(&vfs, &runtime).unwrap_err();
                assert!(error.is_corruption() && error.to_string().contains(path.to_str().unwrap()), "{error}");
            }
            vfs.put(&path, content);
        }
    }
}
