//! What span metrics are made of, with Tempo's defaults; and what can be wrong with it.

use super::{
    filter::FilterPolicy,
    histogram::HistogramMode,
    labels::{LabelLimits, sanitize_label},
};

/// A configuration that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Two labels of one series would have the same name.
    #[error("the label `{label}` would be there twice: once for {first}, once for {second}")]
    LabelTwice {
        /// The label.
        label: String,
        /// What gives it.
        first: String,
        /// What gives it too.
        second: String,
    },
    /// Bounds of buckets that are not finite and ascending.
    #[error("the bounds of histogram buckets have to be finite numbers, each larger than the one before")]
    Bounds,
    /// A regular expression that cannot be used.
    #[error("`{pattern}` is no regular expression: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A policy that asks for an unknown part of a span.
    #[error("`{key}` is nothing that a filter policy knows: kind, name, status, span.… or resource.…")]
    PolicyKey {
        /// The key.
        key: String,
    },
    /// A value of a policy that cannot be compared as it has to be.
    #[error("the value of `{key}` in a filter policy of the type regex has to be a text")]
    PolicyValue {
        /// The key that it is compared with.
        key: String,
    },
    /// A receiver that nothing can be sent to.
    #[error("remote write: {reason}")]
    RemoteWrite {
        /// What is wrong with its address or headers.
        reason: String,
    },
    /// A mapping that maps nothing.
    #[error("the dimension mapping `{name}` has no source labels")]
    EmptyMapping {
        /// Its label.
        name: String,
    },
}

/// Span metrics. The defaults are Tempo's.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SpanMetricsConfig {
    /// Which of the span's own fields are labels.
    pub intrinsics: IntrinsicLabels,
    /// Attributes that become labels, looked for on the resource, then on the span.
    pub dimensions: Vec<String>,
    /// Labels of renamed or joined attributes.
    pub dimension_mappings: Vec<DimensionMapping>,
    /// Make `traces_spanmetrics_calls_total`. On.
    pub calls: bool,
    /// Make `traces_spanmetrics_latency`. On.
    pub latency: bool,
    /// Make `traces_spanmetrics_size_total`. On.
    pub size: bool,
    /// Upper bounds of the latency's buckets in seconds: 0.002, doubled 13 times.
    pub histogram_buckets: Vec<f64>,
    /// Which buckets there are.
    pub histograms: HistogramMode,
    /// Make `traces_target_info`, and the labels `job` and `instance` of all.
    pub target_info: bool,
    /// Whether there is a label `instance` when there is target info. On.
    pub instance_label: bool,
    /// Resource attributes that target info leaves out.
    pub target_info_excluded: Vec<String>,
    /// The attribute that says which part of all such spans was kept: a span of value v counts 1/v times.
    pub span_multiplier_key: Option<String>,
    /// Whether the threshold of the trace state (`ot=th:…`) says it, where the attribute does not.
    pub tracestate_multiplier: bool,
    /// Which spans count; every policy has to let them.
    pub filter_policies: Vec<FilterPolicy>,
    /// Lengths and numbers of labels.
    pub labels: LabelLimits,
    /// How many Prometheus series there may be, buckets counted; what has no room goes to one label set with
    /// `metric_overflow="true"`. 0, the default, for any number.
    pub max_active_series: usize,
    /// How many label sets there may be, as another form of the same limit.
    pub max_active_entities: usize,
}

/// Which of a span's own fields are labels. All but the status message, by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the labels")]
pub struct IntrinsicLabels {
    pub service: bool,
    pub span_name: bool,
    pub span_kind: bool,
    pub status_code: bool,
    pub status_message: bool,
}

/// One label of several attributes, those that there are, or of one under another name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DimensionMapping {
    /// The label; sanitised.
    pub name: String,
    /// The attributes, looked for on the resource, then on the span.
    pub source_labels: Vec<String>,
    /// What stands between two values.
    pub join: String,
}

impl Default for IntrinsicLabels {
    fn default() -> Self {
        Self { service: true, span_name: true, span_kind: true, status_code: true, status_message: false }
    }
}

impl Default for SpanMetricsConfig {
    fn default() -> Self {
        Self {
            intrinsics: IntrinsicLabels::default(),
            dimensions: Vec::new(),
            dimension_mappings: Vec::new(),
            calls: true,
            latency: true,
            size: true,
            histogram_buckets: doubled(0.002, 14),
            histograms: HistogramMode::Classic,
            target_info: false,
            instance_label: true,
            target_info_excluded: Vec::new(),
            span_multiplier_key: None,
            tracestate_multiplier: false,
            filter_policies: Vec::new(),
            labels: LabelLimits::default(),
            max_active_series: 0,
            max_active_entities: 0,
        }
    }
}

/// Bounds of which each is twice the one before.
pub(crate) fn doubled(first: f64, count: usize) -> Vec<f64> {
    std::iter::successors(Some(first), |bound| Some(bound * 2.0)).take(count).collect()
}

/// Refuses bounds that are not ascending.
pub(crate) fn check_bounds(bounds: &[f64]) -> Result<(), ConfigError> {
    let ascending = bounds.windows(2).all(|pair| pair.first() < pair.last());
    if ascending && bounds.iter().all(|bound| bound.is_finite()) { Ok(()) } else { Err(ConfigError::Bounds) }
}

/// How many label sets may be there.
pub(crate) fn entity_limit(max_series: usize, max_entities: usize, series_per_entity: usize) -> usize {
    let by_series = (max_series > 0).then(|| (max_series / series_per_entity.max(1)).max(1));
    let by_entities = (max_entities > 0).then_some(max_entities);
    by_series.into_iter().chain(by_entities).min().unwrap_or(0)
}

/// The names of a metric's labels, told apart.
#[derive(Debug, Default)]
pub(crate) struct LabelNames {
    /// Names, what gives them, and whether they are the processor's own.
    taken: Vec<(String, String, bool)>,
}

impl LabelNames {
    /// Names that the processor uses itself.
    pub(crate) fn own(names: &[&str]) -> Self {
        Self { taken: names.iter().map(|name| ((*name).to_owned(), format!("`{name}`"), true)).collect() }
    }

    /// The label of a dimension: sanitised, and with two underscores before it where the processor has one of the name.
    ///
    /// # Errors
    /// [`ConfigError::LabelTwice`] when another dimension has it.
    pub(crate) fn take(&mut self, name: &str, source: String) -> Result<String, ConfigError> {
        let mut label = sanitize_label(name);
        if self.taken.iter().any(|(taken, _, own)| *own && *taken == label) {
            label = format!("__{label}");
        }
        if let Some((_, first, _)) = self.taken.iter().find(|(taken, ..)| *taken == label) {
            return Err(ConfigError::LabelTwice { label, first: first.clone(), second: source });
        }
        self.taken.push((label.clone(), source, false));
        Ok(label)
    }
}
