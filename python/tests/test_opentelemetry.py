"""A Flask app, instrumented with the OpenTelemetry SDK, whose spans go into a store of the same process."""

import duckdb
import flask
import pandas
import polars
import pyarrow
import pytest
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import StatusCode

import tracestore
from tracestore.opentelemetry import SpanExporter

PRICES = {"apple": 3, "pear": 4}


def shop_app(provider):
    """Sells fruit: one request is a server span with one of our own inside."""
    app = flask.Flask("shop")
    tracer = provider.get_tracer("shop")

    @app.get("/price/<item>")
    def price(item):
        with tracer.start_as_current_span("look up", attributes={"shop.item": item}) as span:
            if item not in PRICES:
                span.set_status(StatusCode.ERROR, "no such item")
                flask.abort(404)
            span.add_event("found", {"price": PRICES[item]})
            return str(PRICES[item])

    FlaskInstrumentor().instrument_app(app, tracer_provider=provider)
    return app


@pytest.fixture
def sold(store):
    """The store with the spans of four requests."""
    provider = TracerProvider(resource=Resource.create({"service.name": "fruit-shop"}))
    provider.add_span_processor(BatchSpanProcessor(SpanExporter(store)))
    client = shop_app(provider).test_client()
    assert [client.get(f"/price/{item}").status_code for item in ("apple", "pear", "apple", "stone")] == [200, 200, 200, 404]
    assert provider.force_flush()
    provider.shutdown()
    return store


def test_the_spans_are_found(sold):
    served = sold.query('{ kind = server && resource.service.name = "fruit-shop" }', spans=-1).json()["traces"]
    assert [trace["rootName"] for trace in served] == ["GET /price/<item>"] * 4
    failed = sold.query('{ kind = server } > { status = error && span.shop.item = "stone" }').json()["traces"]
    assert len(failed) == 1
    assert failed[0]["rootService"] == "fruit-shop"
    assert len(list(sold.query("{ event:name = `found` && event.price = 3 }"))) == 2
    assert sold.tag_values("span.shop.item")[0] == {"count": 2, "type": "string", "value": "apple"}


def test_the_answer_is_read_by_every_reader(sold):
    looked = sold.query('{ name = "look up" } | select(span.shop.item)')
    item = "span.shop.item:str"
    expected = ["apple", "apple", "pear", "stone"]
    assert sorted(pyarrow.table(looked)[item].to_pylist()) == expected
    assert sorted(pandas.DataFrame.from_arrow(looked)[item]) == expected
    assert sorted(polars.DataFrame(looked)[item]) == expected
    counted = duckdb.sql(f'SELECT "{item}", count(*) FROM looked GROUP BY 1 ORDER BY 1').fetchall()
    assert counted == [("apple", 2), ("pear", 1), ("stone", 1)]
    failures = sold.query("{ name = `look up` } | count_over_time() by (status)", instant=True)
    assert sorted(polars.DataFrame(failures)["value"]) == [1, 3]


def finished_span():
    span = TracerProvider().get_tracer("tests").start_span("one")
    span.end()
    return span


def test_failures_are_told(caplog):
    store = tracestore.open()
    exporter = SpanExporter(store)
    assert exporter.export([finished_span()]) is SpanExportResult.SUCCESS
    assert exporter.force_flush()
    store.close()
    assert exporter.export([finished_span()]) is SpanExportResult.FAILURE
    assert "1 spans are lost" in caplog.text
    exporter.shutdown()
    assert exporter.export([finished_span()]) is SpanExportResult.FAILURE


def test_a_busy_store_is_tried_again(store):
    class Busy:
        """Busy for a number of calls, then the store."""

        def __init__(self, calls):
            self.calls = calls

        def ingest(self, request):
            self.calls -= 1
            if self.calls >= 0:
                raise tracestore.BusyError("later")
            return store.ingest(request)

    assert SpanExporter(Busy(3)).export([finished_span()]) is SpanExportResult.SUCCESS
    assert len(list(store.query("{ name = `one` }"))) == 1
    assert SpanExporter(Busy(10**6), patience=0.05).export([finished_span()]) is SpanExportResult.FAILURE
