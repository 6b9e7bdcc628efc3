"""Options as Python has them into options as the C ABI has them. Nothing here is public."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Mapping, Optional, Union

Time = Union[datetime, int]
"""A moment: a datetime with a time zone, or ns since 1970."""

Duration = Union[timedelta, float]
"""A length of time: a timedelta, or seconds."""

ALL = 2**64 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def nanoseconds(time: Optional[Time]) -> int:
    """A moment in ns since 1970; 0 for none."""
    if isinstance(time, datetime):
        if time.tzinfo is None:
            raise ValueError("a time needs its time zone")
        time = (time - _EPOCH) // _MICROSECOND * 1000
    return number("time", time, least=0)


def length(name: str, duration: Optional[Duration], unit: timedelta, parts: int = 1) -> int:
    """A length of time in parts of `unit`; 0 for none."""
    if duration is None:
        return 0
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    return number(name, round(seconds / unit.total_seconds() * parts))


def milliseconds(name: str, duration: Optional[Duration]) -> int:
    """A length of time in ms; 0 for none."""
    return length(name, duration, timedelta(milliseconds=1))


def number(name: str, value: Optional[int], least: int = 1) -> int:
    """A number; 0, which the C ABI reads as its default, for none."""
    if value is None:
        return 0
    if not least <= value <= ALL:
        raise ValueError(f"{name} must be {least} or more")
    return value


def choice(name: str, value: str, choices: Mapping[Any, Any]) -> int:
    """The number of a word."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")
    return int(choices[value])
