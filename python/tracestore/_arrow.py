"""Arrow streams of the C ABI as capsules of Arrow's PyCapsule interface. Nothing here is public.

https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_void_p
from typing import Any

from ._call import call
from ._native import ArrowArrayStream

_NAME = ctypes.create_string_buffer(b"arrow_array_stream")

# The structs of the capsules there are, by the capsule's address.
_streams: dict[int, ArrowArrayStream] = {}


def _release(capsule: int, streams: dict[int, ArrowArrayStream] = _streams) -> None:
    stream = streams.pop(capsule)
    # Who has read the stream has moved it out, which sets this to NULL.
    if stream.release:
        stream.release(ctypes.addressof(stream))


# It takes the address, not the object: that one has no references any more.
_destructor = ctypes.PYFUNCTYPE(None, c_void_p)(_release)
_new = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_void_p, c_void_p)(("PyCapsule_New", ctypes.pythonapi))

# Capsules may live until the interpreter ends, and these as long.
for _object in (_NAME, _destructor):
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_object))


def capsule(name: str, *arguments: Any, query: bytes) -> object:
    """Calls a function that writes a stream before `error`, and wraps the stream."""
    stream = ArrowArrayStream()
    call(name, *arguments, byref(stream), query=query)
    made: object = _new(ctypes.addressof(stream), ctypes.addressof(_NAME), ctypes.cast(_destructor, c_void_p))
    _streams[id(made)] = stream
    return made
