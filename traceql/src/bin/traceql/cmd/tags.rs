//! `traceql tags`

use std::io::Write;

use traceql::{Engine, TagOptions, TagScope};

use crate::{
    args::{Scope, TagFormat, TagSelection, Tags},
    exit::Failure,
    output,
    terminal::{self, Style},
};

pub(super) async fn run(args: &Tags, style: Style) -> Result<u8, Failure> {
    let options = options(&args.selection)?.with_scope(args.scope.map(scope));
    let engine = Engine::new(super::open(&args.selection.paths)?);
    let names = engine.tag_names(&options).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match args.selection.output {
        TagFormat::Auto if terminal::is_terminal() => output::names_table(&mut out, &names, style)?,
        TagFormat::Table => output::names_table(&mut out, &names, style)?,
        TagFormat::Auto => output::names_lines(&mut out, &names)?,
        TagFormat::Json => output::document(&mut out, &traceql::output::tag_names_to_json(&names))?,
        TagFormat::Ndjson => output::names_ndjson(&mut out, &names)?,
        TagFormat::Tempo => writeln!(out, "{}", traceql::output::tag_names_to_tempo(&names))?,
    }
    out.flush()?;
    Ok(0)
}

/// The engine's options for a selection. A query is allowed to be unfinished; that nothing of it counts is said.
pub(super) fn options(selection: &TagSelection) -> Result<TagOptions, Failure> {
    let (start, end) = super::times(selection.start, selection.end)?;
    if let Some(query) = &selection.query
        && traceql::ir::partial_condition(query).is_none()
        && !asks_for_all(query)
    {
        eprintln!("traceql: the query begins with no filter that has a complete condition: all spans are meant");
    }
    let options = TagOptions::default().with_query(selection.query.clone());
    Ok(options.with_time(start, end).with_limit(selection.limit))
}

/// Whether a query begins with `{ }`, and no other filter.
fn asks_for_all(query: &str) -> bool {
    let query: String = query.split_whitespace().collect();
    query.strip_prefix("{}").is_some_and(|rest| rest.is_empty() || rest.starts_with('|') && !rest.starts_with("||"))
}

fn scope(scope: Scope) -> TagScope {
    match scope {
        Scope::Span => TagScope::Span,
        Scope::Resource => TagScope::Resource,
        Scope::Event => TagScope::Event,
        Scope::Link => TagScope::Link,
        Scope::Instrumentation => TagScope::Instrumentation,
        Scope::Intrinsic => TagScope::Intrinsic,
    }
}
