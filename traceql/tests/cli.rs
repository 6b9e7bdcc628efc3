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
        (vec!["query", "--max-memory", "100", "{}", SHOP], 6, "the search needs more than 100 bytes of memory"),
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
fn sql_in_every_format() {
    let run = |format: &str, sql: &str| traceql(&["sql", "-o", format, sql, SHOP]);
    let sql = "SELECT name, kind, start_time, duration_nanos AS took, \"order.skus:str[]\" AS skus, \"http.method\", \
               attributes, 'a\"b,c' AS odd FROM spans WHERE \"order.id\" = 'ORD-990537545' AND name = 'validate_order'";
    let object = "{\"name\":\"validate_order\",\"kind\":\"internal\",\"start_time\":\"2026-11-20T10:43:42.468687039Z\",\
                  \"took\":13632,\"skus\":[\"SKU-0\",\"SKU-1\"],\"http.method\":null,\"attributes\":\
                  {\"order.id\":\"ORD-990537545\",\"order.items\":2,\"order.skus\":[\"SKU-0\",\"SKU-1\"],\
                  \"order.weights\":[8.6,2.12]},\"odd\":\"a\\\"b,c\"}";
    for format in ["auto", "ndjson"] {
        assert_eq!(stdout(&run(format, sql)), format!("{object}\n"));
    }
    assert_eq!(stdout(&run("json", sql)), format!("[\n  {object}\n]\n"));
    let csv = "name,kind,start_time,took,skus,http.method,attributes,odd\n\
               validate_order,internal,2026-11-20T10:43:42.468687039Z,13632,\"[SKU-0, SKU-1]\",,\
               \"{\"\"order.id\"\":\"\"ORD-990537545\"\",\"\"order.items\"\":2,\
               \"\"order.skus\"\":[\"\"SKU-0\"\",\"\"SKU-1\"\"],\"\"order.weights\"\":[8.6,2.12]}\",\"a\"\"b,c\"\n";
    assert_eq!(stdout(&run("csv", sql)).replace("\r\n", "\n"), csv);
    let table = run("table", "SELECT kind, count(*) AS spans FROM spans WHERE kind LIKE 'pro%' GROUP BY kind");
    let lines = ["┌──────────┬───────┐", "│ kind     ┆ spans │", "╞══════════╪═══════╡"];
    assert!(stdout(&table).starts_with(&lines.join("\n")), "{}", stdout(&table));
    assert!(stdout(&table).ends_with("1 row\n") && stdout(&table).contains("│ producer ┆ "), "{}", stdout(&table));
    // None, and two of one name.
    for (format, expected) in [("csv", "name\n"), ("json", "[]\n"), ("ndjson", "")] {
        assert_eq!(stdout(&run(format, "SELECT name FROM spans LIMIT 0")).replace("\r\n", "\n"), expected);
    }
    let twice = run("ndjson", "SELECT a.kind, b.kind FROM spans a JOIN spans b USING (trace_id, span_id) LIMIT 1");
    assert!(stdout(&twice).contains(",\"kind #2\":\""), "{}", stdout(&twice));
    let store = traceql(&["sql", "--help"]);
    assert!(stdout(&store).contains("Tables: spans, traces,") && stdout(&store).contains("Examples:"));
}

#[test]
fn sql_tells_what_is_wrong() {
    let run = |sql: &str| traceql(&["sql", sql, SHOP]);
    let limit = format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(99));
    for (sql, code, message) in [
        ("SELECT servce FROM spans", 3, "traceql: there is no column or attribute `servce`; did you mean service?\n"),
        ("DROP TABLE spans", 3, "traceql: DROP is refused; SQL reads and nothing else: "),
        ("SELECT * FROM traceql('{ status == error }')", 3, "error[TQ0202]: "),
        (limit.as_str(), 6, "traceql: a statement may read 64 tables at most, "),
    ] {
        let output = run(sql);
        assert_eq!(output.status.code(), Some(code), "{sql}: {}", stderr(&output));
        assert!(stderr(&output).starts_with(message) && stdout(&output).is_empty(), "{sql}: {}", stderr(&output));
    }
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

#[test]
fn check_gives_a_verdict_for_each_query() {
    let valid = traceql(&["check", "{ .a = 1 } | rate()"]);
    assert_eq!((valid.status.code(), stdout(&valid)), (Some(0), "valid\n"));
    let wrong = traceql(&["check", "{ status = 2 }"]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(stdout(&wrong).starts_with("check-error\n  error[TQ0302]: "), "{}", stdout(&wrong));
    assert_eq!(traceql(&["check", "{ parent.x = 1 }"]).status.code(), Some(0));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queries");
    std::fs::write(&file, "{ }\n\n{ .a == 1 }\n{ status = 2 }\n{ parent.x = 1 }\n{ http.method = 1 }\n").unwrap();
    let file = file.to_str().unwrap();
    let strict = traceql(&["check", "--strict", "-o", "json", "-f", file]);
    assert_eq!(strict.status.code(), Some(3));
    let lines: Vec<serde_json::Value> =
        stdout(&strict).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<_> =
        lines.iter().map(|line| (line["line"].as_u64().unwrap(), line["verdict"].as_str().unwrap())).collect();
    let expected = [(1, "valid"), (3, "parse-error"), (4, "check-error"), (5, "unsupported"), (6, "parse-error")];
    assert_eq!(verdicts, expected);
    let fault = &lines[1]["diagnostics"][0];
    assert_eq!((fault["code"].as_str(), fault["span"]["start"].as_u64()), (Some("TQ0202"), Some(5)));
    let extended = traceql(&["check", "-f", file]);
    let verdicts: Vec<_> = stdout(&extended).lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(verdicts[3..], ["valid\t{ parent.x = 1 }", "valid\t{ http.method = 1 }"]);
    assert_eq!(traceql(&["check", "-f", "/no/such/file"]).status.code(), Some(5));
    assert_eq!(traceql(&["check"]).status.code(), Some(2));
}

#[test]
fn fmt_prints_the_canonical_form() {
    let short = traceql(&["fmt", "{span.a=`x`&&(duration>1h)}|count()>2"]);
    assert_eq!(stdout(&short), "{ span.a = \"x\" && duration > 1h } | count() > 2\n");
    let long = traceql(&[
        "fmt",
        "{ resource.service.name = \"api-gateway\" && span.http.method = \"POST\" } >> { status = error } | by(resource.service.name) | count() > 2",
    ]);
    let expected = "{ resource.service.name = \"api-gateway\" && span.http.method = \"POST\" }\n  \
                    >> { status = error }\n  | by(resource.service.name)\n  | count() > 2\n";
    assert_eq!(stdout(&long), expected);
    // What is formatted is formatted already.
    assert_eq!(stdout(&traceql(&["fmt", stdout(&long)])), expected);
    assert_eq!(stdout(&traceql(&["fmt", "--one-line", expected])).lines().count(), 1);
    let wrong = traceql(&["fmt", "{ .a = }"]);
    assert!(wrong.status.code() == Some(3) && stdout(&wrong).is_empty() && stderr(&wrong).contains("TQ0201"));
}
