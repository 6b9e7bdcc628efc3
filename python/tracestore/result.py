"""Answers: what a query or a trace's id asks of a store, for whoever reads it."""

from __future__ import annotations

import json
from ctypes import byref
from typing import TYPE_CHECKING, Any, Iterator, Optional

from ._arrow import capsule, sweep
from ._call import string, text
from ._native import NAMES, QueryOptions
from ._options import choice

if TYPE_CHECKING:
    from .interrupt import Interrupt
    from .store import Store


class _Readable:
    """What gives Arrow streams, and when it goes sees to those that nobody has read."""

    def __del__(self) -> None:
        sweep()


class Result(_Readable):
    """The answer to a query, made when it is read, by each reader anew.

    Whatever knows Arrow's PyCapsule interface reads it without copies:

        pyarrow.table(result)
        polars.DataFrame(result)
        pandas.DataFrame.from_arrow(result)
        duckdb.sql("SELECT service, count(*) FROM result GROUP BY service")

    A search has a row for each matching span: `spanset`, `trace:id`, `span:id`, `name`, `service`, `start_time` (ns since
    1970), `duration` (ns), and a column for each field that the query names and each type that it has
    (`span.http.method:str`). A metrics query has a row for each value: `time`, a column for each label, `value`.

    Without Arrow, `json` gives it as Python's own objects, and iteration a dict for each trace or each series.
    """

    def __init__(self, store: Store, query: str, options: QueryOptions, interrupt: Optional[Interrupt]) -> None:
        self._store = store
        self._query = query.encode()
        self._options = options
        self._interrupt = interrupt  # lives as long as its number in the options

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule with an Arrow stream. It has its own types: `requested_schema` is a wish that Arrow lets be refused."""
        return capsule(
            "ts_query_arrow",
            *(self._store._handle, self._query, len(self._query), byref(self._options)),
            query=self._query,
        )

    def json(self) -> Any:
        """The answer as one dict, of the traces with the spans that matched (`limit`, `spans`), or of the series."""
        return json.loads(self.text())

    def text(self, format: str = "json") -> str:
        """The answer as text: `json`, `ndjson`, `tempo` (what Tempo's API answers) or `prometheus` (metrics only)."""
        return string(
            "ts_query_json",
            *(self._store._handle, self._query, len(self._query), byref(self._options)),
            choice("format", format, NAMES["format"]),
            query=self._query,
        )

    def __iter__(self) -> Iterator[Any]:
        """A dict for each trace, or for each series."""
        return map(json.loads, self.text("ndjson").splitlines())


class Trace(_Readable):
    """A trace: the spans as Arrow (`__arrow_c_stream__`, as with `Result`), or whole, as OTLP."""

    def __init__(self, store: Store, id: str) -> None:
        self._store = store
        self._id = id.encode()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule with an Arrow stream of a row for each span; none if there is no such trace."""
        return capsule("ts_trace_arrow", self._store._handle, self._id, len(self._id), None, query=self._id)

    def json(self) -> Any:
        """The trace as a dict in OTLP's JSON form. Raises `NotFoundError`."""
        return json.loads(self._otlp("json"))

    def protobuf(self) -> bytes:
        """The trace as an OTLP message. Raises `NotFoundError`."""
        return self._otlp("protobuf")

    def _otlp(self, encoding: str) -> bytes:
        number = choice("encoding", encoding, NAMES["encoding"])
        return text("ts_trace", self._store._handle, self._id, len(self._id), number) or b""
