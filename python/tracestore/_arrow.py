"""Arrow streams of the C ABI as capsules of Arrow's PyCapsule interface. Nothing here is public.

https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html

The capsules have no destructor: one written in Python would lose the exception that is on its way when a reader fails and
drops its capsule. So they are kept here, and their streams released when nobody else has them any more.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from ctypes import byref, c_void_p
from typing import Any

from ._call import call, same_process
from ._native import ArrowArrayStream

_NAME = ctypes.create_string_buffer(b"arrow_array_stream")
_new = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_void_p, c_void_p)(("PyCapsule_New", ctypes.pythonapi))


class _Given:
    """A capsule that was given out, and the struct that it points to."""

    def __init__(self, capsule: object, stream: ArrowArrayStream) -> None:
        self.capsule = capsule
        self.stream = stream

    def references(self) -> int:
        return sys.getrefcount(self.capsule)


_given: list[_Given] = []
_sweeping = threading.Lock()
_ALONE = _Given(object(), ArrowArrayStream()).references()


def capsule(name: str, *arguments: Any, query: bytes) -> object:
    """Calls a function that writes a stream before `error`, and wraps the stream."""
    sweep()
    stream = ArrowArrayStream()
    call(name, *arguments, byref(stream), query=query)
    made: object = _new(ctypes.addressof(stream), ctypes.addressof(_NAME), None)
    _given.append(_Given(made, stream))
    return made


def sweep() -> None:
    """Releases the streams of capsules that nobody has any more, if no other thread is at it."""
    if not _sweeping.acquire(blocking=False):
        return
    try:
        dropped = [given for given in list(_given) if given.references() == _ALONE]
        for given in dropped:
            _given.remove(given)
    finally:
        _sweeping.release()
    for given in dropped:
        # Who has read the stream has moved it out, which sets this to NULL.
        if given.stream.release and same_process():
            given.stream.release(ctypes.addressof(given.stream))
