//! When live data is made into a block: a pure decision.

use std::time::Duration;

/// When live data becomes a block. Whichever comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutPolicy {
    /// There are this many bytes of requests.
    pub bytes: usize,
    /// The oldest request has waited this long.
    pub age: Duration,
    /// Nothing has come in for this long.
    pub idle: Duration,
}

impl Default for CutPolicy {
    /// 128 MiB, a quarter of an hour, two minutes.
    fn default() -> Self {
        Self { bytes: 128 << 20, age: Duration::from_secs(15 * 60), idle: Duration::from_secs(2 * 60) }
    }
}

/// What waits to become a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LiveStatus {
    /// How many requests.
    pub requests: usize,
    /// Their bytes, as received.
    pub bytes: usize,
    /// How long the oldest has waited.
    pub age: Duration,
    /// How long ago the last came in.
    pub idle: Duration,
}

/// Why a block is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutReason {
    /// There is enough for a block.
    Bytes,
    /// The oldest request has waited long enough.
    Age,
    /// Nothing more comes in.
    Idle,
}

impl CutPolicy {
    /// Whether to cut a block now.
    #[must_use]
    pub fn decide(&self, live: &LiveStatus) -> Option<CutReason> {
        if live.requests == 0 {
            None
        } else if live.bytes >= self.bytes {
            Some(CutReason::Bytes)
        } else if live.age >= self.age {
            Some(CutReason::Age)
        } else if live.idle >= self.idle {
            Some(CutReason::Idle)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_cuts_and_nothing_is_never_cut() {
        let seconds = Duration::from_secs;
        let policy = CutPolicy { bytes: 100, age: seconds(60), idle: seconds(10) };
        let live = |requests, bytes, age, idle| LiveStatus { requests, bytes, age: seconds(age), idle: seconds(idle) };
        for (status, expected) in [
            (live(0, 0, 999, 999), None),
            (live(1, 99, 59, 9), None),
            (live(1, 100, 0, 0), Some(CutReason::Bytes)),
            (live(1, 1, 60, 0), Some(CutReason::Age)),
            (live(1, 1, 10, 10), Some(CutReason::Idle)),
            (live(1, 100, 60, 10), Some(CutReason::Bytes)),
        ] {
            assert_eq!(policy.decide(&status), expected, "{status:?}");
        }
    }
}
