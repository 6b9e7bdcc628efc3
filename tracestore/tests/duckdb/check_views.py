#!/usr/bin/env python3
"""Compares what DuckDB reads from a block, through sql/duckdb_views.sql, with the OTLP that the block was made of.

usage: check_views.py BLOCK_DIR OTLP_FILE      (the file: zstd of varint-delimited ExportTraceServiceRequest messages)

Needs the packages duckdb, opentelemetry-proto and zstandard. Exits with 1 on any difference.
"""

import collections
import json
import math
import pathlib
import sys

import duckdb
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def messages(path):
    data = zstandard.ZstdDecompressor().stream_reader(open(path, "rb")).read()
    at = 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield ExportTraceServiceRequest.FromString(data[at : at + length])
        at += length


def scalar(value):
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in ("string_value", "bool_value", "int_value", "double_value") else None


def value(any_value):
    """The value as the views show it: JSON of scalars and lists of one type; the rest in OTLP's own JSON is marked."""
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        elements = [scalar(element) for element in any_value.array_value.values]
        if elements and all(element is not None and type(element) is type(elements[0]) for element in elements):
            return [plain(element) for element in elements]
    elif scalar(any_value) is not None:
        return plain(scalar(any_value))
    return "(other)"


def plain(element):
    if isinstance(element, float) and not math.isfinite(element):
        return {"nan": "nan", "inf": "inf", "-inf": "-inf"}[str(element)]
    return element


def shown(text):
    loaded = json.loads(text)
    return "(other)" if isinstance(loaded, dict) else loaded


def attributes(pairs):
    first = {}
    for pair in pairs:
        first.setdefault(pair.key, value(pair.value))
    return first


def shown_attributes(mapping):
    return {key: shown(text) for key, text in (mapping or {}).items()}


def expected_rows(path):
    spans, events, links, traces = [], [], [], collections.Counter()
    for request in messages(path):
        for resource_spans in request.resource_spans:
            resource = attributes(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                scope = scope_spans.scope
                for span in scope_spans.spans:
                    ids = (span.trace_id.hex(), span.span_id.hex())
                    traces[ids[0]] += 1
                    spans.append(
                        ids
                        + (span.parent_span_id.hex() or None, span.name, span.kind, span.status.code, span.status.message)
                        + (span.start_time_unix_nano, span.end_time_unix_nano, span.flags, span.trace_state)
                        + (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count)
                        + (scope.name, scope.version, resource, attributes(scope.attributes), attributes(span.attributes))
                    )
                    events += [
                        ids + (event.name, event.time_unix_nano, event.dropped_attributes_count, attributes(event.attributes))
                        for event in span.events
                    ]
                    links += [
                        ids
                        + (link.trace_id.hex(), link.span_id.hex(), link.trace_state, link.flags)
                        + (link.dropped_attributes_count, attributes(link.attributes))
                        for link in span.links
                    ]
    return spans, events, links, list(traces.items())


QUERIES = {
    "spans": """SELECT trace_id, span_id, parent_span_id, name, kind, status_code, status_message, start_time, end_time,
        flags, trace_state, dropped_attributes_count, dropped_events_count, dropped_links_count, scope_name, scope_version,
        resource_attributes, scope_attributes, attributes FROM spans""",
    "events": "SELECT trace_id, span_id, name, time, dropped_attributes_count, attributes FROM events",
    "links": """SELECT trace_id, span_id, linked_trace_id, linked_span_id, trace_state, flags, dropped_attributes_count,
        attributes FROM links""",
    "traces": "SELECT trace_id, rows FROM traces",
}
MAPS = {"spans": 3, "events": 1, "links": 1, "traces": 0}


def count(cell):
    return sum(count(item) for item in cell.values()) + len(cell) if isinstance(cell, dict) else 1


def main():
    block, otlp = sys.argv[1:]
    views = pathlib.Path(__file__).parent.parent.parent / "sql" / "duckdb_views.sql"
    connection = duckdb.connect()
    connection.execute("SET VARIABLE block = '" + block.replace("'", "''") + "'")
    connection.execute(views.read_text())
    wrong = compared = 0
    for (view, query), expected in zip(QUERIES.items(), expected_rows(otlp)):
        maps = MAPS[view]
        rows = connection.execute(query).fetchall()
        rows = [row[: len(row) - maps] + tuple(shown_attributes(cell) for cell in row[len(row) - maps :]) for row in rows]
        order = lambda row: json.dumps(row, sort_keys=True)
        expected, rows = sorted(expected, key=order), sorted(rows, key=order)
        compared += sum(count(cell) for row in expected for cell in row)
        different = [pair for pair in zip(expected, rows) if order(pair[0]) != order(pair[1])]
        if len(expected) != len(rows) or different:
            wrong += 1
            print(f"{view}: {len(expected)} rows expected, {len(rows)} found, {len(different)} differ")
            for pair in different[:3]:
                print("  expected", pair[0], "\n  found   ", pair[1])
        else:
            print(f"{view}: {len(rows)} rows agree")
    print(f"{compared} values compared")
    return 1 if wrong or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
