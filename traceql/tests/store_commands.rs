//! The commands that work on stores, beside a writer in another process: query, verify, snapshot, inspect; ingest that is
//! killed and repeated; export in every form.
//!
//! This program starts itself as the other process: as the test `child`, told by the environment what to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "store_commands/export.rs"]
mod export;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use serde_json::Value;
use tracestore::{CutPolicy, StoreOptions, TraceStore};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/otlp/shop.otlp.zst");
const FOLDER: &str = "TRACEQL_STORE_COMMANDS_FOLDER";

pub(crate) fn traceql(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_traceql")).args(args).stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

pub(crate) fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// What a command prints; it succeeds.
pub(crate) fn answer(args: &[&str]) -> String {
    let output = traceql(args);
    assert!(output.status.success(), "{args:?}: {}{}", stdout(&output), stderr(&output));
    stdout(&output).to_owned()
}

/// A store with the shop's spans.
pub(crate) fn shop(folder: &Path) -> String {
    let store = folder.join("store").to_str().unwrap().to_owned();
    answer(&["ingest", "--store", &store, SHOP]);
    store
}

/// A request with one trace of one span.
fn request(number: u64) -> Vec<u8> {
    let span = Span {
        trace_id: [&[7; 8][..], &(number + 1).to_be_bytes()].concat(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: number.to_string(),
        start_time_unix_nano: 1_000 + number,
        end_time_unix_nano: 2_000 + number,
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// Ingests until it is killed, and says so line by line. Does nothing when it is run as a test like others.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let mut options = StoreOptions::default();
    options.segment_bytes = 3_000;
    options.background = Some(Duration::from_millis(5));
    options.cut = CutPolicy { bytes: 20_000, ..CutPolicy::default() };
    let store = TraceStore::open(folder, options).unwrap();
    println!();
    for number in 0.. {
        store.ingest(request(number).into()).unwrap();
        println!("acknowledged {number}");
        std::io::stdout().flush().unwrap();
        // Not more blocks than are needed.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A process that writes to a store until this is dropped.
struct Writer {
    process: Child,
    acknowledged: Arc<AtomicU64>,
}

impl Writer {
    fn start(folder: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (acknowledged, out) = (Arc::<AtomicU64>::default(), process.stdout.take().unwrap());
        let count = Arc::clone(&acknowledged);
        std::thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            for _ in lines.filter(|line| line.starts_with("acknowledged ")) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let writer = Self { process, acknowledged };
        while writer.acknowledged() < 10 {
            std::thread::sleep(Duration::from_millis(1));
        }
        writer
    }

    /// How many requests the process says that it has acknowledged.
    fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// How many traces a store has; they are those that were sent first.
fn count(store: &str) -> u64 {
    let lines = answer(&["query", "-o", "ndjson", "--limit", "1000000", "{ }", store]);
    let names = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["rootName"].as_str().unwrap().parse::<u64>().unwrap()
    });
    let mut names: Vec<u64> = names.collect();
    names.sort_unstable();
    assert_eq!(names, (0..names.len() as u64).collect::<Vec<_>>());
    names.len() as u64
}

#[test]
fn a_store_that_another_process_writes_is_queried_verified_and_copied() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    let writer = Writer::start(&store);
    let mut found = 0;
    for round in 0..5 {
        let before = writer.acknowledged();
        let now = count(&store);
        assert!(now >= before.max(found), "{now} traces after {before} were acknowledged");
        found = now;
        answer(&["verify", &store]);
        let copy = folder.path().join(format!("copy {round}")).to_str().unwrap().to_owned();
        let before = writer.acknowledged();
        if round % 2 == 0 {
            answer(&["snapshot", &store, &copy])
        } else {
            answer(&["snapshot", "--copy", &store, &copy])
        };
        let copied = count(&copy);
        assert!(copied >= before, "{copied} traces copied after {before} were acknowledged");
        answer(&["verify", &copy]);
        assert_eq!(count(&copy), copied, "a copy does not follow");
        let again = traceql(&["snapshot", &store, &copy]);
        assert_eq!(again.status.code(), Some(5), "{}", stderr(&again));
    }
    let second = traceql(&["ingest", "--store", &store, SHOP]);
    assert!(stderr(&second).contains("open for writing elsewhere"), "{}", stderr(&second));
    let acknowledged = writer.acknowledged();
    drop(writer);
    let last = count(&store);
    assert!(last >= acknowledged);
    // Who writes to a copy does not write to the store.
    let copy = folder.path().join("copy 0");
    let copied = count(copy.to_str().unwrap());
    let open = TraceStore::open(&copy, StoreOptions::default()).unwrap();
    open.ingest(request(copied).into()).unwrap();
    open.close().unwrap();
    assert_eq!((count(copy.to_str().unwrap()), count(&store)), (copied + 1, last));
    answer(&["verify", &store]);
}

#[test]
fn an_ingest_that_is_killed_and_repeated_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let whole = answer(&["query", "-o", "ndjson", "--limit", "1000", "{ status = error }", SHOP]);
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    let ingest = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_traceql"));
        command.args(["ingest", "--store", &store, SHOP]).stdin(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    std::fs::create_dir_all(&store).unwrap();
    let mut random = 1_u64;
    let (mut killed, mut finished) = (0, 0);
    for _ in 0..12 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut process = ingest();
        std::thread::sleep(Duration::from_micros((random >> 40) % 400_000));
        process.kill().unwrap();
        match process.wait().unwrap().success() {
            true => finished += 1,
            false => killed += 1,
        }
        if !Path::new(&store).join("blocks").exists() {
            continue;
        }
        answer(&["verify", &store]);
        let found = answer(&["query", "-o", "ndjson", "--limit", "1000", "{ status = error }", &store]);
        assert!(found.is_empty() || found == whole, "a part of an ingest");
        assert!(finished == 0 || found == whole, "an ingest that was reported is not there");
    }
    println!("{killed} killed, {finished} finished");
    assert!(ingest().wait().unwrap().success());
    assert!(ingest().wait().unwrap().success());
    assert_eq!(answer(&["query", "-o", "ndjson", "--limit", "1000", "{ status = error }", &store]), whole);
    let spans = answer(&["sql", "-o", "csv", "SELECT count(*) AS n FROM spans", &store]);
    assert_eq!(spans.replace("\r\n", "\n"), "n\n2999\n");
}

#[test]
fn damage_is_named_with_exit_code_4() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path());
    let sound = answer(&["verify", &store]);
    assert!(sound.starts_with("sound: ") && sound.contains("1 blocks, 2999 spans; 0 requests"), "{sound}");
    let block = std::fs::read_dir(Path::new(&store).join("blocks")).unwrap().next().unwrap().unwrap().path();
    let file = block.join("spans.parquet");
    let mut content = std::fs::read(&file).unwrap();
    content[5_000] ^= 1;
    std::fs::write(&file, content).unwrap();
    let damaged = traceql(&["verify", &store, block.to_str().unwrap()]);
    assert_eq!(damaged.status.code(), Some(4));
    assert!(stdout(&damaged).contains("spans.parquet: damaged at byte "), "{}", stdout(&damaged));
    let json = traceql(&["verify", "--json", &store]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["sound"], &json["blocks"]), (&Value::Bool(false), &Value::from(1)));
    assert!(json["damage"][0]["path"].as_str().unwrap().ends_with("spans.parquet"));
    assert!(json["damage"][0]["offset"].as_u64().unwrap() > 0);
    assert_eq!(traceql(&["verify", folder.path().to_str().unwrap()]).status.code(), Some(5));
}

#[test]
fn catalog_and_log_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = shop(folder.path());
    let mut options = StoreOptions::default();
    options.background = None;
    let writer = TraceStore::open(&store, options).unwrap();
    for number in 0..3 {
        writer.ingest(request(number).into()).unwrap();
    }
    let text = answer(&["inspect", "--log", &store]);
    assert!(
        text.contains("version 2") && text.contains("1 blocks") && text.contains("records 1 to 3, 3 spans"),
        "{text}"
    );
    let json: Value = serde_json::from_str(&answer(&["inspect", "--log", "--json", &store])).unwrap();
    let newest = json["stores"][0]["versions"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["blocks"].as_array().unwrap().len(), 1);
    let segment = &json["stores"][0]["segments"][0];
    assert_eq!((segment["requests"].as_u64(), segment["last_record"].as_u64()), (Some(3), Some(3)));
    assert_eq!(traceql(&["inspect", "--log", SHOP]).status.code(), Some(5));
}
