//! Metrics of spans while they come in: fed by a store, kept over restarts. See SPANMETRICS.md.
//!
//! ```text
//! TraceStore ─▶ MetricsGenerator ─ not sent before ─▶ SpanMetrics, ServiceGraph ─▶ Exposition
//!                     └─ state in the store ─▶ the next session; SavedMetrics
//! ```

mod live;
mod recent;
mod saved;

pub use live::{GeneratorCounts, MetricsGenerator};
pub use saved::SavedMetrics;
