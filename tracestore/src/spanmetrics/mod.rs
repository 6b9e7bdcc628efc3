//! Metrics of spans for alerting, under the names that Grafana Tempo gives them. See SPANMETRICS.md.
//!
//! ```text
//! received requests ─▶ for_each_span ─┐                  labels, limits
//! stored traces ──────▶ SpanFacts ────┴▶ SpanMetrics ─▶ SeriesTable ─▶ Exposition (text, OpenMetrics,
//!                                                                                   protobuf, remote write)
//! ```
//!
//! Nothing here reads a clock, a file or a query, but for `remote_write`: the host gives the time, the configuration and
//! predicates.

mod config;
mod exposition;
mod filter;
mod histogram;
mod history;
mod labels;
mod multiplier;
mod native;
mod processor;
#[cfg(feature = "protobuf")]
mod protobuf;
#[cfg(feature = "remote-write")]
mod remote_write;
mod saved;
mod span;
mod state;
mod stored;
mod table;
mod target;
mod text;
mod value;
mod window;

pub use config::{ConfigError, DimensionMapping, IntrinsicLabels, SpanMetricsConfig};
pub use exposition::{Exposition, Family, FamilyKind};
pub use filter::{FilterPolicy, PolicyCondition, PolicyMatch, PolicyValue, SpanPredicate};
pub use histogram::{Exemplar, Histogram, HistogramMode};
pub use history::History;
pub use labels::{LabelLimits, Labels, sanitize_label};
pub use native::NativeHistogram;
pub use processor::{SpanCounts, SpanMetrics};
#[cfg(feature = "protobuf")]
pub use protobuf::ProtobufWriter;
#[cfg(feature = "remote-write")]
pub use remote_write::{RemoteWrite, RemoteWriteOptions, RemoteWriteStatus, Samples};
pub use span::{Attributes, ResourceFacts, SpanFacts, for_each_span};
pub use text::{TextFormat, TextWriter};
pub use value::AttributeValue;
pub use window::Window;

pub(crate) use config::{LabelNames, check_bounds, doubled, entity_limit};
pub(crate) use filter::Filter;
pub(crate) use histogram::Shape;
pub(crate) use labels::LabelBuffer;
pub(crate) use multiplier::Multiplier;
pub(crate) use state::{StateReader, StateWriter};
pub(crate) use stored::for_each_trace;
pub(crate) use table::{Counted, Each, SeriesTable};

/// The label that exemplars carry the trace id in, if nothing else is asked for.
const EXEMPLAR_LABEL: &str = "traceID";
