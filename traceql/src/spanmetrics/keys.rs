//! The keys of a configuration: which there are, and which of Tempo's have no meaning here.

use crate::{
    syntax::{Diagnostic, closest},
    yaml::{Map, Node, Reader},
};

/// The keys of a mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    /// What the mapping is, for messages.
    pub(super) what: &'static str,
    /// What is read.
    pub(super) known: &'static [&'static str],
    /// What Tempo has, and nothing here corresponds to: passed over with a warning.
    pub(super) passed_over: &'static [&'static str],
}

pub(super) const GENERATOR: Keys = Keys {
    what: "`metrics_generator`",
    known: &["processor", "registry"],
    passed_over: &[
        "ring",
        "storage",
        "traces_storage",
        "traces_query_storage",
        "metrics_ingestion_time_range_slack",
        "query_timeout",
        "override_ring_key",
        "ingest_concurrency",
        "instance_id",
        "codec",
        "disable_local_blocks",
        "disable_grpc",
        "limiter_type",
    ],
};

pub(super) const PROCESSORS: Keys = Keys {
    what: "`processor`",
    known: &["span_metrics", "service_graphs"],
    passed_over: &["local_blocks", "host_info"],
};

pub(super) const SPAN_METRICS: Keys = Keys {
    what: "`span_metrics`",
    known: &[
        "histogram_buckets",
        "intrinsic_dimensions",
        "dimensions",
        "dimension_mappings",
        "enable_target_info",
        "enable_instance_label",
        "target_info_excluded_dimensions",
        "span_multiplier_key",
        "enable_tracestate_span_multiplier",
        "filter_policies",
    ],
    passed_over: &["histogram_override"],
};

pub(super) const INTRINSICS: Keys = Keys {
    what: "`intrinsic_dimensions`",
    known: &["service", "span_name", "span_kind", "status_code", "status_message"],
    passed_over: &[],
};

pub(super) const MAPPING: Keys =
    Keys { what: "a dimension mapping", known: &["name", "source_labels", "join"], passed_over: &[] };

pub(super) const SERVICE_GRAPHS: Keys = Keys {
    what: "`service_graphs`",
    known: &[
        "wait",
        "max_items",
        "histogram_buckets",
        "dimensions",
        "enable_client_server_prefix",
        "enable_messaging_system_latency_histogram",
        "enable_virtual_node_label",
        "peer_attributes",
        "database_name_attributes",
        "span_multiplier_key",
        "enable_tracestate_span_multiplier",
        "filter_policies",
        "span_links",
    ],
    passed_over: &["workers", "histogram_override"],
};

pub(super) const REGISTRY: Keys = Keys {
    what: "`registry`",
    known: &["stale_duration", "max_label_name_length", "max_label_value_length"],
    passed_over: &["collection_interval", "external_labels", "inject_tenant_id_as"],
};

pub(super) const OVERRIDES: Keys = Keys {
    what: "`metrics_generator`",
    known: &[
        "processors",
        "processor",
        "max_active_series",
        "max_active_entities",
        "max_cardinality_per_label",
        "generate_native_histograms",
        "trace_id_label_name",
    ],
    passed_over: &[
        "ring_size",
        "forwarder",
        "collection_interval",
        "disable_collection",
        "remote_write_headers",
        "ingestion_time_range_slack",
        "native_histogram_bucket_factor",
        "native_histogram_max_bucket_number",
        "native_histogram_min_reset_duration",
        "span_name_sanitization",
    ],
};

pub(super) const POLICY: Keys =
    Keys { what: "a filter policy", known: &["include", "include_any", "exclude"], passed_over: &[] };

pub(super) const CONDITIONS: Keys =
    Keys { what: "the match of a policy", known: &["match_type", "attributes", "traceql"], passed_over: &[] };

pub(super) const CONDITION: Keys = Keys { what: "a condition of a policy", known: &["key", "value"], passed_over: &[] };

impl Keys {
    /// The mapping that a value is, with what is wrong with its keys reported.
    pub(super) fn read<'n>(&self, reader: &mut Reader<'_>, node: &'n Node) -> Option<Map<'n>> {
        let map = reader.open_map(node, self.what)?;
        for (name, span, _) in map.entries() {
            if self.passed_over.contains(&name) {
                let message = format!("`{name}` is a key of Tempo's that has no meaning here: it is passed over");
                reader.report(Diagnostic::new("TQ0525", span, message));
            } else if !self.known.contains(&name) {
                let fault = Diagnostic::new("TQ0602", span, format!("{} has no key `{name}`", self.what));
                reader.report(match closest(name, self.known.iter().copied()) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help(format!("it may have {}", self.known.join(", "))),
                });
            }
        }
        Some(map)
    }
}
