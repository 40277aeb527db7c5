"""How many cards a machine should have read since the last one: by like weekdays, and only while it was able. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cloud.days import DAY, HOUR, day_of

WEEK: Final = 7 * DAY
LIKE_WEEKS: Final = 8
LEAST_WEEKS: Final = 2
"""With fewer like weekdays nothing is expected of an hour."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a machine counted and could do, by start of the hour; an hour that is missing = 0."""

    since_ms: int
    """Since when it stands where it does."""
    counted: Mapping[int, int] = field(default_factory=dict)
    able_min: Mapping[int, int] = field(default_factory=dict)


def expected(past: Past, begin_ms: int, end_ms: int, *, is_free: Callable[[date], bool]) -> float:
    """Reads to be expected in the whole hours from *begin_ms* to *end_ms*; none on days that *is_free* (holidays)."""
    first = -(-begin_ms // HOUR) * HOUR
    hours = range(first, end_ms - HOUR + 1, HOUR)
    return sum(
        _usual(past, hour, is_free) * past.able_min.get(hour, 0) / 60
        for hour in hours
        if past.able_min.get(hour, 0) and not is_free(day_of(hour))
    )


def _usual(past: Past, hour: int, is_free: Callable[[date], bool]) -> float:
    like = [hour - number * WEEK for number in range(1, LIKE_WEEKS + 1)]
    there = [each for each in like if each >= past.since_ms and not is_free(day_of(each))]
    if len(there) < LEAST_WEEKS:
        return 0.0
    return sum(past.counted.get(each, 0) for each in there) / len(there)
