//! Which blocks go whole, and when a trace's time is over. Pure.

use std::{collections::BTreeSet, time::Duration};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::RetentionPolicy;
use crate::model::TraceId;

/// What is to be known of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockAge {
    /// When the last of its traces ended, ns since 1970.
    pub(super) end: u64,
    pub(super) bytes: u64,
}

/// The blocks (by their places in the list) in which everything is older than the policy keeps anything, and the oldest of
/// the others as long as those have more bytes than the policy allows.
pub(super) fn blocks_to_drop(policy: &RetentionPolicy, blocks: &[BlockAge], now: u64) -> BTreeSet<usize> {
    let longest = longest_keep(policy);
    let is_over = |block: &BlockAge| longest.is_some_and(|keep| expiry(block.end, Some(keep)) <= now);
    let over = blocks.iter().enumerate().filter(|(_, block)| is_over(block));
    let mut gone: BTreeSet<usize> = over.map(|(number, _)| number).collect();
    let Some(limit) = policy.max_bytes else { return gone };
    let mut others: Vec<(usize, &BlockAge)> =
        blocks.iter().enumerate().filter(|(number, _)| !gone.contains(number)).collect();
    others.sort_by_key(|(number, block)| (block.end, *number));
    let mut bytes: u64 = others.iter().map(|(_, block)| block.bytes).sum();
    for (number, block) in others {
        if bytes <= limit {
            break;
        }
        bytes -= block.bytes;
        gone.insert(number);
    }
    gone
}

/// The longest time that the policy keeps any trace; `None` where it keeps some for ever.
fn longest_keep(policy: &RetentionPolicy) -> Option<Duration> {
    let last = policy.rules.iter().position(super::RetentionRule::matches_all)?;
    let keeps: Option<Vec<Duration>> = policy.rules.iter().take(last + 1).map(|rule| rule.keep).collect();
    keeps?.into_iter().max()
}

/// The shortest time that the policy keeps any trace; `None` where it keeps all for ever.
pub(super) fn shortest_keep(policy: &RetentionPolicy) -> Option<Duration> {
    policy.rules.iter().filter_map(|rule| rule.keep).min()
}

/// When the time of a trace is over that ended at some time: then, and from then on. `u64::MAX`: never, as for what has no
/// times at all, which is not known to be old: it goes with its block.
pub(super) fn expiry(end: u64, keep: Option<Duration>) -> u64 {
    if end == 0 {
        return u64::MAX;
    }
    let keep = keep.map_or(u64::MAX, |keep| u64::try_from(keep.as_nanos()).unwrap_or(u64::MAX));
    end.saturating_add(keep)
}

/// Whether a trace is in the share that a rule, given by its place in the policy, has. The shares of different rules have
/// nothing to do with each other: each is a share of what the rules before it leave.
pub(super) fn is_in_share(trace: &TraceId, rule: usize, share: f64) -> bool {
    let hash = xxh3_64_with_seed(trace.as_bytes(), rule as u64);
    // The upper 53 bits, which a float holds exactly.
    ((hash >> 11) as f64) < share * (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::{super::RetentionRule, *};

    const SECOND: u64 = 1_000_000_000;

    fn rule(share: f64, keep: Option<u64>) -> RetentionRule {
        RetentionRule { traces: None, share, keep: keep.map(Duration::from_secs) }
    }

    fn gone(policy: &RetentionPolicy, blocks: &[(u64, u64)], now: u64) -> Vec<usize> {
        let blocks: Vec<_> = blocks.iter().map(|(end, bytes)| BlockAge { end: end * SECOND, bytes: *bytes }).collect();
        blocks_to_drop(policy, &blocks, now * SECOND).into_iter().collect()
    }

    #[test]
    fn blocks_go_when_the_longest_time_is_over() {
        let blocks = [(100, 1), (50, 1), (101, 1)];
        let policy = |rules: &[RetentionRule]| RetentionPolicy { rules: rules.to_vec(), max_bytes: None };
        let ten = policy(&[rule(0.5, Some(10)), rule(1.0, Some(3)), rule(1.0, Some(999))]);
        assert_eq!(gone(&ten, &blocks, 59), Vec::<usize>::new());
        assert_eq!(gone(&ten, &blocks, 60), [1]);
        assert_eq!(gone(&ten, &blocks, 110), [0, 1]);
        assert_eq!(gone(&ten, &blocks, 111), [0, 1, 2]);
        // Something is kept for ever: what a rule says so of, or what no rule matches.
        assert_eq!(gone(&policy(&[rule(0.5, None), rule(1.0, Some(3))]), &blocks, 999), Vec::<usize>::new());
        assert_eq!(gone(&policy(&[rule(0.5, Some(3))]), &blocks, 999), Vec::<usize>::new());
        assert_eq!(gone(&RetentionPolicy::default(), &blocks, 999), Vec::<usize>::new());
    }

    #[test]
    fn the_oldest_blocks_go_until_the_others_fit() {
        let blocks = [(100, 5), (50, 2), (101, 4), (100, 1)];
        let policy = |max_bytes| RetentionPolicy { rules: Vec::new(), max_bytes: Some(max_bytes) };
        for (limit, expected) in
            [(12, vec![]), (11, vec![1]), (10, vec![1]), (9, vec![0, 1]), (4, vec![0, 1, 3]), (0, vec![0, 1, 2, 3])]
        {
            assert_eq!(gone(&policy(limit), &blocks, 0), expected, "{limit} bytes");
        }
        // What is too old does not count.
        let both = RetentionPolicy { rules: vec![rule(1.0, Some(10))], max_bytes: Some(10) };
        assert_eq!(gone(&both, &blocks, 60), [1]);
    }

    #[test]
    fn a_share_is_always_the_same_and_as_large_as_it_says() {
        let ids: Vec<TraceId> = (0..20_000_u128).map(|number| TraceId::from_bytes(number.to_be_bytes())).collect();
        let share = |rule, share| ids.iter().filter(|id| is_in_share(id, rule, share)).count();
        assert_eq!((share(0, 0.0), share(0, 1.0)), (0, ids.len()));
        let tenth = share(0, 0.1);
        assert!((1_800..2_200).contains(&tenth), "{tenth}");
        // Pinned: another build has to keep the same traces.
        let kept = (0..200).filter(|number| is_in_share(&ids[*number], 2, 0.05));
        assert_eq!(kept.collect::<Vec<_>>(), [84, 101, 115, 117, 145, 159, 168, 174, 195_usize]);
        let rest: Vec<_> = ids.iter().filter(|id| !is_in_share(id, 0, 0.5)).collect();
        let both = rest.iter().filter(|id| is_in_share(id, 1, 0.5)).count();
        assert!((4_600..5_400).contains(&both), "{both} of {}", rest.len());
    }

    #[test]
    fn times_that_never_come() {
        assert_eq!(expiry(5, Some(Duration::from_nanos(7))), 12);
        assert_eq!(expiry(5, Some(Duration::MAX)), u64::MAX);
        assert_eq!(expiry(5, None), u64::MAX);
        assert_eq!(expiry(0, Some(Duration::from_nanos(7))), u64::MAX);
    }
}
