//! The command as its users call it, over little data.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/stub.rs"]
mod stub;

use std::process::Command;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;
use stub::Stub;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");

/// What the command prints.
fn run(arguments: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_trace-benches")).args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn json(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_run_asks_everything_and_can_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.json");
    let path = file.to_str().unwrap();
    let table = run(&["run", "--data", RECORDING, "--repeat", "1", "--cold", "1", "--json", path]);
    let figures = json(&file);
    assert_eq!(figures["ingest"]["spans"], 2_999);
    assert!(figures["size"]["bytes_per_span"].as_f64().unwrap() > 8.0);
    let queries = figures["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 24 + 10 + 6);
    for query in queries {
        let text = query["query"].as_str().unwrap();
        assert!(table.contains(text), "{text} is not in the table");
        for time in ["cold_ms", "median_ms", "p99_ms"] {
            assert!(query[time].as_f64().unwrap() > 0.0, "{text} has no {time}");
        }
    }
    let of = |text: &str| queries.iter().find(|query| query["query"] == text).unwrap();
    assert_eq!(of("{ status = error }")["results"], 20);
    assert_eq!(of("{ } | rate() by (resource.service.name)")["results"], 6);
    assert_eq!(of("trace by id")["results"], 1);
    // One row group, which has no such key.
    let absent = of("{ span.http.method = \"DELETE\" }");
    assert_eq!((&absent["results"], &absent["rows_read"]), (&0.into(), &0.into()));
    assert_eq!((&absent["row_groups"], &absent["row_groups_pruned"]), (&1.into(), &1.into()));
    assert_eq!(of("{ } | rate()")["rows_read"], 2_999);

    let compared = run(&["compare", path, path]);
    let row = compared.lines().find(|line| line.starts_with("bytes per span")).unwrap();
    assert!(row.ends_with("1.00"), "{row}");
}

#[test]
fn an_endpoint_is_sent_everything_and_asked_the_same() {
    let takes = Stub::start(|_| String::new());
    let answers = Stub::start(|asked| match asked.target.split('?').next().unwrap() {
        "/api/metrics/query" => r#"{"series":[{"labels":[],"value":2999}]}"#.to_owned(),
        "/api/metrics/query_range" => r#"{"series":[{},{},{}]}"#.to_owned(),
        _ => r#"{"traces":[{},{}]}"#.to_owned(),
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.json");
    let common = ["run", "--data", RECORDING, "--repeat", "2", "--cold", "0", "--only", "status = error }"];
    let endpoint = ["--tempo", &answers.url, "--otlp", &takes.url, "--json", file.to_str().unwrap()];
    let table = run(&[&common[..], &endpoint].concat());
    assert!(table.contains("the endpoint has 2999 of 2999 spans"), "{table}");

    // Every span, as OTLP over HTTP.
    let spans = takes.asked().into_iter().map(|asked| {
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/v1/traces"));
        let request = ExportTraceServiceRequest::decode(asked.body.as_slice()).unwrap();
        let scopes = request.resource_spans.iter().flat_map(|spans| &spans.scope_spans);
        scopes.map(|scope| scope.spans.len()).sum::<usize>()
    });
    assert_eq!(spans.sum::<usize>(), 2_999);

    let asked = answers.asked();
    let of = |path: &str| asked.iter().filter(|asked| asked.target.starts_with(&format!("{path}?"))).count();
    let figures = json(&file);
    let queries = figures["queries"].as_array().unwrap();
    let kinds = |kind: &str| queries.iter().filter(|query| query["kind"] == kind).count();
    // Two rounds count, two before them do not.
    assert!(kinds("search") > 0 && kinds("metrics") > 0);
    assert_eq!(of("/api/search"), 4 * kinds("search"));
    assert_eq!(of("/api/metrics/query_range"), 4 * kinds("metrics"));
    let mut ranges: Vec<_> =
        asked.iter().filter(|asked| asked.target.starts_with("/api/metrics/query_range")).collect();
    ranges.dedup_by(|a, b| a.target == b.target);
    assert_eq!(ranges.len(), 4 * kinds("metrics"), "no range twice in a row");
    for query in queries {
        let (time, results) = (query["endpoint_ms"].as_f64(), query["endpoint_results"].as_u64());
        assert!(time.unwrap() > 0.0, "{query}");
        match query["kind"].as_str().unwrap() {
            "search" => assert_eq!(results, Some(2)),
            "metrics" => assert_eq!(results, Some(3)),
            _ => {}
        }
    }
}

#[test]
fn growth_has_a_row_for_each_question() {
    let options = ["--repeat", "1", "--cold", "0", "--only", "status = error }"];
    let table = run(&[&["growth", "--spans", "2000,4000"], &options[..]].concat());
    let row = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {table}"));
        line[name.len()..].split_whitespace().map(|number| number.parse::<f64>().unwrap()).collect::<Vec<_>>()
    };
    let spans = row("spans");
    assert_eq!(spans.len(), 3);
    assert!(spans[0] >= 2_000.0 && spans[1] >= 4_000.0 && (spans[2] - 1.0).abs() < 0.1, "{spans:?}");
    assert!(table.lines().any(|line| line.starts_with("{ status = error }")), "{table}");
}

#[test]
fn every_sync_mode_and_number_of_producers_takes_all_spans() {
    let table = run(&["durable", "--data", RECORDING, "--producers", "1,3", "--sync", "full,off"]);
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let of = |row: &[&str]| row[..3].join(" ");
    assert_eq!(
        rows.iter().map(|row| of(row)).collect::<Vec<_>>(),
        ["full 1 2999", "full 3 2999", "off 1 2999", "off 3 2999"]
    );
}

#[test]
fn small_blocks_are_merged() {
    let told = run(&["compaction", "--spans", "20000", "--cut", "1"]);
    let mut words = told.split_whitespace().map(|word| word.trim_end_matches(',').parse::<u64>());
    let [before, after, spans] = [0, 2, 0].map(|skipped| words.nth(skipped).unwrap().unwrap());
    assert!(before > 3 && after == 1 && (20_000..21_000).contains(&spans), "{told}");
    assert!(told.contains("write amplification"), "{told}");
}

#[test]
fn a_soak_counts_what_was_acknowledged() {
    let told = run(&["soak", "--spans", "20000", "--producers", "2"]);
    assert!(told.contains("peak memory"), "{told}");
}

#[test]
fn paths_give_answers() {
    let results = |name: &str| run(&["path", name]).split(' ').next().unwrap().parse::<u64>().unwrap();
    assert!(results("ingest") > 100_000);
    assert_eq!(results("needle"), 1);
    assert_eq!(results("rate"), 24);
    assert!(results("descendant") > 0);
}
