"""The outbox: what this machine has seen and the centre has not confirmed. `keep` returns once it is on the disk.

One SQLite connection, one lock: threads take turns, a turn is a transaction of milliseconds. Another process (`doctor`)
may open the same file beside it; SQLite's own locks order the two.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from contract.messages import Event, Happening, Hours, Record, Resume, Stored, Tap
from contract.ranges import Ranges
from edge import able
from edge.dating import Stamp
from edge.outbox import answers, hours, room, rows, salvage, schema
from edge.outbox.answers import Settled
from edge.outbox.room import Limits
from edge.outbox.rows import Kept, Position, Waiting
from edge.outbox.schema import DiskFull, OutboxBroken, OutboxUnavailable

__all__ = [
    "Kept", "Limits", "NotKept", "Outbox", "OutboxBroken", "OutboxUnavailable", "Position", "Settled", "Waiting",
    "open_beside",
    "open_outbox",
]  # fmt: skip

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_EVENT_MARGIN: Final = 200
"""Rows beyond the budget that only events and hours may take: what must be reported still can be."""


class NotKept(Exception):
    """The record is not on the disk and never will be: say so to whoever stands there. The message tells why."""


def open_beside(path: Path, limits: Limits) -> "Outbox":
    """The outbox that a running program uses. Raises `OutboxUnavailable` or `OutboxBroken`; repairs nothing."""
    return Outbox(path, schema.connect(path), limits=limits, reserve=room.Reserve(path, 0))


def open_outbox(path: Path, limits: Limits, stamp: Stamp) -> "Outbox":
    """The outbox at *path*; a damaged one is set aside and replaced. Raises `OutboxUnavailable` alone."""
    reserve = room.Reserve(path.with_name(path.name + ".reserve"), limits.reserve_bytes)
    try:
        db = _connect(path, reserve)
    except DiskFull as error:
        raise OutboxUnavailable(f"the outbox {path} cannot be opened ({error}); make room or check the disk") from error
    outbox = Outbox(path, db, limits=limits, reserve=reserve)
    outbox.take_in_wrecks(stamp)
    reserve.lay_up()
    return outbox


def _connect(path: Path, reserve: room.Reserve) -> sqlite3.Connection:
    try:
        return schema.connect(path)
    except DiskFull:
        reserve.release()
        return schema.connect(path)
    except OutboxBroken as broken:
        try:
            aside = salvage.set_aside(path)
        except OSError as error:
            raise OutboxUnavailable(f"{broken}, and cannot be set aside ({error}); check the disk") from error
        _log.error("%s. It now lies at %s", broken, aside, extra={"action": "outbox_set_aside"})
        return schema.connect(path)


class Outbox:
    """Safe to use from several threads. Methods raise `OutboxBroken` (end the program) or `OutboxUnavailable`."""

    def __init__(self, path: Path, db: sqlite3.Connection, *, limits: Limits, reserve: room.Reserve) -> None:
        self.path = path
        self._db = db
        self._limits = limits
        self._reserve = reserve
        self._lock = threading.RLock()
        self._count = self._read(room.count)
        self._refused = 0
        self._unreported = 0
        self._refused_since: Stamp | None = None

    # ---- keeping -----------------------------------------------------------------------------------------------------

    def keep(self, record: Record, *, at_once: bool = False) -> Kept:
        """Put *record* on the disk under the next seq, whatever seq it carries. Raises `NotKept`.

        *at_once*: never wait for a better date, send it as it is.
        """
        with self._lock:
            try:
                self._make_room_in_budget(is_tap=isinstance(record, Tap))
                kept = self._write(lambda db: self._insert(db, record, at_once))
            except OutboxUnavailable as error:
                raise self._refuse(record, error) from error
            self._count += 2 if self._unreported else 1
            self._unreported, self._refused_since = 0, None
            return kept

    def _insert(self, db: sqlite3.Connection, record: Record, at_once: bool) -> Kept:
        kept = rows.insert(db, record, at_once=at_once)
        if self._unreported:
            rows.insert(db, self._refusals(Stamp(record.at, record.mono, record.boot, record.clock)))
        return kept

    def report_refusals(self, stamp: Stamp) -> bool:
        """Keep a record of the taps that were refused, once that is possible; whether there was one to keep.

        Without it a machine whose disk has room again would go on counting as unable until somebody taps.
        """
        with self._lock:
            if not self._unreported:
                return False
            try:
                self._make_room_in_budget(is_tap=True)
                self._write(lambda db: rows.insert(db, self._refusals(stamp)))
            except OutboxUnavailable:
                return False
            self._count += 1
            self._unreported, self._refused_since = 0, None
            return True

    def _refusals(self, stamp: Stamp) -> Event:
        since = (self._refused_since or stamp).at
        return rows.event(stamp, Happening.TAPS_REFUSED, count=self._unreported, since=since)

    def _refuse(self, record: Record, error: Exception) -> NotKept:
        if isinstance(record, Tap):
            self._refused += 1
            self._unreported += 1
            self._refused_since = self._refused_since or Stamp(record.at, record.mono, record.boot, record.clock)
            _log.error("A tap was refused: %s", error, extra={"action": "tap_refused", "refused": self._refused})
        return NotKept(f"nothing was kept: {error}")

    def _make_room_in_budget(self, *, is_tap: bool) -> None:
        budget = self._limits.row_budget + (0 if is_tap else _EVENT_MARGIN)
        while self._count >= budget:
            gone = self._write(lambda db: room.prune_settled(db, room.STEP))
            if not gone:
                raise DiskFull(f"the row budget of {self._limits.row_budget} is used up by rows that are not confirmed")
            self._count -= gone

    # ---- sending -----------------------------------------------------------------------------------------------------

    def oldest(self, limit: int, *, boot: str, patient_after: int) -> list[Waiting]:
        """Rows to send, oldest first. Undated rows of *boot* made after *patient_after* (monotonic ms) still wait."""
        return self._read(lambda db: rows.oldest(db, boot, patient_after, limit))

    def newest(self, limit: int, *, boot: str, patient_after: int, made_after: int) -> list[Waiting]:
        """The same for rows of *boot* made after *made_after* (monotonic ms), newest first."""
        return self._read(lambda db: rows.newest(db, boot, patient_after, made_after, limit))

    def freeze(self, outbox: str, seqs: Sequence[int]) -> list[str]:
        """The texts of those rows that still wait; from now on they never change."""
        with self._lock:
            texts, are_frozen = self._read(lambda db: rows.bodies(db, outbox, seqs))
            if not are_frozen:
                self._write(lambda db: rows.freeze(db, outbox, seqs), may_release=True)
            return texts

    def settle(self, stored: Stored, stamp: Stamp) -> Settled:
        """Take in an answer; late, doubled or out of order."""
        return self._write(lambda db: answers.settle(db, stored, stamp), may_release=True)

    def resume(self, asked: Resume, stamp: Stamp) -> Ranges:
        """Send again what the cloud lost; which of it is gone, and now declared so."""
        return self._write(lambda db: answers.resume(db, asked, stamp), may_release=True)

    def redate(self, boot: str, base: int) -> int:
        """Correct the times of this boot's rows that were never sent; how many."""
        if not self._read(lambda db: rows.has_undated(db, boot)):
            return 0
        return self._write(lambda db: rows.redate(db, boot, base), may_release=True)

    # ---- what there is -----------------------------------------------------------------------------------------------

    def position(self) -> Position:
        """Of the outbox id in use."""
        return self._read(lambda db: rows.position(db, rows.current(db)))

    def confirmed(self, outbox: str) -> int:
        """Every seq up to this one is answered."""
        return self._read(lambda db: rows.position(db, outbox).confirmed)

    def backlog(self) -> tuple[int, int | None]:
        """How many rows wait, and when the oldest of them was made."""
        return self._read(rows.backlog)

    def is_waiting(self, kept: Kept) -> bool:
        """Whether that row is not answered yet."""
        return self._read(lambda db: rows.is_waiting(db, kept))

    @property
    def rejected(self) -> int:
        """Rows the centre can never read."""
        return int(self._read(lambda db: db.execute("SELECT count(*) FROM rejected").fetchone()[0]))

    @property
    def refused(self) -> int:
        """Taps that could not be kept since the program started."""
        return self._refused

    def can_keep(self) -> bool:
        """Whether the last tap could be kept and the next one should."""
        with self._lock:
            return self._unreported == 0 and self._count < self._limits.row_budget

    # ---- small things kept beside the rows ---------------------------------------------------------------------------

    def begin_session(self) -> int:
        """The number of this start of the program: one more than ever before, on the disk before it is used."""

        def advance(db: sqlite3.Connection) -> int:
            session = int(rows.recall(db, "session") or 0) + 1
            rows.note(db, "session", str(session))
            return session

        try:
            return self._write(advance)
        except OutboxUnavailable:
            return int(self.recall("session") or 0) + 1  # the machine must start; a birth is believed all the same

    def recall(self, name: str) -> str | None:
        """What was last noted under *name*."""
        return self._read(lambda db: rows.recall(db, name))

    def note(self, name: str, value: str) -> None:
        """Note a small fact."""
        self._write(lambda db: rows.note(db, name, value))

    def note_minutes(self, minutes: Sequence[able.Minute]) -> None:
        """Remember able minutes until their hour is over."""
        self._write(lambda db: hours.note(db, minutes))

    def close_hours(self, record: Callable[[able.Hour], Hours | None], base: tuple[str, int | None]) -> int:
        """Turn minutes into records: every hour for which *record* gives one. *base*: of this boot. How many."""
        made = self._write(lambda db: hours.close(db, record, base))
        with self._lock:
            self._count += made
        return made

    # ---- room --------------------------------------------------------------------------------------------------------

    def prune(self, now_ms: int | None) -> int:
        """Let confirmed rows go after their time; *now_ms* only from a clock that can be believed. How many went."""
        gone = 0
        while now_ms is not None:
            before = now_ms - self._limits.keep_ms
            step = self._write(partial(room.prune_old, before_ms=before), may_release=True)
            gone += step
            if step < room.STEP:
                break
        with self._lock:
            self._count = self._read(room.count)
        self._reserve.lay_up()
        return gone

    def free_share(self) -> float:
        """Per cent of the disk that is free."""
        return room.free_share(self.path)

    def take_in_wrecks(self, stamp: Stamp) -> None:
        """Take in the readable rows of damaged files that were set aside and not read yet."""
        for aside in salvage.set_aside_before(self.path):
            if self.recall(f"wreck:{aside.name}") is None:
                wreck = salvage.read(aside)
                saved = self._write(partial(_take_in, wreck=wreck, name=aside.name, stamp=stamp))
                _log.warning("%d rows were saved", saved, extra={"action": "wreck_read", "rows": saved})
        self._count = self._read(room.count)

    def close(self) -> None:
        """Close the file; nothing is left to write."""
        with self._lock:
            self._db.close()

    # ---- transactions ------------------------------------------------------------------------------------------------

    def _read(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._lock:
            try:
                return action(self._db)
            except sqlite3.Error as error:
                raise schema.meaning(error, self.path) from error

    def _write(self, action: Callable[[sqlite3.Connection], _T], *, may_release: bool = False) -> _T:
        """Run *action* as one transaction; with the disk full, once more after making room.

        Only an answer, and what must be written before a row may be sent, *may release* the reserve while nothing
        settled can go: taps would use it up, and then no answer could be written down, and nothing could ever go again.
        """
        with self._lock:
            try:
                return self._transaction(action)
            except DiskFull:
                self._make_room_on_disk(may_release=may_release or self._read(room.has_settled))
                return self._transaction(action)

    def _make_room_on_disk(self, *, may_release: bool) -> None:
        if may_release and self._reserve.release():
            _log.error("The disk is full: the reserve is released", extra={"action": "reserve_released"})
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._count -= self._transaction(lambda db: room.prune_settled(db, room.STEP))
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (OutboxUnavailable, sqlite3.Error):
            return  # the second attempt of what was to be done will say so

    def _transaction(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            self._roll_back()
            self._db.execute("BEGIN IMMEDIATE")
            result = action(self._db)
            self._db.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):  # what cannot be rolled back now is so before the next BEGIN
                self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise schema.meaning(error, self.path) from error
            raise
        return result

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _take_in(db: sqlite3.Connection, *, wreck: salvage.Wreck, name: str, stamp: Stamp) -> int:
    saved = rows.restore(db, wreck.rows, wreck.ended)
    rows.insert(db, rows.event(stamp, "outbox_set_aside", rows=saved))
    for outbox, last in wreck.ended.items():
        rows.end(db, outbox, last, stamp)
    rows.note(db, f"wreck:{name}", str(saved))
    return saved
