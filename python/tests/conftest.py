"""What several tests begin with."""

from pathlib import Path

import pytest

import tracestore

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def store():
    with tracestore.open() as store:
        yield store


@pytest.fixture(scope="session")
def recording():
    """A recording of 2,999 spans of six services, in the Collector's framing, packed with zstd."""
    return (REPOSITORY / "testdata/otlp/shop.otlp.zst").read_bytes()


@pytest.fixture(scope="session")
def shop(recording):
    """A store with that recording, for tests that only ask."""
    with tracestore.open() as store:
        store.ingest(recording, encoding="file")
        yield store


def request(*spans):
    """An OTLP request as JSON objects."""
    service = {"key": "service.name", "value": {"stringValue": "tests"}}
    return {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [{"spans": list(spans)}]}]}


def span(number, **members):
    """A span of the trace with a number, as JSON objects."""
    start = 1_795_171_000_000_000_000 + number * 1_000_000
    made = {"traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": f"span {number}"}
    return {**made, "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 1000), **members}
