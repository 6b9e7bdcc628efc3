//! Queries in four buckets (`testdata/traceql`): each gets its verdict, strict and not; prints as Tempo prints it; is
//! printed so that it parses to the same tree; and what is wrong with it is said in the words of `errors.txt`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p traceql --test fixtures` writes `errors.txt` anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod language;

use std::io::Read;

use language::{compiled_size, without_places};
use traceql::{
    Compiler, Verdict, ir,
    syntax::{TempoText, ast::Query},
};

/// How many queries there are at least.
const QUERIES: usize = 2_200;

/// Printed forms of Tempo's that ours are not, and why.
const EXCEPTIONS: [(&str, &str); 6] = [
    ("{ 2 ^ 3 = 9 }", "V5: power is in the written order; Tempo folds 2 ^ 3 to 9"),
    ("{ 2 ^ 3 ^ 2 = 64 }", "V5: power is in the written order; Tempo folds it to 64"),
    ("{} | compare({ status = error })", "Tempo prints a stray brace and loses the arguments"),
    ("{} | compare({ status = error }, 20)", "Tempo prints a stray brace and loses the arguments"),
    ("{} | compare({ status = error }, 5, 100, 200)", "Tempo prints a stray brace and loses the arguments"),
    ("{ .\"\" = 1 }", "Tempo loses the dot of an empty name"),
];

struct Fixture {
    bucket: &'static str,
    query: String,
    /// What Tempo prints, where the file says so.
    printed: Option<String>,
    /// Valid where the language is not strict.
    extended: bool,
}

fn fixtures() -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    for bucket in ["valid", "parse_error", "check_error", "unsupported"] {
        let path = format!("{}/../testdata/traceql/{bucket}.txt", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (line, extended) = match line.strip_prefix("+ ") {
                Some(rest) => (rest, true),
                None => (line, bucket == "unsupported"),
            };
            let (query, printed) =
                line.split_once(" → ").map_or((line, None), |(query, printed)| (query, Some(printed)));
            let unescape = |text: &str| text.replace('⏎', "\n");
            fixtures.push(Fixture { bucket, query: unescape(query), printed: printed.map(unescape), extended });
        }
    }
    fixtures
}

fn bucket(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::ParseError => "parse_error",
        Verdict::CheckError => "check_error",
        Verdict::Unsupported => "unsupported",
    }
}

#[test]
fn every_query_gets_its_verdict() {
    let fixtures = fixtures();
    let mut wrong = Vec::new();
    for Fixture { bucket: expected, query, extended, .. } in &fixtures {
        let strict = Compiler::new().strict(true).check(query);
        if bucket(strict.verdict()) != *expected {
            wrong.push(format!("strict: {expected} expected: {query}\n{}", strict.diagnostics));
        }
        let report = Compiler::new().check(query);
        let expected = if *extended { "valid" } else { expected };
        if bucket(report.verdict()) != expected {
            wrong.push(format!("extended: {expected} expected: {query}\n{}", report.diagnostics));
        }
    }
    println!("{} queries, {} wrong", fixtures.len(), wrong.len());
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), fixtures.len(), wrong.join("\n"));
    assert!(fixtures.len() >= QUERIES, "only {} of {QUERIES} queries", fixtures.len());
}

#[test]
fn valid_queries_print_as_tempo_prints_them() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for Fixture { query, printed, bucket, .. } in fixtures() {
        if bucket != "valid" || EXCEPTIONS.iter().any(|(exception, _)| *exception == query) {
            continue;
        }
        let text = TempoText(&ir::fold(&traceql::parse(&query).unwrap())).to_string();
        // Without a printed form the text is the query but for spacing, quotes and what is always there.
        let found = if printed.is_some() { text.clone() } else { squeeze(&text) };
        let expected = printed.unwrap_or_else(|| squeeze(&query));
        compared += 1;
        if found != expected {
            wrong.push(format!("{query}\n  prints    {text}\n  expected  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 180, "only {compared}");
}

/// A query without what its printed form may change without notice.
fn squeeze(text: &str) -> String {
    text.replace("{}", "{true}").replace(['\u{20}', '\n', '"', '`', '(', ')'], "").replace("{}", "{true}")
}

#[test]
fn canonical_texts_parse_to_the_same_tree() {
    for Fixture { query, .. } in fixtures() {
        let Ok(parsed) = traceql::parse(&query) else { continue };
        survives_printing(&query, &parsed);
        survives_printing(&query, &ir::fold(&parsed));
    }
}

fn survives_printing(query: &str, tree: &Query) {
    for text in [tree.to_string(), format!("{tree:#}")] {
        let again = traceql::parse(&text).unwrap_or_else(|error| panic!("{query} prints as {text}:\n{error}"));
        // Folding makes negative literals, which are signs and literals again when parsed.
        let (tree, again) = (without_places(&ir::fold(tree)), without_places(&ir::fold(&again)));
        assert_eq!(again, tree, "{query} prints as {text}");
    }
}

#[test]
fn every_error_reads_as_it_should() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/traceql/errors.txt");
    let mut golden =
        String::from("# What is said of every query that is not valid, in strict mode; written by the test.\n");
    let mut errors = 0;
    for Fixture { query, bucket, .. } in fixtures() {
        if bucket == "valid" {
            continue;
        }
        let report = Compiler::new().strict(true).check(&query);
        assert!(!report.diagnostics.is_empty(), "{query}");
        for found in report.diagnostics.list() {
            let (start, end) = (found.span.start as usize, found.span.end as usize);
            assert!(start <= end && end <= query.len(), "{query}: {found:?}");
        }
        errors += 1;
        golden.push_str(&format!("\n{}\n", report.diagnostics));
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &golden).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    let differs = golden.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
    let show = |text: &str, at: usize| text.lines().skip(at.saturating_sub(4)).take(9).collect::<Vec<_>>().join("\n");
    if let Some(at) = differs {
        panic!("line {}:\n{}\nis expected:\n{}", at + 1, show(&golden, at), show(&expected, at));
    }
    assert_eq!(golden.lines().count(), expected.lines().count());
    assert!(errors >= 170, "only {errors}");
}

#[test]
fn valid_queries_have_a_meaning() {
    for Fixture { query, bucket, .. } in fixtures() {
        if bucket == "valid" || bucket == "unsupported" {
            assert!(compiled_size(&query) > 0, "{query}");
        }
    }
}

#[test]
fn every_recorded_query_is_valid_and_survives_printing() {
    let mut queries = 0;
    for name in ["shop", "clean", "random-a", "random-b"] {
        let path = format!("{}/../testdata/conformance/{name}.expected.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        for line in text.lines() {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            let query = case["q"].as_str().unwrap();
            let tree = traceql::parse(query).unwrap_or_else(|error| panic!("{query}:\n{error}"));
            survives_printing(query, &tree);
            queries += 1;
        }
    }
    println!("{queries} recorded queries");
    assert_eq!(queries, 1_309);
}
