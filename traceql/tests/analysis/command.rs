//! `traceql trace` and `traceql diff` on the recording of a shop, and on ids that are given in part.

use std::process::{Command, Output, Stdio};

use serde_json::{Value as Json, json};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");
/// Two orders of 20 spans each.
const ORDERS: [&str; 2] = ["fda0dd613ece4291e24a5afe0915aa8a", "56b0ce32d44141277e2de6cc0ff3bc38"];

fn traceql(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traceql"));
    command.args(args).env_remove("CLICOLOR_FORCE").env("COLUMNS", "80").stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn document(args: &[&str]) -> Json {
    let output = traceql(args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn number(json: &Json) -> i128 {
    json.as_str().unwrap().parse().unwrap()
}

fn list(json: &Json) -> &[Json] {
    json.as_array().unwrap()
}

#[test]
fn the_waterfall_shows_self_times_and_the_critical_path() {
    let tree = traceql(&["trace", ORDERS[0], SHOP]);
    let lines: Vec<&str> = stdout(&tree).lines().collect();
    assert_eq!(lines.len(), 22, "{}", stdout(&tree));
    assert!(lines[0].contains("20 spans") && lines[1].contains("took     self * ━ critical path"));
    assert!(lines[2].starts_with("api-gateway POST /api/orders ") && lines[2].contains(" * ━"), "{}", lines[2]);
    // An order does one thing after the other.
    assert!(lines[2..].iter().all(|line| line.contains(" * ")), "{}", stdout(&tree));
}

/// OTLP of spans of one trace: service, id, parent's id, name, kind, start and end in ms.
fn spans_of_a_trace(spans: &[(&str, u8, u8, &str, i32, u64, u64)]) -> String {
    let resource = |(service, id, parent, name, kind, start, end): &(&str, u8, u8, &str, i32, u64, u64)| {
        let time = |at: &u64| (1_700_000_000_000_000_000 + at * 1_000_000).to_string();
        let hex = |id: &u8| if *id == 0 { String::new() } else { format!("{id:016x}") };
        let span = json!({
            "traceId": "0123456789abcdef0123456789abcdef", "spanId": hex(id), "parentSpanId": hex(parent),
            "name": name, "kind": kind, "startTimeUnixNano": time(start), "endTimeUnixNano": time(end),
        });
        let service = json!({ "key": "service.name", "value": { "stringValue": service } });
        json!({ "resource": { "attributes": [service] }, "scopeSpans": [{ "spans": [span] }] })
    };
    json!({ "resourceSpans": spans.iter().map(resource).collect::<Vec<_>>() }).to_string()
}

#[test]
fn the_waterfall_tells_what_was_not_waited_for_and_which_clock_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.json");
    let spans = [
        ("shop", 1, 0, "buy", 2, 0, 40),
        ("shop", 2, 1, "audit", 1, 5, 60),
        ("shop", 3, 1, "call", 3, 10, 30),
        ("pay", 4, 3, "charge", 2, 1_000, 1_015),
        ("shop", 5, 1, "log", 1, 12, 20),
    ];
    std::fs::write(&file, spans_of_a_trace(&spans)).unwrap();
    let tree = traceql(&["trace", "0123", file.to_str().unwrap()]);
    let expected = [
        "                                       took     self * ━ critical path",
        "shop buy                             40.0ms   5.00ms * ━━━━────────━━━━",
        "├ shop audit                         55.0ms   55.0ms     ──────────────────────",
        "├ shop call                          20.0ms   5.00ms *     ━━──────",
        "│ └ pay charge (clock 985ms ahead)   15.0ms   15.0ms *       ━━━━━━",
        "└ shop log                           8.00ms   8.00ms       ────",
    ];
    assert_eq!(stdout(&tree).lines().skip(1).collect::<Vec<_>>(), expected);
}

#[test]
fn timing_as_json_adds_up() {
    let found = document(&["trace", "-o", "timing", ORDERS[0], SHOP]);
    assert_eq!(found["traceId"], ORDERS[0]);
    let spans = list(&found["spans"]);
    assert_eq!((spans.len(), &spans[0]["parent"], &spans[0]["kind"]), (20, &Json::Null, &json!("server")));
    assert!(spans[1..].iter().all(|span| span["parent"].is_u64()));
    let paths = list(&found["criticalPaths"]);
    assert_eq!((paths.len(), &paths[0]["top"]), (1, &json!(0)));
    let sections = list(&paths[0]["sections"]);
    let mut at = number(&spans[0]["startTimeUnixNano"]);
    for section in sections {
        assert_eq!(number(&section["startTimeUnixNano"]), at);
        at += number(&section["durationNanos"]);
    }
    assert_eq!(at - number(&spans[0]["startTimeUnixNano"]), number(&spans[0]["durationNanos"]));
    for (place, span) in spans.iter().enumerate() {
        let own =
            sections.iter().filter(|section| section["span"] == place).map(|section| number(&section["durationNanos"]));
        assert_eq!(number(&span["criticalTimeNanos"]), own.sum::<i128>());
        assert!(number(&span["selfTimeNanos"]) <= number(&span["durationNanos"]));
    }
}

#[test]
fn a_trace_and_itself_do_not_differ() {
    let found = document(&["diff", "-o", "json", ORDERS[0], ORDERS[0], SHOP]);
    assert_eq!((&found["changes"], &found["matched"]), (&json!([]), &json!(20)));
    assert_eq!(found["before"], found["after"]);
    let table = traceql(&["diff", "-o", "table", ORDERS[0], ORDERS[0], SHOP]);
    assert!(stdout(&table).ends_with("no differences\n"), "{}", stdout(&table));
}

#[test]
fn two_orders_differ() {
    // Without a terminal it is JSON.
    let found = document(&["diff", ORDERS[0], ORDERS[1], SHOP]);
    assert_eq!([&found["before"]["traceId"], &found["after"]["traceId"]], ORDERS);
    let changes = list(&found["changes"]);
    let sizes: Vec<_> = changes.iter().map(|change| number(&change["selfTimeDiffNanos"]).unsigned_abs()).collect();
    assert!(!sizes.is_empty() && sizes.is_sorted_by(|a, b| a >= b));
    let sum: i128 = changes.iter().map(|change| number(&change["selfTimeDiffNanos"])).sum();
    assert_eq!(sum, number(&found["after"]["selfTimeNanos"]) - number(&found["before"]["selfTimeNanos"]));
    let root = changes.iter().find(|change| list(&change["path"]).len() == 1).unwrap();
    assert_eq!(root["path"][0], json!({ "service": "api-gateway", "name": "POST /api/orders", "kind": "server" }));
    let table = traceql(&["diff", "-o", "table", ORDERS[0], ORDERS[1], SHOP]);
    let lines: Vec<&str> = stdout(&table).lines().collect();
    assert_eq!(lines.len(), changes.len() + 5, "{}", stdout(&table));
    assert!(lines[0].starts_with(&format!("A {}", ORDERS[0])) && lines[1].starts_with(&format!("B {}", ORDERS[1])));
    assert!(!stdout(&table).contains('\x1b'));
    let colored = traceql(&["--color", "always", "diff", "-o", "table", ORDERS[0], ORDERS[1], SHOP]);
    assert!(stdout(&colored).contains('\x1b'));
}

#[test]
fn the_first_digits_of_an_id_are_enough_if_only_one_trace_has_them() {
    let whole = traceql(&["trace", ORDERS[0], SHOP]);
    for part in ["fda0", "FDA0dd61", &ORDERS[0][..31]] {
        assert_eq!(stdout(&traceql(&["trace", part, SHOP])), stdout(&whole), "{part}");
    }
    let found = document(&["diff", "-o", "json", "fda0", "56b0", SHOP]);
    assert_eq!([&found["before"]["traceId"], &found["after"]["traceId"]], ORDERS);
    let several = traceql(&["trace", "e9a6", SHOP]);
    let expected = "traceql: several traces have an id that starts with e9a6:\n  \
                    e9a6000cc02272af7874d9e7b9d9d8f6  2026-11-20T";
    assert_eq!((several.status.code(), stdout(&several)), (Some(2), ""));
    assert!(stderr(&several).starts_with(expected), "{}", stderr(&several));
    assert!(stderr(&several).contains("Z  api-gateway POST /api/orders\n"), "{}", stderr(&several));
    assert_eq!(stderr(&several).lines().count(), 3);
    for (id, message) in [
        ("fda", "there is no trace 00000000000000000000000000000fda\n"),
        ("0123", "there is no trace 00000000000000000000000000000123, and none whose id starts with 0123\n"),
    ] {
        for args in [vec!["trace", id, SHOP], vec!["diff", id, ORDERS[0], SHOP], vec!["diff", ORDERS[0], id, SHOP]] {
            let missing = traceql(&args);
            assert_eq!((missing.status.code(), stdout(&missing)), (Some(1), ""));
            assert!(stderr(&missing).ends_with(message), "{}", stderr(&missing));
        }
    }
    for bad in ["xyz", "fda0dd613ece4291e24a5afe0915aa8a0", ""] {
        assert_eq!(traceql(&["trace", bad, SHOP]).status.code(), Some(2), "{bad}");
    }
}

/// OTLP of a root span for each of the ids.
fn otlp(ids: &[String]) -> String {
    let span = |(place, id): (usize, &String)| {
        let start = (1_700_000_000_000_000_000 + place as u64).to_string();
        json!({
            "traceId": id, "spanId": format!("{:016x}", place + 1), "name": format!("job {place}"), "kind": 1,
            "startTimeUnixNano": start, "endTimeUnixNano": start,
        })
    };
    let spans: Vec<Json> = ids.iter().enumerate().map(span).collect();
    json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] }).to_string()
}

#[test]
fn ten_candidates_are_listed_and_an_id_without_its_zeros_is_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.json");
    let mut ids: Vec<String> = (0..14).map(|place| format!("abcd{place:028x}")).collect();
    ids.push(format!("{:0>32}", "abce"));
    ids.push(format!("abce{:028x}", 5));
    std::fs::write(&file, otlp(&ids)).unwrap();
    let file = file.to_str().unwrap();
    let several = traceql(&["trace", "abcd", file]);
    let lines: Vec<&str> = stderr(&several).lines().collect();
    assert_eq!((lines.len(), lines[11]), (12, "  … and more"), "{}", stderr(&several));
    assert_eq!(lines[1], format!("  {}  2023-11-14T22:13:20.000Z  job 0", ids[0]));
    assert!(lines[10].ends_with("job 9"));
    let one = traceql(&["trace", "abcd0000000000000000000000000003", file]);
    assert!(stdout(&one).contains("job 3"));
    // The whole id with its zeros left out wins over the first digits of another.
    assert!(stdout(&traceql(&["trace", "abce", file])).contains("job 14"));
    assert!(stdout(&traceql(&["trace", "abce0", file])).contains("job 15"));
    assert!(stdout(&traceql(&["trace", "0000", file])).contains("job 14"));
}

#[test]
fn a_trace_that_lies_in_several_blocks_is_one_candidate() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    for _ in 0..2 {
        assert!(traceql(&["ingest", "--store", store, SHOP]).status.success());
    }
    let (in_file, in_store) = (traceql(&["trace", "fda0", SHOP]), traceql(&["trace", "fda0", store]));
    assert_eq!(stdout(&in_file), stdout(&in_store));
    let (in_file, in_store) = (traceql(&["trace", "e9a6", SHOP]), traceql(&["trace", "e9a6", store]));
    assert_eq!(stderr(&in_file), stderr(&in_store));
    // Copies in the other block are no other spans.
    let found = document(&["diff", "-o", "json", ORDERS[0], ORDERS[0], store]);
    assert_eq!((&found["matched"], &found["changes"]), (&json!(20), &json!([])));
}
