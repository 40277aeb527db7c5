"""Rows of the calendar that are to be shown: what is closed, where, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from cloud.records.schema import calendar


@dataclass(frozen=True, slots=True)
class Closure:
    """A row of the calendar; its last day is included."""

    scope: str
    """An estate, or `*` for all."""
    kind: str
    first: date
    last: date


def meeting(connection: Connection, first: date, last: date, *, known_by_ms: int) -> list[Closure]:
    """The rows that were known by *known_by_ms* and touch any day from *first* to *last*."""
    touches = calendar.c.from_day <= last, calendar.c.to_day >= first, calendar.c.known_from_ms <= known_by_ms
    query = select(calendar).where(*touches).order_by(calendar.c.from_day, calendar.c.id)
    return [Closure(row.scope, row.kind, row.from_day, row.to_day) for row in connection.execute(query)]
