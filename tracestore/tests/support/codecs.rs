//! The smaller codecs, each fed with any bytes: an error or a value, never a panic. Driven by a corpus in tests, and by the
//! fuzz target `codecs`.

use std::{path::Path, sync::Arc};

use serde_json::json;
use tracestore::{
    Snapshot, StoreOptions, StoreReader, TraceStore,
    block::{Block, BlockBuilder},
    io::MemoryVfs,
    otlp::MessageSource,
};
use xxhash_rust::xxh3::xxh3_64;

use crate::forged::{Original, small_block};

/// The codecs, by the names of their corpora.
pub(crate) const CODECS: [&str; 5] = ["catalog", "meta", "bloom", "otlp_json", "paths"];

/// Feeds a codec.
pub(crate) fn feed(codec: &str, input: &[u8]) {
    match codec {
        "catalog" => catalog(input),
        "meta" => meta(input),
        "bloom" => bloom(input),
        "otlp_json" => otlp_json(input),
        "paths" => paths(input),
        other => panic!("there is no codec {other}"),
    }
}

fn original() -> Original {
    Original::read(&small_block(Path::new("block")), Path::new("block"))
}

/// A file with a checksum that fits its inner text.
fn sealed(name: &str, inner: &[u8]) -> Vec<u8> {
    let head = format!("{{\"checksum\":\"{:016x}\",\"{name}\":", xxh3_64(inner));
    [head.as_bytes(), inner, b"}"].concat()
}

fn open_store(version: &[u8]) -> Option<Snapshot> {
    let vfs = MemoryVfs::default();
    vfs.put(Path::new("store/catalog/00000000000000000001.json"), version.to_vec().into());
    let reader = StoreReader::open_on(Arc::new(vfs.clone()), Path::new("store"));
    let mut options = StoreOptions::default();
    options.background = None;
    options.vfs = Arc::new(vfs);
    if let Ok(store) = TraceStore::open("store", options) {
        assert!(reader.is_ok(), "a writer takes what a reader refuses");
        let _ = store.flush();
        let _ = store.close();
    }
    reader.and_then(|reader| reader.snapshot()).ok()
}

/// A version: the file, and the text inside of it.
fn catalog(input: &[u8]) {
    open_store(input);
    open_store(&sealed("catalog", input));
}

fn read(vfs: &MemoryVfs) {
    let Ok(block) = Block::open(Arc::new(vfs.clone()), Path::new("block")) else { return };
    let _ = block.columns();
    for group in 0..block.row_groups().min(4) {
        let _ = block.traces_of_row_group(group);
    }
    let _ = Snapshot::new(vec![block]).find_by_prefix("01", 2);
}

/// The text inside of `meta.json`.
fn meta(input: &[u8]) {
    read(&original().forge(|name, content| {
        if name == "meta.json" {
            *content = input.to_vec();
        }
    }));
}

/// The filter, but for its checksum.
fn bloom(input: &[u8]) {
    let vfs = original().forge(|name, content| {
        if name == "traces.bloom" {
            *content = [input, &[0; 8]].concat();
        }
    });
    let Ok(block) = Block::open(Arc::new(vfs), Path::new("block")) else { return };
    for id in ["01", "01010101010101010101010101010101"] {
        let _ = block.trace(&id.parse().unwrap());
    }
}

fn otlp_json(input: &[u8]) {
    let Ok(source) = MessageSource::from_reader("input", std::io::Cursor::new(input.to_vec())) else { return };
    let mut builder = BlockBuilder::new();
    for request in source.map_while(Result::ok) {
        let _ = builder.push(&request.bytes);
    }
}

/// Names in a catalog and in `meta.json`: none leads out of its folder.
fn paths(input: &[u8]) {
    let Ok(name) = std::str::from_utf8(input) else { return };
    let leads_out = name.is_empty() || name == "." || name == ".." || name.contains('/');
    let version = json!({
        "format": "tracestore-catalog", "version": 1, "number": 1, "created_by": "", "logs": {}, "removed": [], "audit": [],
        "blocks": [{ "folder": name, "level": 0 }],
    });
    let vfs = small_block(&Path::new("store/blocks").join(name));
    vfs.put(
        Path::new("store/catalog/00000000000000000001.json"),
        sealed("catalog", version.to_string().as_bytes()).into(),
    );
    let opened = StoreReader::open_on(Arc::new(vfs), Path::new("store")).is_ok();
    assert!(!(opened && leads_out), "{name:?} was followed");
    let renamed = original().forge(|file, content| {
        if file == "meta.json" {
            let text = String::from_utf8(content.clone()).unwrap();
            *content = text.replace("\"spans.parquet\"", &json!(name).to_string()).into_bytes();
        }
    });
    let opened = Block::open(Arc::new(renamed), Path::new("block")).is_ok();
    assert!(!(opened && leads_out), "{name:?} was followed");
}
