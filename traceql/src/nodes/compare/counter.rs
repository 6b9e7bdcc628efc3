//! Batch by batch into counts of values.

use datafusion::{
    arrow::{array::RecordBatch, datatypes::SchemaRef},
    common::{DataFusionError, Result},
};

use super::{CompareProgram, Counts, SIDES};
use crate::{
    Value,
    nodes::{
        gather::{Gather, Gathering},
        series::{
            labels::{Codes, Labeler},
            partial,
            rows::{OUTSIDE, counted, positions, starts, weights},
            state::Cell,
        },
        values::Source,
    },
};

impl Gather for CompareProgram {
    fn names(&self) -> [&'static str; 2] {
        ["Compare", "CompareExec"]
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn schema(&self) -> SchemaRef {
        partial::schema()
    }

    fn sources(&self) -> Vec<&Source> {
        self.attributes.iter().map(|(_, source)| source).chain([&self.selection]).collect()
    }

    fn begin(&self) -> Box<dyn Gathering + '_> {
        Box::new(Counter::new(self))
    }
}

/// A partition's counting.
struct Counter<'a> {
    program: &'a CompareProgram,
    selection: Labeler<'a>,
    attributes: Vec<Attribute<'a>>,
}

/// A row that counts.
struct Row {
    row: usize,
    interval: u32,
    selected: bool,
    weight: u64,
}

/// An attribute, and for each code of its values the counts of both sides; those of code 0, which is nil, are of spans
/// that have any value.
struct Attribute<'a> {
    name: &'a str,
    values: Labeler<'a>,
    counts: Vec<[Counts; 2]>,
}

impl<'a> Counter<'a> {
    fn new(program: &'a CompareProgram) -> Self {
        let attribute = |(name, source): &'a (String, Source)| {
            let values = Labeler::new(source);
            Attribute { name, values, counts: Vec::new() }
        };
        let attributes = program.attributes.iter().map(attribute).collect();
        Self { program, selection: Labeler::new(&program.selection), attributes }
    }

    fn check_memory(&self) -> Result<()> {
        let size: usize = self.attributes.iter().map(Attribute::size).sum();
        if size <= self.program.max_memory {
            return Ok(());
        }
        let limit = self.program.max_memory;
        let reason = format!("the values that `{}` compares need more than {limit} bytes", self.program.text);
        Err(DataFusionError::ResourcesExhausted(reason))
    }
}

impl Gathering for Counter<'_> {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = &*counted(batch, self.program.repeated, self.program.sample.as_ref())?;
        let starts = starts(batch)?;
        let intervals = positions(starts, &self.program.intervals);
        let codes = self.selection.codes(batch)?;
        let is_true = |code: &u32| self.selection.value(*code) == Some(&Value::Bool(true));
        let in_range = |start: u64| self.program.range.is_none_or(|(after, until)| after < start && start <= until);
        let rows = starts.iter().zip(&intervals).enumerate().filter(|(_, (_, interval))| **interval != OUTSIDE);
        let weights = self.program.weighted.then(|| weights(batch)).transpose()?;
        let weight = |row: usize| weights.as_ref().map_or(1, |weights| weights.get(row).copied().unwrap_or(1));
        let rows: Vec<Row> = rows
            .map(|(row, (start, interval))| {
                let selected = in_range(*start) && codes.of(row).iter().any(is_true);
                Row { row, interval: *interval, selected, weight: weight(row) }
            })
            .collect();
        for attribute in &mut self.attributes {
            let codes = attribute.values.codes(batch)?;
            attribute.count(&rows, &codes);
        }
        self.check_memory()
    }

    fn finish(self: Box<Self>) -> Result<RecordBatch> {
        let places = self.attributes.iter().flat_map(|attribute| {
            let counts = (0_u32..).zip(&attribute.counts);
            let sides = counts
                .flat_map(|(code, sides)| sides.iter().zip(SIDES).map(move |(counts, side)| (code, counts, side)));
            sides.map(move |(code, counts, side)| (attribute, code, counts, side))
        });
        let places: Vec<_> = places.collect();
        let cells = (0_u32..).zip(&places).flat_map(|(group, (_, _, counts, _))| {
            counts.iter().map(move |(interval, count)| Cell { group, interval, count, ..Cell::default() })
        });
        let labels = |group: u32| match places.get(group as usize) {
            Some((attribute, code, _, side)) => vec![
                Some(Value::String((*side).to_owned())),
                Some(Value::String(attribute.name.to_owned())),
                attribute.values.value(*code).cloned(),
            ],
            None => Vec::new(),
        };
        partial::to_batch(cells, labels)
    }
}

impl Attribute<'_> {
    fn count(&mut self, rows: &[Row], codes: &Codes) {
        let mut add = |code: u32, row: &Row| {
            let code = code as usize;
            if self.counts.len() <= code {
                self.counts.resize_with(code + 1, Default::default);
            }
            let side = self.counts.get_mut(code).and_then(|sides| sides.get_mut(usize::from(row.selected)));
            side.into_iter().for_each(|counts| counts.add(row.interval, row.weight));
        };
        for row in rows {
            let codes = codes.of(row.row);
            if codes != [0] {
                codes.iter().for_each(|code| add(*code, row));
                add(0, row);
            }
        }
    }

    fn size(&self) -> usize {
        self.values.size() + self.counts.iter().flatten().map(Counts::size).sum::<usize>()
    }
}
