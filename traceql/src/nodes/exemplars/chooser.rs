//! Batch by batch into choices.

use std::collections::BTreeMap;

use datafusion::{
    arrow::{
        array::{AsArray, RecordBatch},
        datatypes::{SchemaRef, UInt32Type, UInt64Type},
    },
    common::{Result, internal_err},
};
use tracestore::block::SpanColumn;

use super::{
    ExemplarsProgram,
    choice::{self, Candidate, Chosen},
};
use crate::{
    Value,
    nodes::{
        gather::{Gather, Gathering},
        series::{
            groups::Groups,
            labels::Labeler,
            rows::{OUTSIDE, counted, positions, starts},
            samples::Samples,
            state::{bucket, seconds},
        },
        values::Source,
    },
};

impl Gather for ExemplarsProgram {
    fn names(&self) -> [&'static str; 2] {
        ["Exemplars", "ExemplarsExec"]
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn schema(&self) -> SchemaRef {
        choice::schema()
    }

    fn sources(&self) -> Vec<&Source> {
        self.by.iter().chain(&self.operand).collect()
    }

    fn begin(&self) -> Box<dyn Gathering + '_> {
        Box::new(Chooser::new(self))
    }
}

/// A partition's choosing.
struct Chooser<'a> {
    program: &'a ExemplarsProgram,
    labelers: Vec<Labeler<'a>>,
    groups: Groups,
    chosen: BTreeMap<(u32, u32, u8), Chosen>,
}

impl<'a> Chooser<'a> {
    fn new(program: &'a ExemplarsProgram) -> Self {
        Self {
            program,
            labelers: program.by.iter().map(Labeler::new).collect(),
            groups: Groups::new(program.by.len()),
            chosen: BTreeMap::new(),
        }
    }
}

impl Gathering for Chooser<'_> {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = &*counted(batch, self.program.repeated, self.program.sample.as_ref())?;
        let starts = starts(batch)?;
        let intervals = positions(starts, &self.program.intervals);
        let codes = self.labelers.iter_mut().map(|labeler| labeler.codes(batch)).collect::<Result<Vec<_>>>()?;
        let groups = self.groups.of_rows(codes, batch.num_rows());
        let samples = Samples::of(self.program.operand.as_ref(), batch)?;
        let (traces, spans) = (long(batch, &SpanColumn::TraceHash)?, long(batch, &SpanColumn::SpanHash)?);
        let (blocks, rows) = (short(batch, &SpanColumn::Block)?, short(batch, &SpanColumn::Row)?);
        let (after, until) = self.program.intervals.range();
        let parts = u128::from(self.program.parts.max(1));
        let places = starts.iter().zip(&intervals).zip(traces.iter().zip(spans)).zip(blocks.iter().zip(rows));
        for (at, (((start, interval), (trace_hash, span_hash)), (block, row))) in places.enumerate() {
            if *interval == OUTSIDE {
                continue;
            }
            let part = u128::from(start - after - 1) * parts / u128::from((until - after).max(1));
            let part = u32::try_from(part).unwrap_or(u32::MAX);
            let candidate = |value| {
                let (trace_hash, start, block) = (*trace_hash, *start, *block);
                Candidate { trace_hash, span_hash, start, value, block, row }
            };
            let mut offer = |bucket: u8, candidate: Candidate| {
                groups.each(at, |group| self.chosen.entry((group, part, bucket)).or_default().offer(candidate));
            };
            if self.program.buckets {
                samples.each(at, |number| {
                    if let Some(bucket) = bucket(number) {
                        offer(bucket, candidate(Some(seconds(number))));
                    }
                });
                continue;
            }
            // Of several values of one span the least, so that it does not matter which came first.
            let (mut value, mut any) = (None, false);
            samples.each(at, |number| {
                any = true;
                let found = seconds(number);
                if self.program.operand.is_some() && value.is_none_or(|value| found < value) {
                    value = Some(found);
                }
            });
            if any {
                offer(0, candidate(value));
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        let labels = |group: u32| -> Vec<Option<Value>> {
            let codes = self.groups.codes(group, self.labelers.len());
            codes.into_iter().zip(&self.labelers).map(|(code, labeler)| labeler.value(code).cloned()).collect()
        };
        let chosen = self.chosen.iter().flat_map(|((group, part, bucket), chosen)| {
            chosen
                .list()
                .iter()
                .map(|candidate| (labels(*group), part.saturating_mul(64) + u32::from(*bucket), *candidate))
        });
        choice::to_batch(&chosen.collect::<Vec<_>>())
    }
}

fn long(batch: &RecordBatch, column: &SpanColumn) -> Result<Vec<u64>> {
    match batch.column_by_name(&column.name()).and_then(|array| array.as_primitive_opt::<UInt64Type>()) {
        Some(array) => Ok(array.values().to_vec()),
        None => internal_err!("exemplars need a column `{}`", column.name()),
    }
}

fn short(batch: &RecordBatch, column: &SpanColumn) -> Result<Vec<u32>> {
    match batch.column_by_name(&column.name()).and_then(|array| array.as_primitive_opt::<UInt32Type>()) {
        Some(array) => Ok(array.values().to_vec()),
        None => internal_err!("exemplars need a column `{}`", column.name()),
    }
}
