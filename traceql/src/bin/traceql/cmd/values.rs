//! `traceql values`

use std::io::Write;

use traceql::Engine;

use crate::{
    args::{TagFormat, Values},
    exit::Failure,
    output,
    terminal::{self, Style},
};

pub(super) async fn run(args: &Values, style: Style) -> Result<u8, Failure> {
    // A wrong field is told before data is read.
    let field = traceql::syntax::parse_field(&args.field).map_err(traceql::Error::from)?;
    let options = super::tags::options(&args.selection)?;
    let engine = Engine::new(super::open(&args.selection.paths)?);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if let (TagFormat::Tempo, Some(answer)) = (args.selection.output, traceql::output::fixed_tag_values(&field)) {
        writeln!(out, "{answer}")?;
        out.flush()?;
        return Ok(0);
    }
    let values = engine.field_values(&field, &options).await?;
    match args.selection.output {
        TagFormat::Auto if terminal::is_terminal() => output::values_table(&mut out, &values, style)?,
        TagFormat::Table => output::values_table(&mut out, &values, style)?,
        TagFormat::Auto => output::values_lines(&mut out, &values)?,
        TagFormat::Json => output::document(&mut out, &traceql::output::tag_values_to_json(&values))?,
        TagFormat::Ndjson => output::values_ndjson(&mut out, &values)?,
        TagFormat::Tempo => writeln!(out, "{}", traceql::output::tag_values_to_tempo(&values))?,
    }
    out.flush()?;
    Ok(0)
}
