//! `traceql delete` and `traceql retention` on the recording.

use std::process::{Command, Output, Stdio};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");

fn traceql(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_traceql")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A store with the recording.
fn store() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    assert!(traceql(&["ingest", "--store", &store, SHOP]).status.success());
    (folder, store)
}

fn count(query: &str, path: &str) -> usize {
    stdout(&traceql(&["query", "--limit", "1000", query, path])).lines().count()
}

#[test]
fn spans_traces_and_a_trace_are_deleted_when_that_is_confirmed() {
    let (_folder, store) = store();
    let errors = "{ status = error }";
    let (with_errors, before) = (count(errors, &store), count("{ }", &store));
    assert!(with_errors > 0 && with_errors < before);

    let dry = traceql(&["delete", "--spans", errors, "--dry-run", &store]);
    assert!(dry.status.success() && stdout(&dry).ends_with(" would go\n"), "{}{}", stdout(&dry), stderr(&dry));
    let unasked = traceql(&["delete", "--spans", errors, &store]);
    assert_eq!(unasked.status.code(), Some(2));
    assert!(stderr(&unasked).contains("nothing was deleted"), "{}", stderr(&unasked));
    assert_eq!(count(errors, &store), with_errors);

    let deleted = traceql(&["delete", "--spans", errors, "--yes", &store]);
    assert!(deleted.status.success(), "{}", stderr(&deleted));
    assert_eq!(stdout(&deleted), stdout(&dry).replace("would go", "deleted"));
    assert_eq!(count(errors, &store), 0);

    let id = stdout(&traceql(&["query", "--limit", "1", "-o", "json", "{ }", &store]));
    let id: serde_json::Value = serde_json::from_str(&id).unwrap();
    let id = id["traces"][0]["traceId"].as_str().unwrap();
    assert!(traceql(&["delete", "--trace", id, "--yes", &store]).status.success());
    assert_eq!(traceql(&["trace", id, &store]).status.code(), Some(1));

    assert!(traceql(&["delete", "--traces", "{ }", "--yes", &store]).status.success());
    assert_eq!(count("{ }", &store), 0);
    let again = traceql(&["delete", "--traces", "{ }", &store]);
    assert_eq!((again.status.code(), stdout(&again).starts_with("0 spans of 0 traces")), (Some(0), true));
}

#[test]
fn wrong_usage_deletes_nothing() {
    let (_folder, store) = store();
    for (args, code) in [
        (&["delete", "--yes"][..], 2),
        (&["delete", "--yes", "--trace", "x"], 2),
        (&["delete", "--yes", "--spans", "{ statu = error }"], 3),
        (&["delete", "--yes", "--traces", "{ } | rate()"], 3),
        (&["delete", "--yes", "--trace", "1", "--spans", "{ }"], 2),
        (&["retention"], 2),
        (&["retention", "--keep", "soon"], 2),
        (&["retention", "--max-size", "1"], 2),
        (&["retention", "--policy", "no such file"], 5),
    ] {
        let output = traceql(&[args, &[store.as_str()]].concat());
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
    }
    assert_eq!(traceql(&["delete", "--yes", "--trace", "1", "/no/such/store"]).status.code(), Some(5));
    assert_eq!(count("{ }", &store), 500);
}

#[test]
fn retention_keeps_what_its_policy_says() {
    let (folder, store) = store();
    let kept = "{ resource.service.name = \"mail-worker\" }";
    let (with_mail, all) = (count(kept, &store), count("{ }", &store));
    assert!(with_mail > 0 && with_mail < all);
    let policy = folder.path().join("policy.yaml");
    std::fs::write(&policy, format!("rules:\n  - traces: '{kept}'\n    keep: forever\n  - keep: 1h\n")).unwrap();
    let policy = policy.to_str().unwrap();
    let dry = traceql(&["retention", "--policy", policy, "--dry-run", &store]);
    assert!(stdout(&dry).contains(" would go,"), "{}{}", stdout(&dry), stderr(&dry));
    assert_eq!(count("{ }", &store), all);
    let removed = traceql(&["retention", "--policy", policy, &store]);
    assert_eq!(stdout(&removed), stdout(&dry).replace("would go", "removed"));
    assert_eq!((count("{ }", &store), count(kept, &store)), (with_mail, with_mail));

    std::fs::write(policy, "rules:\n  - keep: 1x\n").unwrap();
    let wrong = traceql(&["retention", "--policy", policy, &store]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(stderr(&wrong).contains("policy.yaml:2:11"), "{}", stderr(&wrong));

    let size = traceql(&["retention", "--max-size", "1kB", &store]);
    assert!(stdout(&size).contains("1 whole blocks"), "{}{}", stdout(&size), stderr(&size));
    assert_eq!(count("{ }", &store), 0);
}
