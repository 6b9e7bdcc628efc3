//! Remote write 1.0: series sent to a Prometheus, or to whatever receives as it does.
//!
//! ```text
//! SpanMetrics::write ─▶ Samples (an Exposition) ─▶ requests ─▶ Queue (a spool of the log's segments) ─▶ thread ─▶ HTTP
//!                        labels, times             snappy       what is full or too old is dropped       again on 5xx, 429
//! ```
//!
//! What was given to it is on stable storage before the call returns, and is sent once, in order: twice only when the
//! process ends between an answer and the note of it. Unlike the rest of span metrics this has a thread, a folder, and a
//! clock.

mod backoff;
mod client;
mod messages;
mod options;
mod queue;
mod samples;
mod sender;
mod status;

use std::{
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

pub use options::RemoteWriteOptions;
pub use samples::Samples;
pub use status::RemoteWriteStatus;

use self::{client::Client, queue::Queue, sender::Shared};
use crate::{Error, Result, io::Vfs};

/// Sends series, from a thread of its own.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use tracestore::{io::DiskVfs, spanmetrics::{Exposition, RemoteWrite, RemoteWriteOptions, SpanMetrics}};
/// # fn run(metrics: SpanMetrics, now: u64) -> Result<(), Box<dyn std::error::Error>> {
/// let options = RemoteWriteOptions::new("http://prometheus:9090/api/v1/write").with_bearer_token("secret");
/// let remote = RemoteWrite::open(Arc::new(DiskVfs::default()), "queue", options)?;
/// // Every 15 seconds or so:
/// let mut samples = remote.samples(now);
/// metrics.write(&mut samples)?;
/// samples.finish()?;
/// # Ok(())
/// # }
/// ```
///
/// Dropping it waits for the request that is on its way (at most its timeout) and
/// leaves the others in the folder, for the next one that is opened there.
#[derive(Debug)]
pub struct RemoteWrite {
    shared: Arc<Shared>,
    options: RemoteWriteOptions,
    sender: Option<JoinHandle<()>>,
}

impl RemoteWrite {
    /// Opens the spool in a folder, making it if there is none, and begins to send what it holds.
    ///
    /// # Errors
    /// [`Error::Config`] for an address or header that is none; [`Error::Locked`] when another one has the folder;
    /// [`Error::Io`].
    pub fn open(vfs: Arc<dyn Vfs>, folder: impl Into<PathBuf>, options: RemoteWriteOptions) -> Result<Self> {
        let folder = folder.into();
        let queue = Queue::open(vfs, folder.clone(), &options)?;
        let client = Client::new(&options).map_err(Error::from)?;
        let shared = Arc::new(Shared::new(queue));
        let (for_thread, backoff) = (Arc::clone(&shared), options.backoff());
        let thread = std::thread::Builder::new().name("remote-write".to_owned());
        let sender = thread.spawn(move || for_thread.run(&client, backoff));
        let sender = Some(sender.map_err(|error| Error::io("start a thread for", folder, error))?);
        Ok(Self { shared, options, sender })
    }

    /// Takes series to be sent. `time`, ns since 1970, is that of samples which have none of their own.
    #[must_use]
    pub fn samples(&self, time: u64) -> Samples<'_> {
        Samples::new(self, time)
    }

    /// Puts a request into the queue.
    fn push(&self, body: &[u8], samples: u32) -> Result<()> {
        self.shared.push(body, samples)
    }

    fn options(&self) -> &RemoteWriteOptions {
        &self.options
    }

    /// What became of the samples.
    #[must_use]
    pub fn status(&self) -> RemoteWriteStatus {
        self.shared.status()
    }

    /// Waits until at most so many bytes of requests wait to be sent, or until the time is over; tells which. 0 bytes for
    /// all to be sent, or dropped.
    #[must_use]
    pub fn wait(&self, bytes: u64, timeout: Duration) -> bool {
        let end = Instant::now().checked_add(timeout);
        self.shared.wait(bytes, end)
    }
}

impl Drop for RemoteWrite {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(sender) = self.sender.take() {
            // It does not panic; if it did, that is not for this thread to repeat.
            let _ = sender.join();
        }
    }
}
