"""TraceQL without a store: is a query right, and how is it written."""

from __future__ import annotations

from ctypes import byref
from dataclasses import dataclass
from typing import Optional

from ._call import call, free, span, string
from ._native import NAMES, Handle, library
from ._native import Diagnostic as _Diagnostic
from .errors import InvalidQueryError, Span


@dataclass(frozen=True)
class Diagnostic:
    """One thing to say about a query."""

    code: str
    """Stable, such as `TQ0301`."""
    severity: str
    """`error`, `warning` or `note`."""
    message: str
    """What is wrong, in one sentence."""
    help: Optional[str]
    """What would be right, where that is known."""
    span: Span
    """Where."""
    rendered: str
    """All of it with the lines of the query and carets below the place, for people."""


@dataclass(frozen=True)
class Report:
    """What there is to say about a query."""

    verdict: str
    """`valid`, `parse error`, `check error`, or `unsupported` (strict mode)."""
    kind: Optional[str]
    """`search`, `metrics`, or None for what is not valid."""
    diagnostics: list[Diagnostic]
    """In order of the query."""

    @property
    def valid(self) -> bool:
        """Whether the query can be run."""
        return self.verdict == "valid"


def check(query: str, *, strict: bool = False) -> Report:
    """Checks a query; with `strict`, what Tempo refuses is refused."""
    text = query.encode()
    report = Handle()
    call("ts_check", text, len(text), strict, byref(report))
    try:
        return Report(
            verdict=str(NAMES["verdict"][library.ts_report_verdict(report)]),
            kind=NAMES["kind"][library.ts_report_kind(report)],
            diagnostics=[_diagnostic(report, n, text) for n in range(library.ts_report_count(report))],
        )
    finally:
        free("ts_report_free", report)


def require_valid(query: str) -> None:
    """Raises `InvalidQueryError` for what cannot be run."""
    errors = [found for found in check(query).diagnostics if found.severity == "error"]
    if errors:
        raise InvalidQueryError("\n".join(found.rendered for found in errors), errors[0].span)


def _diagnostic(report: Handle, number: int, query: bytes) -> Diagnostic:
    found = _Diagnostic()
    call("ts_report_diagnostic", report, number, byref(found))
    return Diagnostic(
        code=found.code.decode(),
        severity=str(NAMES["severity"][found.severity]),
        message=found.message.decode(),
        help=None if found.help is None else found.help.decode(),
        span=span(query, found.offset, found.length),
        rendered=found.rendered.decode(),
    )


def format(query: str, *, pretty: bool = False) -> str:
    """A query in its canonical form, on one line, or with `pretty` over several. Raises `InvalidQueryError`."""
    text = query.encode()
    return string("ts_format", text, len(text), pretty, query=text)
