"""Days and hours as Jakarta counts them (UTC+7, no summer time). Instants are ms since 1970 UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_WIB: Final = 7 * HOUR
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

LIKE_WEEKS: Final = 8
"""For so many weeks a day is one of those from which it is said what to expect of the same weekday."""

Span = tuple[int, int]
"""From the first instant to the second, which is not in it."""
DaySpan = tuple[date, date]
"""From the first day to the last, which is in it."""


def day_of(ms: int) -> date:
    """The local date of an instant."""
    return (_EPOCH + timedelta(milliseconds=ms + _WIB)).date()


def starts(day: date) -> int:
    """The instant at which *day* begins."""
    return (day - _EPOCH.date()).days * DAY - _WIB


def span_of(day: date) -> Span:
    """The instants of *day*."""
    return starts(day), starts(day) + DAY


def hours_of(day: date) -> range:
    """The instants at which the 24 hours of *day* begin."""
    return range(starts(day), starts(day) + DAY, HOUR)


def covers(spans: Iterable[DaySpan], day: date) -> bool:
    """Whether *day* lies in any of *spans*."""
    return any(first <= day <= last for first, last in spans)


def like_days_after(day: date, until: date) -> list[date]:
    """The same weekdays after *day*, up to *until*, of which something is expected because of it."""
    following = (day + timedelta(weeks=number) for number in range(1, LIKE_WEEKS + 1))
    return [each for each in following if each <= until]


def covers_all(spans: Sequence[DaySpan], first: date, last: date) -> bool:
    """Whether every day from *first* to *last* lies in some of *spans*."""
    return all(covers(spans, first + timedelta(days=number)) for number in range((last - first).days + 1))


def overlap(a: Span, b: Span) -> int:
    """How many ms two spans share."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same instants as spans that are sorted and apart."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if begin >= end:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(joined)
