//! Answers of metrics queries in the formats of others. Pure functions of a [`crate::MetricsResponse`]: an answer with one
//! interval is that of an instant query.

mod batch;
mod prometheus;
mod tempo;

pub use batch::metrics_batch;
pub use prometheus::{exemplars_to_prometheus, metrics_to_prometheus};
pub use tempo::metrics_to_tempo;
