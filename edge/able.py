"""For how many minutes of each hour the machine could have taken a tap. Pure arithmetic over whole minutes.

A minute is first known by the monotonic clock of its boot; it belongs to an hour once that boot's base is known.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MINUTE_MS: Final = 60_000
HOUR_MIN: Final = 60


@dataclass(frozen=True, slots=True)
class Minute:
    """One able minute: of which boot, the how manieth, and what the wall clock said (`is_dated`: said truly)."""

    boot: str
    mono_min: int
    wall_min: int
    is_dated: bool


@dataclass(frozen=True, slots=True)
class Hour:
    """The able minutes of one hour."""

    hour_ms: int
    able_min: int
    minutes: tuple[Minute, ...]


def minutes_passed(last_mono_ms: int, now_mono_ms: int) -> range:
    """The whole minutes of monotonic time that ended between two looks."""
    return range(last_mono_ms // MINUTE_MS, now_mono_ms // MINUTE_MS)


def dated(minute: Minute, base_ms: int | None) -> Minute:
    """*minute* with its true place in time, if it had none and *base_ms* of its boot is known."""
    if minute.is_dated or base_ms is None:
        return minute
    return Minute(minute.boot, minute.mono_min, (base_ms + minute.mono_min * MINUTE_MS) // MINUTE_MS, True)


def hours(minutes: Iterable[Minute]) -> list[Hour]:
    """Grouped by the hour they fall into, earliest first; a minute that the clock showed twice counts once.

    What a wrong clock showed stays apart, by boot: it only looks like the same hour.
    """
    groups: defaultdict[tuple[int, str], list[Minute]] = defaultdict(list)
    for minute in minutes:
        groups[minute.wall_min // HOUR_MIN, "" if minute.is_dated else minute.boot].append(minute)
    return [_hour(number, groups[number, boot]) for number, boot in sorted(groups)]


def _hour(number: int, minutes: list[Minute]) -> Hour:
    distinct = len({minute.wall_min for minute in minutes})
    return Hour(number * HOUR_MIN * MINUTE_MS, min(distinct, HOUR_MIN), tuple(minutes))


def is_over(hour: Hour, now_ms: int) -> bool:
    """Whether no further minute of it can come."""
    return now_ms >= hour.hour_ms + HOUR_MIN * MINUTE_MS
