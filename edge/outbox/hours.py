"""Able minutes on the disk, and how they become `hours` records, in one transaction: none counts twice or is lost."""

import sqlite3
from collections.abc import Callable, Sequence

from contract.messages import Hours
from edge import able
from edge.outbox import rows


def note(db: sqlite3.Connection, minutes: Sequence[able.Minute]) -> None:
    """Remember *minutes*; one that is known already changes nothing."""
    db.executemany(
        "INSERT INTO minute VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(minute.boot, minute.mono_min, minute.wall_min, minute.is_dated) for minute in minutes],
    )


def close(db: sqlite3.Connection, record: Callable[[able.Hour], Hours | None], base: tuple[str, int | None]) -> int:
    """Insert a record for every hour for which *record* gives one, and forget its minutes. How many were inserted."""
    boot, base_ms = base
    found = [able.Minute(row[0], row[1], row[2], bool(row[3])) for row in db.execute("SELECT * FROM minute")]
    placed = [able.dated(minute, base_ms if minute.boot == boot else None) for minute in found]
    made = 0
    for hour in able.hours(placed):
        hours = record(hour)
        if hours is not None:
            rows.insert(db, hours)
            db.executemany(
                "DELETE FROM minute WHERE boot = ? AND mono_min = ?",
                [(minute.boot, minute.mono_min) for minute in hour.minutes],
            )
            made += 1
    return made
