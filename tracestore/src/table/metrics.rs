//! What a scan counts, as EXPLAIN ANALYZE shows it.

use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};

/// Counters of one partition of a scan.
#[derive(Debug, Clone)]
pub(super) struct ScanMetrics {
    /// Row groups that the scan might have to read.
    pub(super) row_groups: Count,
    /// Row groups without a trace in the time range.
    pub(super) pruned_by_time: Count,
    /// Row groups older than what still matters.
    pub(super) pruned_by_limit: Count,
    /// Row groups without the attribute that a condition asks for.
    pub(super) pruned_by_key: Count,
    /// Row groups whose statistics rule a condition out.
    pub(super) pruned_by_statistics: Count,
    /// Row groups whose dictionary has no value that meets a condition.
    pub(super) pruned_by_dictionary: Count,
    /// Pages that statistics rule out in row groups that are read.
    pub(super) pages_pruned: Count,
    /// Rows for which a condition was tested.
    pub(super) rows_scanned: Count,
    /// Rows that met all conditions.
    pub(super) rows_matched: Count,
    /// Bytes of column chunks and pages that were decoded.
    pub(super) bytes_scanned: Count,
    /// Time in pruning.
    pub(super) prune_time: Time,
    /// Time in reading and testing.
    pub(super) scan_time: Time,
}

impl ScanMetrics {
    pub(super) fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name| MetricBuilder::new(metrics).counter(name, partition);
        Self {
            row_groups: counter("row_groups"),
            pruned_by_time: counter("row_groups_pruned_time"),
            pruned_by_limit: counter("row_groups_pruned_limit"),
            pruned_by_key: counter("row_groups_pruned_key"),
            pruned_by_statistics: counter("row_groups_pruned_statistics"),
            pruned_by_dictionary: counter("row_groups_pruned_dictionary"),
            pages_pruned: counter("pages_pruned_statistics"),
            rows_scanned: counter("rows_scanned"),
            rows_matched: counter("rows_matched"),
            bytes_scanned: counter("bytes_scanned"),
            prune_time: MetricBuilder::new(metrics).subset_time("prune_time", partition),
            scan_time: MetricBuilder::new(metrics).subset_time("scan_time", partition),
        }
    }
}
