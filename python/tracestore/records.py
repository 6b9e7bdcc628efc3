"""What stores say that they did, and what there is in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IngestResult:
    """What became of the spans that came in."""

    accepted: int
    """Spans that were taken."""
    refused: dict[str, int]
    """Spans that were not, by reason: `trace_id`, `span_id`, `parent_id`, `utf8`, `depth`, `malformed`."""
    requests: int
    """Requests that were taken."""


@dataclass(frozen=True)
class CompactionResult:
    """What a compaction did: blocks, stored spans and bytes of files, before and after."""

    blocks_before: int
    blocks_after: int
    spans_before: int
    spans_after: int
    bytes_before: int
    bytes_after: int
    left_alone: int
    """Jobs whose blocks cannot be merged, and stay as they are."""


@dataclass(frozen=True)
class DeletionResult:
    """What a deletion did, or would do."""

    traces: int
    """Traces that lose spans."""
    spans: int
    """Spans that go, as queries count them."""
    stored_spans: int
    """The same with all stored copies."""
    blocks: int
    """Blocks that hold them."""


@dataclass(frozen=True)
class Status:
    """What there is in a store."""

    blocks: int
    spans: int
    """Spans in blocks; what is stored twice counts twice."""
    bytes: int
    """Bytes of the blocks."""
    waiting_requests: int
    """Requests that wait to become a block."""
    waiting_bytes: int
