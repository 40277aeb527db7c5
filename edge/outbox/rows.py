"""Rows of the outbox as SQL: keeping, reading, freezing, re-dating. Functions over a connection inside a transaction.

A row's body is its canonical text. It may change (a better date) only until it is *frozen*, which is before it is first
sent; a row under a trusted clock is frozen when it is made.
"""

import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from contract import codec
from contract.messages import MAX_SEQ, Clock, Event, Happening, Record
from edge.dating import Stamp, bounded

WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a record lies: on the disk, for good."""

    outbox: str
    seq: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is not answered yet and may be sent."""

    id: int
    outbox: str
    seq: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far one outbox has come."""

    outbox: str
    last_seq: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Saved:
    """A row as it was read from a damaged file."""

    id: int
    outbox: str
    seq: int
    state: str
    settled_at: int | None
    is_frozen: bool
    body: str = field(repr=False)


def recall(db: sqlite3.Connection, name: str) -> str | None:
    """What was last noted under *name*."""
    found = db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
    return None if found is None else str(found[0])


def note(db: sqlite3.Connection, name: str, value: str) -> None:
    """Note *value* under *name*."""
    db.execute("INSERT INTO note VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))


def current(db: sqlite3.Connection) -> str:
    """The outbox id under which new rows are kept."""
    found = recall(db, "outbox")
    return begin(db) if found is None else found


def begin(db: sqlite3.Connection) -> str:
    """Start a new outbox id and make it the current one."""
    fresh = str(uuid.uuid4())
    db.execute("INSERT INTO stream (outbox, last_seq) VALUES (?, 0)", (fresh,))
    note(db, "outbox", fresh)
    return fresh


def end(db: sqlite3.Connection, outbox: str, last_seq: int, stamp: Stamp) -> None:
    """*outbox* ends at *last_seq*, or at its last row if that is later; new rows go elsewhere, the cloud is told."""
    own, ended = db.execute("SELECT last_seq, ended FROM stream WHERE outbox = ?", (outbox,)).fetchone()
    last = min(max(own, last_seq), MAX_SEQ)
    if ended is not None and ended >= last:
        return
    db.execute("UPDATE stream SET last_seq = ?, ended = ? WHERE outbox = ?", (last, last, outbox))
    if current(db) == outbox:
        begin(db)
    insert(db, event(stamp, Happening.OUTBOX_CLOSED, outbox=outbox, last_seq=last))


def event(stamp: Stamp, name: str, **detail: str | int | float | bool) -> Event:
    """An event record, not numbered yet."""
    return Event(
        seq=1, at=stamp.at, mono=stamp.mono, boot=stamp.boot, clock=stamp.clock, event=str(name), detail=dict(detail)
    )


def insert(db: sqlite3.Connection, record: Record, *, at_once: bool = False) -> Kept:
    """Give *record* the next seq of the current outbox and keep it. *at_once*: send it without waiting for a date."""
    outbox = current(db)
    db.execute("UPDATE stream SET last_seq = last_seq + 1 WHERE outbox = ?", (outbox,))
    seq = last_seq(db, outbox)
    numbered = record.model_copy(update={"seq": seq})
    text = codec.body(numbered)
    dated = numbered.is_dated
    db.execute(
        "INSERT INTO row (outbox, seq, at, mono, boot, dated, frozen, body, digest) VALUES (?,?,?,?,?,?,?,?,?)",
        (outbox, seq, record.at, record.mono, record.boot, dated, dated or at_once, text, codec.digest(text)),
    )
    return Kept(outbox, seq)


def last_seq(db: sqlite3.Connection, outbox: str) -> int:
    """The highest seq ever given under *outbox*."""
    return int(db.execute("SELECT last_seq FROM stream WHERE outbox = ?", (outbox,)).fetchone()[0])


def is_ours(db: sqlite3.Connection, outbox: str) -> bool:
    """Whether this file holds, or once held, rows under *outbox*."""
    return db.execute("SELECT 1 FROM stream WHERE outbox = ?", (outbox,)).fetchone() is not None


def position(db: sqlite3.Connection, outbox: str) -> Position:
    """Every seq that is not waiting is answered, except those that a damaged file left in doubt."""
    last, doubted = db.execute("SELECT last_seq, doubted FROM stream WHERE outbox = ?", (outbox,)).fetchone()
    first = db.execute("SELECT min(seq) FROM row WHERE outbox = ? AND state = 'waiting'", (outbox,)).fetchone()[0]
    limits = [number - 1 for number in (first, doubted) if number is not None]
    return Position(outbox, last, min(limits, default=last))


_SENDABLE: Final = "(frozen = 1 OR boot <> ? OR mono <= ?)"


def oldest(db: sqlite3.Connection, boot: str, patient_after: int, limit: int) -> list[Waiting]:
    """Waiting rows, oldest first, less those of *boot* that still hope for a date."""
    found = db.execute(
        f"SELECT id, outbox, seq FROM row WHERE state = 'waiting' AND {_SENDABLE} ORDER BY id LIMIT ?",
        (boot, patient_after, limit),
    )
    return [Waiting(*row) for row in found]


def newest(db: sqlite3.Connection, boot: str, patient_after: int, made_after: int, limit: int) -> list[Waiting]:
    """The same for rows of *boot* made after *made_after*, newest first: of the last *limit*, whatever lies behind."""
    found = db.execute(
        "SELECT id, outbox, seq FROM (SELECT * FROM row WHERE state = 'waiting' ORDER BY id DESC LIMIT ?)"
        f" WHERE boot = ? AND mono > ? AND {_SENDABLE} ORDER BY id DESC",
        (limit, boot, made_after, boot, patient_after),
    )
    return [Waiting(*row) for row in found]


def freeze(db: sqlite3.Connection, outbox: str, seqs: Sequence[int]) -> None:
    """From now on these rows never change."""
    db.executemany(
        "UPDATE row SET frozen = 1 WHERE outbox = ? AND seq = ? AND frozen = 0", [(outbox, seq) for seq in seqs]
    )


def bodies(db: sqlite3.Connection, outbox: str, seqs: Sequence[int]) -> tuple[list[str], bool]:
    """The texts of those rows that still wait, and whether all of them are frozen."""
    marks = ",".join("?" * len(seqs))
    found = db.execute(
        f"SELECT body, frozen FROM row WHERE outbox = ? AND state = 'waiting' AND seq IN ({marks}) ORDER BY seq",
        (outbox, *seqs),
    ).fetchall()
    return [body for body, _ in found], all(frozen for _, frozen in found)


def redate(db: sqlite3.Connection, boot: str, base: int) -> int:
    """Correct the times of this boot's rows that were never sent. How many there were."""
    found = db.execute("SELECT id, mono, body FROM row WHERE boot = ? AND frozen = 0", (boot,)).fetchall()
    for row, mono, text in found:
        _rewrite(db, row, text, at=bounded(base + mono))
    return len(found)


def _rewrite(db: sqlite3.Connection, row: int, text: str, *, at: int) -> None:
    record = record_of(text)
    if record is None:
        return
    fresh = codec.body(record.model_copy(update={"at": at, "clock": Clock.REDATED}))
    db.execute(
        "UPDATE row SET at = ?, dated = 1, frozen = 1, body = ?, digest = ? WHERE id = ?",
        (at, fresh, codec.digest(fresh), row),
    )


def renumber(db: sqlite3.Connection, outbox: str, seq: int) -> Kept | None:
    """Move a row to the current outbox under its next seq; its time stays. None: this version cannot read it."""
    row, text = db.execute("SELECT id, body FROM row WHERE outbox = ? AND seq = ?", (outbox, seq)).fetchone()
    record = record_of(text)
    if record is None:
        return None
    target = current(db)
    db.execute("UPDATE stream SET last_seq = last_seq + 1 WHERE outbox = ?", (target,))
    number = last_seq(db, target)
    fresh = codec.body(record.model_copy(update={"seq": number}))
    db.execute(
        "UPDATE row SET outbox = ?, seq = ?, body = ?, digest = ? WHERE id = ?",
        (target, number, fresh, codec.digest(fresh), row),
    )
    return Kept(target, number)


def record_of(text: str) -> Record | None:
    """The record a body stands for."""
    read = codec.decode_record(text)
    return read.record if isinstance(read, codec.Received) else None


def restore(db: sqlite3.Connection, rows: Iterable[Saved], ended: dict[str, int]) -> int:
    """Take in rows of a damaged file under their own outbox ids, which end at *ended*. How many there were."""
    saved = sorted(rows, key=lambda row: row.id)
    for outbox, last in ended.items():
        present = {row.seq for row in saved if row.outbox == outbox}
        doubted = next((seq for seq in range(1, last + 1) if seq not in present), None)
        db.execute(
            "INSERT INTO stream (outbox, last_seq, doubted) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (outbox, last, doubted),
        )
    for row in saved:
        _restore(db, row)
    return len(saved)


def _restore(db: sqlite3.Connection, row: Saved) -> None:
    record = record_of(row.body)
    if record is None:
        return
    db.execute(
        "INSERT INTO row (outbox, seq, at, mono, boot, dated, frozen, state, settled_at, body, digest)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        (row.outbox, row.seq, record.at, record.mono, record.boot, record.is_dated, row.is_frozen, row.state,
         row.settled_at, row.body, codec.digest(row.body)),
    )  # fmt: skip


def has_undated(db: sqlite3.Connection, boot: str) -> bool:
    """Whether rows of *boot* could still get a better date."""
    return db.execute("SELECT 1 FROM row WHERE frozen = 0 AND boot = ? LIMIT 1", (boot,)).fetchone() is not None


def backlog(db: sqlite3.Connection) -> tuple[int, int | None]:
    """How many rows wait, and when the oldest of them was made."""
    number = int(db.execute("SELECT count(*) FROM row WHERE state = 'waiting'").fetchone()[0])
    oldest = db.execute("SELECT at FROM row WHERE state = 'waiting' ORDER BY id LIMIT 1").fetchone()
    return number, None if oldest is None else int(oldest[0])


def is_waiting(db: sqlite3.Connection, kept: Kept) -> bool:
    """Whether that row is not answered yet."""
    return (
        db.execute(
            "SELECT 1 FROM row WHERE outbox = ? AND seq = ? AND state = 'waiting'", (kept.outbox, kept.seq)
        ).fetchone()
        is not None
    )
