"""When residents tap: their habits as a plan. Pure: the same city, days and seed give the same taps.

The duty is one tap in each period of 14 days. People come while the office is open: most in the morning, then in
bursts after the midday and the afternoon prayer. Sub-let flats never tap. All shares and times here are ASSUMED.
"""

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo

from contract.topics import DeviceId
from demo.city import City, Flat

JAKARTA: Final = ZoneInfo("Asia/Jakarta")
PERIOD: Final = timedelta(days=14)
COMPLIANCE: Final = 0.94
"""Share of the periods in which a resident with the duty remembers it."""
_SUNDAY: Final = 6
_SATURDAY: Final = 5
_FRIDAY: Final = 4
OPENS: Final = time(8)
CLOSES: Final = time(16)
CLOSES_SATURDAY: Final = time(12)


@dataclass(frozen=True, slots=True)
class Rush:
    """A time of day at which people come together: *share* of all taps, around *at*, mostly within *spread*."""

    share: float
    at: time
    spread: timedelta


MORNING: Final = Rush(0.35, time(8, 50), timedelta(minutes=35))
MIDDAY: Final = Rush(0.25, time(12, 15), timedelta(minutes=9))
MIDDAY_FRIDAY: Final = Rush(0.25, time(12, 50), timedelta(minutes=9))
AFTERNOON: Final = Rush(0.15, time(15, 25), timedelta(minutes=9))


@dataclass(frozen=True, slots=True)
class PlannedTap:
    """A resident will lay a card on *machine* at this instant (UTC); *flat* is an index into `City.flats`."""

    at: datetime
    machine: DeviceId
    flat: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All taps of a stretch of time, in order."""

    taps: tuple[PlannedTap, ...]

    def between(self, start: datetime, end: datetime) -> tuple[PlannedTap, ...]:
        """The taps with start <= at < end."""
        first, last = (bisect_left(self.taps, instant, key=lambda tap: tap.at) for instant in (start, end))
        return self.taps[first:last]

    def of(self, machine: DeviceId) -> tuple[PlannedTap, ...]:
        """The taps at one machine."""
        return tuple(tap for tap in self.taps if tap.machine == machine)


def plan(city: City, *, go_live: date, periods: range, seed: int) -> Plan:
    """What everybody does in these periods, counted from *go_live* (period 0 begins on that day)."""
    found = [
        tap
        for index, flat in enumerate(city.flats)
        if not flat.is_sublet
        for tap in _taps_of(flat, index, (go_live, periods, seed))
    ]
    return Plan(tuple(sorted(found, key=lambda tap: (tap.at, tap.machine, tap.flat))))


@cache
def opening(day: date) -> tuple[datetime, datetime] | None:
    """When the estate offices are open on *day*; None = closed."""
    if day.weekday() == _SUNDAY:
        return None
    closes = CLOSES_SATURDAY if day.weekday() == _SATURDAY else CLOSES
    return _instant(day, OPENS), _instant(day, closes)


def _taps_of(flat: Flat, index: int, calendar: tuple[date, range, int]) -> Iterator[PlannedTap]:
    go_live, periods, seed = calendar
    for period in periods:
        chance = random.Random(f"{seed}|{flat.unit}|{period}")
        if chance.random() < COMPLIANCE:
            day = _day(chance, go_live + period * PERIOD)
            yield PlannedTap(_moment(chance, day), flat.machine, index)


def _day(chance: random.Random, start: date) -> date:
    """A day of the period, as likely as its office is open for long."""
    days, hours = _days(start)
    return chance.choices(days, cum_weights=hours)[0]


@cache
def _days(start: date) -> tuple[list[date], list[float]]:
    """The days of the period that begins at *start*, and the office hours up to the end of each."""
    days = [start + timedelta(days=offset) for offset in range(PERIOD.days)]
    return days, list(accumulate(_hours_open(day) for day in days))


def _hours_open(day: date) -> float:
    hours = opening(day)
    return (hours[1] - hours[0]) / timedelta(hours=1) if hours else 0.0


def _moment(chance: random.Random, day: date) -> datetime:
    """A moment of that day's office hours, to the millisecond."""
    hours = opening(day)
    assert hours is not None, "nobody plans to come on a day without office hours"
    opens, closes = hours
    rush = _rush(chance, day)
    if rush is not None:
        middle = _instant(day, rush.at)
        wanted = middle + timedelta(seconds=chance.gauss(0, rush.spread.total_seconds()))
        if opens <= wanted < closes:
            return _to_ms(wanted)
    return _to_ms(opens + chance.random() * (closes - opens))


def _rush(chance: random.Random, day: date) -> Rush | None:
    """Which rush this resident joins; None = comes at any time."""
    rushes = (MORNING, MIDDAY_FRIDAY if day.weekday() == _FRIDAY else MIDDAY, AFTERNOON)
    drawn = chance.random()
    for rush in rushes:
        drawn -= rush.share
        if drawn < 0:
            return rush
    return None


@cache
def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, JAKARTA).astimezone(UTC)


def _to_ms(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
