//! `traceql export`: whole traces, a batch at a time, to a file that gets its name when it is whole.
//!
//! ```text
//! --query, --start, --end ─▶ ids of traces ─┬▶ traces ─▶ otlp (protobuf, JSON)
//!                                           └▶ SQL over `spans` ─▶ parquet
//! ```

mod otlp;
mod output;
mod parquet;

use std::collections::HashSet;

use arrow::array::AsArray;
use traceql::{Engine, SearchOptions};
use tracestore::model::TraceId;

use self::output::Output;
use crate::{
    args::{Export, ExportFormat},
    exit::Failure,
    terminal,
};

/// The ids of the traces that are wanted; `None` for all. 16 bytes each, and some for the search.
type Wanted = Option<HashSet<TraceId>>;

pub(super) async fn run(args: &Export) -> Result<u8, Failure> {
    let is_terminal = args.to.is_none() && terminal::is_terminal();
    let is_binary = args.output != ExportFormat::Json;
    super::refuse(
        &[("standard output", is_terminal && is_binary)],
        "is a terminal, and this is no text: use --to FILE",
    )?;
    let engine = Engine::new(super::open(&args.paths)?);
    let wanted = wanted(args, &engine).await?;
    let output = Output::open(args.to.as_deref())?;
    let (output, spans) = match args.output {
        ExportFormat::Otlp => {
            let is_packed = args.to.as_ref().is_some_and(|path| path.extension().is_some_and(|end| end == "zst"));
            otlp::protobuf(&engine, &wanted, output, is_packed)?
        }
        ExportFormat::Json => otlp::json(&engine, &wanted, output)?,
        ExportFormat::Parquet => parquet::flat(&engine, &wanted, output).await?,
    };
    output.finish()?;
    eprintln!("{spans} spans exported");
    Ok(0)
}

/// The traces that the options ask for, as a search finds them.
async fn wanted(args: &Export, engine: &Engine) -> Result<Wanted, Failure> {
    let (start, end) = super::times(args.start, args.end)?;
    if args.query.is_none() && start.is_none() && end.is_none() {
        return Ok(None);
    }
    let query = args.query.as_deref().unwrap_or("{ }");
    let options = SearchOptions::default().with_time(start, end).with_limit(usize::MAX);
    let mut batches = engine.search_batches(query, &options).await?;
    let column = batches.schema().index_of("trace:id").map_err(|error| Failure::Usage(error.to_string()))?;
    let mut wanted = HashSet::new();
    while let Some(batch) = batches.next().await {
        let ids =
            batch?.column(column).as_string_view().iter().flatten().map(str::parse::<TraceId>).collect::<Vec<_>>();
        wanted.extend(ids.into_iter().flatten());
    }
    Ok(Some(wanted))
}
