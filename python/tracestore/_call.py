"""Calls of the C ABI: codes become exceptions, texts become bytes and are freed. Nothing here is public."""

from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_size_t
from typing import Any, Optional

from ._native import Handle, library
from .errors import CLASSES, Error, Span

_process: Optional[int] = None  # that of the first call


def call(name: str, *arguments: Any, query: Optional[bytes] = None) -> None:
    """Calls a function whose last argument is `error`, and raises what it says. `query` is what places are in."""
    global _process
    _process = _process or os.getpid()
    if not same_process():
        raise Error("tracestore was used before this process was forked: start processes with `spawn`")
    error = Handle()
    if getattr(library, name)(*arguments, byref(error)) != 0:
        raise _exception(error, query)


def text(name: str, *arguments: Any, query: Optional[bytes] = None) -> Optional[bytes]:
    """The same for a function that writes a text before `error`; None when there is none."""
    handle = Handle()
    call(name, *arguments, byref(handle), query=query)
    if not handle:
        return None
    try:
        return ctypes.string_at(library.ts_text_data(handle), library.ts_text_length(handle))
    finally:
        library.ts_text_free(handle)


def string(name: str, *arguments: Any, query: Optional[bytes] = None) -> str:
    """The same for a function that always writes a text, as a string."""
    return (text(name, *arguments, query=query) or b"").decode()


def free(name: str, *arguments: Any) -> None:
    """Gives up a handle, but not in a process that was forked."""
    if same_process():
        getattr(library, name)(*arguments)


def same_process() -> bool:
    """Whether this is the process of the first call, or there was none."""
    return _process in (None, os.getpid())


def span(query: bytes, offset: int, length: int) -> Span:
    """A place in bytes as one in characters."""
    start = len(query[:offset].decode(errors="replace"))
    return Span(start, start + len(query[offset : offset + length].decode(errors="replace")))


def _exception(error: Handle, query: Optional[bytes]) -> Error:
    try:
        kind = CLASSES.get(library.ts_error_code(error), Error)
        message = library.ts_error_message(error).decode()
        offset, length = c_size_t(), c_size_t()
        placed = query is not None and library.ts_error_span(error, byref(offset), byref(length)) == 0
        return kind(message, span(query, offset.value, length.value) if placed and query is not None else None)
    finally:
        library.ts_error_free(error)
