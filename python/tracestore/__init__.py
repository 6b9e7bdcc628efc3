"""An embeddable store for OpenTelemetry traces, queried with TraceQL.

    import tracestore

    with tracestore.open("traces") as store:
        store.ingest(request)                                  # OTLP, as bytes or JSON
        for trace in store.query("{ status = error }"):
            print(trace)
        frame = polars.DataFrame(store.query("{ kind = server } | rate() by (resource.service.name)"))

`tracestore.opentelemetry.SpanExporter` takes the spans of this process.
"""

from ._native import library as _library
from .errors import (
    BadInputError,
    BusyError,
    ClosedError,
    CorruptError,
    Error,
    ExecutionError,
    InternalError,
    Interrupted,
    InvalidArgumentError,
    InvalidOptionsError,
    InvalidQueryError,
    IoError,
    LimitError,
    LockedError,
    NotFoundError,
    ReadOnlyError,
    Span,
    StoppedError,
)
from .interrupt import Interrupt
from .language import Diagnostic, Report, check, format
from .records import CompactionResult, DeletionResult, IngestResult, Status
from .result import Result, Trace
from .store import Store, open

__version__: str = _library.ts_version().decode()

__all__ = [
    "BadInputError",
    "BusyError",
    "ClosedError",
    "CompactionResult",
    "CorruptError",
    "DeletionResult",
    "Diagnostic",
    "Error",
    "ExecutionError",
    "IngestResult",
    "InternalError",
    "Interrupt",
    "Interrupted",
    "InvalidArgumentError",
    "InvalidOptionsError",
    "InvalidQueryError",
    "IoError",
    "LimitError",
    "LockedError",
    "NotFoundError",
    "ReadOnlyError",
    "Report",
    "Result",
    "Span",
    "Status",
    "StoppedError",
    "Store",
    "Trace",
    "check",
    "format",
    "open",
]
