//! The command as scripts see it: what it prints where, and its exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::process::{Command, Output, Stdio};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");
/// The README's query.
const QUERY: &str = "{ resource.service.name = \"api-gateway\" && span.http.method = \"POST\" && duration > 30ms }";

fn traceql(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_traceql")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn the_readmes_query_finds_98_traces_in_a_file_and_in_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    let ingest = traceql(&["ingest", "--store", store, SHOP]);
    assert!(ingest.status.success() && stdout(&ingest).is_empty());
    assert!(stderr(&ingest).starts_with("2999 spans of 500 traces in 1 block"), "{}", stderr(&ingest));
    let in_file = traceql(&["query", "--limit", "1000", QUERY, SHOP]);
    let in_store = traceql(&["query", "--limit", "1000", QUERY, store]);
    assert_eq!(in_file.status.code(), Some(0));
    assert_eq!(stdout(&in_file).lines().count(), 98);
    assert_eq!(stdout(&in_file), stdout(&in_store));
    // Always the same, newest first, cut by the limit.
    let few = traceql(&["query", "--limit", "5", QUERY, store]);
    assert!(stdout(&in_file).starts_with(stdout(&few)) && stdout(&few).lines().count() == 5);
}

#[test]
fn formats() {
    let run = |format: &str| traceql(&["query", "--limit", "3", "-o", format, QUERY, SHOP]);
    let json: serde_json::Value = serde_json::from_slice(&run("json").stdout).unwrap();
    assert_eq!(json["traces"].as_array().unwrap().len(), 3);
    assert_eq!(json["traces"][0]["spansets"][0]["spans"][0]["attributes"]["resource.service.name"], "api-gateway");
    let tempo: serde_json::Value = serde_json::from_slice(&run("tempo").stdout).unwrap();
    assert_eq!(
        tempo["traces"][0]["traceID"].as_str().unwrap(),
        json["traces"][0]["traceId"].as_str().unwrap().trim_start_matches('0')
    );
    let csv = run("csv");
    assert!(
        stdout(&csv).starts_with("trace_id,root_service,root_name,span_id,name,start_time_unix_nano,duration_nanos,")
    );
    let table = run("table");
    assert!(stdout(&table).contains("3 traces, ") && stdout(&table).contains("api-gateway"), "{}", stdout(&table));
    assert!(!stdout(&table).contains('\x1b'));
    let colored = traceql(&["--color", "always", "query", "-o", "table", QUERY, SHOP]);
    assert!(stdout(&colored).contains('\x1b'));
}

#[test]
fn a_trace_as_a_tree_and_as_otlp() {
    let found = traceql(&["query", "--limit", "1", QUERY, SHOP]);
    let json: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let id = json["traceId"].as_str().unwrap();
    let tree = traceql(&["trace", id, SHOP]);
    assert!(
        stdout(&tree).contains(id) && stdout(&tree).contains("└ ") && stdout(&tree).contains('━'),
        "{}",
        stdout(&tree)
    );
    let otlp = traceql(&["trace", "-o", "otlp", id, SHOP]);
    let document: serde_json::Value = serde_json::from_slice(&otlp.stdout).unwrap();
    assert!(document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] == id);
    let missing = traceql(&["trace", "abc", SHOP]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("there is no trace 00000000000000000000000000000abc"));
}

#[test]
fn exit_codes_tell_what_failed() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "no spans here").unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let nowhere = folder.path().join("nowhere");
    for (args, code, message) in [
        (vec!["query"], 2, "required arguments"),
        (vec!["query", "--start", "yesterday", "{}", SHOP], 2, "`yesterday` is no time"),
        (vec!["query", "--start", "20", "--end", "10", "{}", SHOP], 2, "--start lies after --end"),
        (vec!["trace", "xyz", SHOP], 2, "`xyz` is not a trace id"),
        (vec!["query", "{ status == error }", SHOP], 3, "error[TQ0202]: `==` is no operator"),
        (vec!["query", "{ nme = 1 }", nowhere.to_str().unwrap()], 3, "did you mean `name`?"),
        (vec!["query", "{}", text.to_str().unwrap()], 4, "looks like plain text, not OTLP traces"),
        (vec!["query", "{}", nowhere.to_str().unwrap()], 5, "nowhere: No such file"),
        (vec!["query", "{}", empty.to_str().unwrap()], 5, "neither a store (no folder `blocks`) nor a block"),
        (vec!["query", "--fail-empty", "{ name = \"nobody\" }", SHOP], 1, ""),
        (vec!["query", "{ name = \"nobody\" }", SHOP], 0, ""),
    ] {
        let output = traceql(&args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{args:?} printed a result");
    }
}

#[test]
fn a_damaged_store_is_reported_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    assert!(traceql(&["ingest", "--store", store.to_str().unwrap(), SHOP]).status.success());
    let block = std::fs::read_dir(store.join("blocks")).unwrap().next().unwrap().unwrap().path();
    let meta = std::fs::read_to_string(block.join("meta.json")).unwrap();
    std::fs::write(block.join("meta.json"), meta.replacen("\"version\":1", "\"version\":7", 1)).unwrap();
    let output = traceql(&["query", "{}", store.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("meta.json: corrupt"), "{}", stderr(&output));
    std::fs::write(block.join("meta.json"), &meta).unwrap();
    let spans = std::fs::OpenOptions::new().write(true).open(block.join("spans.parquet")).unwrap();
    spans.set_len(1_000).unwrap();
    let output = traceql(&["query", "{}", store.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        stderr(&output).contains("spans.parquet: corrupt") && stderr(&output).contains("has 1000 bytes"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn explain_and_inspect() {
    let plan = traceql(&["explain", QUERY, SHOP]);
    assert!(
        stdout(&plan).contains("TopTracesExec: limit=20") && stdout(&plan).contains("SpanScanExec"),
        "{}",
        stdout(&plan)
    );
    let ran = traceql(&["explain", "--analyze", "{ span.http.method = \"DELETE\" }", SHOP]);
    assert!(stdout(&ran).contains("row_groups_pruned_dictionary=1"), "{}", stdout(&ran));
    let inspect = traceql(&["inspect", "--json", SHOP]);
    let json: serde_json::Value = serde_json::from_slice(&inspect.stdout).unwrap();
    assert_eq!(json["blocks"][0]["spans"], 2999);
    let text = traceql(&["inspect", SHOP]);
    assert!(stdout(&text).contains("span.http.method:str") && stdout(&text).contains("bytes per span"));
}

#[test]
fn help_for_shells_and_people() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(stdout(&traceql(&["completions", shell])).contains("traceql"), "{shell}");
    }
    assert!(stdout(&traceql(&["man"])).starts_with(".ie"));
    assert!(stdout(&traceql(&["--help"])).contains("Exit codes:"));
    assert!(stdout(&traceql(&["--version"])).starts_with("traceql 0."));
}
