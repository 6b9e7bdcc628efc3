//! Names of files and columns, and the bits of flags: the words of FORMAT.md as constants, shared by writer and reader.

/// The files of a block.
pub(crate) mod file_names {
    pub(crate) const SPANS: &str = "spans.parquet";
    pub(crate) const TRACES: &str = "traces.parquet";
    pub(crate) const EVENTS: &str = "events.parquet";
    pub(crate) const LINKS: &str = "links.parquet";
    pub(crate) const ATTRIBUTES: &str = "attributes.parquet";
    pub(crate) const KEYS: &str = "keys.parquet";
    pub(crate) const RESOURCES: &str = "resources.parquet";
    pub(crate) const SCOPES: &str = "scopes.parquet";
    pub(crate) const BLOOM: &str = "traces.bloom";
    pub(crate) const META: &str = "meta.json";
}

/// The columns of `spans.parquet` that every block has.
pub(crate) mod columns {
    pub(crate) const START_TIME: &str = "start_time";
    pub(crate) const DURATION: &str = "duration";
    pub(crate) const START15: &str = "start15";
    pub(crate) const TRACE: &str = "trace";
    pub(crate) const RESOURCE: &str = "resource";
    pub(crate) const SCOPE: &str = "scope";
    pub(crate) const NAME: &str = "name";
    pub(crate) const KIND: &str = "kind";
    pub(crate) const STATUS_CODE: &str = "status_code";
    pub(crate) const STATUS_MESSAGE: &str = "status_message";
    pub(crate) const PARENT_OFFSET: &str = "parent_offset";
    pub(crate) const DESCENDANTS: &str = "descendants";
    pub(crate) const ROW_FLAGS: &str = "row_flags";
    pub(crate) const SPAN_ID: &str = "span_id";
    pub(crate) const PARENT_SPAN_ID: &str = "parent_span_id";
    pub(crate) const FLAGS: &str = "flags";
    pub(crate) const TRACE_STATE: &str = "trace_state";
    pub(crate) const DROPPED_ATTRIBUTES: &str = "dropped_attributes_count";
    pub(crate) const DROPPED_EVENTS: &str = "dropped_events_count";
    pub(crate) const DROPPED_LINKS: &str = "dropped_links_count";
}

/// The bits of the column `row_flags`.
pub(crate) mod row_flags {
    /// The parent id is empty or all zero.
    pub(crate) const ROOT: u32 = 1;
    /// Another copy stands for the span.
    pub(crate) const SHADOWED: u32 = 2;
    /// A root, or below one.
    pub(crate) const UNDER_ROOT: u32 = 4;
    /// The message had a status.
    pub(crate) const HAS_STATUS: u32 = 8;
}

/// Rows of a row group of `spans.parquet`, about.
pub(crate) const ROW_GROUP_ROWS: usize = 128 * 1024;
/// Rows of a data page.
pub(crate) const PAGE_ROWS: usize = 8192;
/// The number in `keys.parquet` of a key with nothing but repeats.
pub(crate) const ONLY_REPEATS: i32 = 9;
