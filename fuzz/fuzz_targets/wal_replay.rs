//! A log that is damaged as the input says: a store is opened or the damage named, never a panic, and what is found was
//! written. The input is also a segment of its own.
#![no_main]

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use libfuzzer_sys::fuzz_target;
use tracestore::{
    Snapshot, StoreOptions, StoreReader, TraceStore,
    io::{MemoryVfs, Vfs},
    model::{Resource, Scope, Span, SpanId, Trace, TraceId, TraceSpan},
    otlp::encode_request,
};

const REQUESTS: u64 = 9;
const DIR: &str = "store/wal";

fn request(number: u64) -> bytes::Bytes {
    let span = Span {
        trace_id: TraceId::from_bytes([7; 16]),
        span_id: SpanId::from_bytes((number + 1).to_be_bytes()),
        trace_state: String::new(),
        parent_span_id: None,
        flags: 0,
        name: number.to_string(),
        kind: 0,
        start_time_unix_nano: number,
        end_time_unix_nano: 0,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: Vec::new(),
        dropped_events_count: 0,
        links: Vec::new(),
        dropped_links_count: 0,
        status: None,
    };
    let (resource, scope) = (Arc::new(Resource::default()), Arc::new(Scope::default()));
    let spans = vec![TraceSpan { span, resource, scope, parent: None, shadowed: false }];
    encode_request(&[Trace { trace_id: TraceId::from_bytes([7; 16]), spans }]).into()
}

fn options(vfs: &MemoryVfs) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.vfs = Arc::new(vfs.clone());
    options.background = None;
    options.segment_bytes = 300;
    options
}

/// The folder of a store whose log has several segments.
fn store() -> &'static Vec<(std::path::PathBuf, bytes::Bytes)> {
    static STORE: OnceLock<Vec<(std::path::PathBuf, bytes::Bytes)>> = OnceLock::new();
    STORE.get_or_init(|| {
        let vfs = MemoryVfs::default();
        let store = TraceStore::open("store", options(&vfs)).expect("a new store");
        (0..REQUESTS).for_each(|number| drop(store.ingest(request(number)).expect("a good request")));
        drop(store);
        let files = [DIR, "store/catalog"].into_iter().flat_map(|dir| {
            let names = vfs.list(Path::new(dir)).expect("a folder").into_iter();
            names.map(move |name| Path::new(dir).join(name)).collect::<Vec<_>>()
        });
        files.map(|path| (path.clone(), vfs.read(&path).expect("a file"))).collect()
    })
}

/// Each three bytes: a file, a place (relative), and what to do there.
fn damage(content: &[u8], edits: &[[u8; 3]]) -> Vec<u8> {
    let mut content = content.to_vec();
    for [_, place, action] in edits {
        let at = content.len() * usize::from(*place) / 256;
        match action % 4 {
            0 => content.truncate(at),
            1 => content[at..].iter_mut().take(usize::from(*action)).for_each(|byte| *byte = 0),
            2 => drop(content.drain(at..(at + usize::from(*action)).min(content.len()))),
            _ => content.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= *action),
        }
    }
    content
}

fn check(snapshot: &Snapshot) {
    let traces = snapshot.blocks().iter().flat_map(|block| {
        (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).expect("what was written is read"))
    });
    let mut names: Vec<u64> = traces.flat_map(|trace| trace.spans).filter_map(|span| span.span.name.parse().ok()).collect();
    let found = names.len();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() == found && names.iter().all(|number| *number < REQUESTS), "{names:?}");
}

fuzz_target!(|data: &[u8]| {
    let vfs = MemoryVfs::default();
    let (edits, _) = data.as_chunks::<3>();
    let files = store();
    for (index, (path, content)) in files.iter().enumerate() {
        let edits: Vec<_> = edits.iter().filter(|edit| usize::from(edit[0]) % files.len() == index).copied().collect();
        vfs.put(path, damage(content, &edits).into());
    }
    // A segment behind the others that is nothing but input.
    vfs.put(&Path::new(DIR).join("00000000000000000090.wal"), bytes::Bytes::copy_from_slice(data));
    if let Ok(reader) = StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store")) {
        check(&reader.snapshot().expect("a reader has a view"));
    }
    if let Ok(store) = TraceStore::open("store", options(&vfs)) {
        check(&store.snapshot().expect("an open store has a view"));
        store.ingest(request(0)).expect("an open store takes requests");
    }
});
