//! Requests that are sent again: a client that was not answered repeats the same bytes, and they count once.

use std::collections::VecDeque;

use foldhash::{HashSet, HashSetExt};
use xxhash_rust::xxh3::xxh3_128;

use crate::spanmetrics::{StateReader, StateWriter};

/// How many requests are remembered: 512 KiB of hashes.
const REMEMBERED: usize = 16_384;

/// Hashes of the latest requests. Spans have ids of their own: different requests have different bytes.
#[derive(Debug)]
pub(super) struct RecentRequests {
    order: VecDeque<u128>,
    hashes: HashSet<u128>,
}

impl RecentRequests {
    pub(super) fn new() -> Self {
        Self { order: VecDeque::new(), hashes: HashSet::new() }
    }

    /// Remembers a request; tells whether it was not there.
    pub(super) fn is_new(&mut self, request: &[u8]) -> bool {
        self.remember(xxh3_128(request))
    }

    fn remember(&mut self, hash: u128) -> bool {
        if !self.hashes.insert(hash) {
            return false;
        }
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        self.order.push_back(hash);
        true
    }

    pub(super) fn save(&self, state: &mut StateWriter) {
        state.integer(self.order.len() as u64);
        self.order.iter().for_each(|hash| state.bytes(&hash.to_le_bytes()));
    }

    /// Reads what is the rest of a state.
    pub(super) fn restore(mut state: StateReader<'_>) -> Option<Self> {
        let mut recent = Self::new();
        for _ in 0..state.count()? {
            recent.remember(u128::from_le_bytes(state.bytes()?.try_into().ok()?));
        }
        state.is_empty().then_some(recent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_requests_are_known_also_after_a_restart() {
        let mut recent = RecentRequests::new();
        let request = |number: usize| number.to_le_bytes();
        let new = |recent: &mut RecentRequests, number| recent.is_new(&request(number));
        assert!(new(&mut recent, 0) && !new(&mut recent, 0));
        assert!((1..=REMEMBERED).all(|number| new(&mut recent, number)));
        let mut state = StateWriter::default();
        recent.save(&mut state);
        let bytes = state.into_bytes();
        let mut recent = RecentRequests::restore(StateReader::new(&bytes)).unwrap();
        assert!((1..=REMEMBERED).all(|number| !new(&mut recent, number)));
        // The oldest had to go.
        assert!(new(&mut recent, 0));
        assert_eq!((recent.order.len(), recent.hashes.len()), (REMEMBERED, REMEMBERED));
    }
}
