"""Dirty days: the (estate, local day) pairs whose roll-ups no longer say what SQL holds.

Each touch raises a number; clearing removes a day only if nobody touched it since it was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, delete, select

from cloud.records.schema import dirty_days
from cloud.records.upserts import insert_into


@dataclass(frozen=True, slots=True, order=True)
class DirtyDay:
    """A day to be rolled up again; `touched` is what `clear` compares."""

    estate: str
    day: date
    touched: int
    since_ms: int


def touch(connection: Connection, pairs: Iterable[tuple[str, date]], *, now_ms: int) -> None:
    """Mark (estate, day) *pairs* as changed, in one order, so that two transactions never deadlock over them."""
    rows = [{"estate": estate, "day": day, "since_ms": now_ms, "touched": 1} for estate, day in sorted(set(pairs))]
    if not rows:
        return
    raised = {"touched": dirty_days.c.touched + 1}
    statement = insert_into(connection, dirty_days)
    connection.execute(statement.on_conflict_do_update(index_elements=["estate", "day"], set_=raised), rows)


def waiting(connection: Connection, *, limit: int) -> list[DirtyDay]:
    """The days to roll up, those that wait longest first."""
    query = select(dirty_days).order_by(dirty_days.c.since_ms, dirty_days.c.estate, dirty_days.c.day).limit(limit)
    return [DirtyDay(row.estate, row.day, row.touched, row.since_ms) for row in connection.execute(query)]


def clear(connection: Connection, written: Iterable[DirtyDay]) -> None:
    """Forget days whose roll-ups are written, unless they were touched again after they were read."""
    rows = [{"an_estate": item.estate, "a_day": item.day, "was": item.touched} for item in sorted(written)]
    if rows:
        connection.execute(
            delete(dirty_days).where(
                dirty_days.c.estate == bindparam("an_estate"),
                dirty_days.c.day == bindparam("a_day"),
                dirty_days.c.touched == bindparam("was"),
            ),
            rows,
        )
