//! `traceql span-metrics` and `traceql service-graph` on the recording of the shop.

use std::{
    process::{Command, Output, Stdio},
    sync::Arc,
};

use serde_json::Value as Json;
use traceql::spanmetrics::GeneratorConfig;
use tracestore::{StoreOptions, TraceStore, otlp::MessageSource};

use super::support::testdata;

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");

fn traceql(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traceql"));
    command.args(args).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").env_remove("CLICOLOR_FORCE");
    command.output().unwrap()
}

fn stdout(args: &[&str]) -> String {
    let output = traceql(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn sum(text: &str, name: &str) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[test]
fn a_snapshot_counts_every_span() {
    let text = stdout(&["span-metrics", SHOP]);
    assert_eq!(sum(&text, "traces_spanmetrics_calls_total"), 2_999.0);
    assert_eq!(sum(&text, "traces_service_graph_request_total"), 2_020.0);
    assert!(!text.contains("# EOF"));
    let open = stdout(&["span-metrics", "--format", "openmetrics", "--processor", "span-metrics", SHOP]);
    assert!(open.ends_with("# EOF\n") && open.contains("# {traceID=\"") && !open.contains("service_graph"));

    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    stdout(&["ingest", "--store", store, SHOP]);
    assert_eq!(stdout(&["span-metrics", "--store", store]), text);
}

#[test]
fn a_store_that_counts_shows_its_own_counters() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let generator = Arc::new(GeneratorConfig::default().generator().unwrap());
    let mut options = StoreOptions::default();
    options.observer = Some(generator);
    let open = TraceStore::open(&store, options).unwrap();
    let requests: Vec<_> = MessageSource::open(SHOP.as_ref()).unwrap().map(|request| request.unwrap().bytes).collect();
    requests.iter().for_each(|request| assert!(open.ingest(request.clone()).unwrap().spans > 0));
    // The same spans in a request with other bytes: queries see them once, and they came in twice.
    let more = open.ingest([&requests[0][..], &requests[0][..]].concat().into()).unwrap().spans;
    // And one that was sent again.
    open.ingest(requests[1].clone()).unwrap();
    open.close().unwrap();
    let store = store.to_str().unwrap();
    let text = stdout(&["span-metrics", "--store", store]);
    assert_eq!(sum(&text, "traces_spanmetrics_calls_total"), 2_999.0 + more as f64);
    let graph = stdout(&["span-metrics", "--processor", "service-graphs", "--store", store]);
    assert!(text.ends_with(&graph) && graph.contains("traces_service_graph_request_total{"));
    for counted in [&["span-metrics", "--start", "1970-01-01", "--store", store][..], &["span-metrics", store]] {
        assert_eq!(sum(&stdout(counted), "traces_spanmetrics_calls_total"), 2_999.0);
    }
}

#[test]
fn a_range_and_its_steps() {
    let range = ["--start", "2026-11-20T10:43:48Z", "--end", "2026-11-20T10:43:49Z"];
    let whole = stdout(&[&["span-metrics", SHOP][..], &range].concat());
    let calls = sum(&whole, "traces_spanmetrics_calls_total");
    assert!(calls > 100.0 && calls < 2_999.0, "{calls}");
    let steps = stdout(&[&["span-metrics", "--step", "250ms", SHOP][..], &range].concat());
    let at_end = |line: &&str| line.starts_with("traces_spanmetrics_calls_total{") && line.ends_with(" 1795171429");
    let value = |line: &str| line.rsplit(' ').nth(1).unwrap().parse::<f64>().unwrap();
    assert_eq!(steps.lines().filter(at_end).map(value).sum::<f64>(), calls);
    assert!(steps.ends_with("# EOF\n"));
    let too_many = traceql(&["span-metrics", "--step", "1us", SHOP]);
    assert_eq!(too_many.status.code(), Some(2));
}

#[test]
fn series_as_protobuf() {
    let output = traceql(&["span-metrics", "--format", "protobuf", "--processor", "span-metrics", SHOP]);
    assert_eq!(output.status.code(), Some(0));
    // The first family: its length, its name.
    let name = b"\x0a\x1etraces_spanmetrics_calls_total";
    assert_eq!(output.stdout.windows(name.len()).position(|bytes| bytes == name), Some(2));
}

#[test]
fn what_cannot_be_sent_is_said() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nowhere}/api/v1/write");
    let output = traceql(&["span-metrics", "--remote-write", &url, "--outage", "1ms", SHOP]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(5), b"0 samples sent\n".to_vec()), "{said}");
    assert!(said.contains("samples not sent: 0 refused, ") && said.contains(" waited for too long"), "{said}");
    for wrong in [
        &["--remote-write", "nowhere"][..],
        &["--remote-write", &url, "--header", "none"],
        &["--remote-write", &url, "--format", "protobuf"],
    ] {
        let output = traceql(&[&["span-metrics", SHOP][..], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_configuration_is_followed_or_refused() {
    let path = testdata("span_metrics/tempo.yaml");
    let output = traceql(&["span-metrics", "--config", path.to_str().unwrap(), SHOP]);
    let (text, notes) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0));
    assert!(notes.contains("warning[TQ0525]"), "{notes}");
    // Servers that answered 200, and not the health check.
    assert!(!text.contains("SPAN_KIND_CLIENT"), "{text}");
    assert!(!text.contains("/health") && !text.contains("traces_spanmetrics_size_total"), "{text}");
    assert!(text.contains("client_deployment_environment=") && text.contains("traces_target_info{job="));

    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yaml");
    std::fs::write(&broken, "metrics_generator: {procesor: {}}\n").unwrap();
    let output = traceql(&["service-graph", "--config", broken.to_str().unwrap(), SHOP]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("did you mean `processor`?"));
}

/// Every form of the shop's graph; written by the test with `UPDATE_GOLDEN=1`.
#[test]
fn the_graph_in_every_form() {
    for (args, name) in [
        (&["-o", "chart"][..], "chart.txt"),
        (&["-o", "chart", "--ascii"], "chart-ascii.txt"),
        (&["-o", "table"], "table.txt"),
        (&["-o", "dot"], "graph.dot"),
        (&[], "graph.json"),
    ] {
        let found = stdout(&[&["service-graph", SHOP][..], args].concat());
        let golden = testdata(&format!("graph/{name}"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &found).unwrap();
        }
        assert_eq!(found, std::fs::read_to_string(&golden).unwrap(), "{name}");
    }
    let json: Json = serde_json::from_str(&stdout(&["service-graph", "-o", "json", SHOP])).unwrap();
    assert_eq!((json["nodes"].as_array().unwrap().len(), json["edges"].as_array().unwrap().len()), (10, 15));
}

#[test]
fn names_cannot_steer_terminal_or_graph() {
    let folder = tempfile::tempdir().unwrap();
    let span = |id: &str, parent: &str, kind: i32| {
        serde_json::json!({ "traceId": "0123456789abcdef0123456789abcdef", "spanId": id, "parentSpanId": parent, "kind": kind,
            "name": "x", "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000010000000",
            "attributes": [{ "key": "peer.service", "value": { "stringValue": "\u{1b}[31mred\"\\ \u{202e}" } }] })
    };
    let service = serde_json::json!({ "key": "service.name", "value": { "stringValue": "a" } });
    let spans = [span("0000000000000001", "", 2), span("0000000000000002", "0000000000000001", 3)];
    let request = serde_json::json!({ "resourceSpans": [{ "resource": { "attributes": [service] }, "scopeSpans": [{ "spans": spans }] }] });
    let file = folder.path().join("spans.json");
    std::fs::write(&file, request.to_string()).unwrap();
    let file = file.to_str().unwrap();
    for format in ["chart", "table", "dot"] {
        let text = stdout(&["service-graph", "-o", format, file]);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(text.contains("red"), "{text}");
    }
    assert!(stdout(&["service-graph", "-o", "dot", file]).contains("[31mred\\\"\\\\ "));
}
