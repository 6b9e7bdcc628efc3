"""The store: opening, taking spans, asking, upkeep."""

from __future__ import annotations

import json
import os
import threading
from ctypes import byref
from datetime import timedelta
from typing import Any, Mapping, Optional, Union

from . import _native
from ._call import call, free, string, text
from ._native import NAMES, Handle
from ._options import ALL, Duration, Time, choice, length, milliseconds, nanoseconds, number
from .errors import Error
from .interrupt import Interrupt
from .language import require_valid
from .records import CompactionResult, DeletionResult, IngestResult, Status
from .result import Result, Trace


def open(
    path: Union[str, os.PathLike[str], None] = None,
    *,
    read_only: bool = False,
    sync: str = "full",
    sync_interval: Optional[Duration] = None,
    memory_budget: Optional[int] = None,
    block_bytes: Optional[int] = None,
    block_age: Optional[Duration] = None,
    block_idle: Optional[Duration] = None,
    threads: Optional[int] = None,
    background: bool = True,
) -> Store:
    """Opens the store in a folder, and makes it if there is none; without a path, one in memory that goes when closed.

    One process at a time may write to a store; others open it `read_only`, and see what is acknowledged there.

    sync: when spans are on stable storage: `full`: when `ingest` returns; `interval`: `sync_interval` later (default 1 s);
        `off`: when they are in a block.
    memory_budget: how many bytes of requests may wait to become blocks (default 512 MiB).
    block_bytes, block_age, block_idle: a block is cut when so many bytes wait (128 MiB), the oldest has waited so long
        (15 min), nothing has come in for so long (2 min).
    threads: how many queries may use beside those that call (default: one for each core).
    background: False: nothing happens unasked; `flush` cuts blocks.
    """
    options = _native.StoreOptions(
        sync_interval_ms=milliseconds("sync_interval", sync_interval),
        memory_budget=number("memory_budget", memory_budget),
        block_bytes=number("block_bytes", block_bytes),
        block_age_ms=milliseconds("block_age", block_age),
        block_idle_ms=milliseconds("block_idle", block_idle),
        threads=number("threads", threads),
        sync=choice("sync", sync, NAMES["sync"]),
        read_only=read_only,
        no_background=not background,
    )
    handle = Handle()
    call("ts_store_open", None if path is None else _path(path), byref(options), byref(handle))
    return Store(handle)


class Store:
    """An open store, made by `open`. Any number of threads may use it at once. A context manager that closes it."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle  # kept after closing: the library refuses it then
        self._closing = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Makes a block of what waits, and closes the store. Twice is fine. Arrow streams that were given out go on."""
        with self._closing:
            if not self._closed:
                self._closed = True
                call("ts_store_close", self._handle)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._closed:
            free("ts_store_close", self._handle, None)

    def ingest(
        self, data: Union[bytes, bytearray, memoryview, str, Mapping[str, Any]], *, encoding: Optional[str] = None
    ) -> IngestResult:
        """Takes spans. When it returns, queries see them, and they are as safe as the store's `sync` says.

        data: OTLP: bytes are an `ExportTraceServiceRequest` as protobuf, a str or a dict is JSON. `encoding` says otherwise:
            `protobuf`, `json`, or `file` for the content of a file in any usual framing, also packed with gzip or zstd.

        One request is taken as a whole or, after an error, not at all; of several, the error's `ingested` tells what was
        taken before. Raises `BusyError` when it is to be tried again a little later.
        """
        content, told = _bytes(data)
        result = _native.IngestResult()
        number = choice("encoding", encoding or told, NAMES["encoding"])
        try:
            call("ts_ingest", self._handle, content, len(content), number, byref(result))
        except Error as error:
            error.ingested = _ingested(result)
            raise
        return _ingested(result)

    def flush(self) -> None:
        """Makes a block of what waits."""
        call("ts_store_flush", self._handle)

    def compact(self, *, at_once: bool = False) -> CompactionResult:
        """Merges small blocks where that is due; with `at_once`, those of hours that may not be over and those with
        deleted spans, too."""
        result = _native.CompactionResult()
        call("ts_store_compact", self._handle, at_once, byref(result))
        return CompactionResult(**_members(result))

    def delete(self, selection: str, *, what: str = "spans", dry_run: bool = False) -> DeletionResult:
        """Deletes for good: `spans` that a search finds, their whole `traces`, or the `trace` that `selection` is the id of.

        Queries do not see them from the moment this returns. With `dry_run` nothing is done.
        """
        result = _native.DeletionResult()
        selected = selection.encode()
        call(
            "ts_store_delete",
            *(self._handle, choice("what", what, NAMES["delete"]), selected, len(selected), dry_run, byref(result)),
            query=selected,
        )
        return DeletionResult(**_members(result))

    def status(self) -> Status:
        """What there is in the store."""
        status = _native.StoreStatus()
        call("ts_store_get_status", self._handle, byref(status))
        return Status(**_members(status))

    def trouble(self) -> Optional[str]:
        """What went wrong when the store last did unasked what was due; None when all is well. It tries again."""
        found = text("ts_store_trouble", self._handle)
        return None if found is None else found.decode()

    def query(
        self,
        query: str,
        *,
        start: Optional[Time] = None,
        end: Optional[Time] = None,
        limit: Optional[int] = None,
        spans: Optional[int] = None,
        order: str = "newest",
        after: Optional[str] = None,
        step: Optional[Duration] = None,
        instant: bool = False,
        max_series: Optional[int] = None,
        exemplars: Optional[int] = None,
        timeout: Optional[Duration] = None,
        max_bytes: Optional[int] = None,
        max_memory: Optional[int] = None,
        allow_partial: bool = False,
        interrupt: Optional[Interrupt] = None,
    ) -> Result:
        """The answer to a TraceQL query. Raises `InvalidQueryError` at once, other errors when the answer is read.

        start, end: the time that is asked about: datetimes with a time zone, or ns since 1970 (default: all data).
        limit, spans: of searches: how many traces at most (default 20), and in JSON how many spans of each spanset (default
            3; -1 for all). As Arrow, all spans that match in these traces.
        order: of searches: `newest`, `oldest`, `longest` or `shortest` first.
        after: of searches: the next page, behind what the last answer's `next` says.
        step, instant: of metrics: the length of an interval (default: about 240 intervals), or one value for all of it.
        max_series, exemplars: of metrics: how many at most.
        timeout, max_bytes, max_memory: limits: time, bytes decoded, bytes held; beyond them `LimitError`, or with
            `allow_partial` what was found (searches as JSON).
        interrupt: ends it from another thread.
        """
        require_valid(query)
        options = _native.QueryOptions(
            start=nanoseconds(start),
            end=nanoseconds(end),
            limit=number("limit", limit),
            spans_per_spanset=ALL if spans == -1 else number("spans", spans),
            after=None if after is None else after.encode(),
            step=length("step", step, timedelta(microseconds=1), 1000),
            max_series=number("max_series", max_series),
            exemplars=number("exemplars", exemplars, least=0),
            timeout_ms=milliseconds("timeout", timeout),
            max_bytes=number("max_bytes", max_bytes),
            max_memory=number("max_memory", max_memory),
            interrupt=None if interrupt is None else interrupt._handle,
            order=choice("order", order, NAMES["order"]),
            allow_partial=allow_partial,
            instant=instant,
        )
        return Result(self, query, options, interrupt)

    def explain(self, query: str, *, analyze: bool = False) -> str:
        """How a query would be run, as text for people; with `analyze` it is run, and each operator tells what it did."""
        asked = query.encode()
        return string("ts_explain", self._handle, asked, len(asked), None, analyze, query=asked)

    def trace(self, id: str) -> Trace:
        """The trace with an id of 1 to 32 hexadecimal digits; leading zeros may be left out."""
        return Trace(self, id)

    def tag_names(
        self,
        *,
        scope: str = "all",
        query: Optional[str] = None,
        start: Optional[Time] = None,
        end: Optional[Time] = None,
        limit: Optional[int] = None,
        timeout: Optional[Duration] = None,
        interrupt: Optional[Interrupt] = None,
    ) -> dict[str, list[str]]:
        """The names of attributes by scope (`span`, `resource`, `event`, `link`, `instrumentation`, `intrinsic`).

        query: only what is on spans that match it; it may be unfinished. limit: how many of each scope at most.
        """
        options = _tag_options(query, start, end, limit, timeout, interrupt)
        options.scope = choice("scope", scope, NAMES["scope"])
        scopes = json.loads(string("ts_tag_names", self._handle, byref(options)))["scopes"]
        return {found["scope"]: found["names"] for found in scopes}

    def tag_values(
        self,
        field: str,
        *,
        query: Optional[str] = None,
        start: Optional[Time] = None,
        end: Optional[Time] = None,
        limit: Optional[int] = None,
        timeout: Optional[Duration] = None,
        interrupt: Optional[Interrupt] = None,
    ) -> list[dict[str, Any]]:
        """The values of a field, such as `resource.service.name`, as dicts of `value`, `type` and `count` (how many spans
        have it), the most frequent first."""
        options = _tag_options(query, start, end, limit, timeout, interrupt)
        name = field.encode()
        found = string("ts_tag_values", self._handle, name, len(name), byref(options), query=name)
        values: list[dict[str, Any]] = json.loads(found)["values"]
        return values

    def span_metrics(
        self,
        *,
        config: Optional[str] = None,
        start: Optional[Time] = None,
        end: Optional[Time] = None,
        format: str = "prometheus",
    ) -> str:
        """Prometheus series of the spans, as text: `prometheus` (the classic one) or `openmetrics`.

        config: YAML with the keys of Tempo's metrics generator.
        """
        settings = None if config is None else _zero_terminated("config", config.encode())
        number = choice("format", format, NAMES["metrics_format"])
        return string("ts_span_metrics", self._handle, settings, nanoseconds(start), nanoseconds(end), number)


def _path(path: Union[str, os.PathLike[str]]) -> bytes:
    return _zero_terminated("path", os.fspath(path).encode())


def _zero_terminated(name: str, value: bytes) -> bytes:
    if b"\0" in value:
        raise ValueError(f"{name} must not contain a zero byte")
    return value


def _bytes(data: Union[bytes, bytearray, memoryview, str, Mapping[str, Any]]) -> tuple[bytes, str]:
    if isinstance(data, bytes):
        return data, "protobuf"
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data), "protobuf"
    return (data if isinstance(data, str) else json.dumps(data)).encode(), "json"


def _members(result: _native.Sized) -> dict[str, int]:
    return {name: getattr(result, name) for name, *_ in result._fields_ if name != "size"}


def _ingested(result: _native.IngestResult) -> IngestResult:
    members = _members(result)
    reasons = {name[len("refused_") :]: count for name, count in members.items() if name.startswith("refused_") and count}
    return IngestResult(accepted=members["spans"], refused=reasons, requests=members["requests"])


def _tag_options(
    query: Optional[str],
    start: Optional[Time],
    end: Optional[Time],
    limit: Optional[int],
    timeout: Optional[Duration],
    interrupt: Optional[Interrupt],
) -> _native.TagOptions:
    return _native.TagOptions(
        query=None if query is None else _zero_terminated("query", query.encode()),
        start=nanoseconds(start),
        end=nanoseconds(end),
        limit=number("limit", limit),
        timeout_ms=milliseconds("timeout", timeout),
        interrupt=None if interrupt is None else interrupt._handle,
    )
