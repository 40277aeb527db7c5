"""Taps per quarter-hour of a machine, with what was expected, and per hour of an estate, small counts withheld."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from cloud import days
from cloud.ingest.points import NS, QUARTER
from contract import series
from contract.series import Point

LEAST_WEEKS: Final = 2
"""Below this many that can be compared there is no expectation."""
SMALLEST_SHOWN: Final = 5
"""Counts below this, finer than a day, are withheld, each with the hour that it makes a pair with."""
_WEEK: Final = 7 * days.DAY


@dataclass(frozen=True, slots=True)
class Counted:
    """Taps by known and by unknown cards."""

    known: int = 0
    unknown: int = 0

    @property
    def taps(self) -> int:
        """All of them."""
        return self.known + self.unknown


NOTHING: Final = Counted()


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one machine took, for the day that is rolled up and the `days.LIKE_WEEKS` weeks before it."""

    machine: days.Machine
    """Its installations at this estate, and its able minutes."""
    quarters: Mapping[int, Counted]
    """By start of the quarter-hour; one that is missing = no tap."""
    holidays: Sequence[days.DaySpan] = ()
    """Calendar rows for this estate and for all: no quarter-hour of these days is compared with."""


def tap_15m(pattern: Pattern, day: date, *, estate: str, until_ms: int) -> list[Point]:
    """The quarter-hours of *day* that began before *until_ms* and in which the machine stood at *estate*."""
    tags = {"device": pattern.machine.device, "estate": estate}
    return [
        series.TAP_15M.point(quarter * NS, tags, fields)
        for hour in days.hours_of(day)
        for quarter, fields in _quarters(pattern, hour)
        if quarter < until_ms
    ]


def _quarters(pattern: Pattern, hour: int) -> Iterator[tuple[int, dict[str, series.Value | None]]]:
    """Of one hour the quarter-hours in which the machine stood there, by their start."""
    stands = days.merged(stay.span for stay in pattern.machine.stays)
    weeks = _comparable(pattern, hour)
    for quarter in range(hour, hour + days.HOUR, QUARTER):
        if _within(stands, quarter):
            counted = pattern.quarters.get(quarter, NOTHING)
            expected = _expected(pattern, [quarter - week for week in weeks if _within(stands, quarter - week)])
            yield quarter, {"known": counted.known, "unknown": counted.unknown, "expected": expected}


def _comparable(pattern: Pattern, hour: int) -> list[int]:
    """How far back (ms) this hour was on like weekdays when the machine was able to take a tap and no holiday was.

    Able minutes are known by the hour alone: any of them makes its quarter-hours able.
    """
    return [
        back
        for back in range(_WEEK, (days.LIKE_WEEKS + 1) * _WEEK, _WEEK)
        if pattern.machine.able.get(hour - back, 0) > 0 and not days.covers(pattern.holidays, days.day_of(hour - back))
    ]


def _expected(pattern: Pattern, like: Sequence[int]) -> float | None:
    """The mean over quarter-hours that can be compared, 0 for one without a tap; None where they are fewer than two."""
    if len(like) < LEAST_WEEKS:
        return None
    return sum(pattern.quarters[at].taps for at in like if at in pattern.quarters) / len(like)


def _within(spans: Iterable[days.Span], at_ms: int) -> bool:
    return any(begin <= at_ms < end for begin, end in spans)


def tap_hour(taps: Mapping[int, int], day: date, *, estate: str, until_ms: int) -> list[Point]:
    """The hours of *day* that began before *until_ms*; *taps*: at all machines of the estate, by start of the hour.

    An hour of few taps is withheld together with its pair (00 with 01, 02 with 03, ...): the day's total is published,
    so what is withheld can be added up, but never which of two hours had how many.
    """
    counts = [taps.get(start, 0) for start in days.hours_of(day)]
    return [
        series.TAP_HOUR.point(start * NS, {"estate": estate, "hour": f"{number:02}"}, _shown(counts, number))
        for number, start in enumerate(days.hours_of(day))
        if start < until_ms
    ]


def _shown(counts: Sequence[int], hour: int) -> dict[str, int]:
    is_withheld = any(0 < counts[each] < SMALLEST_SHOWN for each in (hour, hour ^ 1))
    return {"n": 0 if is_withheld else counts[hour], "withheld": int(is_withheld)}
