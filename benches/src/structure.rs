//! Structure in large traces: how structural operators grow with the size of one trace. A trace is a tree in which span
//! i hangs on span (i − 1) / 4, every hundredth failed; blocks are in memory.

use std::time::Instant;

use bytes::Bytes;
use clap::Args;
use trace_benches::{memory, workload::tree_request};
use traceql::{Engine, SearchOptions};

use crate::{Result, warm::quantiles};

const QUERIES: [&str; 4] =
    ["{ } >> { status = error }", "{ } ~ { }", "{ status = error } << { }", "{ } &> { status = error }"];

#[derive(Debug, Args)]
pub(crate) struct Structure {
    /// The sizes of the trace, in spans.
    #[arg(long, value_delimiter = ',', default_value = "25000,50000,100000,200000")]
    spans: Vec<u32>,
    /// How often each query is run.
    #[arg(long, default_value_t = 11)]
    repeat: usize,
}

impl Structure {
    pub(crate) fn execute(&self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
        println!("{:>10}  {:<32} {:>10} {:>8}", "spans", "query", "median ms", "ns/span");
        for spans in &self.spans {
            let engine = Engine::new(memory::snapshot(&[Bytes::from(tree_request(*spans))])?);
            for query in QUERIES {
                let options = SearchOptions::default();
                let mut times = Vec::new();
                for _ in 0..self.repeat.max(1) {
                    let begun = Instant::now();
                    let found = runtime.block_on(engine.search(query, &options))?;
                    times.push(begun.elapsed().as_secs_f64() * 1e3);
                    if found.traces.len() != 1 {
                        return Err(format!("{query} found {} traces, not one", found.traces.len()).into());
                    }
                }
                let [median] = quantiles(&mut times, [0.5]);
                println!("{spans:>10}  {query:<32} {median:>10.2} {:>8.1}", median * 1e6 / f64::from(*spans));
            }
        }
        Ok(())
    }
}
