"""Dirty days: the (estate, local day) pairs whose roll-ups no longer say what SQL holds.

Each touch raises a number; clearing removes a day only if nobody touched it since it was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, delete, select

from cloud.days import like_days_after
from cloud.records.schema import day_changes, dirty_days
from cloud.records.upserts import add, insert_into


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
    changed = [{"estate": row["estate"], "day": row["day"], "changes": 1} for row in rows]
    add(connection, day_changes, changed, columns=["changes"])


def and_expecting(pairs: Iterable[tuple[str, date]], *, today: date) -> set[tuple[str, date]]:
    """*pairs*, and the days up to *today* on which something is expected because of them."""
    touched = set(pairs)
    return touched | {(estate, like) for estate, day in touched for like in like_days_after(day, today)}


def waiting(connection: Connection, *, until: date, limit: int) -> list[DirtyDay]:
    """The days to roll up, those that wait longest first; not those after *until*, which are still to come."""
    query = select(dirty_days).where(dirty_days.c.day <= until)
    query = query.order_by(dirty_days.c.since_ms, dirty_days.c.estate, dirty_days.c.day).limit(limit)
    return [DirtyDay(row.estate, row.day, row.touched, row.since_ms) for row in connection.execute(query)]


def clear(connection: Connection, written: Iterable[DirtyDay], *, now_ms: int) -> None:
    """Forget days whose roll-ups are written, unless they were touched again after they were read.

    A day that another has cleared meanwhile is touched: his points were newer, and ours have overwritten them.
    """
    items = sorted(written)
    if not items:
        return
    estates, those = {item.estate for item in items}, {item.day for item in items}
    here = select(dirty_days).where(dirty_days.c.estate.in_(sorted(estates)), dirty_days.c.day.in_(sorted(those)))
    locked = here.order_by(dirty_days.c.estate, dirty_days.c.day).with_for_update()
    present = {(row.estate, row.day) for row in connection.execute(locked)}
    is_as_read = [dirty_days.c[name] == bindparam(f"was_{name}") for name in ("estate", "day", "touched", "since_ms")]
    rows = [{f"was_{name}": value for name, value in asdict(item).items()} for item in items]
    connection.execute(delete(dirty_days).where(*is_as_read), rows)
    touch(connection, {(item.estate, item.day) for item in items} - present, now_ms=now_ms)
