//! Files of every kind give the spans that are in them; what is no OTLP says what it seems to be, and where.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::io::Write;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use prost::Message;
use tracestore::{
    Error, Store, StoreOptions, TraceStore,
    block::BlockBuilder,
    io::MemoryVfs,
    model::{BlockId, Trace},
    otlp::{MessageSource, encode_request, traces_to_json},
};

/// Requests that are not empty.
fn requests() -> Vec<ExportTraceServiceRequest> {
    let mut runner = TestRunner::deterministic();
    let requests = std::iter::repeat_with(|| support::request().new_tree(&mut runner).unwrap().current());
    let full = requests.filter(|request| support::comparable(std::slice::from_ref(request)).len() > 2);
    full.take(5).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn delimited(requests: &[ExportTraceServiceRequest]) -> Vec<u8> {
    requests.iter().flat_map(Message::encode_length_delimited_to_vec).collect()
}

fn framed(requests: &[ExportTraceServiceRequest], pack: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let frame = |request: &ExportTraceServiceRequest| {
        let message = pack(&request.encode_to_vec());
        [&(message.len() as u32).to_be_bytes()[..], &message].concat()
    };
    requests.iter().flat_map(frame).collect()
}

fn traces(requests: &[ExportTraceServiceRequest]) -> Vec<Trace> {
    let mut builder = BlockBuilder::new();
    for request in requests {
        builder.push(&request.encode_to_vec().into()).unwrap();
    }
    let vfs = std::sync::Arc::new(MemoryVfs::default());
    builder.finish(vfs.as_ref(), "block".as_ref(), BlockId::generate()).unwrap();
    let block = tracestore::block::Block::open(vfs, "block".as_ref()).unwrap();
    (0..block.row_groups()).flat_map(|group| block.traces_of_row_group(group).unwrap()).collect()
}

fn read(bytes: Vec<u8>) -> Result<Vec<ExportTraceServiceRequest>, Error> {
    let source = MessageSource::from_reader("input", std::io::Cursor::new(bytes))?;
    source.map(|request| Ok(ExportTraceServiceRequest::decode(request?.bytes).unwrap())).collect()
}

/// Found by the fuzz target `otlp_decode`: a length near the largest number there is.
#[test]
fn a_length_beyond_all_bounds_is_refused() {
    let mut bytes = vec![0x0a];
    bytes.extend([0xff; 9]);
    bytes.push(0x01);
    bytes.extend([0x00; 8]);
    bytes.extend([0xff; 32]);
    assert!(read(bytes).is_err());
}

#[test]
fn every_framing_in_every_packing() {
    let requests = requests();
    let expected = support::comparable(&requests);
    let one = support::comparable(&requests[..1]);
    let same = <[u8]>::to_vec;
    let json: Vec<String> =
        requests.iter().map(|request| traces_to_json(&traces(std::slice::from_ref(request))).to_string()).collect();
    let files = [
        ("delimited", delimited(&requests), &expected),
        ("one message", requests[0].encode_to_vec(), &one),
        ("framed", framed(&requests, same), &expected),
        ("framed, each packed with zstd", framed(&requests, zstd), &expected),
        ("framed, each packed with gzip", framed(&requests, gzip), &expected),
        ("JSON", json[0].clone().into_bytes(), &one),
        ("JSON lines", json.join("\n").into_bytes(), &expected),
        ("JSON without line feeds", json.concat().into_bytes(), &expected),
    ];
    for (name, bytes, expected) in files {
        for (packing, packed) in
            [("plain", bytes.clone()), ("gzip", gzip(&bytes)), ("zstd", zstd(&bytes)), ("both", gzip(&zstd(&bytes)))]
        {
            let found = read(packed).unwrap_or_else(|error| panic!("{name}, {packing}: {error}"));
            assert_eq!(support::comparable(&found), *expected, "{name}, {packing}");
        }
    }
    assert_eq!(read(Vec::new()).unwrap(), []);
}

#[test]
fn what_is_no_otlp_is_named() {
    for (bytes, expected) in [
        (&b"hello world"[..], "input: byte 0: this looks like plain text, not OTLP traces"),
        (b"<!doctype html>", "input: byte 0: this looks like HTML or XML, not OTLP traces"),
        (b"PAR1\0\0", "input: byte 0: this looks like a Parquet file, not OTLP traces"),
        (
            b"[{\"traceId\":\"a\"}]",
            "input: byte 0: this looks like a JSON list (of Zipkin or Jaeger spans?), not OTLP traces",
        ),
        (
            b"{\"data\":[]}",
            "input: byte 0: this looks like Jaeger's JSON, not like OTLP traces: there is no `resourceSpans`",
        ),
        (b"{\"x\": tru}", "input: byte 0: this is no JSON: expected ident at line 1 column 10"),
        (b"{\"resourceSpans\":5}", "input: byte 0: `resourceSpans` is a number, not a list"),
        (b"\x00\x01\x02\x03\x04\x05", "input: byte 0: this is binary data of an unknown kind, not OTLP traces"),
    ] {
        let error = read(bytes.to_vec()).unwrap_err();
        assert!(error.is_bad_input());
        let text = error.to_string();
        assert_eq!(text, expected);
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_ends_with_a_message() {
    let requests = requests();
    for (name, bytes) in [("delimited", delimited(&requests)), ("framed", framed(&requests, <[u8]>::to_vec))] {
        let whole = read(bytes.clone()).unwrap().len();
        for len in 0..bytes.len() {
            match read(bytes[..len].to_vec()) {
                Ok(found) => assert!(found.len() < whole, "{name} cut to {len} bytes gave everything"),
                Err(error) => assert!(error.is_bad_input(), "{name} cut to {len}: {error}"),
            }
        }
    }
}

#[test]
fn a_bad_file_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (folder.path().join("good.otlp"), folder.path().join("bad.otlp"));
    std::fs::write(&good, delimited(&requests())).unwrap();
    let mut cut = delimited(&requests());
    cut.truncate(cut.len() - 3);
    std::fs::write(&bad, cut).unwrap();
    let path = folder.path().join("store");
    let store = Store::open_or_create(&path).unwrap();
    let error = store.ingest([good.clone(), bad.clone()], &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("bad.otlp: byte ") && error.to_string().contains("cut short"), "{error}");
    assert_eq!(std::fs::read_dir(path.join("blocks")).unwrap().count(), 0);
    let report = store.ingest([good], &mut |_| {}).unwrap();
    assert_eq!(store.snapshot().unwrap().blocks()[0].spans(), report.spans);
}

#[test]
fn bad_spans_are_refused_and_counted_the_rest_kept() {
    let mut request = requests().remove(0);
    let spans =
        request.resource_spans.iter_mut().flat_map(|spans| &mut spans.scope_spans).flat_map(|spans| &mut spans.spans);
    let mut spans: Vec<_> = spans.collect();
    let total = spans.len() as u64;
    spans[0].trace_id = vec![0; 16];
    spans[1].span_id = vec![1; 7];
    let mut builder = BlockBuilder::new();
    let pushed = builder.push(&request.encode_to_vec().into()).unwrap();
    assert_eq!((pushed.spans, pushed.refusals.total()), (total - 2, 2));
    let text = "2 spans refused: 1 with a trace id that is not 16 bytes or all zero, 1 with a span id that is not 8 bytes or all zero";
    assert_eq!(pushed.refusals.to_string(), text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_carries_everything(request in support::request()) {
        let traces = traces(std::slice::from_ref(&request));
        let json = traces_to_json(&traces).to_string();
        let found = read(json.into_bytes()).unwrap();
        prop_assert_eq!(support::comparable(&found), support::comparable(&[request]));
    }

    #[test]
    fn damaged_requests_are_errors_or_spans(request in support::request(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = request.encode_to_vec();
        prop_assume!(!bytes.is_empty());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let mut builder = BlockBuilder::new();
        let pushed = builder.push(&bytes.clone().into());
        if let Ok(pushed) = &pushed {
            prop_assert_eq!(builder.spans() as u64, pushed.spans);
        }
        // A store says the same before there is a block.
        let mut options = StoreOptions::default();
        options.vfs = std::sync::Arc::new(MemoryVfs::default());
        options.background = None;
        let store = TraceStore::open("store", options).unwrap();
        prop_assert_eq!(store.ingest(bytes.clone().into()).ok(), pushed.ok());
        if let Ok(source) = MessageSource::from_reader("input", std::io::Cursor::new(bytes)) {
            prop_assert!(source.filter_map(Result::err).all(|error| error.is_bad_input()));
        }
    }

    #[test]
    fn requests_survive_encoding(request in support::request()) {
        let bytes = encode_request(&traces(std::slice::from_ref(&request)));
        let found = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
        prop_assert_eq!(support::comparable(&[found]), support::comparable(&[request]));
    }
}
