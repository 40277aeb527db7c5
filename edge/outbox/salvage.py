"""A damaged outbox file: set aside with its -wal and -shm, and read for whatever can still be read.

Read forwards until it breaks, then backwards, then singly between: one torn page costs what lies on it. A row counts
only if its text is a record of its seq and its digest agrees.
"""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract import codec
from contract.messages import MAX_SEQ
from edge.outbox.rows import WAITING, Saved

_MARK: Final = ".broken-"
_COLUMNS: Final = "id, outbox, seq, state, settled_at, frozen, body, digest"
_STATES: Final = frozenset({WAITING, "stored", "held"})
_ID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An outbox id: one that the wire would refuse cannot be closed, and no row of it sent."""
_TAILS: Final = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Wreck:
    """What a damaged file still says."""

    rows: tuple[Saved, ...]
    ended: dict[str, int]
    """The highest seq known of each of its outbox ids."""


def set_aside(path: Path) -> Path:
    """Move the file out of the way, all three parts of it; where it lies now."""
    number = 1 + max((int(old.name.rpartition("-")[2]) for old in set_aside_before(path)), default=0)
    aside = path.with_name(f"{path.name}{_MARK}{number}")
    for tail in _TAILS:
        part = path.with_name(path.name + tail)
        if part.exists():
            part.replace(aside.with_name(aside.name + tail))
    return aside


def set_aside_before(path: Path) -> list[Path]:
    """The damaged files that were set aside beside *path*, oldest first."""
    found = [file for file in path.parent.glob(f"{path.name}{_MARK}*") if file.name.rpartition("-")[2].isdigit()]
    return sorted(found, key=lambda file: int(file.name.rpartition("-")[2]))


def read(aside: Path) -> Wreck:
    """Everything readable. Never raises for what the file holds."""
    try:
        db = sqlite3.connect(aside, isolation_level=None)
    except sqlite3.Error:
        return Wreck((), {})
    try:
        found = {row.id: row for row in _scan(db, "ASC")}
        below = max(found, default=0)
        found |= {row.id: row for row in _scan(db, "DESC", known=frozenset(found))}
        above = min((number for number in found if number > below), default=0)
        found |= {row.id: row for row in _singly(db, range(below + 1, above))}
        return Wreck(tuple(found.values()), _ended(db, tuple(found.values())))
    finally:
        db.close()


def _scan(db: sqlite3.Connection, order: str, known: frozenset[int] = frozenset()) -> Iterator[Saved]:
    try:
        for raw in db.execute(f"SELECT {_COLUMNS} FROM row NOT INDEXED WHERE body IS NOT NULL ORDER BY id {order}"):
            if raw[0] in known:
                return
            saved = _sound(raw)
            if saved is not None:
                yield saved
    except (sqlite3.Error, UnicodeDecodeError, OverflowError):
        return


def _singly(db: sqlite3.Connection, numbers: range) -> Iterator[Saved]:
    """Rows between the first damage and the last: each is looked up by itself, so that only torn pages cost theirs."""
    for number in numbers:
        try:
            raw = db.execute(f"SELECT {_COLUMNS} FROM row WHERE id = ? AND body IS NOT NULL", (number,)).fetchone()
        except (sqlite3.Error, UnicodeDecodeError, OverflowError):
            continue
        if raw is not None and (saved := _sound(raw)) is not None:
            yield saved


def _sound(raw: tuple[object, ...]) -> Saved | None:
    match raw:
        case (int(number), str(outbox), int(seq), str(state), settled_at, frozen, str(body), str(digest)):
            read = codec.decode_record(body)
            if not isinstance(read, codec.Received) or read.record.seq != seq or codec.digest(body) != digest:
                return None
            if (
                not _ID.fullmatch(outbox)
                or state not in _STATES
                or not (settled_at is None or isinstance(settled_at, int))
            ):
                return None
            return Saved(number, outbox, seq, state, settled_at, bool(frozen), body)
    return None


def _ended(db: sqlite3.Connection, found: tuple[Saved, ...]) -> dict[str, int]:
    ended: dict[str, int] = {}
    try:
        for outbox, last in db.execute("SELECT outbox, last_seq FROM stream"):
            if isinstance(outbox, str) and _ID.fullmatch(outbox) and isinstance(last, int) and 0 <= last <= MAX_SEQ:
                ended[outbox] = last
    except (sqlite3.Error, UnicodeDecodeError):
        pass
    for row in found:
        ended[row.outbox] = max(ended.get(row.outbox, 0), row.seq)
    return ended
