//! Metrics queries on the command line, and the chart in the README.
//!
//! `UPDATE_GOLDEN=1 cargo test -p traceql --test metrics_command` draws the README's chart anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Output, Stdio},
};

use serde_json::Value as Json;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SHOP: &str = "testdata/otlp/shop.otlp.zst";
const QUERY: &str = "{ kind = server } | rate() by (resource.service.name)";
/// Before the command in the README, and behind the chart.
const BEGIN: &str = "<!-- chart: begin -->";
const END: &str = "<!-- chart: end -->";

/// The command in the folder of the workspace, as wide as the README.
fn traceql(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traceql"));
    command.args(args).current_dir(ROOT).stdin(Stdio::null()).env("COLUMNS", "90").env("LC_ALL", "C.UTF-8");
    command.env_remove("CLICOLOR_FORCE");
    command
}

fn run(args: &[&str]) -> Output {
    traceql(args).output().unwrap()
}

fn stdout(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(args: &[&str]) -> Json {
    serde_json::from_str(&stdout(args)).unwrap()
}

/// The arguments of a command line with single quotes.
fn arguments(line: &str) -> Vec<String> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

#[test]
fn the_readmes_chart_is_what_its_command_draws() {
    let path = format!("{ROOT}/README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (block, after) = rest.split_once(END).unwrap();
    let command = block.lines().find_map(|line| line.strip_prefix("$ traceql ")).unwrap();
    let args = arguments(command);
    let chart = stdout(&args.iter().map(String::as_str).chain(["-o", "chart"]).collect::<Vec<_>>());
    let expected = format!("\n```text\n$ traceql {command}\n{chart}```\n");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
        return;
    }
    assert!(block == expected, "the README's chart is\n{block}\nand should be\n{expected}");
}

#[test]
fn every_format_has_the_same_values() {
    let run = |format: &str| stdout(&["query", "-o", format, "--step", "2s", QUERY, SHOP]);
    let tempo: Json = serde_json::from_str(&run("tempo")).unwrap();
    let prometheus: Json = serde_json::from_str(&run("prometheus")).unwrap();
    let document: Json = serde_json::from_str(&run("json")).unwrap();
    let lines: Vec<Json> = run("ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let csv = run("csv");
    assert_eq!(document["series"], Json::Array(lines.clone()));
    assert_eq!(document["stepNanos"], "2000000000");
    let mut rows = csv.lines();
    assert_eq!(rows.next().unwrap(), "time_unix_nano,resource.service.name,value");
    let (mut values, mut sum) = (0, 0.0);
    for (place, series) in lines.iter().enumerate() {
        let service = &series["labels"]["resource.service.name"];
        assert_eq!(service["type"], "string");
        let (other, third) = (&tempo["series"][place], &prometheus["data"]["result"][place]);
        assert_eq!(other["labels"][0]["value"]["stringValue"], service["value"]);
        assert_eq!(third["metric"]["resource_service_name"], service["value"]);
        for (at, pair) in series["values"].as_array().unwrap().iter().enumerate() {
            let (time, value) = (pair[0].as_str().unwrap(), pair[1].as_f64().unwrap());
            let sample = &other["samples"][at];
            assert_eq!(format!("{}000000", sample["timestampMs"].as_str().unwrap()), time);
            assert_eq!(sample.get("value").map_or(0.0, |value| value.as_f64().unwrap()), value);
            let point = &third["values"][at];
            assert_eq!(format!("{}000000000", point[0]), time);
            assert_eq!(point[1].as_str().unwrap().parse::<f64>().unwrap(), value);
            assert_eq!(rows.next().unwrap(), format!("{time},{},{value}", service["value"].as_str().unwrap()));
            values += 1;
            sum += value * 2.0;
        }
    }
    assert!(rows.next().is_none() && values >= 5 * 6, "{values} values");
    // Without --start and --end every span is counted.
    let found = stdout(&["query", "--limit", "1000", "--spss", "0", "{ kind = server }", SHOP]);
    let spans = found.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let spans: u64 = spans.map(|trace| trace["spansets"][0]["matched"].as_u64().unwrap()).sum();
    assert!((sum - spans as f64).abs() < 1e-6 && spans > 100, "{sum} of {spans}");
}

#[test]
fn instants_count_every_span_once() {
    let counted = json(&["query", "--instant", "-o", "tempo", "{ } | count_over_time()", SHOP]);
    assert_eq!(counted["series"][0]["value"], 2_999.0);
    let counted = json(&["query", "--instant", "-o", "prometheus", "{ } | count_over_time()", SHOP]);
    assert_eq!(counted["data"]["result"][0]["value"][1], "2999");
    let table = stdout(&["query", "--instant", "-o", "table", "{ } | count_over_time() by (kind)", SHOP]);
    assert!(table.starts_with("kind") && table.contains("server"), "{table}");
}

#[test]
fn pictures_fit_the_query() {
    let chart = |query: &str, more: &[&str]| stdout(&[&["query", "-o", "chart", query, SHOP], more].concat());
    let lines = chart(QUERY, &[]);
    assert!(lines.contains("spans per second") && lines.contains("┤") && lines.contains("api-gateway"), "{lines}");
    assert!(!lines.contains('\x1b'));
    let heat = chart("{ } | histogram_over_time(duration)", &[]);
    assert!(heat.contains("1.05ms │") && heat.contains("██ to "), "{heat}");
    let bars = chart("{ } | count_over_time() by (resource.service.name)", &["--instant"]);
    assert!(bars.contains("█") && bars.contains("order-service"), "{bars}");
    let ranking = chart("{ } | compare({ status = error })", &[]);
    assert!(ranking.starts_with("selection: 64 spans, baseline: 2935 spans\nattribute"), "{ranking}");
    for more in [&["--ascii"][..], &["--ascii", "--instant"]] {
        assert!(chart("{ } | quantile_over_time(duration, .5, .99) by (name)", more).is_ascii());
    }
    let in_latin = traceql(&["query", "-o", "chart", QUERY, SHOP]).env("LC_ALL", "de_DE.ISO-8859-1").output().unwrap();
    assert!(in_latin.stdout.is_ascii());
    let colored = stdout(&["--color", "always", "query", "-o", "chart", QUERY, SHOP]);
    assert!(colored.contains("\x1b[36m"), "{colored}");
}

#[test]
fn what_makes_no_sense_is_told() {
    let second = "1795171421000000000";
    for (args, code, message) in [
        (vec!["query", "-o", "chart", "{ }", SHOP], 2, "-o chart is for metrics queries"),
        (vec!["query", "-o", "prometheus", "{ }", SHOP], 2, "-o prometheus is for metrics queries"),
        (vec!["query", "--step", "1s", "{ }", SHOP], 2, "--step is for metrics queries"),
        (vec!["query", "--watch", "{ }", SHOP], 2, "--watch is for metrics queries"),
        (vec!["query", "--sort", "duration", QUERY, SHOP], 2, "--sort is for searches"),
        (vec!["query", "--watch", QUERY, "-"], 2, "--watch cannot read standard input again"),
        (vec!["query", "--step", "soon", QUERY, SHOP], 2, "`soon` is no length of time"),
        (vec!["query", "--step", "1s", "--instant", QUERY, SHOP], 2, "cannot be used with"),
        (vec!["query", "--step", "1us", QUERY, SHOP], 2, "more than 10000: the least is"),
        (vec!["query", "--start", second, "--end", second, QUERY, SHOP], 2, "the range has to end after it starts"),
        (vec!["query", "{ } | rate() by (nme)", SHOP], 3, "did you mean `name`?"),
        (vec!["query", "--fail-empty", "{ name = \"nobody\" } | rate() by (name)", SHOP], 1, ""),
    ] {
        let output = run(&args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(message), "{args:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{args:?} printed a result");
    }
    let stats = run(&["query", "--stats", QUERY, SHOP]);
    assert!(String::from_utf8_lossy(&stats.stderr).contains("of 2999 spans tested"));
}

/// Without a terminal answers follow each other, each of what the file holds then.
#[test]
fn watching_asks_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.otlp.zst");
    std::fs::copy(format!("{ROOT}/{SHOP}"), &file).unwrap();
    let query = "{ } | count_over_time()";
    let watch = ["query", "--watch=0.05", "--instant", "-o", "csv", query, file.to_str().unwrap()];
    let mut child = traceql(&watch).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    for _ in 0..3 {
        assert_eq!(lines.next().unwrap(), "time_unix_nano,__name__,value");
        assert!(lines.next().unwrap().ends_with(",count_over_time,2999"));
    }
    // It is opened anew: what is gone is missed.
    std::fs::remove_file(&file).unwrap();
    assert!(lines.all(|line| !line.contains('\x1b')));
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert!(stderr.contains("spans.otlp.zst: No such file"), "{stderr}");
}
