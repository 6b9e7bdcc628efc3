"""What goes wrong, as exceptions and as diagnostics."""

import pyarrow
import pytest

import tracestore


def test_a_wrong_query_has_its_place_in_characters(store):
    query = '{ name = "häuser" && span.x == 2 }'
    with pytest.raises(tracestore.InvalidQueryError) as caught:
        store.query(query)
    error = caught.value
    assert query[error.span.start : error.span.end] == "=="
    assert error.code == 1 and isinstance(error, ValueError)
    assert error.message == str(error) and "`==` is no operator" in error.message and "^^" in error.message
    with pytest.raises(tracestore.InvalidQueryError) as caught:
        store.explain(query)
    assert query[caught.value.span.start : caught.value.span.end] == "=="


def test_check():
    report = tracestore.check("{ duration > 1s } | rate()")
    assert report.valid and (report.kind, report.diagnostics) == ("metrics", [])
    report = tracestore.check("{ name = 1 }")
    assert not report.valid and (report.verdict, report.kind) == ("check error", None)
    (found,) = report.diagnostics
    assert (found.severity, found.code, found.span) == ("error", "TQ0302", tracestore.Span(2, 10))
    assert found.message in found.rendered
    (found,) = tracestore.check("{ .a == 1 }").diagnostics
    assert found.help == "write `=`"
    assert tracestore.check("{ parent.name = `x` }").valid
    assert tracestore.check("{ parent.name = `x` }", strict=True).verdict == "unsupported"


def test_format():
    assert tracestore.format("{span.a=1&&(.b=2)}|rate()by(name)") == "{ span.a = 1 && .b = 2 } | rate() by (name)"
    long = tracestore.format("{" + "||".join(f"span.attribute={n}" for n in range(20)) + "}|rate()", pretty=True)
    assert long.startswith("{\n") and long.endswith("\n  | rate()")
    with pytest.raises(tracestore.InvalidQueryError):
        tracestore.format("{")


def test_errors_of_calls(store, shop, tmp_path):
    with pytest.raises(tracestore.BadInputError) as caught:
        store.ingest(b"no request")
    assert caught.value.ingested == tracestore.IngestResult(accepted=0, refused={}, requests=0)
    with pytest.raises(tracestore.NotFoundError) as caught:
        store.trace("abc").json()
    assert isinstance(caught.value, LookupError) and caught.value.code == 6 and caught.value.span is None
    with pytest.raises(tracestore.NotFoundError):
        tracestore.open(tmp_path / "none", read_only=True)
    with pytest.raises(tracestore.InvalidOptionsError):
        shop.query("{ } | rate()", start=2, end=1).json()
    (tmp_path / "file").write_text("no store")
    with pytest.raises(tracestore.Error):
        tracestore.open(tmp_path / "file")
    with pytest.raises(ValueError, match="zero byte"):
        tracestore.open("a\0b")
    with pytest.raises(ValueError, match="encoding must be one of"):
        store.ingest(b"", encoding="xml")


def test_a_closed_store(tmp_path):
    store = tracestore.open(tmp_path / "store")
    result = store.query("{ }")
    store.close()
    store.close()
    calls = [
        lambda: store.ingest({"resourceSpans": []}),
        store.flush,
        store.compact,
        store.status,
        store.trouble,
        store.tag_names,
        store.span_metrics,
        lambda: store.tag_values("name"),
        lambda: store.delete("{ }"),
        lambda: store.explain("{ }"),
        lambda: store.trace("1").json(),
        lambda: pyarrow.table(store.trace("1")),
        lambda: pyarrow.table(result),
        result.json,
    ]
    for call in calls:
        with pytest.raises(tracestore.ClosedError):
            call()


def test_an_interrupt(shop):
    interrupt = tracestore.Interrupt()
    interrupt.set()
    with pytest.raises(tracestore.Interrupted):
        shop.query("{ }", interrupt=interrupt).json()
    with pytest.raises(tracestore.Interrupted):
        shop.tag_names(interrupt=interrupt)
    interrupt.clear()
    assert len(list(shop.query("{ }", interrupt=interrupt))) == 20
