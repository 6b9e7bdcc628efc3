//! What became of the samples that were to be sent.

/// Counts since the spool was opened, and what waits now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RemoteWriteStatus {
    /// Requests that wait to be sent.
    pub queued_requests: usize,
    /// Samples in them.
    pub queued_samples: u64,
    /// Bytes of them, compressed.
    pub queued_bytes: u64,
    /// Samples that the receiver took.
    pub sent: u64,
    /// Samples that it refused for good: any answer but success, 429 and 5xx.
    pub refused: u64,
    /// Samples dropped because they had waited for too long.
    pub expired: u64,
    /// Samples dropped because too many bytes waited.
    pub overflowed: u64,
    /// Requests that the spool has lost: its files were damaged.
    pub damaged_requests: u64,
    /// How often a request had to be sent again.
    pub retries: u64,
    /// Why a request failed the last time that one did.
    pub last_error: Option<String>,
}

impl RemoteWriteStatus {
    /// Samples that the receiver has not got and will not get.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.refused + self.expired + self.overflowed
    }
}
