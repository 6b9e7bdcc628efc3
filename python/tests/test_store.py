"""Stores: opening, taking spans, names and values, upkeep."""

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from conftest import request, span
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import tracestore


def test_takes_otlp_in_every_form(store, recording):
    message = ExportTraceServiceRequest()
    added = message.resource_spans.add().scope_spans.add().spans.add()
    added.trace_id, added.span_id, added.name = bytes(15) + b"\x01", bytes(7) + b"\x01", "as protobuf"
    packed = message.SerializeToString()
    one = tracestore.IngestResult(accepted=1, refused={}, requests=1)
    assert store.ingest(packed) == one
    assert store.ingest(bytearray(packed)) == one
    assert store.ingest(memoryview(packed)) == one
    assert store.ingest(request(span(2))) == one
    assert store.ingest(json.dumps(request(span(3)))) == one
    assert store.ingest(json.dumps(request(span(4))).encode(), encoding="json") == one
    assert store.ingest(recording, encoding="file").accepted == 2999
    # The first was taken three times and is one span.
    assert len(list(store.query("{ }", limit=10_000, end=2**62))) == len(list(store.query("{ }", limit=10_000)))
    names = {value["value"]: value["count"] for value in store.tag_values("name")}
    assert (names["as protobuf"], names["span 2"], names["span 3"], names["span 4"]) == (1, 1, 1, 1)


def test_refused_spans_are_counted_by_reason(store):
    result = store.ingest(request(span(1), span(2, traceId="00"), span(3, spanId=""), span(4, parentSpanId="01")))
    assert result.accepted == 1
    assert result.refused == {"trace_id": 1, "span_id": 1, "parent_id": 1}


def test_a_store_on_disk_is_there_again(tmp_path):
    path = tmp_path / "store"
    with tracestore.open(path, sync="interval", sync_interval=timedelta(seconds=0.1), background=False) as store:
        store.ingest(request(span(1)))
        assert store.status().waiting_requests == 1
        store.flush()
        assert store.status() == tracestore.Status(1, 1, store.status().bytes, 0, 0)
        with pytest.raises(tracestore.LockedError):
            tracestore.open(path)
        with tracestore.open(path, read_only=True) as reader:
            assert [trace["rootName"] for trace in reader.query("{ }")] == ["span 1"]
            store.ingest(request(span(2)))
            assert len(list(reader.query("{ }"))) == 2
            with pytest.raises(tracestore.ReadOnlyError):
                reader.ingest(request(span(3)))
        assert store.trouble() is None
    with tracestore.open(str(path)) as store:
        assert len(list(store.query("{ }"))) == 2


def test_deletes_and_compacts(store):
    store.ingest(request(*(span(number) for number in range(1, 11))))
    store.flush()
    store.ingest(request(*(span(number) for number in range(11, 21))))
    would = store.delete('{ name = "span 7" }', dry_run=True)
    assert (would.traces, would.spans, would.stored_spans) == (1, 1, 1)
    assert len(list(store.query("{ }", limit=100))) == 20
    assert store.delete('{ name = "span 7" }') == would
    assert store.delete(f"{8:032x}", what="trace").spans == 1
    assert len(list(store.query("{ }", limit=100))) == 18
    done = store.compact(at_once=True)
    assert (done.blocks_before, done.blocks_after, done.spans_before, done.spans_after) == (2, 1, 20, 18)
    assert store.status().blocks == 1


def test_names_and_values(shop):
    assert "service.name" in shop.tag_names()["resource"]
    assert shop.tag_names(scope="resource", limit=2).keys() == {"resource"}
    assert len(shop.tag_names(scope="resource", limit=2)["resource"]) == 2
    values = shop.tag_values("resource.service.name")
    assert values[0] == {"count": 1114, "type": "string", "value": "order-service"}
    assert sum(value["count"] for value in values) == 2999
    failed = shop.tag_values("resource.service.name", query="{ status = error }")
    assert {value["value"] for value in failed} < {value["value"] for value in values}
    assert shop.tag_values("resource.service.name", end=datetime(2020, 1, 1, tzinfo=timezone.utc)) == []


def test_span_metrics(shop):
    text = shop.span_metrics()
    calls = [line for line in text.splitlines() if line.startswith("traces_spanmetrics_calls_total{")]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in calls) == 2999
    assert shop.span_metrics(format="openmetrics").endswith("# EOF\n")
    with pytest.raises(tracestore.InvalidOptionsError):
        shop.span_metrics(config="nonsense: 1")


def test_a_trace(shop):
    found = next(iter(shop.query("{ status = error }")))
    trace = shop.trace(found["traceId"])
    spans = [span for resource in trace.json()["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]
    assert len(spans) == sum(service["spans"] for service in found["services"])
    message = ExportTraceServiceRequest.FromString(trace.protobuf())
    assert sum(len(scope.spans) for resource in message.resource_spans for scope in resource.scope_spans) == len(spans)


def test_a_forked_process_is_told_so():
    program = """
import os, tracestore
store = tracestore.open()
if os.fork() == 0:
    try:
        store.status()
    except tracestore.Error as error:
        os._exit(7 if "spawn" in str(error) else 8)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
"""
    subprocess.run([sys.executable, "-I", "-c", program], check=True)
