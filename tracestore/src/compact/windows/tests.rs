use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;

/// A block of a minute of an hour, made when its time was over.
fn block(name: &str, hour: u64, minute: u64, spans: u64) -> BlockSummary {
    let end = hour * HOUR + (minute + 1) * 60 * SECOND - 1;
    let request_bytes = spans * 100;
    BlockSummary {
        folder: name.into(),
        spans,
        bytes: spans * 10,
        request_bytes,
        start: end.saturating_sub(60 * SECOND),
        end,
        created: end,
        ..BlockSummary::default()
    }
}

fn strategy() -> TimeWindows {
    TimeWindows { fan_in: 3, max_spans: 1000, ..TimeWindows::default() }
}

fn chosen(strategy: &TimeWindows, blocks: &[BlockSummary], now: u64) -> Vec<Vec<String>> {
    strategy.choose(blocks, now).into_iter().map(|job| job.blocks).collect()
}

#[test]
fn a_settled_hour_is_merged_and_its_single_block_is_left() {
    let blocks = [block("b", 5, 30, 10), block("a", 5, 10, 10), block("c", 6, 1, 10)];
    let at = |hour: u64, minute: u64| chosen(&strategy(), &blocks, hour * HOUR + minute * 60 * SECOND);
    assert_eq!(at(6, 14), Vec::<Vec<String>>::new());
    assert_eq!(at(6, 15), [["a", "b"]]);
    // The day is over long after.
    let merged = [BlockSummary { level: 1, ..block("ab", 5, 30, 20) }, block("c", 6, 1, 10)];
    assert_eq!(chosen(&strategy(), &merged, 24 * HOUR + 14 * 60 * SECOND), Vec::<Vec<String>>::new());
    assert_eq!(chosen(&strategy(), &merged, 24 * HOUR + 15 * 60 * SECOND), [["ab", "c"]]);
}

#[test]
fn late_spans_wait_for_each_other() {
    // An old hour, and a block of it that was made just now.
    let late = BlockSummary { created: 90 * HOUR, ..block("late", 5, 0, 10) };
    let blocks = [block("a", 5, 10, 10), late];
    assert_eq!(chosen(&strategy(), &blocks, 90 * HOUR + 1), Vec::<Vec<String>>::new());
    assert_eq!(chosen(&strategy(), &blocks, 91 * HOUR), [["late", "a"]]);
    assert_eq!(chosen(&strategy().at_once(), &blocks, 0), [["late", "a"]]);
}

#[test]
fn an_open_hour_merges_many_of_one_level_and_what_fills_a_block() {
    let small: Vec<_> = (0..3).map(|number| block(&number.to_string(), 5, number, 10)).collect();
    let now = 5 * HOUR + 600 * SECOND;
    assert_eq!(chosen(&strategy(), &small[..2], now), Vec::<Vec<String>>::new());
    assert_eq!(chosen(&strategy(), &small, now), [["0", "1", "2"]]);
    let mut mixed = small.clone();
    mixed[1].level = 1;
    assert_eq!(chosen(&strategy(), &mixed, now), Vec::<Vec<String>>::new());
    // The third does not fit any more, the fourth is full.
    let large = [block("a", 5, 0, 400), block("b", 5, 1, 400), block("c", 5, 2, 400), block("d", 5, 3, 500)];
    assert_eq!(chosen(&strategy(), &large, now), [["a", "b"]]);
}

#[test]
fn settled_windows_come_first_and_holes_last() {
    let mut blocks: Vec<_> = (0..3).map(|number| block(&number.to_string(), 9, number, 10)).collect();
    blocks.extend([block("a", 5, 0, 10), block("b", 5, 1, 10), block("full", 2, 0, 900), block("sound", 3, 0, 900)]);
    blocks[5].deleted = 181;
    blocks[6].deleted = 180;
    let now = 9 * HOUR + 600 * SECOND;
    let expected: [&[&str]; 3] = [&["a", "b"], &["0", "1", "2"], &["full"]];
    assert_eq!(chosen(&strategy(), &blocks, now), expected);
}

#[test]
fn a_clock_that_is_ahead_is_taken_as_now() {
    let ahead = |name: &str| BlockSummary { end: u64::MAX, ..block(name, 5, 0, 10) };
    let blocks = [ahead("a"), ahead("b"), ahead("c")];
    assert_eq!(chosen(&strategy(), &blocks, 7 * HOUR), [["a", "b", "c"]]);
    assert_eq!(chosen(&strategy(), &blocks[..2], 7 * HOUR), Vec::<Vec<String>>::new());
}

/// Merges as a store would, until nothing is chosen; tells how many spans were written.
fn settle(strategy: &TimeWindows, blocks: &mut Vec<BlockSummary>, now: u64) -> u64 {
    let mut written = 0;
    while let Some(job) = strategy.choose(blocks, now).into_iter().next() {
        let (inputs, others): (Vec<_>, Vec<_>) = blocks.drain(..).partition(|block| job.blocks.contains(&block.folder));
        assert_eq!(inputs.len(), job.blocks.len());
        *blocks = others;
        written += inputs.iter().map(|block| block.spans - block.deleted).sum::<u64>();
        let sum = |field: fn(&BlockSummary) -> u64| inputs.iter().map(field).sum::<u64>();
        blocks.push(BlockSummary {
            folder: format!("{now}-{written}-{}", inputs[0].folder),
            level: inputs.iter().map(|block| block.level).max().unwrap() + 1,
            spans: sum(|block| block.spans - block.deleted),
            bytes: sum(|block| block.bytes),
            request_bytes: sum(|block| block.request_bytes),
            start: inputs.iter().map(|block| block.start).min().unwrap(),
            end: inputs.iter().map(|block| block.end).max().unwrap(),
            created: now,
            deleted: 0,
            moved: 0,
        });
    }
    written
}

/// A stream that is flushed every so often (seconds); gives how often a span is written, the most blocks there were,
/// and how many there are at last.
fn simulate(strategy: &TimeWindows, hours: u64, spans_per_second: u64, flush_every: u64) -> (f64, usize, usize) {
    let (mut blocks, mut flushed, mut merged, mut most) = (Vec::new(), 0, 0, 0);
    let end = hours * 3600;
    for second in (flush_every..=end).step_by(flush_every as usize) {
        let (spans, now) = (spans_per_second * flush_every, second * SECOND);
        blocks.push(BlockSummary {
            folder: second.to_string(),
            spans,
            bytes: spans * 28,
            request_bytes: spans * 350,
            start: now - flush_every * SECOND,
            end: now,
            created: now,
            ..BlockSummary::default()
        });
        flushed += spans;
        merged += settle(strategy, &mut blocks, now);
        most = most.max(blocks.len());
    }
    merged += settle(strategy, &mut blocks, end * SECOND + 2 * 24 * HOUR);
    ((flushed + merged) as f64 / flushed as f64, most, blocks.len())
}

#[test]
fn a_span_is_written_a_few_times_whatever_the_stream() {
    let strategy = TimeWindows::default();
    for (name, hours, spans_per_second, flush_every, most_blocks, last_blocks) in [
        ("a trickle, cut when idle", 72, 1, 120, 60, 4),
        ("a small service", 72, 100, 900, 60, 63),
        ("a busy one", 24, 2_000, 183, 700, 500),
        ("all that goes in", 1, 100_000, 4, 1_000, 1_000),
    ] {
        let (factor, most, last) = simulate(&strategy, hours, spans_per_second, flush_every);
        println!(
            "{name}: {hours} h of {spans_per_second} spans/s, a flush every {flush_every} s: written {factor:.2} times, at most {most} blocks, {last} at last"
        );
        assert!(factor <= 5.0 && most <= most_blocks && last <= last_blocks, "{name}: {factor} {most} {last}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_comes_to_an_end_and_jobs_do_not_overlap(
        raw in prop::collection::vec((0..30_u64, 0..60_u64, 0..2000_u64, 0..3_u32, 0..3_u64, 0..40_u64), 0..60),
        now in 0..60_u64,
        max_inputs in 2..9_usize,
        at_once in any::<bool>(),
    ) {
        let blocks = raw.into_iter().enumerate().map(|(number, (hour, minute, spans, level, deleted, created))| BlockSummary {
            level,
            deleted: spans * deleted / 4,
            created: created * HOUR,
            ..block(&number.to_string(), hour, minute, spans)
        });
        let mut blocks: Vec<_> = blocks.collect();
        let strategy = TimeWindows { max_inputs, ..strategy() };
        let strategy = if at_once { strategy.at_once() } else { strategy };
        let jobs = strategy.choose(&blocks, now * HOUR);
        let mut chosen: Vec<_> = jobs.iter().flat_map(|job| &job.blocks).collect();
        let count = chosen.len();
        chosen.sort();
        chosen.dedup();
        prop_assert_eq!(chosen.len(), count);
        for job in &jobs {
            let spans: u64 = blocks.iter().filter(|block| job.blocks.contains(&block.folder)).map(|block| block.spans).sum();
            prop_assert!(job.blocks.len() <= max_inputs && (job.blocks.len() == 1 || spans <= strategy.max_spans));
        }
        settle(&strategy, &mut blocks, now * HOUR);
    }
}
