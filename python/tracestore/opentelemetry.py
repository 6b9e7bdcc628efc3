"""The OpenTelemetry SDK's spans straight into a store of this process. Needs `tracestore[opentelemetry]`."""

from __future__ import annotations

import logging
import time
from typing import Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter as _SpanExporter
from opentelemetry.sdk.trace.export import SpanExportResult

from .errors import BusyError, Error
from .store import Store

_logger = logging.getLogger(__name__)


class SpanExporter(_SpanExporter):
    """Exports spans into a store, which stays the caller's to close, after the tracer provider was shut down.

        provider.add_span_processor(BatchSpanProcessor(SpanExporter(store)))

    A store that is busy is tried again for `patience` seconds.
    """

    def __init__(self, store: Store, *, patience: float = 5.0) -> None:
        self._store = store
        self._patience = patience
        self._shut_down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Takes spans; when it returns, queries see them."""
        if self._shut_down:
            return SpanExportResult.FAILURE
        request = encode_spans(spans).SerializeToString()
        try:
            self._ingest(request)
        except Error as error:
            _logger.error("%d spans are lost: %s", len(spans), error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def _ingest(self, request: bytes) -> None:
        deadline, pause = time.monotonic() + self._patience, 0.01
        while True:
            try:
                result = self._store.ingest(request)
                if result.refused:
                    _logger.warning("spans were refused: %s", result.refused)
                return
            except BusyError:
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                pause *= 2

    def shutdown(self) -> None:
        """Takes no more spans. The store stays open."""
        self._shut_down = True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits in the exporter."""
        return True
