//! The spans of a snapshot as a DataFusion table.
//!
//! ```text
//! filters (Expr) ─▶ Conjunct ─┐
//! time range ─────────────────┼▶ access (skip, rows) ─▶ dictionary ─▶ conjunct by conjunct ─▶ columns of what is left
//! blocks ─▶ units, newest ────┘   per row group          of texts      decode, test, narrow
//! ```
//!
//! A query that relates spans of several kinds asks for several conditions at once: see [`Marks`].
//!
//! Why not DataFusion's own Parquet source: half of the columns are in no span file (a resource's attribute, a trace's
//! root, a residual attribute, an event's name), each unit is read newest first and skipped as soon as it cannot
//! matter any more, and a condition on a dictionary is tested once per distinct value. Which rows of a row group are
//! to be read is said in DataFusion's terms all the same ([`datafusion::datasource::physical_plan::parquet::RowGroupAccess`]).

mod access;
mod conjunct;
mod exec;
mod marks;
mod metrics;
mod provider;
mod unit;
mod watermark;

pub use exec::SpanScanExec;
pub use marks::Marks;
pub use provider::SpanTable;
pub use watermark::Watermark;
