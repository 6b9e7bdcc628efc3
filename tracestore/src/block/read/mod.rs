//! Reading blocks: from checked bytes to columns, tables and whole traces.
//!
//! ```text
//! meta.json ─▶ Block ─▶ ParquetFile (checked bytes) ─▶ Keys, Owners, TraceTable   small tables, cached
//!                  │                               └─▶ SpanReader                columns of selected rows
//!                  └─▶ trace lookup ─▶ model::Trace
//! ```

#![cfg_attr(
    not(feature = "datafusion"),
    allow(dead_code, unused_imports, reason = "columns of selected rows are read by the table alone")
)]

mod attributes;
mod block;
mod columns;
mod counts;
mod deleted;
mod distinct;
mod fence;
mod file;
mod hidden;
mod keys;
mod levels;
mod lists;
mod owners;
mod pages;
mod parents;
mod plan;
mod prefetch;
mod presence;
mod residual;
mod restore;
mod structure;
mod text;
mod thrift;
mod trace_columns;
mod traces;
mod values;
mod verify;
mod weight;
mod window;

pub use attributes::AttributeNames;
pub use block::{Block, ColumnStats};
pub(crate) use columns::SpanReader;
pub(crate) use counts::Counted;
pub use counts::ValueCounts;
pub(crate) use file::{ParquetFile, bytes_read};
pub(crate) use restore::SpanKey;
pub(crate) use text::texts;
pub use trace_columns::TraceColumn;
pub use traces::{ServiceCount, TraceSummary};
pub(crate) use values::Values;
