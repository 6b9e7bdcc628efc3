//! An open block: its meta data at once, its files when they are first needed.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::{
    ParquetFile,
    deleted::Deleted,
    distinct::DistinctTexts,
    hidden::HiddenTraces,
    keys::Keys,
    owners::Owners,
    traces::{TraceSummary, TraceTable},
};
use crate::{
    Error, Result,
    block::{
        bloom::TraceBloom,
        column::{AttributeScope, AttributeType},
        meta::BlockMeta,
        schema::file_names,
    },
    io::Vfs,
    model::{BlockId, Resource, Scope, TraceId},
};

/// A block, open for reading. Shared by whoever reads it; files and small tables are read once.
///
/// A block of a store may have deleted rows, and one of a [whole view](crate::Snapshot::whole) hidden traces: none of its
/// methods shows a span of them.
#[derive(Debug)]
pub struct Block {
    files: Arc<BlockFiles>,
    deleted: Arc<Deleted>,
    /// Those that are gone with the deleted rows included.
    hidden: HiddenTraces,
}

/// What a block and the same block with hidden traces share: the folder and all that was read from it.
#[derive(Debug)]
struct BlockFiles {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    meta: BlockMeta,
    spans: OnceLock<ParquetFile>,
    events: OnceLock<Option<ParquetFile>>,
    links: OnceLock<Option<ParquetFile>>,
    residual: OnceLock<Option<ParquetFile>>,
    keys: OnceLock<Keys>,
    traces: OnceLock<TraceTable>,
    resources: OnceLock<Owners>,
    scopes: OnceLock<Owners>,
    bloom: OnceLock<TraceBloom>,
    distinct: DistinctTexts,
    restored_resources: OnceLock<Vec<Arc<Resource>>>,
    restored_scopes: OnceLock<Vec<Arc<Scope>>>,
}

/// What a column of a file takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnStats {
    /// The file's name.
    pub file: String,
    /// The column's path.
    pub column: String,
    /// Bytes in the file.
    pub bytes: u64,
    /// Bytes before compression.
    pub uncompressed: u64,
    /// The encodings of its pages, as Parquet names them.
    pub encodings: String,
    /// The codec.
    pub compression: String,
    /// How many values it has, nulls included.
    pub values: u64,
    /// How many of them are null, where the file says so.
    pub nulls: Option<u64>,
}

/// The value in a cell, read if nobody has yet. Two that read at once read twice; the first result stays.
fn get_or_read<T>(cell: &OnceLock<T>, read: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = read()?;
    Ok(cell.get_or_init(|| value))
}

impl Block {
    /// Opens the block in a folder: reads its meta data and checks that every file has its size.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the folder is no block, [`Error::Corrupt`], [`Error::UnsupportedVersion`], [`Error::Io`].
    pub fn open(vfs: Arc<dyn Vfs>, dir: &Path) -> Result<Arc<Self>> {
        let path = dir.join(file_names::META);
        if vfs.size(&path)?.is_none() {
            return Err(Error::NotFound { path: dir.to_owned(), reason: "no block: there is no meta.json".to_owned() });
        }
        let meta = BlockMeta::decode(&path, &vfs.read(&path)?)?;
        let names: Vec<&str> = meta.files.iter().map(|file| file.name.as_str()).collect();
        for (file, found) in meta.files.iter().zip(vfs.sizes(dir, &names)?) {
            if found != Some(file.size) {
                let found = found.map_or("is missing".to_owned(), |size| format!("has {size} bytes"));
                let reason = format!("the file {found} where {} bytes were written", file.size);
                return Err(Error::corrupt(dir.join(&file.name), 0, reason));
            }
        }
        let files = BlockFiles {
            vfs,
            dir: dir.to_owned(),
            meta,
            spans: OnceLock::new(),
            events: OnceLock::new(),
            links: OnceLock::new(),
            residual: OnceLock::new(),
            keys: OnceLock::new(),
            traces: OnceLock::new(),
            resources: OnceLock::new(),
            scopes: OnceLock::new(),
            bloom: OnceLock::new(),
            distinct: DistinctTexts::default(),
            restored_resources: OnceLock::new(),
            restored_scopes: OnceLock::new(),
        };
        Ok(Arc::new(Self { files: Arc::new(files), deleted: Arc::default(), hidden: HiddenTraces::default() }))
    }

    /// The same block with other rows deleted and other traces hidden. Nothing is read again.
    pub(super) fn with_hidden(&self, deleted: Arc<Deleted>, hidden: HiddenTraces) -> Arc<Self> {
        Arc::new(Self { files: Arc::clone(&self.files), deleted, hidden })
    }

    /// Whether somebody else has this block, or the same with other deleted rows or hidden traces.
    pub(crate) fn is_shared(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1 || Arc::strong_count(&self.files) > 1
    }

    /// The rows that are deleted, and their traces.
    pub(super) fn deleted(&self) -> &Deleted {
        &self.deleted
    }

    pub(super) fn shared_deleted(&self) -> Arc<Deleted> {
        Arc::clone(&self.deleted)
    }

    /// The traces that are not to be seen.
    pub(super) fn hidden(&self) -> &HiddenTraces {
        &self.hidden
    }

    /// The block's id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.files.meta.block_id
    }

    /// The block's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.files.dir
    }

    /// How many spans it holds, duplicates included, hidden traces and deleted rows left out.
    #[must_use]
    pub fn spans(&self) -> u64 {
        self.files.meta.spans.saturating_sub(self.hidden.spans())
    }

    /// How many traces, hidden ones left out.
    #[must_use]
    pub fn traces(&self) -> u64 {
        self.files.meta.traces.saturating_sub(self.hidden.len() as u64)
    }

    /// How many span events; what is hidden or deleted counts, here and in everything below that says what is stored.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.files.meta.events
    }

    /// How many span links.
    #[must_use]
    pub fn links(&self) -> u64 {
        self.files.meta.links
    }

    /// What a span of it takes in a request, about.
    pub(crate) fn bytes_per_span(&self) -> u64 {
        /// Where the block does not say.
        const USUAL: u64 = 400;
        match self.files.meta.request_bytes {
            0 => USUAL,
            bytes => bytes.div_ceil(self.files.meta.spans.max(1)),
        }
    }

    /// The earliest trace start and the latest trace end, ns since 1970; hidden traces left out, unless all are. Traces
    /// that have lost spans count as they were.
    #[must_use]
    pub fn time_range(&self) -> (u64, u64) {
        self.hidden.time_range_of_others().unwrap_or((self.files.meta.start, self.files.meta.end))
    }

    /// Bytes on disk, every file.
    #[must_use]
    pub fn size(&self) -> u64 {
        let meta = self.files.vfs.size(&self.files.dir.join(file_names::META)).ok().flatten();
        self.files.meta.files.iter().map(|file| file.size).sum::<u64>() + meta.unwrap_or(0)
    }

    /// The files with their sizes, `meta.json` included.
    #[must_use]
    pub fn files(&self) -> Vec<(String, u64)> {
        let mut files: Vec<_> = self.files.meta.files.iter().map(|file| (file.name.clone(), file.size)).collect();
        let meta = self.files.vfs.size(&self.files.dir.join(file_names::META)).ok().flatten();
        files.push((file_names::META.to_owned(), meta.unwrap_or(0)));
        files
    }

    /// Where the block's folder is.
    pub(super) fn vfs(&self) -> &dyn Vfs {
        self.files.vfs.as_ref()
    }

    /// The block's meta data.
    pub(crate) fn meta(&self) -> &BlockMeta {
        &self.files.meta
    }

    fn open_file(&self, name: &str) -> Result<Option<ParquetFile>> {
        let Some(listed) = self.files.meta.files.iter().find(|file| file.name == name) else { return Ok(None) };
        let file = ParquetFile::open(self.files.vfs.as_ref(), &self.files.dir, listed)?;
        let meta = &self.files.meta;
        let is_as_written = match name {
            file_names::SPANS => file.group_rows().eq(meta.row_groups.iter().map(|group| group.rows)),
            _ => meta.rows_of(name).is_none_or(|rows| rows == file.group_rows().sum::<u64>()),
        };
        match is_as_written {
            true => Ok(Some(file)),
            false => Err(Error::corrupt(file.path(), listed.tail_offset, "it has other rows than meta.json says")),
        }
    }

    fn require_file(&self, name: &str) -> Result<ParquetFile> {
        let missing = || Error::corrupt(self.files.dir.join(file_names::META), 0, format!("{name} is not listed"));
        self.open_file(name)?.ok_or_else(missing)
    }

    /// `spans.parquet`.
    pub(crate) fn span_file(&self) -> Result<&ParquetFile> {
        get_or_read(&self.files.spans, || self.require_file(file_names::SPANS))
    }

    /// The texts of columns that were asked for.
    pub(super) fn distinct(&self) -> &DistinctTexts {
        &self.files.distinct
    }

    /// `events.parquet`, if there is one.
    pub(crate) fn event_file(&self) -> Result<Option<&ParquetFile>> {
        get_or_read(&self.files.events, || self.open_file(file_names::EVENTS)).map(Option::as_ref)
    }

    /// `links.parquet`, if there is one.
    pub(crate) fn link_file(&self) -> Result<Option<&ParquetFile>> {
        get_or_read(&self.files.links, || self.open_file(file_names::LINKS)).map(Option::as_ref)
    }

    /// `attributes.parquet`, if there is one.
    pub(crate) fn residual_file(&self) -> Result<Option<&ParquetFile>> {
        get_or_read(&self.files.residual, || self.open_file(file_names::ATTRIBUTES)).map(Option::as_ref)
    }

    /// The attribute keys.
    pub(crate) fn keys(&self) -> Result<&Keys> {
        get_or_read(&self.files.keys, || Keys::read(&self.require_file(file_names::KEYS)?))
    }

    /// The trace table.
    pub(crate) fn trace_table(&self) -> Result<&TraceTable> {
        get_or_read(&self.files.traces, || Ok(TraceTable::new(self.require_file(file_names::TRACES)?)))
    }

    /// The resources.
    pub(crate) fn resources(&self) -> Result<&Owners> {
        get_or_read(&self.files.resources, || {
            let file = self.require_file(file_names::RESOURCES)?;
            Ok(Owners::new(AttributeScope::Resource, file, self.files.meta.resources as usize))
        })
    }

    /// The instrumentation scopes.
    pub(crate) fn scopes(&self) -> Result<&Owners> {
        get_or_read(&self.files.scopes, || {
            let file = self.require_file(file_names::SCOPES)?;
            Ok(Owners::new(AttributeScope::Instrumentation, file, self.files.meta.scopes as usize))
        })
    }

    /// The resources as owned values, read once.
    pub(super) fn restored_resources_with(
        &self,
        read: impl FnOnce() -> Result<Vec<Arc<Resource>>>,
    ) -> Result<&[Arc<Resource>]> {
        get_or_read(&self.files.restored_resources, read).map(Vec::as_slice)
    }

    /// The scopes as owned values, read once.
    pub(super) fn restored_scopes_with(&self, read: impl FnOnce() -> Result<Vec<Arc<Scope>>>) -> Result<&[Arc<Scope>]> {
        get_or_read(&self.files.restored_scopes, read).map(Vec::as_slice)
    }

    /// The types that an attribute has in this block, perhaps only on spans that are shadowed or hidden.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn attribute_types(&self, scope: AttributeScope, key: &str) -> Result<Vec<AttributeType>> {
        let mut types: Vec<_> = self.keys()?.entries(scope, key).iter().map(|entry| entry.value_type).collect();
        types.sort_unstable();
        types.dedup();
        Ok(types)
    }

    /// The ordinal of a trace, if the block has it and it is not hidden: the Bloom filter first, then the trace table.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn find(&self, id: &TraceId) -> Result<Option<usize>> {
        let bloom = get_or_read(&self.files.bloom, || {
            let path = self.files.dir.join(file_names::BLOOM);
            TraceBloom::decode(&path, &self.files.vfs.read(&path)?)
        })?;
        let found = if bloom.may_contain(id) { self.trace_table()?.find(id)? } else { None };
        Ok(found.filter(|ordinal| !self.is_hidden(*ordinal as u32)))
    }

    /// The ordinals and ids of the traces with ids from `low` to `high`, at most `limit` of them, in the order of the ids;
    /// hidden ones left out.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub(crate) fn find_between(&self, low: TraceId, high: TraceId, limit: usize) -> Result<Vec<(TraceId, usize)>> {
        let found = self.trace_table()?.ids_from(low)?;
        let within = found.take_while(|found| found.as_ref().map_or(true, |(id, _)| *id <= high));
        let seen = |found: &Result<(TraceId, usize)>| {
            found.as_ref().map_or(true, |(_, ordinal)| !self.is_hidden(*ordinal as u32))
        };
        within.filter(seen).take(limit).collect()
    }

    /// What is known of some traces, given by ascending ordinals.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]; [`Error::Internal`] for traces that are hidden.
    pub fn summaries(&self, ordinals: &[usize]) -> Result<Vec<TraceSummary>> {
        match ordinals.iter().find(|ordinal| self.is_hidden(**ordinal as u32)) {
            Some(hidden) => Err(Error::Internal(format!("trace {hidden} was asked for, which cannot be seen"))),
            None => self.trace_table()?.summaries(ordinals),
        }
    }

    /// What every column of every file takes, in the order of the files.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    pub fn columns(&self) -> Result<Vec<ColumnStats>> {
        let mut stats = Vec::new();
        for file in self.files.meta.files.iter().filter(|file| file.name.ends_with(".parquet")) {
            let open = ParquetFile::open(self.files.vfs.as_ref(), &self.files.dir, file)?;
            let metadata = open.metadata();
            for leaf in 0..metadata.file_metadata().schema_descr().num_columns() {
                let chunks: Vec<_> =
                    metadata.row_groups().iter().filter_map(|group| group.columns().get(leaf)).collect();
                let path = metadata.file_metadata().schema_descr().column(leaf).path().string();
                let mut encodings: Vec<_> =
                    chunks.iter().flat_map(|chunk| chunk.encodings()).map(|encoding| encoding.to_string()).collect();
                encodings.sort();
                encodings.dedup();
                let mut codecs: Vec<_> = chunks.iter().map(|chunk| format!("{:?}", chunk.compression())).collect();
                codecs.dedup();
                let nulls = chunks.iter().map(|chunk| chunk.statistics().and_then(|stats| stats.null_count_opt()));
                stats.push(ColumnStats {
                    file: file.name.clone(),
                    column: path,
                    bytes: chunks.iter().map(|chunk| chunk.compressed_size().unsigned_abs()).sum(),
                    uncompressed: chunks.iter().map(|chunk| chunk.uncompressed_size().unsigned_abs()).sum(),
                    encodings: encodings.join(" "),
                    compression: codecs.join(" "),
                    values: chunks.iter().map(|chunk| chunk.num_values().unsigned_abs()).sum(),
                    nulls: nulls.sum(),
                });
            }
        }
        Ok(stats)
    }
}
