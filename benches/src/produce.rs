//! Producers that send to one durable store: one run, in a process of its own.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use trace_benches::process;
use tracestore::{StoreOptions, SyncMode, TraceStore, otlp::MessageSource};

use crate::{Result, warm::quantiles};

/// How long a producer waits that was told to come back.
const BACK_OFF: Duration = Duration::from_millis(1);

/// Send a file's requests to a new store and print what that took as JSON: what `durable` starts as a process of its own.
#[derive(Debug, Args)]
pub(crate) struct Produce {
    /// The store's folder.
    store: PathBuf,
    /// The OTLP file, not packed.
    data: PathBuf,
    #[arg(long)]
    sync: Syncing,
    /// Blocks are made of so many MiB of requests, by the producers themselves and not beside them: always the same.
    #[arg(long)]
    cut: Option<usize>,
    /// How many threads send, each waiting for the acknowledgement of its request.
    #[arg(long)]
    producers: usize,
}

/// When what is acknowledged is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Syncing {
    /// Before it is acknowledged.
    Full,
    /// A second later at most.
    Interval,
    /// When the system likes to.
    Off,
}

/// What a run took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Produced {
    pub(crate) spans: u64,
    pub(crate) requests: usize,
    /// From the first request to the last acknowledgement.
    pub(crate) acknowledged_s: f64,
    /// To the end of [`TraceStore::close`]: all is in blocks.
    pub(crate) closed_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_rss_mb: f64,
    /// From sending a request to its acknowledgement.
    pub(crate) median_ms: f64,
    pub(crate) p99_ms: f64,
    /// How often a producer was told to come back.
    pub(crate) retries: u64,
    pub(crate) blocks: usize,
}

/// What one producer did.
#[derive(Debug, Default)]
struct Sent {
    spans: u64,
    retries: u64,
    times: Vec<f64>,
}

impl Produce {
    pub(crate) fn execute(&self) -> Result<()> {
        let mut options = StoreOptions::default();
        (options.sync, options.compaction) = (self.sync.mode(), None);
        if let Some(mebibytes) = self.cut {
            (options.background, options.cut.bytes) = (None, mebibytes << 20);
        }
        let store = TraceStore::open(&self.store, options)?;
        let source = Mutex::new(MessageSource::open(&self.data)?);
        let begun = Instant::now();
        let sent = thread::scope(|scope| {
            let producers: Vec<_> = (0..self.producers).map(|_| scope.spawn(|| self.send(&store, &source))).collect();
            let sent = producers.into_iter().map(|producer| producer.join().map_err(|_| "a producer panicked")?);
            sent.collect::<Result<Vec<Sent>>>()
        })?;
        let acknowledged_s = begun.elapsed().as_secs_f64();
        store.close()?;
        let closed_s = begun.elapsed().as_secs_f64();
        let mut times: Vec<f64> = sent.iter().flat_map(|sent| sent.times.iter().copied()).collect();
        let [median_ms, p99_ms] = quantiles(&mut times, [0.5, 0.99]);
        let produced = Produced {
            spans: sent.iter().map(|sent| sent.spans).sum(),
            requests: times.len(),
            acknowledged_s,
            closed_s,
            cpu_s: process::cpu_seconds(),
            peak_rss_mb: process::peak_rss_mb(),
            median_ms,
            p99_ms,
            retries: sent.iter().map(|sent| sent.retries).sum(),
            blocks: store.snapshot()?.blocks().len(),
        };
        println!("{}", serde_json::to_string(&produced)?);
        Ok(())
    }

    /// Sends what is left of the source, one request after the other.
    fn send(&self, store: &TraceStore, source: &Mutex<MessageSource>) -> Result<Sent> {
        let mut sent = Sent::default();
        loop {
            let next = source.lock().unwrap_or_else(PoisonError::into_inner).next().transpose()?;
            let Some(request) = next else { return Ok(sent) };
            // As a server has it: bytes of its own.
            let bytes = Bytes::copy_from_slice(&request.bytes);
            let begun = Instant::now();
            let (spans, retries) = ingest(store, &bytes)?;
            sent.times.push(begun.elapsed().as_secs_f64() * 1e3);
            sent.spans += spans;
            sent.retries += retries;
            if self.cut.is_some() {
                store.step()?;
            }
        }
    }
}

/// Sends a request until it is taken; gives its spans, and how often it had to come back.
pub(crate) fn ingest(store: &TraceStore, request: &Bytes) -> Result<(u64, u64)> {
    let mut retries = 0;
    loop {
        match store.ingest(request.clone()) {
            Ok(pushed) => return Ok((pushed.spans, retries)),
            Err(error) if error.is_retryable() => thread::sleep(BACK_OFF),
            Err(error) => return Err(error.into()),
        }
        retries += 1;
    }
}

impl Syncing {
    pub(crate) fn mode(self) -> SyncMode {
        match self {
            Self::Full => SyncMode::Full,
            Self::Interval => SyncMode::Interval(Duration::from_secs(1)),
            Self::Off => SyncMode::Off,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Interval => "interval",
            Self::Off => "off",
        }
    }
}
