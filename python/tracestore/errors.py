"""What goes wrong, as exceptions: one class for each code of the C ABI, all of them an `Error`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from .records import IngestResult


class Span(NamedTuple):
    """A place in a query, in characters: `query[span.start:span.end]`."""

    start: int
    end: int


class Error(Exception):
    """Something went wrong in a call. All other errors of this package are subclasses."""

    code: int = 0
    """The number that the C ABI has for it (`TS_...`)."""
    message: str
    """What went wrong, for people: one line or several."""
    span: Optional[Span]
    """Where in the query, if it is the query that is wrong and the place is known."""
    ingested: Optional[IngestResult]
    """Of `Store.ingest` with several requests: what was taken before the error."""

    def __init__(self, message: str, span: Optional[Span] = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.ingested = None


class InvalidQueryError(Error, ValueError):
    """The query is wrong."""

    code = 1


class InvalidArgumentError(Error, ValueError):
    """An argument cannot be what it is."""

    code = 2


class InternalError(Error):
    """A mistake in the library. The store is as safe as before."""

    code = 3


class ClosedError(Error):
    """The store was closed."""

    code = 4


class InvalidOptionsError(Error, ValueError):
    """What was asked for makes no sense, such as a range that ends before it starts."""

    code = 5


class NotFoundError(Error, LookupError):
    """There is no such path, store or trace."""

    code = 6


class BadInputError(Error, ValueError):
    """Data that came in is not what it should be. Nothing is wrong with the store."""

    code = 7


class CorruptError(Error):
    """Stored data is damaged, or of an unknown version."""

    code = 8


class LimitError(Error):
    """A limit on time, bytes, memory or numbers was reached."""

    code = 9


class BusyError(Error):
    """Nothing was done; the same call may succeed a little later."""

    code = 10


class LockedError(Error):
    """Another writer has the store open, in this process or another."""

    code = 11


class StoppedError(Error):
    """The store takes no more writes until it is opened again."""

    code = 12


class ReadOnlyError(Error):
    """The store was opened for reading only."""

    code = 13


class Interrupted(Error):
    """The call was ended by its `Interrupt`."""

    code = 14


class IoError(Error):
    """The operating system refused something."""

    code = 15


class ExecutionError(Error):
    """The query could not be run for another reason."""

    code = 16


CLASSES: dict[int, type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}
