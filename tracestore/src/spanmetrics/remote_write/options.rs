//! Where series are sent to, and how long they wait for it.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::backoff::Backoff;

/// The receiver, and the limits of what waits for it.
#[derive(Clone)]
#[non_exhaustive]
pub struct RemoteWriteOptions {
    /// The receiver's address: `http://prometheus:9090/api/v1/write`.
    pub url: String,
    /// Headers of each request, beside those that the protocol asks for.
    pub headers: Vec<(String, String)>,
    /// How long a request may take. 30 s.
    pub timeout: Duration,
    /// How long an outage of the receiver is bridged: what has waited longer is dropped, and counted. 10 minutes.
    pub max_age: Duration,
    /// How many bytes of requests may wait (as they are sent, compressed); beyond it the oldest are dropped, and counted.
    /// 256 MiB.
    pub max_bytes: u64,
    /// Samples in one request, at least 1. 2,000.
    pub max_samples: usize,
    /// The pause before a request is sent again; doubled each time. 30 ms.
    pub min_backoff: Duration,
    /// The longest such pause, but for one that the receiver asks for (`Retry-After`, as far as it is not longer than
    /// `max_age`). 5 s.
    pub max_backoff: Duration,
    /// The label that exemplars carry their trace id in. `traceID`.
    pub exemplar_label: String,
}

impl RemoteWriteOptions {
    /// Sends to this address.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: Vec::new(),
            timeout: Duration::from_secs(30),
            max_age: Duration::from_secs(600),
            max_bytes: 256 << 20,
            max_samples: 2000,
            min_backoff: Duration::from_millis(30),
            max_backoff: Duration::from_secs(5),
            exemplar_label: crate::spanmetrics::EXEMPLAR_LABEL.to_owned(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Names itself as HTTP's basic authentication does it.
    #[must_use]
    pub fn with_basic_auth(self, user: &str, password: &str) -> Self {
        let credentials = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.with_header("Authorization", format!("Basic {credentials}"))
    }

    /// Names itself with a token.
    #[must_use]
    pub fn with_bearer_token(self, token: &str) -> Self {
        self.with_header("Authorization", format!("Bearer {token}"))
    }

    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.min_backoff, self.max_backoff, self.max_age)
    }
}

/// Without the values of headers, which may be secrets.
impl fmt::Debug for RemoteWriteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("RemoteWriteOptions")
            .field("url", &self.url)
            .field("headers", &headers)
            .field("timeout", &self.timeout)
            .field("max_age", &self.max_age)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
