//! Blocks whose files were changed and whose checksums fit all the same: what reaches the decoders when somebody forges a
//! block. Knows the format from FORMAT.md alone.

#![allow(dead_code, reason = "every user has its own part")]

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{AsArray, Int64Array, RecordBatch},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use bytes::Bytes;
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    file::metadata::ParquetMetaDataReader,
};
use serde_json::{Value, json};
use tracestore::{
    block::BlockBuilder,
    io::{MemoryVfs, Vfs},
    model::{
        BlockId, Event, KeyValue, Link, Resource, Scope, Span, SpanId, Status, Trace, TraceId, TraceSpan, Value as Any,
    },
    otlp::encode_request,
};
use xxhash_rust::xxh3::xxh3_64;

/// A block as it was written.
#[derive(Debug)]
pub(crate) struct Original {
    dir: PathBuf,
    /// Name, content, and where the column chunks are; `meta.json` is not among them.
    pub(crate) files: Vec<(String, Bytes, Vec<Range<usize>>)>,
    meta: Value,
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value }
}

fn span(id: u8) -> Span {
    Span {
        trace_id: TraceId::from_bytes([1 + id % 3; 16]),
        span_id: SpanId::from_bytes([id; 8]),
        trace_state: String::new(),
        parent_span_id: (id > 3).then(|| SpanId::from_bytes([id - 3; 8])),
        flags: 0,
        name: format!("operation {}", id % 4),
        kind: 2,
        start_time_unix_nano: 1_000 + u64::from(id),
        end_time_unix_nano: 5_000 + u64::from(id) * 7,
        attributes: vec![
            attribute("http.method", Any::String(["GET", "POST"][usize::from(id % 2)].to_owned())),
            attribute("count", Any::Int(i64::from(id))),
            attribute(["rare", "count"][usize::from(id % 2)], Any::Double(1.5)),
            attribute("list", Any::Array(vec![Any::Int(1), Any::Int(i64::from(id))])),
            attribute("id", Any::String(format!("{:x}", u64::from(id) * 0x9e37_79b9_7f4a))),
        ],
        dropped_attributes_count: 0,
        events: vec![Event {
            time_unix_nano: 1_500,
            name: "e".to_owned(),
            attributes: vec![attribute("k", Any::Bool(true))],
            dropped_attributes_count: 0,
        }],
        dropped_events_count: 0,
        links: vec![Link {
            trace_id: vec![2; 16],
            span_id: vec![8; 8],
            trace_state: String::new(),
            flags: 0,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
        }],
        dropped_links_count: 0,
        status: Some(Status { code: i32::from(id % 3), message: "m".to_owned() }),
    }
}

/// A small block that has every file.
pub(crate) fn small_block(dir: &Path) -> MemoryVfs {
    let service = attribute("service.name", Any::String("shop".to_owned()));
    let resource = Arc::new(Resource { present: true, attributes: vec![service], ..Resource::default() });
    let scope = Arc::new(Scope { present: true, name: "library".to_owned(), ..Scope::default() });
    let trace = |trace: u8| {
        let spans = (1..40).filter(|id| 1 + id % 3 == trace).map(|id| TraceSpan {
            span: span(id),
            resource: Arc::clone(&resource),
            scope: Arc::clone(&scope),
            parent: None,
            shadowed: false,
        });
        Trace { trace_id: TraceId::from_bytes([trace; 16]), spans: spans.collect() }
    };
    let (vfs, mut builder) = (MemoryVfs::default(), BlockBuilder::new());
    builder.push(&encode_request(&[trace(1), trace(2), trace(3)]).into()).unwrap();
    builder.finish(&vfs, dir, BlockId::generate()).unwrap();
    vfs
}

fn hex(checksum: u64) -> Value {
    json!(format!("{checksum:016x}"))
}

impl Original {
    /// Reads the block in a folder.
    pub(crate) fn read(vfs: &MemoryVfs, dir: &Path) -> Self {
        let envelope: Value = serde_json::from_slice(&vfs.read(&dir.join("meta.json")).unwrap()).unwrap();
        let meta = envelope["meta"].clone();
        let names = meta["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap().to_owned());
        let files = names.map(|name| {
            let content = vfs.read(&dir.join(&name)).unwrap();
            let chunks = if name.ends_with(".parquet") { chunks(&content) } else { Vec::new() };
            (name, content, chunks)
        });
        Self { dir: dir.to_owned(), files: files.collect(), meta }
    }

    /// The same block with another number in a column of a table: `change` makes it of the one that is there.
    pub(crate) fn with_number(mut self, file: &str, column: &str, row: usize, change: impl Fn(i64) -> i64) -> Self {
        let index = self.files.iter().position(|(name, ..)| name == file).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(self.files[index].1.clone()).unwrap().build().unwrap();
        let batch = reader.map(Result::unwrap).next().unwrap();
        let mut columns = batch.columns().to_vec();
        let place = batch.schema().index_of(column).unwrap();
        let numbers = cast(&columns[place], &DataType::Int64).unwrap();
        let mut numbers = numbers.as_primitive::<Int64Type>().values().to_vec();
        numbers[row] = change(numbers[row]);
        columns[place] = cast(&Int64Array::from(numbers), columns[place].data_type()).unwrap();
        let mut content = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut content, batch.schema(), None).unwrap();
        writer.write(&RecordBatch::try_new(batch.schema(), columns).unwrap()).unwrap();
        writer.close().unwrap();
        let content = Bytes::from(content);
        let chunks = chunks(&content);
        self.meta["files"][index]["tail_offset"] = json!(chunks.last().unwrap().end);
        self.files[index] = (file.to_owned(), content, chunks);
        self
    }

    /// The same block with other bytes in its files, and in the text inside of `meta.json`, which `change` makes of a
    /// name and what is there.
    pub(crate) fn forge(&self, change: impl Fn(&str, &mut Vec<u8>)) -> MemoryVfs {
        let (vfs, mut meta) = (MemoryVfs::default(), self.meta.clone());
        for (index, (name, content, chunks)) in self.files.iter().enumerate() {
            let mut forged = content.to_vec();
            change(name, &mut forged);
            if name == "traces.bloom"
                && let Some((content, checksum)) = forged.split_last_chunk_mut::<8>()
            {
                *checksum = xxh3_64(content).to_le_bytes();
            }
            seal(&mut meta["files"][index], &forged, chunks);
            vfs.put(&self.dir.join(name), forged.into());
        }
        let mut text = serde_json::to_vec(&meta).unwrap();
        change("meta.json", &mut text);
        let sealed = [format!("{{\"checksum\":{},\"meta\":", hex(xxh3_64(&text))).into_bytes(), text, b"}".to_vec()];
        vfs.put(&self.dir.join("meta.json"), sealed.concat().into());
        vfs
    }
}

fn chunks(content: &Bytes) -> Vec<Range<usize>> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(content).unwrap();
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let ranges = chunks.map(|chunk| chunk.byte_range());
    ranges.map(|(start, len)| start as usize..(start + len) as usize).collect()
}

/// Makes an entry of `files` fit its file.
fn seal(entry: &mut Value, content: &[u8], chunks: &[Range<usize>]) {
    let hash = |range: Range<usize>| hex(content.get(range).map_or(0, xxh3_64));
    entry["size"] = json!(content.len());
    entry["checksum"] = hex(xxh3_64(content));
    if let Some(tail) = entry["tail_offset"].as_u64() {
        entry["tail"] = hash(tail as usize..content.len());
        entry["chunks"] = chunks.iter().cloned().map(hash).collect();
    }
}
