"""The C ABI as ctypes sees it: the shared library, its numbers, structs and functions, in the header's order.

What they mean is said in tracestore-ffi/include/tracestore.h; tests/test_header.py compares the two. Nothing here is
public.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

ABI_VERSION = 1

# Handles are numbers in the shape of pointers.
Handle = c_void_p
code = c_int32

NAMES: dict[str, dict[Any, Any]] = {
    "encoding": {"protobuf": 0, "json": 1, "file": 2},
    "verdict": {0: "valid", 1: "parse error", 2: "check error", 3: "unsupported"},
    "kind": {0: None, 1: "search", 2: "metrics"},
    "severity": {0: "error", 1: "warning", 2: "note"},
    "order": {"newest": 0, "oldest": 1, "longest": 2, "shortest": 3},
    "scope": {"all": 0, "span": 1, "resource": 2, "event": 3, "link": 4, "instrumentation": 5, "intrinsic": 6},
    "format": {"json": 0, "ndjson": 1, "tempo": 2, "prometheus": 3},
    "metrics_format": {"prometheus": 0, "openmetrics": 1},
    "sync": {"full": 0, "interval": 1, "off": 2},
    "delete": {"spans": 0, "traces": 1, "trace": 2},
}


class Sized(ctypes.Structure):
    """A struct that begins with its size."""

    def __init__(self, **members: Any) -> None:
        super().__init__(size=ctypes.sizeof(self), **members)


def _members(kind: Any, *names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names]


_SIZE = [("size", c_size_t)]


class IngestResult(Sized):
    _fields_ = _SIZE + _members(
        c_uint64,
        *("requests", "spans", "refused", "refused_trace_id", "refused_span_id"),
        *("refused_parent_id", "refused_utf8", "refused_depth", "refused_malformed"),
    )


class Diagnostic(Sized):
    _fields_ = [
        *_SIZE,
        *_members(c_char_p, "code", "message", "help", "rendered"),
        *_members(c_uint64, "offset", "length"),
        *_members(c_uint32, "severity", "reserved"),
    ]


class QueryOptions(Sized):
    _fields_ = [
        *_SIZE,
        *_members(c_uint64, "start", "end", "limit", "spans_per_spanset"),
        ("after", c_char_p),
        *_members(c_uint64, "step", "max_series", "exemplars", "timeout_ms", "max_bytes", "max_memory"),
        *_members(c_void_p, "interrupt", "progress", "progress_data"),
        *_members(c_uint32, "order", "allow_partial", "instant", "reserved"),
    ]


class StoreOptions(Sized):
    _fields_ = [
        *_SIZE,
        *_members(c_uint64, "sync_interval_ms", "memory_budget", "block_bytes", "block_age_ms", "block_idle_ms"),
        *_members(c_uint32, "threads", "sync", "read_only", "no_background"),
    ]


class StoreStatus(Sized):
    _fields_ = _SIZE + _members(c_uint64, "blocks", "spans", "bytes", "waiting_requests", "waiting_bytes")


class TagOptions(Sized):
    _fields_ = [
        *_SIZE,
        ("query", c_char_p),
        *_members(c_uint64, "start", "end", "limit", "timeout_ms"),
        ("interrupt", c_void_p),
        *_members(c_uint32, "scope", "reserved"),
    ]


class CompactionResult(Sized):
    _fields_ = _SIZE + _members(
        c_uint64,
        *("blocks_before", "blocks_after", "spans_before", "spans_after", "bytes_before", "bytes_after", "left_alone"),
    )


class DeletionResult(Sized):
    _fields_ = _SIZE + _members(c_uint64, "traces", "spans", "stored_spans", "blocks")


class ArrowArrayStream(ctypes.Structure):
    """The Arrow C stream interface."""

    _fields_ = [
        *_members(c_void_p, "get_schema", "get_next", "get_last_error"),
        ("release", ctypes.CFUNCTYPE(None, c_void_p)),
        ("private_data", c_void_p),
    ]


_ERROR = POINTER(Handle)
_TEXT = (c_char_p, c_size_t)

# Name: what it gives, what it takes.
FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ts_error_code": (code, (Handle,)),
    "ts_error_message": (c_char_p, (Handle,)),
    "ts_error_span": (code, (Handle, POINTER(c_size_t), POINTER(c_size_t))),
    "ts_error_free": (code, (Handle,)),
    "ts_code_name": (c_char_p, (code,)),
    "ts_ingest": (code, (Handle, *_TEXT, c_uint32, POINTER(IngestResult), _ERROR)),
    "ts_interrupt_new": (Handle, ()),
    "ts_interrupt_raise": (code, (Handle,)),
    "ts_interrupt_clear": (code, (Handle,)),
    "ts_interrupt_free": (code, (Handle,)),
    "ts_check": (code, (*_TEXT, c_uint32, POINTER(Handle), _ERROR)),
    "ts_report_verdict": (c_uint32, (Handle,)),
    "ts_report_kind": (c_uint32, (Handle,)),
    "ts_report_count": (c_size_t, (Handle,)),
    "ts_report_diagnostic": (code, (Handle, c_size_t, POINTER(Diagnostic), _ERROR)),
    "ts_report_free": (code, (Handle,)),
    "ts_format": (code, (*_TEXT, c_uint32, POINTER(Handle), _ERROR)),
    "ts_query_arrow": (code, (Handle, *_TEXT, POINTER(QueryOptions), POINTER(ArrowArrayStream), _ERROR)),
    "ts_query_json": (code, (Handle, *_TEXT, POINTER(QueryOptions), c_uint32, POINTER(Handle), _ERROR)),
    "ts_explain": (code, (Handle, *_TEXT, POINTER(QueryOptions), c_uint32, POINTER(Handle), _ERROR)),
    "ts_span_metrics": (code, (Handle, c_char_p, c_uint64, c_uint64, c_uint32, POINTER(Handle), _ERROR)),
    "ts_store_open": (code, (c_char_p, POINTER(StoreOptions), POINTER(Handle), _ERROR)),
    "ts_store_close": (code, (Handle, _ERROR)),
    "ts_store_flush": (code, (Handle, _ERROR)),
    "ts_store_get_status": (code, (Handle, POINTER(StoreStatus), _ERROR)),
    "ts_store_trouble": (code, (Handle, POINTER(Handle), _ERROR)),
    "ts_tag_names": (code, (Handle, POINTER(TagOptions), POINTER(Handle), _ERROR)),
    "ts_tag_values": (code, (Handle, *_TEXT, POINTER(TagOptions), POINTER(Handle), _ERROR)),
    "ts_text_data": (c_void_p, (Handle,)),
    "ts_text_length": (c_size_t, (Handle,)),
    "ts_text_free": (code, (Handle,)),
    "ts_trace": (code, (Handle, *_TEXT, c_uint32, POINTER(Handle), _ERROR)),
    "ts_trace_arrow": (code, (Handle, *_TEXT, POINTER(QueryOptions), POINTER(ArrowArrayStream), _ERROR)),
    "ts_store_compact": (code, (Handle, c_uint32, POINTER(CompactionResult), _ERROR)),
    "ts_store_delete": (code, (Handle, c_uint32, *_TEXT, c_uint32, POINTER(DeletionResult), _ERROR)),
    "ts_abi_version": (c_uint32, ()),
    "ts_version": (c_char_p, ()),
    "ts_open_handles": (c_size_t, ()),
}


def _load() -> ctypes.CDLL:
    """The library beside this file, as wheels have it, or the one that TRACESTORE_LIBRARY names."""
    path = os.environ.get("TRACESTORE_LIBRARY")
    if path is None:
        found = sorted(Path(__file__).parent.glob("*tracestore_ffi.*"))
        if not found:
            raise ImportError("this package has no shared library: install a wheel, or name one in TRACESTORE_LIBRARY")
        path = str(found[0])
    library = ctypes.CDLL(path)
    for name, (gives, takes) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = gives, takes
    if library.ts_abi_version() != ABI_VERSION:
        raise ImportError(f"{path} has version {library.ts_abi_version()} of the C ABI, not {ABI_VERSION}")
    return library


library = _load()
