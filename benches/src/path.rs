//! Four key paths, gone so many times: under callgrind the difference of two runs is what one way takes, whatever was
//! made ready before. One thread, everything in memory, the same data each time.

use bytes::Bytes;
use clap::{Args, ValueEnum};
use trace_benches::{memory, workload::Workload};
use traceql::{Engine, EngineOptions, MetricsOptions, SearchOptions};

use crate::{
    Result,
    ask::{STEP, time_range},
};

/// Spans of a block that is made, and of the block that is asked.
const INGESTED: u64 = 10_000;
const ASKED: u64 = 100_000;

#[derive(Debug, Args)]
pub(crate) struct Path {
    name: Name,
    #[arg(long, default_value_t = 1)]
    times: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// 10,000 spans: requests to a block.
    Ingest,
    /// One order in 100,000 spans.
    Needle,
    /// `rate()` by service over 100,000 spans.
    Rate,
    /// A descendant query over 100,000 spans.
    Descendant,
}

impl Path {
    pub(crate) fn execute(&self) -> Result<()> {
        let requests = |spans| -> Vec<Bytes> { Workload::new(1, spans, 0.02).map(Bytes::from).collect() };
        if self.name == Name::Ingest {
            let requests = requests(INGESTED);
            let mut bytes = 0;
            for _ in 0..self.times {
                bytes += memory::block(&requests)?.size();
            }
            println!("{bytes} bytes in {} blocks", self.times);
            return Ok(());
        }
        let one = std::num::NonZero::<usize>::MIN;
        let snapshot = memory::snapshot(&requests(ASKED))?;
        let (start, end) = time_range(&snapshot);
        let engine = Engine::with_options(snapshot, EngineOptions::default().with_partitions(one));
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let search = |query| -> Result<usize> {
            Ok(runtime.block_on(engine.search(query, &SearchOptions::default()))?.traces.len())
        };
        let mut results = 0;
        for time in 0..self.times {
            results += match self.name {
                Name::Ingest => 0,
                Name::Needle => search("{ span.order.id = \"ORD-102961829\" }")?,
                Name::Descendant => {
                    search("{ kind = consumer } >> { resource.service.name = \"ledger\" && kind = server }")?
                }
                Name::Rate => {
                    let options = MetricsOptions::new(start - 1 - time, end + time).with_step(STEP);
                    let query = "{ } | rate() by (resource.service.name)";
                    runtime.block_on(engine.query_range(query, &options))?.series.len()
                }
            };
        }
        println!("{results} results in {} answers", self.times);
        Ok(())
    }
}
