//! Writes a block: row group by row group, then the small tables, then `meta.json`, which makes it a block.

use std::{io::Write, path::Path, sync::Arc};

use parquet::basic::Compression;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    collect::Collected,
    encoding::{codec, properties},
    file::ParquetFileWriter,
    keys::KeyStatistics,
    order::{Order, TraceRow},
    residual::{self, KeyRun, ResidualBuilder},
    rows::{self, KeyCounts, Offsets},
    tables::{self, KeyRow, Table},
};
use crate::{
    Error, Result,
    block::{
        AttributeScope, AttributeType,
        bloom::TraceBloom,
        meta::{BlockMeta, FileMeta, RowGroupMeta},
        schema::{ONLY_REPEATS, ROW_GROUP_ROWS, file_names},
    },
    io::Vfs,
    model::BlockId,
    otlp::KeyValueView,
};

/// A row group ends when its spans have this many bytes as received, whatever their number.
const ROW_GROUP_BYTES: u64 = 256 << 20;

/// Where the files go, and how they are packed.
struct Place<'a> {
    vfs: &'a dyn Vfs,
    dir: &'a Path,
    codec: Compression,
}

/// A Parquet file that is created with its first row group.
#[derive(Default)]
struct LazyFile(Option<ParquetFileWriter>);

impl LazyFile {
    fn write(
        &mut self,
        place: &Place<'_>,
        name: &str,
        schema: &arrow::datatypes::SchemaRef,
        arrays: &[arrow::array::ArrayRef],
    ) -> Result<()> {
        if arrays.first().is_none_or(|array| array.is_empty()) {
            return Ok(());
        }
        let writer = match &mut self.0 {
            Some(writer) => writer,
            empty => {
                let properties = properties(schema, arrays, place.codec);
                empty.insert(ParquetFileWriter::create(place.vfs, place.dir, name, Arc::clone(schema), properties)?)
            }
        };
        writer.write(arrays)
    }

    fn finish(self) -> Result<Option<FileMeta>> {
        self.0.map(ParquetFileWriter::finish).transpose()
    }
}

/// Writes all files of the block.
pub(super) fn write(mut collected: Collected, vfs: &dyn Vfs, dir: &Path, id: BlockId) -> Result<()> {
    vfs.create_dir(dir)?;
    let order = Order::of(&collected);
    let place = Place { vfs, dir, codec: codec(order.rows.len(), collected.bytes()) };
    let mut keys = std::mem::take(&mut collected.keys);
    let chosen = keys.choose_columns();
    keys.restart();
    let (span_schema, event_schema, link_schema) =
        (rows::span_schema(&chosen), rows::event_schema(&chosen), rows::link_schema(&chosen));
    let residual_schema = residual::schema();

    let (mut spans, mut events, mut links) = (LazyFile::default(), LazyFile::default(), LazyFile::default());
    let mut attributes = LazyFile::default();
    let mut key_rows: Vec<KeyRow> = Vec::new();
    let mut residual_rows = 0_u32;
    let mut write_residual =
        |builder: ResidualBuilder<'_>, keys: &KeyStatistics, counts: &KeyCounts, row_group: i32| {
            let (columns, runs) = builder.finish(keys, residual_rows);
            residual_rows += columns.first().map_or(0, |column| column.len() as u32);
            list_keys(&mut key_rows, keys, counts, &runs, row_group);
            attributes.write(&place, file_names::ATTRIBUTES, &residual_schema, &columns)
        };

    let (mut builder, mut counts) = (ResidualBuilder::default(), KeyCounts::new());
    let resources = collected.resources.list.iter().map(|owner| owner.resource().attributes().flatten().collect());
    rows::add_owner_attributes(AttributeScope::Resource, resources, &mut keys, &mut builder, &mut counts);
    let scopes = collected.scopes.list.iter().map(|owner| owner.scope().attributes().flatten());
    let scopes = scopes.map(Iterator::collect::<Vec<KeyValueView<'_>>>);
    rows::add_owner_attributes(AttributeScope::Instrumentation, scopes, &mut keys, &mut builder, &mut counts);
    write_residual(builder, &keys, &counts, -1)?;

    let mut row_groups: Vec<RowGroupMeta> = Vec::new();
    let (mut first_event, mut first_link) = (0_u64, 0_u64);
    for traces in plan_row_groups(&collected, &order) {
        let (first_trace, members) = traces;
        let first_row = members.first().map_or(0, |trace| trace.first_row as usize);
        let row_count = members.iter().map(|trace| trace.rows as usize).sum::<usize>();
        let ordinals = (first_trace as u32..).zip(members);
        let ordinals = ordinals.flat_map(|(ordinal, trace)| std::iter::repeat_n(ordinal, trace.rows as usize));
        let offsets = Offsets { row: first_row as u32, event: first_event as u32, link: first_link as u32 };
        let arrays = rows::build(&collected, &order, &mut keys, &chosen, ordinals, offsets, row_count)?;
        spans.write(&place, file_names::SPANS, &span_schema, &arrays.spans)?;
        events.write(&place, file_names::EVENTS, &event_schema, &arrays.events)?;
        links.write(&place, file_names::LINKS, &link_schema, &arrays.links)?;
        write_residual(arrays.residual, &keys, &arrays.counts, row_groups.len() as i32)?;
        row_groups.push(RowGroupMeta {
            rows: row_count as u64,
            first_row: first_row as u64,
            first_trace: first_trace as u64,
            traces: members.len() as u64,
            start: members.first().map_or(0, |trace| trace.start),
            last_start: members.last().map_or(0, |trace| trace.start),
            end: members.iter().map(|trace| trace.end).max().unwrap_or(0),
            first_event,
            events: arrays.event_count,
            first_link,
            links: arrays.link_count,
        });
        first_event += arrays.event_count;
        first_link += arrays.link_count;
    }
    let mut files: Vec<FileMeta> = Vec::new();
    for file in [spans, events, links, attributes] {
        files.extend(file.finish()?);
    }
    let small = [
        (file_names::TRACES, tables::traces(&collected, &order)?),
        (file_names::RESOURCES, tables::resources(&collected)),
        (file_names::SCOPES, tables::scopes(&collected)),
        (file_names::KEYS, tables::keys(key_rows)),
    ];
    for (name, table) in small {
        files.push(write_table(&place, name, table)?);
    }
    files.push(write_bloom(vfs, dir, &collected)?);
    vfs.sync_dir(dir)?;
    let meta = BlockMeta {
        block_id: id,
        spans: order.rows.len() as u64,
        traces: order.traces.len() as u64,
        events: first_event,
        links: first_link,
        resources: collected.resources.list.len() as u64,
        scopes: collected.scopes.list.len() as u64,
        attributes: u64::from(residual_rows),
        shadowed: order.shadowed,
        request_bytes: collected.bytes() as u64,
        start: order.traces.first().map_or(0, |trace| trace.start),
        end: order.traces.iter().map(|trace| trace.end).max().unwrap_or(0),
        row_groups,
        files,
    };
    publish(vfs, dir, &meta)
}

/// The traces of each row group with the ordinal of the first.
fn plan_row_groups<'a>(collected: &Collected, order: &'a Order) -> Vec<(usize, &'a [TraceRow])> {
    let mut groups = Vec::new();
    let (mut first, mut rows, mut bytes) = (0, 0, 0);
    for (index, trace) in order.traces.iter().enumerate() {
        let range = trace.first_row as usize..trace.first_row as usize + trace.rows as usize;
        let members = order.rows.get(range).unwrap_or(&[]);
        let members = members.iter().filter_map(|row| collected.spans.get(row.span as usize));
        rows += trace.rows as usize;
        bytes += members.map(|span| collected.span_bytes(span).len() as u64).sum::<u64>();
        if rows >= ROW_GROUP_ROWS || bytes >= ROW_GROUP_BYTES {
            groups.push((first, order.traces.get(first..=index).unwrap_or(&[])));
            (first, rows, bytes) = (index + 1, 0, 0);
        }
    }
    if first < order.traces.len() {
        groups.push((first, order.traces.get(first..).unwrap_or(&[])));
    }
    groups
}

/// Adds the keys of a row group to the key table.
fn list_keys(rows: &mut Vec<KeyRow>, keys: &KeyStatistics, counts: &KeyCounts, runs: &[KeyRun], row_group: i32) {
    let by_key: hashbrown::HashMap<(AttributeScope, u32), KeyRun> =
        runs.iter().map(|run| ((run.scope, run.key), *run)).collect();
    let row = |scope, key, value_type, (count, column)| {
        let run = by_key.get(&(scope, key));
        KeyRow {
            scope,
            key: keys.name(scope, key).to_owned(),
            value_type,
            row_group,
            column,
            count,
            first_row: run.map_or(0, |run| run.first),
            rows: run.map_or(0, |run| run.rows),
        }
    };
    let mut listed = hashbrown::HashSet::new();
    for ((scope, key, value_type), entry) in counts {
        listed.insert((*scope, *key));
        rows.push(row(*scope, *key, *value_type as i32, *entry));
    }
    let repeats = runs.iter().filter(|run| !listed.contains(&(run.scope, run.key)));
    rows.extend(repeats.map(|run| row(run.scope, run.key, ONLY_REPEATS, (0, false))));
}

fn write_table(place: &Place<'_>, name: &str, (schema, arrays): Table) -> Result<FileMeta> {
    let properties = properties(&schema, &arrays, place.codec);
    let mut writer = ParquetFileWriter::create(place.vfs, place.dir, name, schema, properties)?;
    if arrays.first().is_some_and(|array| !array.is_empty()) {
        writer.write(&arrays)?;
    }
    writer.finish()
}

fn write_bloom(vfs: &dyn Vfs, dir: &Path, collected: &Collected) -> Result<FileMeta> {
    let bytes = TraceBloom::build(collected.traces.iter()).encode();
    write_file(vfs, dir, file_names::BLOOM, &bytes)?;
    let (size, checksum) = (bytes.len() as u64, xxh3_64(&bytes));
    Ok(FileMeta { name: file_names::BLOOM.to_owned(), size, checksum, ..FileMeta::default() })
}

fn write_file(vfs: &dyn Vfs, dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(name);
    let mut file = vfs.create(&path)?;
    file.write_all(bytes).map_err(|error| Error::io("write", &path, error))?;
    file.sync()
}

/// IMPORTANT: everything else is on stable storage when `meta.json` gets its name, so that a folder with a `meta.json`
/// is a whole block, whenever the machine stops.
fn publish(vfs: &dyn Vfs, dir: &Path, meta: &BlockMeta) -> Result<()> {
    vfs.write_whole(&dir.join(file_names::META), &meta.encode()?)?;
    // The folder's own name, too.
    dir.parent().map_or(Ok(()), |parent| vfs.sync_dir(parent))
}

/// The number in `keys.parquet` of each type is its place in this list.
const _: () = assert!(AttributeType::ALL.len() == ONLY_REPEATS as usize);
