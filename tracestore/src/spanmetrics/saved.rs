//! Span metrics kept over a restart. Exemplars are not: they stand for what was counted between two collections.

use super::{
    config::SpanMetricsConfig,
    histogram::{Histogram, Shape},
    processor::{SpanCounts, SpanMetrics, SpanSeries, TargetSeries},
    state::{StateReader, StateWriter},
    table::SeriesTable,
};

/// What of a configuration the series depend on.
struct Form {
    calls: bool,
    latency: bool,
    size: bool,
    shape: Shape,
}

impl Form {
    fn save(&self, state: &mut StateWriter) {
        [self.calls, self.latency, self.size].into_iter().for_each(|flag| state.flag(flag));
        self.shape.save(state);
    }

    fn restore(state: &mut StateReader<'_>) -> Option<Self> {
        let (calls, latency, size) = (state.flag()?, state.flag()?, state.flag()?);
        Some(Self { calls, latency, size, shape: Shape::restore(state)? })
    }
}

impl SpanMetrics {
    /// Writes what was counted; only without intervals.
    pub(crate) fn save(&self, state: &mut StateWriter) {
        let SpanMetricsConfig { calls, latency, size, .. } = self.config;
        Form { calls, latency, size, shape: self.shape.clone() }.save(state);
        let SpanCounts { counted, filtered, outside, .. } = self.counts;
        [counted, filtered, outside].into_iter().for_each(|count| state.integer(count));
        self.series.save(state, |series, state| {
            state.number(series.calls);
            state.number(series.size);
            series.latency.save(state);
        });
        self.targets.save(state, |_, _| {});
    }

    /// Goes on where the one ended that wrote this. Where the buckets are others now, latency begins anew. `None`, and
    /// nothing has changed, where the state is none.
    pub(crate) fn restore(&mut self, state: &[u8]) -> Option<()> {
        let state = &mut StateReader::new(state);
        let form = Form::restore(state)?;
        self.restore_series(&form, state)
    }

    /// The metrics that a state has, to be looked at.
    pub(crate) fn saved(state: &[u8]) -> Option<Self> {
        let state = &mut StateReader::new(state);
        let form = Form::restore(state)?;
        let config = SpanMetricsConfig {
            calls: form.calls,
            latency: form.latency,
            size: form.size,
            histogram_buckets: form.shape.bounds.to_vec(),
            histograms: form.shape.mode,
            ..SpanMetricsConfig::default()
        };
        let mut metrics = Self::new(config).ok()?;
        metrics.restore_series(&form, state)?;
        Some(metrics)
    }

    fn restore_series(&mut self, form: &Form, state: &mut StateReader<'_>) -> Option<()> {
        let (counted, filtered, outside) = (state.integer()?, state.integer()?, state.integer()?);
        let shape = &self.shape;
        let series = SeriesTable::restore(self.series.limit(), state, |state| {
            let (calls, size) = (state.number()?, state.number()?);
            let latency = Histogram::restore(&form.shape, state)?;
            let latency = if form.shape == *shape { latency } else { Histogram::new(shape) };
            Some(SpanSeries { calls, size, latency })
        })?;
        let targets = SeriesTable::restore(self.targets.limit(), state, |_| Some(TargetSeries))?;
        state.is_empty().then_some(())?;
        self.counts = SpanCounts { counted, filtered, outside, ..SpanCounts::default() };
        (self.series, self.targets) = (series, targets);
        self.recount_values();
        Some(())
    }
}
