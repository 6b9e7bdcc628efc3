//! `traceql check`

use std::io::Write;

use serde_json::{Value as Json, json};
use traceql::{
    Compiler, Report, Verdict,
    syntax::{Diagnostic, Diagnostics},
};

use super::queries;
use crate::{
    args::{Check, CheckFormat},
    exit::{Failure, QUERY},
};

/// Prints a verdict for each query; the exit code says whether all are valid.
pub(super) fn run(args: &Check) -> Result<u8, Failure> {
    let compiler = Compiler::new().strict(args.strict);
    let mut out = std::io::stdout().lock();
    let mut all_valid = true;
    for (line, query) in queries(&args.source)? {
        let report = compiler.check(&query);
        all_valid &= report.verdict() == Verdict::Valid;
        match args.output {
            CheckFormat::Text => text(&mut out, line, &query, &report)?,
            CheckFormat::Json => writeln!(out, "{}", json(line, &query, &report))?,
        }
    }
    Ok(if all_valid { 0 } else { QUERY })
}

/// The verdict, the query if it is one of several, and below it what there is to say, indented.
fn text(out: &mut impl Write, line: Option<usize>, query: &str, report: &Report) -> Result<(), Failure> {
    match line {
        Some(_) => writeln!(out, "{}\t{query}", report.verdict().text())?,
        None => writeln!(out, "{}", report.verdict().text())?,
    }
    if !report.diagnostics.is_empty() {
        for line in report.diagnostics.to_string().lines() {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn json(line: Option<usize>, query: &str, report: &Report) -> Json {
    let diagnostics: Vec<Json> =
        report.diagnostics.list().iter().map(|found| diagnostic(found, &report.diagnostics)).collect();
    let mut object = json!({ "query": query, "verdict": report.verdict().text(), "diagnostics": diagnostics });
    if let (Some(line), Some(object)) = (line, object.as_object_mut()) {
        object.insert("line".to_owned(), json!(line));
    }
    object
}

/// Places are bytes of the query, the end excluded.
pub(super) fn diagnostic(found: &Diagnostic, all: &Diagnostics) -> Json {
    let span = |span: traceql::syntax::Span| json!({ "start": span.start, "end": span.end });
    let mut object = json!({
        "code": found.code,
        "severity": found.kind().severity(),
        "message": found.message,
        "span": span(found.span),
        "rendered": all.render(found),
    });
    if let Some(object) = object.as_object_mut() {
        if let Some((place, label)) = &found.related {
            object.insert("related".to_owned(), json!({ "span": span(*place), "label": label }));
        }
        if let Some(help) = &found.help {
            object.insert("help".to_owned(), json!(help));
        }
    }
    object
}
