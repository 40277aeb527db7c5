"""When a replay is judged: at the beginning, every so often after it, and at the end. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Final

from cloud import days
from cloud.days import DAY, HOUR, MINUTE, Span
from cloud.replay import cells

WIB: Final = timezone(timedelta(hours=7))
_UNITS: Final = {"m": MINUTE, "h": HOUR, "d": DAY}
_EVERY: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])")


class BadInstant(ValueError):
    """The text is no instant or interval that this directory can be judged at; the message says why."""


def every(text: str) -> int:
    """An interval such as `1d`, `1h` or `30m`, in ms. Raises `BadInstant`."""
    match = _EVERY.fullmatch(text)
    if match is None:
        raise BadInstant(f"{text[:40]!r} is no interval: write such as 1d, 6h or 30m")
    return int(match[1]) * _UNITS[match[2]]


def until(text: str, span: Span) -> int:
    """An instant of *span*, or a date for its 00.00 WIB. Raises `BadInstant`."""
    try:
        found = days.starts(cells.day(text)) if len(text) == len("2026-01-31") else cells.instant(text)
    except ValueError as error:
        raise BadInstant(f"{text[:40]!r} {error}") from None
    first, last = span
    if not first <= found <= last:
        raise BadInstant(f"{text[:40]} is not between {written(first)} and {written(last)}, what the directory holds")
    return found


def between(span: Span, every_ms: int) -> Iterator[int]:
    """The first instant of *span*, each that is a multiple of *every_ms* after it, and the last."""
    first, last = span
    yield from range(first, last, every_ms)
    yield last


def written(ms: int) -> str:
    """An instant as people in Jakarta write it, for programs."""
    at = datetime.fromtimestamp(ms / 1000, WIB)
    return at.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")
