//! The block format: immutable folders of columnar files, specified in `FORMAT.md`.
//!
//! ```text
//! otlp views ─▶ build::BlockBuilder ─▶ files, meta.json last ─▶ read::Block ─▶ columns, traces
//! ```

mod bloom;
mod build;
mod column;
mod meta;
mod read;
mod schema;

pub use build::BlockBuilder;
pub use column::{AttributeScope, AttributeType, Level, SpanColumn};
pub use read::{AttributeNames, Block, ColumnStats, ServiceCount, TraceColumn, TraceSummary, ValueCounts};
pub(crate) use read::{Counted, SpanKey};
#[cfg(feature = "datafusion")]
pub(crate) use read::{SpanReader, Values, bytes_read};
#[cfg(feature = "datafusion")]
pub(crate) use schema::PAGE_ROWS;
pub(crate) use schema::file_names::META;

pub use crate::otlp::Pushed;
