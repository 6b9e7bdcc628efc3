//! `traceql diff`

use std::io::Write;

use traceql::{Engine, analysis};

use super::lookup;
use crate::{
    args::{Diff, DiffFormat},
    exit::{Failure, NOTHING_FOUND},
    output,
    terminal::{self, Style},
};

pub(super) async fn run(args: &Diff, style: Style) -> Result<u8, Failure> {
    let engine = Engine::new(super::open(&args.paths)?);
    let found = (lookup::find(&engine, &args.before).await?, lookup::find(&engine, &args.after).await?);
    let (Some(before), Some(after)) = found else {
        return Ok(NOTHING_FOUND);
    };
    let diff = analysis::diff(&before, &after);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match args.output {
        DiffFormat::Auto if !terminal::is_terminal() => output::diff_json(&mut out, [&before, &after], &diff)?,
        DiffFormat::Json => output::diff_json(&mut out, [&before, &after], &diff)?,
        DiffFormat::Auto | DiffFormat::Table => output::diff_table(&mut out, [&before, &after], &diff, style)?,
    }
    out.flush()?;
    Ok(0)
}
