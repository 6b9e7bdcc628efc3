"""Answers: by Arrow into the libraries that people use, and as JSON."""

import gc
from datetime import datetime, timedelta, timezone

import duckdb
import pandas
import polars
import pyarrow
import pytest

import tracestore
from tracestore import _arrow, _native

ERRORS = "{ status = error } | select(resource.service.name)"
BY_SERVICE = "{ } | count_over_time() by (resource.service.name)"
COUNTS = {
    "api-gateway": 717,
    "crm-service": 210,
    "inventory-service": 384,
    "mail-worker": 354,
    "order-service": 1114,
    "payment-service": 220,
}


def test_searches_by_every_reader(shop):
    result = shop.query(ERRORS, limit=1000)
    expected = sorted(span["spanId"] for trace in shop.query(ERRORS, limit=1000, spans=-1) for span in spans(trace))
    assert len(expected) == 64
    assert sorted(pyarrow.table(result)["span:id"].to_pylist()) == expected
    assert sorted(pandas.DataFrame.from_arrow(result)["span:id"]) == expected
    assert sorted(polars.DataFrame(result)["span:id"]) == expected
    assert [row for (row,) in duckdb.sql('SELECT "span:id" FROM result ORDER BY 1').fetchall()] == expected


def spans(trace):
    return [span for spanset in trace["spansets"] for span in spanset["spans"]]


def test_series_by_every_reader(shop):
    result = shop.query(BY_SERVICE, instant=True)
    assert dict(zip(*(pyarrow.table(result)[name].to_pylist() for name in ("resource.service.name", "value")))) == COUNTS
    assert dict(pandas.DataFrame.from_arrow(result)[["resource.service.name", "value"]].values) == COUNTS
    assert dict(polars.DataFrame(result)["resource.service.name", "value"].iter_rows()) == COUNTS
    assert dict(duckdb.sql('SELECT "resource.service.name", value FROM result').fetchall()) == COUNTS


def test_arrow_reads_the_buffers_of_the_library(shop):
    """Nothing is copied: the handed over buffers are foreign memory to pyarrow, whose own pool does not grow."""
    before = pyarrow.total_allocated_bytes()
    reader = pyarrow.RecordBatchReader.from_stream(shop.query("{ }", limit=1000))
    batches = list(reader)
    assert sum(batch.num_rows for batch in batches) == 2999
    assert pyarrow.total_allocated_bytes() == before
    first = batches[0].column("start_time")
    assert polars.from_arrow(first).max() == max(first.to_pylist())


def test_json_in_every_format(shop):
    answer = shop.query(ERRORS, limit=2).json()
    assert len(answer["traces"]) == 2 and answer["partial"] is False
    following = shop.query(ERRORS, limit=2, after=answer["next"]).json()
    assert not {trace["traceId"] for trace in answer["traces"]} & {trace["traceId"] for trace in following["traces"]}
    assert [trace["traceId"] for trace in shop.query(ERRORS, limit=2)] == [trace["traceId"] for trace in answer["traces"]]
    assert '"traceID"' in shop.query(ERRORS, limit=2).text("tempo")
    assert '"resultType"' in shop.query(BY_SERVICE).text("prometheus")
    with pytest.raises(ValueError, match="format must be one of 'json'"):
        shop.query(ERRORS).text("xml")


def test_time_order_and_steps(shop):
    begin = datetime(2026, 11, 20, tzinfo=timezone.utc)
    assert shop.query("{ }", end=begin).json()["traces"] == []
    assert len(list(shop.query("{ }", start=begin, end=begin + timedelta(days=1), limit=7))) == 7
    longest, *_, shortest = [int(trace["durationNanos"]) for trace in shop.query("{ }", order="longest", limit=1000)]
    assert longest == max(int(trace["durationNanos"]) for trace in shop.query("{ }", limit=1000)) > shortest
    by_seconds = shop.query("{ } | count_over_time()", step=1).json()["series"][0]["values"]
    times = [int(time) for time, _ in by_seconds]
    assert {later - time for time, later in zip(times, times[1:])} == {1_000_000_000}
    assert sum(value for _, value in by_seconds) == 2999


@pytest.mark.parametrize(
    "options",
    [
        {"start": datetime(2026, 11, 20)},
        {"start": -1},
        {"limit": 0},
        {"limit": 2**64},
        {"timeout": 0},
        {"step": timedelta(seconds=-1)},
        {"order": "best"},
    ],
)
def test_options_that_cannot_be(shop, options):
    with pytest.raises(ValueError):
        shop.query("{ }", **options)


@pytest.mark.parametrize("query", [ERRORS, BY_SERVICE])
def test_a_limit(shop, query):
    with pytest.raises(tracestore.LimitError):
        shop.query(query, max_memory=1).json()
    with pytest.raises(pyarrow.ArrowException if query == ERRORS else tracestore.LimitError, match="memory"):
        pyarrow.table(shop.query(query, max_memory=1))


def test_explain(shop):
    assert "TableScan: spans" in shop.explain(ERRORS)
    assert "output_rows" in shop.explain(ERRORS, analyze=True)


def test_a_trace_as_arrow(shop):
    found = next(iter(shop.query("{ status = error }")))
    table = pyarrow.table(shop.trace(found["traceId"]))
    assert set(table["trace:id"].to_pylist()) == {found["traceId"]}
    assert table.num_rows == sum(service["spans"] for service in found["services"])
    assert pyarrow.table(shop.trace("abc")).num_rows == 0


def test_streams_are_released_read_or_not(shop):
    gc.collect()
    assert _arrow._given == []
    unread = shop.query("{ }").__arrow_c_stream__()
    (given,) = _arrow._given
    shop.query("{ }").__arrow_c_stream__()  # nobody's; gone with its result or the next
    assert given in _arrow._given and given.stream.release
    reader = pyarrow.RecordBatchReader._import_from_c_capsule(unread)
    assert not given.stream.release
    del unread
    assert reader.read_all().num_rows == 30
    shop.query("{ }")
    assert _arrow._given == []


def test_a_stream_outlives_its_store(recording):
    with tracestore.open() as store:
        store.ingest(recording, encoding="file")
        reader = pyarrow.RecordBatchReader.from_stream(store.query("{ }", limit=1000))
    assert reader.read_all().num_rows == 2999


def test_no_handle_is_left(recording):
    gc.collect()
    before = _native.library.ts_open_handles()
    with tracestore.open() as store:
        store.ingest(recording, encoding="file")
        pyarrow.table(store.query(ERRORS))
        store.query(ERRORS, interrupt=tracestore.Interrupt()).json()
        tracestore.check("{")
        with pytest.raises(tracestore.Error):
            store.trace("abc").json()
    forgotten = tracestore.open()
    del store, forgotten
    gc.collect()
    assert _native.library.ts_open_handles() == before
