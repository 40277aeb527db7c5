"""Taps per quarter-hour of a machine, with what was expected, and per hour of an estate, small counts withheld."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from cloud import days
from cloud.ingest.points import NS, QUARTER
from contract import series
from contract.series import Point

WEEKS: Final = 8
"""How many like weekdays back the expectation looks."""
LEAST_WEEKS: Final = 2
"""Below this many that can be compared there is no expectation."""
SMALLEST_SHOWN: Final = 5
"""Counts below this, finer than a day, are withheld."""
_WEEK: Final = 7 * days.DAY
_NONE: Final = (0, 0)


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
    """What one machine took, for the day that is rolled up and the `WEEKS` weeks before it."""

    machine: days.Machine
    """Its installations at this estate, and its able minutes."""
    quarters: Mapping[int, Counted]
    """By start of the quarter-hour; one that is missing = no tap."""
    holidays: Sequence[days.DaySpan] = ()
    """Calendar rows for this estate and for all: days nothing is expected of, nor compared with."""


def tap_15m(pattern: Pattern, day: date, *, estate: str, until_ms: int) -> list[Point]:
    """The quarter-hours of *day* that began before *until_ms* and in which the machine stood at *estate*."""
    begin, end = days.span_of(day)
    tags = {"device": pattern.machine.device, "estate": estate}
    return [
        series.TAP_15M.point(quarter * NS, tags, _quarter(pattern, quarter))
        for quarter in range(begin, min(end, until_ms), QUARTER)
        if _stands(pattern.machine, quarter)
    ]


def _quarter(pattern: Pattern, quarter: int) -> dict[str, series.Value | None]:
    counted = pattern.quarters.get(quarter, NOTHING)
    return {"known": counted.known, "unknown": counted.unknown, "expected": expected(pattern, quarter)}


def expected(pattern: Pattern, quarter: int) -> float | None:
    """Taps of both sorts in this quarter-hour on like weekdays of the last 8 weeks, mean.

    Compared are those in which the machine could take a tap and no calendar row covers the day; a quarter-hour without
    a tap counts as 0. None where fewer than two can be compared.
    """
    like = [quarter - weeks * _WEEK for weeks in range(1, WEEKS + 1)]
    taken = [pattern.quarters.get(each, NOTHING).taps for each in like if _compares(pattern, each)]
    return sum(taken) / len(taken) if len(taken) >= LEAST_WEEKS else None


def _compares(pattern: Pattern, quarter: int) -> bool:
    """Able minutes are known by the hour alone: any of them makes its quarter-hours able."""
    hour = quarter - quarter % days.HOUR
    return (
        pattern.machine.able.get(hour, 0) > 0
        and _stands(pattern.machine, quarter)
        and not days.covers(pattern.holidays, days.day_of(quarter))
    )


def _stands(machine: days.Machine, at_ms: int) -> bool:
    return any(stay.span[0] <= at_ms < stay.span[1] for stay in machine.stays)


def tap_hour(taps: Mapping[int, int], day: date, *, estate: str, until_ms: int) -> list[Point]:
    """The hours of *day* that began before *until_ms*; *taps*: at all machines of the estate, by start of the hour."""
    return [
        series.TAP_HOUR.point(start * NS, {"estate": estate, "hour": f"{number:02}"}, _withheld(taps.get(start, 0)))
        for number, start in enumerate(days.hours_of(day))
        if start < until_ms
    ]


def _withheld(taps: int) -> dict[str, int]:
    is_small = 0 < taps < SMALLEST_SHOWN
    return {"n": 0 if is_small else taps, "withheld": int(is_small)}
