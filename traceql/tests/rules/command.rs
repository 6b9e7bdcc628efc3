//! `traceql rules` as scripts see it.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use serde_json::Value as Json;

pub(crate) fn testdata(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/rules")).join(name)
}

fn traceql(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traceql"));
    // File names in messages are what is given.
    command.current_dir(testdata("")).arg("rules").args(args);
    command.env_remove("CLICOLOR_FORCE").stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn check_gives_verdicts_and_exit_codes() {
    let good = traceql(&["check", "shop.rules.yaml", "checkout.rules.yaml"]);
    assert_eq!((good.status.code(), stdout(&good)), (Some(0), "valid\tshop.rules.yaml\nvalid\tcheckout.rules.yaml\n"));
    let bad = traceql(&["check", "shop.rules.yaml", "broken.rules.yaml"]);
    assert_eq!(bad.status.code(), Some(3));
    let said =
        "broken.rules.yaml:11:20: error[TQ0202]: `==` is no operator\n    |\n 11 |           { status == error }\n";
    assert!(stdout(&bad).contains(said), "{}", stdout(&bad));
    let json = traceql(&["check", "-o", "json", "broken.rules.yaml"]);
    let json: Json = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["file"], &json["verdict"]), (&"broken.rules.yaml".into(), &"invalid".into()));
    let first = &json["diagnostics"][0];
    assert_eq!((&first["line"], &first["column"], &first["code"]), (&4.into(), &5.into(), &"TQ0602".into()));
    assert_eq!(first["help"], "did you mean `interval`?");
    let nowhere = traceql(&["check", "nowhere.yaml"]);
    assert_eq!(nowhere.status.code(), Some(5));
    assert!(stderr(&nowhere).contains("nowhere.yaml: No such file"));
}

#[test]
fn test_passes_and_fails() {
    let passed = traceql(&["test", "checkout.test.yaml", "shop.test.yaml"]);
    let said = "checkout.test.yaml: errors for three minutes ok (9 cases)
checkout.test.yaml: slow requests ok (3 cases)
shop.test.yaml: a load of three seconds ok (15 cases)
";
    assert_eq!((stdout(&passed), stderr(&passed), passed.status.code()), (said, "", Some(0)));

    let folder = tempfile::tempdir().unwrap();
    let rules = testdata("checkout.rules.yaml");
    let text = format!(
        "rule_files: [{rules:?}]
tests:
  - spans: [{{ service: s, kind: server, status: error, start: 30s, duration: 1ms, every: 30s, count: 20 }}]
    alert_rule_test: [{{ eval_time: 5m, alertname: HighErrorRate }}]
"
    );
    let file = folder.path().join("t.yaml");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let failed = traceql(&["test", file]);
    let said = format!(
        "{file}: test 1 FAILED (1 case)
{file}:4:23: alerts HighErrorRate at 5m
    + firing {{alertname=\"HighErrorRate\", resource.service.name=\"s\", severity=\"page\", team=\"shop\"}}
"
    );
    assert_eq!((stdout(&failed), failed.status.code()), (said.as_str(), Some(1)));

    std::fs::write(file, "rule_files: [x]\ntests: [{ naem: x }]\n").unwrap();
    let broken = traceql(&["test", file]);
    assert_eq!(broken.status.code(), Some(3));
    assert!(stderr(&broken).contains(":2:11: error[TQ0602]: a test has no key `naem`"), "{}", stderr(&broken));
}

const SHOP: &str = "../otlp/shop.otlp.zst";

#[test]
fn eval_prints_what_changes() {
    let range = ["--from", "1795171417", "--at", "1795171437", "shop.rules.yaml", SHOP];
    let run = |format: &str| traceql(&[&["eval", "-o", format], &range[..]].concat());
    let text = run("text");
    assert_eq!(text.status.code(), Some(0), "{}", stderr(&text));
    let lines: Vec<&str> = stdout(&text)
        .lines()
        .filter(|line| line.contains("FailingRequests {resource.service.name=\"order-service\""))
        .collect();
    let expected = [
        "2026-11-20T10:43:48.000Z  inactive → pending   FailingRequests {resource.service.name=\"order-service\", severity=\"page\"} = 1",
        "2026-11-20T10:43:49.000Z  pending  → firing    FailingRequests {resource.service.name=\"order-service\", severity=\"page\"} = 3",
        "2026-11-20T10:43:53.000Z  firing   → resolved  FailingRequests {resource.service.name=\"order-service\", severity=\"page\"} = 1",
    ];
    assert_eq!(lines, expected);
    assert!(stdout(&text).contains("\n    summary: order-service fails 3 times a second\n"));
    assert!(
        stdout(&text)
            .contains("  recorded             service:requests:count1s {resource.service.name=\"crm-service\"} = 44\n")
    );

    let json: Json = serde_json::from_slice(&run("json").stdout).unwrap();
    let resolved = json["changes"].as_array().unwrap().iter().filter(|change| change["resolved"] == true).count();
    assert_eq!((resolved, json["alerts"].as_array().unwrap().len()), (6, 0));
    let ndjson = run("ndjson");
    let objects: Vec<Json> = stdout(&ndjson).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let changes: Vec<&Json> =
        objects.iter().filter(|object| !object["change"].is_null()).map(|object| &object["change"]).collect();
    assert_eq!(changes.len(), json["changes"].as_array().unwrap().len());

    // One evaluation, and alerts that are there at its end.
    let once = traceql(&["eval", "-o", "json", "--at", "1795171429", "shop.rules.yaml", SHOP]);
    let json: Json = serde_json::from_slice(&once.stdout).unwrap();
    let states: Vec<_> =
        json["alerts"].as_array().unwrap().iter().map(|alert| alert["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["pending", "pending", "pending", "firing", "firing", "firing"]);
}

#[test]
fn eval_says_what_is_wrong() {
    for (args, code, message) in [
        (vec!["eval", "--at", "5", "broken.rules.yaml", SHOP], 3, "broken.rules.yaml:4:5: error[TQ0602]"),
        (vec!["eval", "--at", "5", "--from", "6", "shop.rules.yaml", SHOP], 2, "--from lies after --at"),
        (vec!["eval", "--at", "5", "shop.rules.yaml", "nowhere"], 5, "nowhere: No such file"),
        (vec!["eval", "shop.rules.yaml", SHOP], 2, "--at"),
    ] {
        let output = traceql(&args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty());
    }
}
