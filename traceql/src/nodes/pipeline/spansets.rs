//! The spansets of a batch, and what each step makes of them. Pure: rows are numbers, conditions are marks, values were
//! evaluated before (see [`super::values`]).

use std::{iter::once, ops::Range};

use smallvec::SmallVec;

use super::{
    number::{aggregate, compute, holds},
    program::{Aggregate, Scalar, Step, Tree},
    structure::{Structure, apply},
};
use crate::{
    Value,
    ir::CompareOp,
    nodes::values::{Groups, Number, Numbers},
    syntax::ast::StructuralOp,
};

/// The rows of a batch: whole traces as far as the query is about them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The rows of each trace.
    pub(super) traces: Vec<Range<usize>>,
    /// For each condition which rows meet it.
    pub(super) marks: Vec<Vec<bool>>,
    /// The structure of the traces, if any step asks for it: every row of a trace is in the batch then.
    pub(super) parent_offsets: Vec<u32>,
    pub(super) descendants: Vec<u32>,
    pub(super) families: Vec<u32>,
    /// For each source what rows group by, and what numbers they have.
    pub(super) groups: Vec<Groups>,
    pub(super) numbers: Vec<Numbers>,
}

/// Spans of one trace, and what steps found out about them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanset {
    /// The trace's number in the batch.
    pub(super) trace: usize,
    /// Ascending; never empty between steps.
    pub(super) rows: SpanRows,
    /// Labels and what they are for, in the order of the steps.
    pub(super) attributes: SmallVec<[(usize, Found); 1]>,
}

/// Rows of a spanset. Most have a few: those need no memory of their own.
pub(super) type SpanRows = SmallVec<[u32; 8]>;

/// What a step found out about a spanset. The values of groups stay where they are until they are written: most spansets
/// are dropped before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found {
    /// The value of a source at a place in the order of its values; 0 is nil.
    Group { source: usize, rank: u32 },
    /// `None` is nil.
    Number(Option<Number>),
}

impl Spanset {
    /// Bytes of memory, the texts of values left out.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + size_of_val(self.rows.as_slice()) + size_of_val(self.attributes.as_slice())
    }
}

/// Spansets that came of other ones: each with the place of the one it came of, ascending.
type Derived = Vec<(usize, Spanset)>;

impl Rows {
    /// Bytes of memory.
    pub(super) fn size(&self) -> usize {
        let structure = [&self.parent_offsets, &self.descendants, &self.families];
        size_of_val(self.traces.as_slice())
            + self.marks.iter().map(Vec::len).sum::<usize>()
            + structure.into_iter().map(|column| size_of_val(column.as_slice())).sum::<usize>()
            + self.groups.iter().map(Groups::size).sum::<usize>()
            + self.numbers.iter().map(Numbers::size).sum::<usize>()
    }

    /// Runs a pipeline on all rows of every trace.
    pub(super) fn run(&self, steps: &[Step]) -> Vec<Spanset> {
        // Most pipelines begin with a filter: what it drops is not made a spanset of first.
        let (marks, steps) = match steps {
            [Step::Spansets(Tree::Mark(mark)), rest @ ..] => (Some(self.marks.get(*mark)), rest),
            _ => (None, steps),
        };
        let picked = |row: &u32| match marks {
            None => true,
            Some(marks) => marks.is_some_and(|marks| marks.get(*row as usize) == Some(&true)),
        };
        let whole = self.traces.iter().enumerate().map(|(trace, rows)| {
            let rows = (rows.start as u32..rows.end as u32).filter(picked).collect();
            Spanset { trace, rows, attributes: SmallVec::new() }
        });
        self.run_on(steps, whole.filter(|spanset| !spanset.rows.is_empty()))
    }

    /// The value of what was found out.
    pub(super) fn value(&self, found: Found) -> Option<Value> {
        match found {
            Found::Group { source, rank } => self.groups.get(source)?.value(rank).cloned(),
            Found::Number(number) => number.map(Number::value),
        }
    }

    /// Runs a pipeline; spansets come and go in the order of their traces.
    fn run_on(&self, steps: &[Step], spansets: impl Iterator<Item = Spanset>) -> Vec<Spanset> {
        let (alone, mut rest) = split_alone(steps);
        let mut spansets = self.run_alone(alone, spansets);
        while let [step, after @ ..] = rest {
            let (alone, later) = split_alone(rest);
            if !alone.is_empty() {
                spansets = self.run_alone(alone, spansets.into_iter());
                rest = later;
                continue;
            }
            spansets = match step {
                Step::Spansets(tree) => self.pick(tree, spansets).into_iter().map(|(_, spanset)| spanset).collect(),
                _ => coalesce(spansets),
            };
            rest = after;
        }
        spansets
    }

    /// Runs steps that look at each spanset alone, one spanset after the other: what a later step drops takes no memory.
    fn run_alone(&self, steps: &[Step], spansets: impl Iterator<Item = Spanset>) -> Vec<Spanset> {
        let (mut out, mut scratch) = (Vec::new(), Scratch::default());
        spansets.for_each(|spanset| self.push(steps, spanset, &mut scratch, &mut out));
        out
    }

    /// Hands a spanset to the first step, and what comes of it to the next.
    fn push(&self, steps: &[Step], mut spanset: Spanset, scratch: &mut Scratch, out: &mut Vec<Spanset>) {
        let Some((step, rest)) = steps.split_first() else { return out.push(spanset) };
        match step {
            Step::Where { op, left, right } => {
                if self.meets(*op, left, right, &mut spanset, scratch) {
                    self.push(rest, spanset, scratch, out);
                }
            }
            Step::GroupBy { source, label } => self.group(*source, *label, spanset, scratch, |spanset, scratch| {
                self.push(rest, spanset, scratch, out);
            }),
            // They look at all spansets: see `split_alone`.
            Step::Spansets(_) | Step::Coalesce => out.push(spanset),
        }
    }

    /// What a tree picks of each spanset; nothing of those of which it picks no span.
    fn pick(&self, tree: &Tree, input: Vec<Spanset>) -> Derived {
        match tree {
            Tree::All => input.into_iter().enumerate().collect(),
            Tree::Nothing => Vec::new(),
            Tree::Mark(mark) => {
                let marks = self.marks.get(*mark).map_or(&[][..], Vec::as_slice);
                let marked = input.into_iter().enumerate().map(|(place, mut spanset)| {
                    spanset.rows.retain(|row| marks.get(*row as usize) == Some(&true));
                    (place, spanset)
                });
                marked.filter(|(_, spanset)| !spanset.rows.is_empty()).collect()
            }
            Tree::And(operands) => self.join(operands, true, &input),
            Tree::Or(operands) => self.join(operands, false, &input),
            Tree::Structural { op, left, right } => self.relate(*op, left, right, input),
            Tree::Pipeline(steps) => {
                // A pipeline of its own on each spanset: what comes of it is told apart by where it began.
                let run =
                    |(place, spanset)| self.run_on(steps, once(spanset)).into_iter().map(move |found| (place, found));
                input.into_iter().enumerate().flat_map(run).collect()
            }
        }
    }

    /// All spans that any operand picks of a spanset; none if `all` operands must pick some, and one does not. What the
    /// operands found out is lost.
    fn join(&self, operands: &[Tree], all: bool, input: &[Spanset]) -> Derived {
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); input.len()];
        let mut answered = vec![0_usize; input.len()];
        for operand in operands {
            let mut last = None;
            for (place, spanset) in self.pick(operand, input.to_vec()) {
                if let (Some(rows), Some(answered)) = (rows.get_mut(place), answered.get_mut(place)) {
                    rows.extend(spanset.rows);
                    *answered += usize::from(last.replace(place) != Some(place));
                }
            }
        }
        let mut joined = Vec::new();
        for (place, (spanset, (mut rows, answered))) in input.iter().zip(rows.into_iter().zip(answered)).enumerate() {
            if rows.is_empty() || all && answered < operands.len() {
                continue;
            }
            rows.sort_unstable();
            rows.dedup();
            joined.push((
                place,
                Spanset { rows: rows.into(), trace: spanset.trace, attributes: spanset.attributes.clone() },
            ));
        }
        joined
    }

    /// `left op right` within each spanset: each spanset of the right side with all spans of the left (SEMANTICS.md T5).
    fn relate(&self, op: StructuralOp, left: &Tree, right: &Tree, input: Vec<Spanset>) -> Derived {
        let left = self.pick(left, input.clone());
        let right = self.pick(right, input.clone());
        let alone = |derived: &Derived| {
            let mut traces = derived.iter().map(|(_, spanset)| spanset.trace);
            let mut last = None;
            traces.all(|trace| last.replace(trace) != Some(trace))
        };
        let one_a_trace = input.windows(2).all(|pair| match pair {
            [first, second] => first.trace != second.trace,
            _ => true,
        });
        if one_a_trace && alone(&right) {
            return self.relate_batch(op, &left, right);
        }
        let mut related = Vec::new();
        for (place, mut spanset) in right {
            let from = left.partition_point(|(other, _)| *other < place);
            let partners = left.get(from..).unwrap_or(&[]).iter().take_while(|(other, _)| *other == place);
            let rows = self.traces.get(spanset.trace).cloned().unwrap_or(0..0);
            let kept = self.relate_rows(op, rows, partners.flat_map(|(_, partner)| &partner.rows), &spanset.rows);
            if !kept.is_empty() {
                spanset.rows = kept.into();
                related.push((place, spanset));
            }
        }
        related
    }

    /// The same in one sweep over the batch, where no trace has two spansets.
    fn relate_batch(&self, op: StructuralOp, left: &Derived, right: Derived) -> Derived {
        let end = self.traces.last().map_or(0, |rows| rows.end);
        let left_rows = left.iter().flat_map(|(_, spanset)| &spanset.rows);
        let right_rows: Vec<u32> = right.iter().flat_map(|(_, spanset)| spanset.rows.iter().copied()).collect();
        let kept = self.relate_rows(op, 0..end, left_rows, &right_rows);
        let mut rest = kept.as_slice();
        let mut related = Vec::new();
        for (place, spanset) in right {
            let rows = self.traces.get(spanset.trace).cloned().unwrap_or(0..0);
            let before = rest.partition_point(|row| (*row as usize) < rows.start);
            let after = rest.partition_point(|row| (*row as usize) < rows.end);
            let own = rest.get(before..after).unwrap_or(&[]);
            rest = rest.get(after..).unwrap_or(&[]);
            if !own.is_empty() {
                related.push((place, Spanset { rows: own.into(), ..spanset }));
            }
        }
        related
    }

    /// The rows that an operator keeps in a range of whole traces, ascending.
    fn relate_rows<'r>(
        &self,
        op: StructuralOp,
        range: Range<usize>,
        left: impl Iterator<Item = &'r u32>,
        right: &[u32],
    ) -> Vec<u32> {
        let flags = |rows: &mut dyn Iterator<Item = &'r u32>| {
            let mut flags = vec![false; range.len()];
            for row in rows {
                if let Some(flag) = (*row as usize).checked_sub(range.start).and_then(|row| flags.get_mut(row)) {
                    *flag = true;
                }
            }
            flags
        };
        let mut left = left;
        let left = flags(&mut left);
        let mut right_flags = vec![false; range.len()];
        for row in right {
            if let Some(flag) = (*row as usize).checked_sub(range.start).and_then(|row| right_flags.get_mut(row)) {
                *flag = true;
            }
        }
        let part = |values: &[u32]| values.get(range.clone()).map(<[u32]>::to_vec).unwrap_or_default();
        let mut families = part(&self.families);
        // Families are numbered through the batch; those of a trace begin with its first row's.
        let first = families.first().copied().unwrap_or(0);
        families.iter_mut().for_each(|family| *family = family.saturating_sub(first));
        let empty: &[u32] = &[];
        let structure = Structure {
            parent_offsets: self.parent_offsets.get(range.clone()).unwrap_or(empty),
            descendants: self.descendants.get(range.clone()).unwrap_or(empty),
            families: &families,
        };
        let kept = apply(op, &structure, &left, &right_flags);
        let rows = kept.iter().enumerate().filter(|(_, kept)| **kept);
        rows.map(|(row, _)| (row + range.start) as u32).collect()
    }

    /// Whether a spanset's values compare so; it then has the values (SEMANTICS.md P1, X5).
    fn meets(
        &self,
        op: CompareOp,
        left: &Scalar,
        right: &Scalar,
        spanset: &mut Spanset,
        scratch: &mut Scratch,
    ) -> bool {
        scratch.found.clear();
        let left = self.scalar(left, spanset, &mut scratch.found);
        let right = self.scalar(right, spanset, &mut scratch.found);
        let met = left.zip(right).is_some_and(|(left, right)| holds(op, left, right));
        if met {
            spanset.attributes.extend_from_slice(&scratch.found);
        }
        met
    }

    /// A scalar's value, `None` where it is missing or no number. Every aggregate in it is noted.
    fn scalar(&self, scalar: &Scalar, spanset: &Spanset, found: &mut Vec<(usize, Found)>) -> Option<Number> {
        let (value, label) = match scalar {
            Scalar::Const(value) => return Number::of(value),
            Scalar::Arithmetic { op, left, right } => {
                let left = self.scalar(left, spanset, found);
                let right = self.scalar(right, spanset, found);
                return compute(*op, left?, right?);
            }
            Scalar::Aggregate(aggregate) => (self.aggregate(aggregate, &spanset.rows), aggregate.label),
            Scalar::Pipeline(steps, aggregate) => {
                let out = self.run_on(steps, once(spanset.clone()));
                let mut rows: Vec<u32> = out.into_iter().flat_map(|spanset| spanset.rows).collect();
                rows.sort_unstable();
                rows.dedup();
                (self.aggregate(aggregate, &rows), aggregate.label)
            }
        };
        found.push((label, Found::Number(value)));
        value
    }

    fn aggregate(&self, found: &Aggregate, rows: &[u32]) -> Option<Number> {
        let Some(source) = found.source else { return i64::try_from(rows.len()).ok().map(Number::Int) };
        let numbers = self.numbers.get(source)?;
        aggregate(found.function, rows.iter().flat_map(|row| numbers.of(*row).iter().copied()))
    }

    /// Of a spanset one for each value, in order of the values: a span is in one for each value that it has, or in that of
    /// nil.
    fn group(
        &self,
        source: usize,
        label: usize,
        mut spanset: Spanset,
        scratch: &mut Scratch,
        mut take: impl FnMut(Spanset, &mut Scratch),
    ) {
        let Some(groups) = self.groups.get(source) else { return };
        // What comes after may group again.
        let mut pairs = std::mem::take(&mut scratch.pairs);
        pairs.clear();
        for row in &spanset.rows {
            match groups.of(*row) {
                [] => pairs.push((0, *row)),
                keys => pairs.extend(keys.iter().map(|key| (groups.rank(*key), *row))),
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let found = |pairs: &[(u32, u32)]| {
            let rank = pairs.first().map_or(0, |(rank, _)| *rank);
            (label, Found::Group { source, rank })
        };
        if pairs.first().map(|(rank, _)| rank) == pairs.last().map(|(rank, _)| rank) {
            spanset.attributes.push(found(&pairs));
            take(spanset, scratch);
        } else {
            for chunk in pairs.chunk_by(|a, b| a.0 == b.0) {
                let mut attributes = spanset.attributes.clone();
                attributes.push(found(chunk));
                let rows = chunk.iter().map(|(_, row)| *row).collect();
                take(Spanset { trace: spanset.trace, rows, attributes }, scratch);
            }
        }
        scratch.pairs = pairs;
    }
}

/// What steps work with, kept from spanset to spanset.
#[derive(Debug, Default)]
struct Scratch {
    /// Values' places, and the rows that have them.
    pairs: Vec<(u32, u32)>,
    found: Vec<(usize, Found)>,
}

/// So many steps go through a spanset in one go: each is a call within the last one's, and a query may have thousands.
const TOGETHER: usize = 16;

/// The first steps that look at one spanset alone, and the others.
fn split_alone(steps: &[Step]) -> (&[Step], &[Step]) {
    let alone = steps.iter().take_while(|step| matches!(step, Step::Where { .. } | Step::GroupBy { .. }));
    steps.split_at(alone.take(TOGETHER).count())
}

/// One spanset a trace, with every span once and without attributes.
fn coalesce(spansets: Vec<Spanset>) -> Vec<Spanset> {
    let mut joined: Vec<Spanset> = Vec::new();
    for mut spanset in spansets {
        match joined.last_mut() {
            Some(last) if last.trace == spanset.trace => last.rows.append(&mut spanset.rows),
            _ => joined.push(Spanset { attributes: SmallVec::new(), ..spanset }),
        }
    }
    for spanset in &mut joined {
        spanset.rows.sort_unstable();
        spanset.rows.dedup();
    }
    joined
}
