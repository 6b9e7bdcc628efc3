//! What works on series: `topk`, `bottomk`, conditions (§8.8).

use traceql::syntax::ast::SecondStageKind;

use super::{Series, constant, label};
use crate::naive::{eval, value::Value};

pub(super) fn apply(stage: &SecondStageKind, mut series: Vec<Series>) -> Vec<Series> {
    match stage {
        SecondStageKind::TopK(count) => keep_first(&mut series, *count, false),
        SecondStageKind::BottomK(count) => keep_first(&mut series, *count, true),
        SecondStageKind::Compare { op, threshold } => {
            let threshold = Value::Float(constant(threshold));
            for value in series.iter_mut().flat_map(|series| &mut series.values) {
                if !eval::compare(*op, &Value::Float(*value), &threshold) {
                    *value = f64::NAN;
                }
            }
        }
    }
    series.retain(Series::is_sent);
    series
}

/// In every interval the largest values, or the smallest; M7: ties by the labels.
fn keep_first(series: &mut [Series], count: i64, smallest: bool) {
    for interval in 0..series.first().map_or(0, |series| series.values.len()) {
        let mut ranked: Vec<usize> =
            (0..series.len()).filter(|index| !series[*index].values[interval].is_nan()).collect();
        ranked.sort_by(|a, b| {
            let (a, b) = (&series[*a], &series[*b]);
            let values = b.values[interval].partial_cmp(&a.values[interval]).unwrap();
            let largest_first = values.then_with(|| label::order(&a.labels, &b.labels));
            if smallest { largest_first.reverse() } else { largest_first }
        });
        for index in ranked.into_iter().skip(usize::try_from(count).unwrap()) {
            series[index].values[interval] = f64::NAN;
        }
    }
}
