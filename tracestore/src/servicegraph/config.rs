//! What service graphs are made of, with Tempo's defaults.

use crate::spanmetrics::{FilterPolicy, HistogramMode, LabelLimits, doubled};

/// Service graphs. The defaults are Tempo's.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceGraphConfig {
    /// How long a span waits for the other half of its edge, in ns. 10 s.
    pub wait: u64,
    /// How many spans may wait; further ones are dropped and counted. 10,000.
    pub max_items: usize,
    /// Upper bounds of the histograms' buckets in seconds: 0.1, doubled 7 times.
    pub histogram_buckets: Vec<f64>,
    /// Which buckets there are.
    pub histograms: HistogramMode,
    /// Attributes that become labels, looked for on the resource, then on the span.
    pub dimensions: Vec<String>,
    /// Whether dimensions of the two sides are two labels, `client_…` and `server_…`.
    pub client_server_prefix: bool,
    /// Whether edges to a virtual node have a label that says which side it is.
    pub virtual_node_label: bool,
    /// Make `traces_service_graph_request_messaging_system_seconds`: from the end of sending to the start of receiving.
    pub messaging_latency: bool,
    /// Attributes that name the other side of an edge where no span came from there; the first that there is counts.
    pub peer_attributes: Vec<String>,
    /// Attributes that make a client's span one of a database, and name it; the first that there is counts.
    pub database_name_attributes: Vec<String>,
    /// Whether consumers pair with the producers that they link to. On; Tempo does not.
    pub links: bool,
    /// As for span metrics.
    pub span_multiplier_key: Option<String>,
    /// As for span metrics.
    pub tracestate_multiplier: bool,
    /// As for span metrics.
    pub filter_policies: Vec<FilterPolicy>,
    /// As for span metrics.
    pub labels: LabelLimits,
    /// As for span metrics.
    pub max_active_series: usize,
    /// As for span metrics.
    pub max_active_entities: usize,
}

impl Default for ServiceGraphConfig {
    fn default() -> Self {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Self {
            wait: 10_000_000_000,
            max_items: 10_000,
            histogram_buckets: doubled(0.1, 8),
            histograms: HistogramMode::Classic,
            dimensions: Vec::new(),
            client_server_prefix: false,
            virtual_node_label: false,
            messaging_latency: false,
            peer_attributes: texts(&["peer.service", "db.name", "db.system", "db.system.name"]),
            database_name_attributes: texts(&["db.namespace", "db.name", "db.system", "db.system.name"]),
            links: true,
            span_multiplier_key: None,
            tracestate_multiplier: false,
            filter_policies: Vec::new(),
            labels: LabelLimits::default(),
            max_active_series: 0,
            max_active_entities: 0,
        }
    }
}
