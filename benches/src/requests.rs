//! Requests to be sent, written to a file beforehand, not packed: producers are to cost as little as they can.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use trace_benches::workload::{Workload, write_delimited};
use tracestore::otlp::MessageSource;

use crate::Result;

#[derive(Debug, Args)]
pub(crate) struct Input {
    /// The recording: an OTLP file in any form. Its requests are sent as they are.
    #[arg(long, conflicts_with = "spans")]
    data: Option<PathBuf>,
    /// A generated workload of about so many spans instead, 200 of one resource in a request.
    #[arg(long, default_value_t = 500_000)]
    spans: u64,
}

impl Input {
    /// Writes the requests one after the other.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        match &self.data {
            Some(data) => {
                let mut source = MessageSource::open(data)?;
                while let Some(request) = source.next().transpose()? {
                    write_delimited(&mut out, &request.bytes)?;
                }
            }
            None => {
                for request in Workload::new(1, self.spans, 0.02) {
                    write_delimited(&mut out, &request)?;
                }
            }
        }
        Ok(out.flush()?)
    }
}
