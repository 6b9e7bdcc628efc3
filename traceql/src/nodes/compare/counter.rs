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

/// The spans that are not selected, and those that are.
type Sides = [Counts; 2];

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
    counts: Vec<Sides>,
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
        let mut all = Sides::default();
        rows.iter().for_each(|row| row.count_in(&mut all));
        for attribute in &mut self.attributes {
            match attribute.values.codes(batch)? {
                Codes::One(codes) => attribute.count_one(&rows, &all, &codes),
                codes => attribute.count(&rows, &codes),
            }
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

impl Row {
    fn count_in(&self, sides: &mut Sides) {
        let side = sides.get_mut(usize::from(self.selected));
        side.into_iter().for_each(|counts| counts.add(self.interval, self.weight));
    }
}

impl Attribute<'_> {
    /// The counts of a code.
    fn of(&mut self, code: u32) -> Option<&mut Sides> {
        let code = code as usize;
        if self.counts.len() <= code {
            self.counts.resize_with(code + 1, Default::default);
        }
        self.counts.get_mut(code)
    }

    fn count(&mut self, rows: &[Row], codes: &Codes) {
        for row in rows {
            let codes = codes.of(row.row);
            if codes != [0] {
                codes
                    .iter()
                    .chain(&[0])
                    .for_each(|code| self.of(*code).into_iter().for_each(|sides| row.count_in(sides)));
            }
        }
    }

    /// The same where rows have a code each: counted by `all` at once are rows that all have a value, or all the same.
    fn count_one(&mut self, rows: &[Row], all: &Sides, codes: &[u32]) {
        let code = |row: &Row| codes.get(row.row).copied().unwrap_or(0);
        let Some(first) = rows.first().map(code) else { return };
        let mut add_all = |code: u32| {
            let sides = self.of(code).into_iter().flatten();
            sides.zip(all).for_each(|(sum, counts)| sum.add_all(counts));
        };
        if rows.iter().all(|row| code(row) == first) {
            if first > 0 {
                [first, 0].into_iter().for_each(add_all);
            }
            return;
        }
        let all_have_one = rows.iter().all(|row| code(row) > 0);
        if all_have_one {
            add_all(0);
        }
        for row in rows.iter().filter(|row| code(row) > 0) {
            self.of(code(row)).into_iter().for_each(|sides| row.count_in(sides));
            if !all_have_one {
                self.of(0).into_iter().for_each(|sides| row.count_in(sides));
            }
        }
    }

    fn size(&self) -> usize {
        self.values.size() + self.counts.iter().flatten().map(Counts::size).sum::<usize>()
    }
}
