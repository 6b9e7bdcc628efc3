//! Random policies over random blocks at ascending times, against what the documents say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;

use super::{super::samples, *};
use crate::store::FoundSpans;

/// Traces whose number leaves this rest when divided by 4. Counts how often it is asked.
#[derive(Debug)]
struct Rest(u32, Arc<AtomicUsize>);

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rest {}", self.0)
    }
}

fn number(id: &crate::model::TraceId) -> u32 {
    u32::from_be_bytes(id.as_bytes()[..4].try_into().unwrap())
}

impl SpanSelector for Rest {
    fn select(&self, view: &Snapshot, found: &mut FoundSpans) -> Result<()> {
        self.1.fetch_add(1, Ordering::Relaxed);
        found.add_if(view, |trace, _| number(&trace.trace_id) % 4 == self.0)
    }
}

fn policy(keeps: &[Option<u64>; 3], asked: &Arc<AtomicUsize>) -> RetentionPolicy {
    let rule = |place: usize, keep: &Option<u64>| RetentionRule {
        traces: (place < 2).then(|| Arc::new(Rest(place as u32, Arc::clone(asked))) as Arc<dyn SpanSelector>),
        ..RetentionRule::all(keep.map(Duration::from_nanos))
    };
    RetentionPolicy {
        rules: keeps.iter().enumerate().map(|(place, keep)| rule(place, keep)).collect(),
        max_bytes: None,
    }
}

/// The numbers of the traces in each block.
fn numbers(blocks: &[Arc<Block>]) -> Vec<BTreeSet<u32>> {
    let read = |block: &Arc<Block>| {
        let traces = (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).unwrap());
        traces.map(|trace| number(&trace.trace_id)).collect()
    };
    blocks.iter().map(read).collect()
}

/// What is left of some blocks.
fn apply(blocks: &[Arc<Block>], expired: Expired) -> Vec<Arc<Block>> {
    let others = expired.others.unwrap();
    let left = blocks.iter().filter(|block| !expired.blocks.iter().any(|gone| gone.id() == block.id()));
    let edited = left.filter_map(|block| {
        let place = others.blocks().iter().position(|other| other.id() == block.id())? as u32;
        let Some(rows) = expired.rows.rows.get(&place) else { return Some(Arc::clone(block)) };
        let rows = rows | block.deleted_rows();
        (rows.len() < block.meta().spans).then(|| block.with_deleted(rows).unwrap())
    });
    edited.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn traces_go_when_their_time_is_over(
        blocks in prop::collection::vec(prop::collection::btree_set(1..60_u32, 1..8), 1..5),
        keeps in prop::array::uniform3(prop::option::weighted(0.8, 0..60_u64)),
        steps in prop::collection::vec(1..25_u64, 1..6),
    ) {
        let asked = Arc::new(AtomicUsize::new(0));
        let policy = policy(&keeps, &asked);
        // A trace starts and ends at its number; those in several blocks are in each with the same span.
        let mut model: Vec<BTreeSet<u32>> = blocks.clone();
        let blocks: Vec<Vec<u32>> = blocks.into_iter().map(|numbers| numbers.into_iter().collect()).collect();
        let mut blocks: Vec<_> = blocks.iter().map(|numbers| samples::block(numbers)).collect();
        let (mut now, mut due) = (0, Due::default());
        for step in steps {
            now += step;
            let longest = keeps.iter().copied().collect::<Option<Vec<_>>>().and_then(|keeps| keeps.into_iter().max());
            model.retain(|block| longest.is_none_or(|keep| u64::from(*block.last().unwrap()) + keep > now));
            let is_over = |number: &u32| {
                let keep = keeps[if number % 4 < 2 { (number % 4) as usize } else { 2 }];
                keep.is_some_and(|keep| u64::from(*number) + keep <= now)
            };
            model.iter_mut().for_each(|block| block.retain(|number| !is_over(number)));
            model.retain(|block| !block.is_empty());

            let before = asked.load(Ordering::Relaxed);
            let fresh = policy.expired(&blocks, now, &mut Due::default()).unwrap();
            let between = asked.load(Ordering::Relaxed);
            let expired = policy.expired(&blocks, now, &mut due).unwrap();
            prop_assert_eq!(fresh.report(), expired.report());
            prop_assert!(asked.load(Ordering::Relaxed) - between <= between - before);
            blocks = apply(&blocks, expired);
            prop_assert_eq!(numbers(&blocks), model.clone());
            // At the same time nothing more is over, and nothing need be asked: but once more where parts of traces went, of
            // which others may be left.
            let again = policy.expired(&blocks, now, &mut due).unwrap();
            prop_assert_eq!(again.report(), RetentionReport::default());
            let before = asked.load(Ordering::Relaxed);
            let again = policy.expired(&blocks, now, &mut due).unwrap();
            prop_assert_eq!(again.report(), RetentionReport::default());
            prop_assert_eq!(asked.load(Ordering::Relaxed), before);
        }
    }
}

/// Trace 19 lies in two blocks, of which one goes whole when its time is over; that it is alone in the other one then must not
/// be overlooked there.
#[test]
fn a_trace_whose_other_part_went_is_over_as_well() {
    let asked = Arc::new(AtomicUsize::new(0));
    let policy = policy(&[Some(1), Some(0), Some(19)], &asked);
    let blocks: Vec<_> = [&[36][..], &[19, 36], &[19]].into_iter().map(samples::block).collect();
    let mut due = Due::default();
    assert_eq!(policy.expired(&blocks, 20, &mut due).unwrap().report(), RetentionReport::default());
    let expired = policy.expired(&blocks, 38, &mut due).unwrap();
    assert_eq!(expired.report().stored_spans, 4);
    assert!(apply(&blocks, expired).is_empty());
}

/// Traces with several spans.
#[derive(Debug)]
struct Several;

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("several spans")
    }
}

impl SpanSelector for Several {
    fn select(&self, view: &Snapshot, found: &mut FoundSpans) -> Result<()> {
        found.add_if(view, |trace, _| trace.spans.len() > 1)
    }
}

/// A trace that was to be kept for ever loses the span for which it was.
#[test]
fn a_trace_that_has_lost_spans_is_looked_at_again() {
    let rules = vec![
        RetentionRule { traces: Some(Arc::new(Several)), ..RetentionRule::all(None) },
        RetentionRule::all(Some(Duration::from_nanos(5))),
    ];
    let policy = RetentionPolicy { rules, max_bytes: None };
    let (block, mut due) = (samples::block_of(&[(10, 2), (11, 2)]), Due::default());
    let before = policy.expired(&[Arc::clone(&block)], 20, &mut due).unwrap();
    assert_eq!(before.report(), RetentionReport::default());
    let deleted = [block.with_deleted([0].into_iter().collect()).unwrap()];
    let after = policy.expired(&deleted, 20, &mut due).unwrap();
    assert_eq!((after.report().traces, after.report().stored_spans), (1, 1));
}

#[test]
fn a_share_is_of_whole_traces_wherever_they_lie() {
    let share = RetentionRule { share: 0.5, ..RetentionRule::all(None) };
    let rules = vec![share, RetentionRule::all(Some(Duration::from_nanos(1)))];
    let policy = RetentionPolicy { rules, max_bytes: None };
    let left = |cut: &[&[u32]]| {
        let blocks: Vec<_> = cut.iter().map(|numbers| samples::block(numbers)).collect();
        let expired = policy.expired(&blocks, 1_000, &mut Due::default()).unwrap();
        let mut counts = BTreeMap::<u32, usize>::new();
        for number in numbers(&apply(&blocks, expired)).into_iter().flatten() {
            *counts.entry(number).or_default() += 1;
        }
        counts
    };
    let all: Vec<u32> = (1..=40).collect();
    let one = left(&[&all]);
    assert!((10..=30).contains(&one.len()), "{one:?}");
    let several = left(&[&all[..20], &all[10..30], &all[30..]]);
    assert_eq!(several.keys().collect::<Vec<_>>(), one.keys().collect::<Vec<_>>());
    assert!(several.iter().all(|(number, parts)| *parts == if (11..=20).contains(number) { 2 } else { 1 }));
}
