//! How long to wait before a request is sent again. Pure.

use std::time::Duration;

/// Pauses that double up to a longest one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    longest_asked: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration, longest_asked: Duration) -> Self {
        Self { first, longest, longest_asked, next: first }
    }

    /// The next pause: as long as the receiver asks for, within reason, where it asks for more than is due.
    pub(super) fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let due = self.next.min(self.longest);
        self.next = due.saturating_mul(2);
        asked.map_or(due, |asked| asked.min(self.longest_asked).max(due))
    }

    /// The receiver has answered: the next pause is the first one again.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_respect_what_is_asked_for() {
        let millis = Duration::from_millis;
        let mut backoff = Backoff::new(millis(30), millis(100), millis(9000));
        assert_eq!([(); 4].map(|()| backoff.pause(None)), [30, 60, 100, 100].map(millis));
        assert_eq!(backoff.pause(Some(millis(700))), millis(700));
        assert_eq!(backoff.pause(Some(millis(7))), millis(100));
        assert_eq!(backoff.pause(Some(Duration::MAX)), millis(9000));
        backoff.reset();
        assert_eq!(backoff.pause(None), millis(30));
    }
}
