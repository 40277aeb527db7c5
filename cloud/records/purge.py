"""Forgetting on time: what the law and the operators' promise let us keep, and for how long.

Many small transactions, so that ingest never waits long. Running it twice forgets nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, select, tuple_

from cloud.days import day_of
from cloud.records.engine import Records
from cloud.records.schema import (
    arrivals,
    completed_days,
    day_changes,
    dead_letters,
    device_events,
    device_hours,
    held,
    hour_counts,
    online_hours,
    presence,
    presence_spans,
    quarter_counts,
    sightings,
)
from cloud.records.verdicts import Outcome

CHUNK: Final = 2000


@dataclass(frozen=True, slots=True)
class Periods:
    """How long each kind of record is kept."""

    sightings: timedelta = timedelta(days=90)
    unknown_cards: timedelta = timedelta(days=30)
    dead_letters: timedelta = timedelta(days=90)
    """They hold sealed cards."""
    machines: timedelta = timedelta(days=400)
    """Hours, events, minutes online, quarter-hours, held records, and by which bytes each seq is known."""
    presence: timedelta = timedelta(days=731)
    """24 months."""
    counts: timedelta = timedelta(days=1827)
    """5 years."""


DEFAULT: Final = Periods()


def purge(records: Records, *, now_ms: int, periods: Periods = DEFAULT, chunk: int = CHUNK) -> dict[str, int]:
    """Forget what is older than *periods*, *chunk* rows a transaction; how many rows of each table went."""
    gone: dict[str, int] = {}
    for table, condition in _too_old(now_ms, periods):
        gone[table.name] = gone.get(table.name, 0) + _forget(records, table, condition, chunk=chunk)
    return gone


def _too_old(now_ms: int, periods: Periods) -> list[tuple[Table, ColumnElement[bool]]]:
    """What goes, in an order in which nothing is forgotten before what refers to it."""

    def before(period: timedelta) -> int:
        return now_ms - period // timedelta(milliseconds=1)

    def day_before(period: timedelta) -> date:
        return day_of(before(period))

    is_unknown = sightings.c.outcome == Outcome.UNKNOWN.value
    return [
        (sightings, sightings.c.at_ms < before(periods.sightings)),
        (sightings, is_unknown & (sightings.c.at_ms < before(periods.unknown_cards))),
        (dead_letters, dead_letters.c.arrived_ms < before(periods.dead_letters)),
        (held, held.c.since_ms < before(periods.machines)),
        (device_hours, device_hours.c.hour_ms < before(periods.machines)),
        (device_events, device_events.c.at_ms < before(periods.machines)),
        (online_hours, online_hours.c.hour_ms < before(periods.machines)),
        (quarter_counts, quarter_counts.c.quarter_ms < before(periods.machines)),
        (arrivals, (arrivals.c.arrived_ms < before(periods.machines)) & _is_bare()),
        (presence, presence.c.day < day_before(periods.presence)),
        (presence_spans, presence_spans.c.day < day_before(periods.presence)),
        (day_changes, day_changes.c.day < day_before(periods.counts)),
        (hour_counts, hour_counts.c.hour_ms < before(periods.counts)),
        (completed_days, completed_days.c.day < day_before(periods.counts)),
    ]


def _is_bare() -> ColumnElement[bool]:
    """An arrival to which no row refers any more."""
    is_bare: ColumnElement[bool] = arrivals.c.seq > 0
    for table in (sightings, held, device_hours, device_events):
        refers = (table.c.stream == arrivals.c.stream) & (table.c.seq == arrivals.c.seq)
        is_bare &= ~exists().where(refers)
    return is_bare


def _forget(records: Records, table: Table, condition: ColumnElement[bool], *, chunk: int) -> int:
    """Delete in chunks until nothing is left that meets *condition*."""
    key = tuple_(*table.primary_key)

    def some(connection: Connection) -> int:
        chosen = select(*table.primary_key).where(condition).limit(chunk)
        return connection.execute(delete(table).where(key.in_(chosen))).rowcount

    total = 0
    while found := records.write(some):
        total += found
    return total
