"""Room on the disk: the reserve file, and which settled rows go.

With a full disk SQLite cannot even delete, so the reserve is released first; only then can confirmed rows make room.
Rows that are not answered are never touched.
"""

import contextlib
import os
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge.outbox import rows

STEP: Final = 500
"""Rows that go in one transaction: a tap never waits long for its turn."""
_COMFORT: Final = 4
"""The reserve is laid up anew only where this many times its size is free."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept, and for how long."""

    row_budget: int = 200_000
    reserve_bytes: int = 8 * 1024 * 1024
    keep_ms: int = 35 * 24 * 3_600_000


class Reserve:
    """Bytes held back beside the outbox for the day the disk is full."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size

    def lay_up(self) -> bool:
        """Make it where there is ample room; whether it is there now."""
        try:
            if self._path.exists() and self._path.stat().st_size >= self._size:
                return True
            if not self._size or shutil.disk_usage(self._path.parent).free < _COMFORT * self._size:
                return False
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Give it up; whether there was one."""
        there = self._path.exists()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        return there


def free_share(path: Path) -> float:
    """Per cent of the disk under *path* that an ordinary user may still fill."""
    try:
        usage = shutil.disk_usage(path.parent)
    except OSError:  # a disk that does not say has no room
        return 0.0
    return round(100 * usage.free / max(usage.total, 1), 1)


def count(db: sqlite3.Connection) -> int:
    """Rows that count against the budget."""
    return int(
        db.execute(
            "SELECT (SELECT count(*) FROM row) - (SELECT count(*) FROM row WHERE body IS NULL)"
            " + (SELECT count(*) FROM rejected)"
        ).fetchone()[0]
    )


def has_settled(db: sqlite3.Connection) -> bool:
    """Whether there is anything that may go."""
    found = db.execute(
        "SELECT EXISTS (SELECT 1 FROM row WHERE state <> 'waiting' AND body IS NOT NULL)"
        " OR EXISTS (SELECT 1 FROM rejected)"
    ).fetchone()
    return bool(found[0])


def prune_old(db: sqlite3.Connection, before_ms: int) -> int:
    """One step of letting go what was settled before *before_ms* (server time). How many rows went."""
    db.execute(
        "DELETE FROM rejected WHERE (outbox, seq) IN (SELECT outbox, seq FROM rejected WHERE at < ? LIMIT ?)",
        (before_ms, STEP),
    )
    return _let_go(db, "AND settled_at < ?", before_ms, STEP)


def prune_settled(db: sqlite3.Connection, wanted: int) -> int:
    """One step of letting go the oldest settled rows, however young. How many rows went."""
    gone = _let_go(db, "AND 0 <= ?", 0, min(wanted, STEP))
    if gone:
        return gone
    return db.execute(
        "DELETE FROM rejected WHERE (outbox, seq) IN (SELECT outbox, seq FROM rejected ORDER BY at LIMIT ?)",
        (min(wanted, STEP),),
    ).rowcount


def _let_go(db: sqlite3.Connection, condition: str, argument: int, limit: int) -> int:
    found = db.execute(
        "SELECT id, outbox, seq, CASE dated WHEN 1 THEN at ELSE settled_at END FROM row"
        f" WHERE state <> 'waiting' AND body IS NOT NULL {condition} ORDER BY id LIMIT ?",
        (argument, limit),
    ).fetchall()
    for _, outbox, seq, at in found:
        _entomb(db, outbox, seq, at)
    db.executemany("UPDATE row SET body = NULL WHERE id = ?", [(row[0],) for row in found])
    drop_stubs(db)
    return len(found)


def drop_stubs(db: sqlite3.Connection) -> None:
    """Forget emptied rows at or below the confirmed prefix; above it their digest stays."""
    for (outbox,) in db.execute("SELECT DISTINCT outbox FROM row WHERE body IS NULL").fetchall():
        confirmed = rows.position(db, outbox).confirmed
        db.execute("DELETE FROM row WHERE outbox = ? AND seq <= ? AND body IS NULL", (outbox, confirmed))


def _entomb(db: sqlite3.Connection, outbox: str, seq: int, at: int) -> None:
    """Remember when the row was made, a line per run of seqs and day: a `resume` may still ask for it."""
    last = db.execute(
        "SELECT id, to_ms FROM pruned WHERE outbox = ? AND last = ? ORDER BY id DESC LIMIT 1", (outbox, seq - 1)
    ).fetchone()
    if last is not None and _day(last[1]) == _day(at):
        db.execute(
            "UPDATE pruned SET last = ?, from_ms = min(from_ms, ?), to_ms = max(to_ms, ?) WHERE id = ?",
            (seq, at, at, last[0]),
        )
    else:
        db.execute(
            "INSERT INTO pruned (outbox, first, last, from_ms, to_ms) VALUES (?,?,?,?,?)", (outbox, seq, seq, at, at)
        )


def _day(ms: int) -> int:
    return datetime.fromtimestamp(ms / 1000, UTC).toordinal()
