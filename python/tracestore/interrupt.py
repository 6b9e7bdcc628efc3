"""Ends calls from another thread."""

from __future__ import annotations

from ._call import free
from ._native import library


class Interrupt:
    """Ends calls from another thread: give it to `Store.query`, and `set` it. One may serve several calls."""

    def __init__(self) -> None:
        self._handle = library.ts_interrupt_new()

    def set(self) -> None:
        """Ends the calls that have it, with `Interrupted`, and those to come, until `clear`."""
        library.ts_interrupt_raise(self._handle)

    def clear(self) -> None:
        """Lets calls run again."""
        library.ts_interrupt_clear(self._handle)

    def __del__(self) -> None:
        free("ts_interrupt_free", self._handle)
