//! Batch by batch into cells.

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    common::{DataFusionError, Result},
};

use super::{
    SeriesProgram,
    groups::{Groups, RowGroups},
    labels::Labeler,
    partial,
    rows::{OUTSIDE, counted, positions, starts, weights},
    samples::Samples,
    state::State,
};
use crate::nodes::{
    gather::{Gather, Gathering},
    values::{Number, Source},
};

impl Gather for SeriesProgram {
    fn names(&self) -> [&'static str; 2] {
        ["Series", "SeriesExec"]
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn schema(&self) -> SchemaRef {
        partial::schema()
    }

    fn sources(&self) -> Vec<&Source> {
        self.by.iter().chain(&self.operand).collect()
    }

    fn begin(&self) -> Box<dyn Gathering + '_> {
        Box::new(Counter::new(self))
    }
}

/// A partition's counting.
struct Counter<'a> {
    program: &'a SeriesProgram,
    labelers: Vec<Labeler<'a>>,
    groups: Groups,
    state: State,
}

impl<'a> Counter<'a> {
    fn new(program: &'a SeriesProgram) -> Self {
        Self {
            program,
            labelers: program.by.iter().map(Labeler::new).collect(),
            groups: Groups::new(program.by.len()),
            state: State::new(program.measure, program.intervals.len(), program.max_memory),
        }
    }

    fn check_memory(&self) -> Result<()> {
        let labels: usize = self.labelers.iter().map(Labeler::size).sum();
        let size = self.state.size().map(|size| size + labels + self.groups.size());
        if size.is_some_and(|size| size <= self.program.max_memory) {
            return Ok(());
        }
        let limit = self.program.max_memory;
        let reason = format!("the series of `{}` need more than {limit} bytes", self.program.text);
        Err(DataFusionError::ResourcesExhausted(reason))
    }
}

impl Gathering for Counter<'_> {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = &*counted(batch, self.program.repeated, self.program.sample.as_ref())?;
        let intervals = positions(starts(batch)?, &self.program.intervals);
        let codes = self.labelers.iter_mut().map(|labeler| labeler.codes(batch)).collect::<Result<Vec<_>>>()?;
        let groups = self.groups.of_rows(codes, batch.num_rows());
        let samples = Samples::of(self.program.operand.as_ref(), batch)?;
        let weights = self.program.weighted.then(|| weights(batch)).transpose()?;
        count(&mut self.state, &intervals, &groups, &samples, weights.as_deref());
        self.check_memory()
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        let labels = |group: u32| {
            let codes = self.groups.codes(group, self.labelers.len());
            codes.into_iter().zip(&self.labelers).map(|(code, labeler)| labeler.value(code).cloned()).collect()
        };
        partial::to_batch(self.state.cells(), labels)
    }
}

/// Adds what rows have to the series that they are in.
fn count(state: &mut State, intervals: &[u32], groups: &RowGroups, samples: &Samples, weights: Option<&[u64]>) {
    let weight = |row: usize| weights.map_or(1, |weights| weights.get(row).copied().unwrap_or(1));
    let rows = intervals.iter().enumerate().filter(|(_, interval)| **interval != OUTSIDE);
    match (groups, samples) {
        (RowGroups::Same, _) => {
            rows.for_each(|(row, interval)| samples.each(row, |number| state.add(0, *interval, number, weight(row))));
        }
        (RowGroups::One(groups), Samples::Rows) if weights.is_none() => {
            let rows = intervals.iter().zip(groups).filter(|(interval, _)| **interval != OUTSIDE);
            rows.for_each(|(interval, group)| state.add(*group, *interval, Number::Int(1), 1));
        }
        (RowGroups::One(groups), _) => {
            for ((row, interval), group) in
                intervals.iter().enumerate().zip(groups).filter(|((_, interval), _)| **interval != OUTSIDE)
            {
                samples.each(row, |number| state.add(*group, *interval, number, weight(row)));
            }
        }
        (RowGroups::Many { .. }, _) => {
            for (row, interval) in rows {
                groups.each(row, |group| samples.each(row, |number| state.add(group, *interval, number, weight(row))));
            }
        }
    }
}
