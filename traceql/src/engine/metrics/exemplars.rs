//! Exemplars: chosen by [`crate::nodes::exemplars`], named, and given to the series that they stand behind.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use datafusion::{
    arrow::array::AsArray,
    logical_expr::{Extension, LogicalPlan},
};
use tracestore::block::SpanColumn;

use super::{Run, answer::Answer, leaf::Leaf};
use crate::{
    Error, Result, Value,
    ir::MetricsFunctionKind as Kind,
    nodes::{
        exemplars::{
            ExemplarsProgram,
            choice::{Candidate, join},
        },
        gather::GatherNode,
    },
    plan::{Context, PlannedSeries, plan_series},
    series::{Exemplar, Intervals, Label, Series},
    syntax::ast::Field,
};

impl Run<'_> {
    /// Finds exemplars for the series of a query, `budget` for each at most.
    pub(super) async fn add_exemplars(
        &mut self,
        leaf: &Leaf<'_>,
        by: &[Field],
        budget: usize,
        series: &mut [Series],
        begun: Instant,
    ) -> Result<()> {
        // Two for each part.
        let parts = u32::try_from((budget / 2).max(1)).unwrap_or(u32::MAX);
        let batches = self.collect(&self.plan_exemplars(leaf, by, parts)?, begun).await?;
        let chosen = join(&batches)?;
        let ids = self.ids(chosen.iter().map(|(_, candidate)| candidate))?;
        let answer = Answer { function: leaf.function, by, intervals: self.intervals, scale: self.hints.scale() };
        for (values, candidate) in &chosen {
            let labels = answer.labels(values);
            let Some(ids) = ids.get(&(candidate.block, candidate.row)) else { continue };
            let Some(series) = place(series, &answer, &labels, candidate) else { continue };
            let Some(found) = of_interval(series, &self.intervals, candidate.start) else { continue };
            let own = labels.into_iter().filter(|label| label.name != "__name__");
            series.exemplars.push(Exemplar {
                labels: ids.iter().cloned().chain(own).filter(|label| label.value != Value::Nil).collect(),
                value: if answer.is_counted() { found } else { candidate.value.unwrap_or(found) },
                time_unix_nano: candidate.start,
            });
        }
        for series in series {
            series.exemplars.sort_by_key(|exemplar| exemplar.time_unix_nano);
            series.exemplars.truncate(budget);
        }
        Ok(())
    }

    fn plan_exemplars(&self, leaf: &Leaf<'_>, by: &[Field], parts: u32) -> Result<LogicalPlan> {
        let context = Context::new(&self.view, self.engine.session.context());
        let PlannedSeries { operand, by, mut columns } =
            plan_series(&context, leaf.function, by).map_err(Error::from)?;
        for column in [SpanColumn::Block, SpanColumn::Row, SpanColumn::TraceHash, SpanColumn::SpanHash] {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let (input, repeated) = self.input(&context, leaf, columns)?;
        let program = ExemplarsProgram {
            operand,
            by,
            intervals: self.intervals,
            buckets: matches!(leaf.function.kind, Kind::HistogramOverTime(_)),
            parts,
            repeated,
            sample: self.hints.sample.clone(),
            text: leaf.text.clone(),
        };
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(GatherNode::new(input, program)?) }))
    }

    /// The ids of spans, by block and row.
    fn ids<'c>(&self, spans: impl Iterator<Item = &'c Candidate>) -> Result<BTreeMap<(u32, u32), Vec<Label>>> {
        let mut rows: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        spans.for_each(|span| rows.entry(span.block).or_default().push(span.row));
        let mut ids = BTreeMap::new();
        for (block, mut rows) in rows {
            rows.sort_unstable();
            rows.dedup();
            let columns = self.view.fetch(block, &rows, &[SpanColumn::TraceIdText, SpanColumn::SpanIdText])?;
            let [traces, spans] = columns.as_slice() else { continue };
            let texts = traces.as_string_view().iter().zip(spans.as_string_view());
            for (row, (trace, span)) in rows.iter().zip(texts) {
                let label = |name, id: Option<&str>| Label::text(name, id.unwrap_or_default());
                ids.insert((block, *row), vec![label("trace:id", trace), label("span:id", span)]);
            }
        }
        Ok(ids)
    }
}

/// The series that a span stands behind: that of its labels; of buckets the one it is in, of quantiles the one whose
/// values it is nearest to.
fn place<'s>(
    series: &'s mut [Series],
    answer: &Answer<'_>,
    labels: &[Label],
    candidate: &Candidate,
) -> Option<&'s mut Series> {
    let value = candidate.value.unwrap_or(0.0);
    let extra = match answer.function.kind {
        Kind::HistogramOverTime(_) => Some("__bucket"),
        Kind::QuantileOverTime(..) => Some("p"),
        _ => None,
    };
    let own = |series: &Series| match extra {
        None => series.labels == crate::series::shown(labels.to_vec()),
        Some(extra) => {
            let known = labels.iter().filter(|label| label.value != Value::Nil);
            series.labels.iter().filter(|label| label.name != extra).eq(known)
        }
    };
    let distance = |series: &Series| match extra {
        // The bucket that the value is in; some values are in none.
        Some("__bucket") => match bound(series) {
            Some(bound) if bound / 2.0 < value && value <= bound => 0.0,
            _ => f64::INFINITY,
        },
        Some(_) => {
            let values = series.values.iter().filter(|value| **value != 0.0 && !value.is_nan());
            let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
            (sum / f64::max(count, 1.0) - value).abs()
        }
        None => 0.0,
    };
    let possible = series.iter_mut().filter(|series| own(series) && distance(series).is_finite());
    possible.min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

fn bound(series: &Series) -> Option<f64> {
    match series.labels.iter().find(|label| label.name == "__bucket")?.value {
        Value::Float(bound) => Some(bound),
        _ => None,
    }
}

/// The value of a series at a time.
fn of_interval(series: &Series, intervals: &Intervals, time: u64) -> Option<f64> {
    let value = series.values.get(intervals.position(time)? as usize).copied()?;
    (!value.is_nan()).then_some(value)
}
