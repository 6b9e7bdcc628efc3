"""The recording as Python reads it: exact quantiles, and the same spans at another time."""

import collections
import math

import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def requests(path):
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


def spans(requests):
    """Services and spans."""
    for request in requests:
        for resource_spans in request.resource_spans:
            attributes = {pair.key: pair.value.string_value for pair in resource_spans.resource.attributes}
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    yield attributes["service.name"], span


def durations(path):
    """Seconds by service, ascending."""
    found = collections.defaultdict(list)
    for service, span in spans(requests(path)):
        found[service].append((span.end_time_unix_nano - span.start_time_unix_nano) / 1e9)
    return {service: sorted(seconds) for service, seconds in found.items()}


def quantile(ascending, part):
    """The smallest value that such a part of all does not exceed."""
    return ascending[max(math.ceil(len(ascending) * part) - 1, 0)]


def times(path):
    """The first and the last start of a span, unix seconds."""
    starts = [span.start_time_unix_nano for _, span in spans(requests(path))]
    return min(starts) / 1e9, max(starts) / 1e9


def shifted(path, seconds):
    """The recording, so many seconds later: varint-delimited messages."""
    nanos = round(seconds * 1e9)
    out = bytearray()
    for request in requests(path):
        for _, span in spans([request]):
            span.start_time_unix_nano += nanos
            span.end_time_unix_nano += nanos
            for event in span.events:
                event.time_unix_nano += nanos
        message = request.SerializeToString()
        length = len(message)
        while length > 127:
            out.append(length & 127 | 128)
            length >>= 7
        out.append(length)
        out += message
    return bytes(out)
