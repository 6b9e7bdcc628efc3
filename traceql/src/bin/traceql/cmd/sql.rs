//! `traceql sql`

use traceql::Engine;

use crate::{
    args::{RowFormat, Sql},
    exit::Failure,
    output,
    terminal::{self, Style},
};

pub(super) async fn run(args: &Sql, style: Style) -> Result<u8, Failure> {
    let engine = Engine::new(super::open(&args.paths)?);
    let answer = engine.sql(&args.statement).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout());
    match args.output {
        RowFormat::Auto if terminal::is_terminal() => output::rows_table(&mut out, answer, style).await?,
        RowFormat::Table => output::rows_table(&mut out, answer, style).await?,
        RowFormat::Auto | RowFormat::Ndjson => output::rows_ndjson(&mut out, answer).await?,
        RowFormat::Json => output::rows_json(&mut out, answer).await?,
        RowFormat::Csv => output::rows_csv(&mut out, answer).await?,
    }
    Ok(0)
}
