//! `traceql explain`

use std::io::Write;

use traceql::Engine;

use crate::{args::Explain, exit::Failure};

pub(super) async fn run(args: &Explain) -> Result<u8, Failure> {
    traceql::compile(&args.query).map_err(traceql::Error::from)?;
    let options = super::options(&args.selection)?;
    let engine = Engine::new(super::open(&args.paths)?);
    let text = engine.explain(&args.query, &options, args.analyze).await?;
    writeln!(std::io::stdout().lock(), "{}", text.trim_end())?;
    Ok(0)
}
