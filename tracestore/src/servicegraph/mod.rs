//! Who calls whom: pairs of a client's and a server's span, as series under the names that Grafana Tempo gives them, and
//! exactly for stored traces. See SPANMETRICS.md.
//!
//! ```text
//! received spans ─▶ Pairing (halves wait for each other) ─┬▶ ServiceGraph ─▶ Exposition
//! stored traces ──▶ walk ─▶ Pairing (exact) ──────────────┴▶ Graph: nodes, edges, percentiles
//! ```

mod config;
mod edge;
mod exact;
mod half;
mod pairing;
mod processor;
mod saved;
mod walk;

pub use config::ServiceGraphConfig;
pub use edge::Connection;
pub use exact::{Graph, GraphEdge, GraphNode, Latency, NodeId, NodeKind, Traffic};
pub use pairing::GraphCounts;
pub use processor::ServiceGraph;
