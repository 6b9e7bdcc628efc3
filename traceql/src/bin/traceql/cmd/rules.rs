//! `traceql rules`

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::json;
use traceql::{
    Engine,
    rules::{
        Evaluation, Evaluator, RuleFile,
        unit::{RunError, TestFile},
    },
    syntax::Diagnostics,
};

use super::check::diagnostic;
use crate::{
    args::{CheckFormat, Rules, RulesCheck, RulesEval, RulesFormat, RulesTest},
    exit::{self, Failure, QUERY, TEST_FAILED},
    output,
    terminal::{self, Style},
};

pub(super) async fn run(args: &Rules, style: Style) -> Result<u8, Failure> {
    match args {
        Rules::Check(args) => check(args),
        Rules::Test(args) => test(args, style).await,
        Rules::Eval(args) => eval(args, style).await,
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::Input(path.to_owned(), error))
}

/// `file:line:column:` and the message with its line, one after the other.
pub(super) fn write_diagnostics(out: &mut impl Write, path: &Path, diagnostics: &Diagnostics) -> Result<(), Failure> {
    for found in diagnostics.list() {
        let (line, column) = diagnostics.line_and_column(found);
        writeln!(out, "{}:{line}:{column}: {}", path.display(), diagnostics.render(found))?;
    }
    Ok(())
}

/// Prints a verdict for each file; the exit code says whether all are valid.
fn check(args: &RulesCheck) -> Result<u8, Failure> {
    let mut out = std::io::stdout().lock();
    let mut all_valid = true;
    for path in &args.files {
        let report = RuleFile::check(&read(path)?);
        let verdict = if report.rules.is_some() { "valid" } else { "invalid" };
        all_valid &= report.rules.is_some();
        match args.output {
            CheckFormat::Text => {
                writeln!(out, "{verdict}\t{}", path.display())?;
                write_diagnostics(&mut out, path, &report.diagnostics)?;
            }
            CheckFormat::Json => {
                let found = report.diagnostics.list().iter().map(|found| {
                    let mut json = diagnostic(found, &report.diagnostics);
                    let (line, column) = report.diagnostics.line_and_column(found);
                    if let Some(object) = json.as_object_mut() {
                        object.insert("line".to_owned(), line.into());
                        object.insert("column".to_owned(), column.into());
                    }
                    json
                });
                let found: Vec<_> = found.collect();
                writeln!(out, "{}", json!({ "file": path, "verdict": verdict, "diagnostics": found }))?;
            }
        }
    }
    Ok(if all_valid { 0 } else { QUERY })
}

/// Runs test files; the exit code says whether all tests passed.
async fn test(args: &RulesTest, style: Style) -> Result<u8, Failure> {
    let mut code = 0;
    for path in &args.files {
        let report = TestFile::check(&read(path)?);
        let mut err = std::io::stderr().lock();
        write_diagnostics(&mut err, path, &report.diagnostics)?;
        let Some(tests) = report.tests else {
            code = QUERY;
            continue;
        };
        let results = match tests.run(path.parent().unwrap_or(Path::new(""))).await {
            Ok(results) => results,
            Err(RunError::Rules { path, diagnostics }) => {
                write_diagnostics(&mut err, &path, &diagnostics)?;
                code = QUERY;
                continue;
            }
            Err(RunError::Input { path, error }) => return Err(Failure::Input(path, error)),
            Err(RunError::Engine(error)) => return Err(error.into()),
            Err(other) => return Err(Failure::Usage(other.to_string())),
        };
        let mut out = std::io::stdout().lock();
        for result in &results {
            let cases = format!("({} {})", result.cases, if result.cases == 1 { "case" } else { "cases" });
            let passed = result.failures.is_empty();
            let verdict = if passed { style.good("ok") } else { style.error("FAILED") };
            writeln!(out, "{}: {} {verdict} {}", path.display(), result.name, style.dim(&cases))?;
            for failure in &result.failures {
                writeln!(out, "{}:{}:{}: {}", path.display(), failure.line, failure.column, failure.what)?;
                for line in &failure.differences {
                    let shown = terminal::clean(line);
                    writeln!(out, "    {}", if line.starts_with('+') { style.error(&shown) } else { shown })?;
                }
            }
            if !passed && code == 0 {
                code = TEST_FAILED;
            }
        }
    }
    Ok(code)
}

/// Evaluates from one time to another, and prints what comes of it.
async fn eval(args: &RulesEval, style: Style) -> Result<u8, Failure> {
    if args.from.is_some_and(|from| from.nanos() > args.at.nanos()) {
        return Err(Failure::Usage("--from lies after --at".to_owned()));
    }
    let report = RuleFile::check(&read(&args.file)?);
    write_diagnostics(&mut std::io::stderr().lock(), &args.file, &report.diagnostics)?;
    let Some(rules) = report.rules else { return Ok(QUERY) };
    let paths: &[PathBuf] = &args.paths;
    let engine = Engine::new(super::open(paths)?);
    let mut evaluator = Evaluator::new(rules);
    let mut all = Evaluation::default();
    let first = args.from.unwrap_or(args.at).nanos();
    while let Some(time) = evaluator.next_due().map(|due| due.max(first)).filter(|time| *time <= args.at.nanos()) {
        let evaluation = evaluator.evaluate(&engine, time).await;
        all.changes.extend(evaluation.changes);
        all.recorded.extend(evaluation.recorded);
        all.failures.extend(evaluation.failures);
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match args.output {
        RulesFormat::Auto if terminal::is_terminal() => output::rules_text(&mut out, &all, style)?,
        RulesFormat::Text => output::rules_text(&mut out, &all, style)?,
        RulesFormat::Auto | RulesFormat::Ndjson => output::rules_ndjson(&mut out, &all)?,
        RulesFormat::Json => output::rules_json(&mut out, &all, evaluator.alerts())?,
    }
    out.flush()?;
    for failure in &all.failures {
        let time = terminal::time(failure.at);
        eprintln!("traceql: rule {} of group {} at {time}: {}", failure.rule, failure.group, failure.error);
    }
    Ok(all.failures.first().map_or(0, |failure| exit::of_engine(&failure.error)))
}
