"""Reading what was counted, for roll-ups: taps per machine and hour or quarter-hour, presence, minutes online.

A machine's hours are split between the estates it stood at by `home`: each hour belongs to exactly one of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection, or_, select

from cloud import days
from cloud.records.facts import LOOK_BACK, Window
from cloud.records.registry import Installation
from cloud.records.schema import completed_days, hour_counts, online_hours, presence, quarter_counts, units
from cloud.records.upserts import add, insert_missing


@dataclass(frozen=True, slots=True)
class Taps:
    """Taps by known and by unknown cards; of both together, those that came after their day was closed."""

    known: int = 0
    unknown: int = 0
    late: int = 0

    def __add__(self, other: Taps) -> Taps:
        return Taps(self.known + other.known, self.unknown + other.unknown, self.late + other.late)


NOTHING: Final = Taps()


def home(places: Sequence[Installation], begin_ms: int, end_ms: int) -> str | None:
    """The estate to which a machine's taps from *begin_ms* to *end_ms* belong: where it last stood in that time."""
    there = [
        place
        for place in places
        if place.installed_ms < end_ms and (place.removed_ms is None or place.removed_ms > begin_ms)
    ]
    return max(there, key=lambda place: place.installed_ms).estate if there else None


def by_hour(connection: Connection, devices: Iterable[str], *, within: Window) -> dict[str, dict[int, Taps]]:
    """Taps by machine and start of the hour; an hour that is missing = none."""
    begin, end = within.span
    query = select(hour_counts).where(
        hour_counts.c.device.in_(sorted(devices)), hour_counts.c.hour_ms >= begin, hour_counts.c.hour_ms < end
    )
    found: dict[str, dict[int, Taps]] = {}
    for row in connection.execute(query):
        found.setdefault(row.device, {})[row.hour_ms] = Taps(row.known, row.unknown, row.late)
    return found


def by_quarter(connection: Connection, devices: Iterable[str], *, on: Iterable[date]) -> dict[str, dict[int, Taps]]:
    """Taps by machine and start of the quarter-hour, of these days alone; a quarter-hour that is missing = none."""
    at = quarter_counts.c.quarter_ms
    spans = [days.span_of(day) for day in sorted(set(on))]
    if not spans:
        return {}
    query = select(quarter_counts).where(
        quarter_counts.c.device.in_(sorted(devices)), or_(*((at >= begin) & (at < end) for begin, end in spans))
    )
    found: dict[str, dict[int, Taps]] = {}
    for row in connection.execute(query):
        found.setdefault(row.device, {})[row.quarter_ms] = Taps(row.known, row.unknown)
    return found


def present_days(connection: Connection, code: str, *, within: Window) -> dict[str, list[date]]:
    """By unit of estate *code*, the days with a tap at any estate, in order: in *within* and `LOOK_BACK` before."""
    query = (
        select(presence.c.unit, presence.c.day)
        .distinct()
        .join(units, units.c.unit == presence.c.unit)
        .where(units.c.estate == code, presence.c.taps > 0)
        .where(presence.c.day > within.first - LOOK_BACK, presence.c.day <= within.last)
        .order_by(presence.c.unit, presence.c.day)
    )
    found: dict[str, list[date]] = {}
    for row in connection.execute(query):
        found.setdefault(row.unit, []).append(row.day)
    return found


def last_taps(present: Mapping[str, Sequence[date]], day: date) -> dict[str, date]:
    """By unit, the latest of its `present_days` up to *day*, if within `LOOK_BACK`."""
    found: dict[str, date] = {}
    for unit, those in present.items():
        at = bisect_right(those, day)
        if at and those[at - 1] > day - LOOK_BACK:
            found[unit] = those[at - 1]
    return found


# ---- minutes online and complete days --------------------------------------------------------------------------------


def add_online(connection: Connection, devices: Iterable[str], *, minute_ms: int) -> None:
    """Count one minute online for each of *devices*: once per minute row, in the transaction that marks it written."""
    hour_ms = minute_ms - minute_ms % days.HOUR
    rows = [{"device": device, "hour_ms": hour_ms, "minutes": 1} for device in sorted(set(devices))]
    add(connection, online_hours, rows, columns=["minutes"])


def online_minutes(connection: Connection, devices: Iterable[str], *, within: Window) -> dict[str, dict[int, int]]:
    """By machine and start of the hour, the minutes in which it was online; an hour that is missing = 0."""
    begin, end = within.span
    query = select(online_hours).where(
        online_hours.c.device.in_(sorted(devices)), online_hours.c.hour_ms >= begin, online_hours.c.hour_ms < end
    )
    found: dict[str, dict[int, int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.device, {})[row.hour_ms] = min(60, row.minutes)
    return found


def note_completed(connection: Connection, code: str, those: Iterable[date], *, now_ms: int) -> None:
    """Note that every record of *those* days has arrived; the first time it is said stands."""
    rows = [{"estate": code, "day": day, "completed_ms": now_ms} for day in sorted(set(those))]
    insert_missing(connection, completed_days, rows)


def completed(connection: Connection, code: str, *, within: Window) -> dict[date, int]:
    """By day, when it was first seen that every record had arrived; a day that is missing is not complete yet."""
    query = select(completed_days.c.day, completed_days.c.completed_ms).where(
        completed_days.c.estate == code, completed_days.c.day >= within.first, completed_days.c.day <= within.last
    )
    return {row.day: row.completed_ms for row in connection.execute(query)}
