//! Ingest, compaction and queries at the same time in one process, within a budget of memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::Args;
use trace_benches::{process, workload::Workload};
use traceql::{Engine, MetricsOptions, SearchOptions};
use tracestore::{StoreOptions, TimeWindows, TraceStore};

use crate::{
    Result,
    ask::{STEP, time_range},
    produce,
    queries::{GENERATED, Kind},
};

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How often progress is told.
const TELL: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(crate) struct Soak {
    #[arg(long, default_value_t = 10_000_000)]
    spans: u64,
    /// Memory for all of it, in MiB, mapped files not counted. Live data may have an eighth, a block that is cut from it a
    /// 32nd, one that blocks are merged into an eighth, a query a quarter.
    #[arg(long, default_value_t = 1024)]
    budget: u64,
    /// How many threads send.
    #[arg(long, default_value_t = 1)]
    producers: u64,
}

/// What the threads tell each other.
#[derive(Debug, Default)]
struct Shared {
    spans: AtomicU64,
    retries: AtomicU64,
    queries: AtomicU64,
    done: AtomicBool,
}

impl Soak {
    pub(crate) fn execute(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let store = TraceStore::open(folder.path(), self.options()?)?;
        let shared = Shared::default();
        let begun = Instant::now();
        let peak_mb = thread::scope(|scope| -> Result<f64> {
            let (store, shared) = (&store, &shared);
            let send = |seed| scope.spawn(move || self.send(store, seed, shared));
            let producers: Vec<_> = (1..=self.producers).map(send).collect();
            let asking = scope.spawn(|| self.ask(store, shared));
            let watching = scope.spawn(|| watch(store, shared, begun));
            let sent = producers.into_iter().map(|producer| producer.join().map_err(|_| "a producer panicked")?);
            let sent = sent.collect::<Result<()>>();
            let closed = store.close();
            shared.done.store(true, Relaxed);
            let asked = asking.join().map_err(|_| "asking panicked")?;
            let peak_mb = watching.join().map_err(|_| "watching panicked")?;
            sent?;
            closed?;
            asked?;
            Ok(peak_mb)
        })?;
        let spans = shared.spans.load(Relaxed);
        let counted = count(&Engine::new(store.snapshot()?))?;
        println!(
            "{spans} spans in {:.0} s, {} answers meanwhile, {} retries, {} blocks, {:.0} CPU s",
            begun.elapsed().as_secs_f64(),
            shared.queries.load(Relaxed),
            shared.retries.load(Relaxed),
            store.snapshot()?.blocks().len(),
            process::cpu_seconds()
        );
        println!(
            "peak memory {peak_mb:.0} MB of {:.0} MB; with mapped files {:.0} MB",
            self.budget_mb(),
            process::peak_rss_mb()
        );
        if counted != spans {
            return Err(format!("{counted} spans are counted of {spans} that were acknowledged").into());
        }
        match peak_mb <= self.budget_mb() {
            true => Ok(()),
            false => Err("more memory than the budget".into()),
        }
    }

    fn budget_mb(&self) -> f64 {
        (self.budget << 20) as f64 / 1e6
    }

    fn options(&self) -> Result<StoreOptions> {
        let mut options = StoreOptions::default();
        options.memory_budget = usize::try_from(self.budget << 20)? / 8;
        options.cut.bytes = options.memory_budget / 4;
        options.compaction =
            Some(Arc::new(TimeWindows { max_request_bytes: (self.budget << 20) / 8, ..TimeWindows::default() }));
        Ok(options)
    }

    fn send(&self, store: &TraceStore, seed: u64, shared: &Shared) -> Result<()> {
        for request in Workload::new(seed, self.spans / self.producers.max(1), 0.02) {
            let (spans, retries) = produce::ingest(store, &Bytes::from(request))?;
            shared.spans.fetch_add(spans, Relaxed);
            shared.retries.fetch_add(retries, Relaxed);
        }
        Ok(())
    }

    /// Asks one query after the other of what is there, until all is sent. What is counted never gets less, and never
    /// lacks what was acknowledged.
    fn ask(&self, store: &TraceStore, shared: &Shared) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
        let memory = (self.budget << 20) / 4;
        for question in GENERATED.iter().cycle() {
            if shared.done.load(Relaxed) {
                break;
            }
            let acknowledged = shared.spans.load(Relaxed);
            let engine = Engine::new(store.snapshot()?);
            match question.kind {
                Kind::Search => {
                    let options = SearchOptions::default().with_max_memory(Some(memory));
                    runtime.block_on(engine.search(question.text, &options))?;
                }
                _ => {
                    let (start, end) = time_range(engine.snapshot());
                    let options =
                        MetricsOptions::new(start.saturating_sub(1), end).with_step(STEP).with_max_memory(memory);
                    runtime.block_on(engine.query_range(question.text, &options))?;
                }
            }
            let counted = count(&engine)?;
            if counted < acknowledged {
                return Err(format!("{counted} spans are counted of {acknowledged} that were acknowledged").into());
            }
            shared.queries.fetch_add(2, Relaxed);
        }
        Ok(())
    }
}

/// How many spans there are, by a query.
fn count(engine: &Engine) -> Result<u64> {
    if engine.snapshot().blocks().is_empty() {
        return Ok(0);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (start, end) = time_range(engine.snapshot());
    let options = MetricsOptions::new(start.saturating_sub(1), end);
    let found = runtime.block_on(engine.query_instant("{ } | count_over_time()", &options))?;
    let values = found.series.iter().flat_map(|series| &series.values);
    Ok(values.copied().filter(|value| value.is_finite()).sum::<f64>() as u64)
}

/// The most memory that was held at a time, in MB; tells how things go.
fn watch(store: &TraceStore, shared: &Shared, begun: Instant) -> f64 {
    let (mut peak, mut told) = (0_f64, Instant::now());
    while !shared.done.load(Relaxed) {
        thread::sleep(LOOK);
        let memory = process::anonymous_mb();
        peak = peak.max(memory);
        if told.elapsed() >= TELL {
            told = Instant::now();
            let live = store.live();
            println!(
                "{:>4.0} s  {:>9} spans  {:>5} answers  live {:>4.0} MB  memory {memory:>5.0} MB, peak {peak:>5.0} MB{}",
                begun.elapsed().as_secs_f64(),
                shared.spans.load(Relaxed),
                shared.queries.load(Relaxed),
                live.bytes as f64 / 1e6,
                store.trouble().map_or(String::new(), |trouble| format!("  {trouble}"))
            );
        }
    }
    peak
}
