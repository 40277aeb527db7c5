"""The outbox file: its tables, how it is opened, and what SQLite's errors mean. Nothing here knows what a row says.

`row.id` orders rows by when they were kept, over all outbox ids of the file, and is never given twice. `seq` counts
under one outbox id; the last one given lies in `stream` and is committed with its row: an emptied table repeats none.
"""

import contextlib
import errno
import sqlite3
from pathlib import Path
from typing import Final

from contract import codec

TABLES: Final = """
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream (
    outbox TEXT PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    doubted INTEGER,
    ended INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS row (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    outbox TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    mono INTEGER NOT NULL,
    boot TEXT NOT NULL,
    dated INTEGER NOT NULL,
    frozen INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    settled_at INTEGER,
    body TEXT,
    digest TEXT NOT NULL,
    UNIQUE (outbox, seq)
);
CREATE INDEX IF NOT EXISTS row_waiting ON row (id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS row_waiting_seq ON row (outbox, seq) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS row_undated ON row (boot) WHERE frozen = 0;
CREATE INDEX IF NOT EXISTS row_emptied ON row (outbox, seq) WHERE body IS NULL;
CREATE INDEX IF NOT EXISTS row_settled ON row (id) WHERE state <> 'waiting' AND body IS NOT NULL;
CREATE TABLE IF NOT EXISTS rejected (
    outbox TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (outbox, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pruned (
    id INTEGER PRIMARY KEY,
    outbox TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS pruned_outbox ON pruned (outbox);
CREATE TABLE IF NOT EXISTS declared (
    outbox TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    row INTEGER NOT NULL,
    PRIMARY KEY (outbox, first, last)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS minute (
    boot TEXT NOT NULL,
    mono_min INTEGER NOT NULL,
    wall_min INTEGER NOT NULL,
    dated INTEGER NOT NULL,
    PRIMARY KEY (boot, mono_min)
) WITHOUT ROWID;
"""
_BUSY_S: Final = 10.0
_FULL: Final = frozenset({sqlite3.SQLITE_FULL})
_BROKEN: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""The last: a file of another format, or without what we put into it. Our own SQL is right."""
_DISK: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})


class OutboxBroken(Exception):
    """The outbox file is damaged: end the program, the next start sets the file aside and saves what is readable."""


class OutboxUnavailable(Exception):
    """The outbox cannot be used now (disk fault, rights, another program holds it): nothing was changed."""


class DiskFull(OutboxUnavailable):
    """The disk takes no more; whatever was begun was undone."""


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the file, checked and with its tables. Raises `OutboxBroken` or `OutboxUnavailable`."""
    try:
        db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise meaning(error, path) from error
    try:
        _prepare(db)
    except sqlite3.Error as error:
        db.close()
        raise meaning(error, path) from error
    except UnicodeDecodeError as error:  # what SQLite says of a damaged file quotes it
        db.close()
        raise meaning(sqlite3.DatabaseError("its tables are unreadable"), path) from error
    return db


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 256")  # pages: the log stays near 1 MiB, well below the reserve
    db.execute("PRAGMA cache_size = -1024")
    # Not quick_check: a row that its index lacks would wait for ever.
    verdict = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(f"integrity_check: {verdict}")
    # Only when needed: with a full disk even a statement that would change nothing may fail.
    if not _made(db):
        db.executescript("BEGIN IMMEDIATE;" + TABLES + "COMMIT;")
    _refuse_altered(db)


def _made(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """The tables and indexes that are there."""
    return db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()


def _refuse_altered(db: sqlite3.Connection) -> None:
    """No check of SQLite sees one wrong letter: a default that differs, an outbox id that nobody has."""
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        model.executescript(TABLES)
        if not set(_made(model)) <= set(_made(db)):
            raise sqlite3.DatabaseError("its tables are not those that were made")
    lost = "SELECT 1 FROM note WHERE name = 'outbox' AND value NOT IN (SELECT outbox FROM stream)"
    if db.execute(lost).fetchone() is not None:
        raise sqlite3.DatabaseError("the outbox in use is unknown")
    for body, digest in db.execute("SELECT body, digest FROM row WHERE body IS NOT NULL"):
        if codec.digest(body) != digest:
            raise sqlite3.DatabaseError("a row is not what was written")


def meaning(error: sqlite3.Error, path: Path) -> OutboxBroken | OutboxUnavailable:
    """What a library error means for whoever must decide."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in _FULL or (primary in _DISK and not has_room(path)):
        return DiskFull(f"the disk of {path} is full")
    if primary in _BROKEN or (code is None and isinstance(error, sqlite3.DatabaseError)):
        return OutboxBroken(f"the outbox {path} is damaged ({error}); restart the program, it saves what is readable")
    return OutboxUnavailable(f"the outbox {path} cannot be used now ({error}); check the disk and the file's owner")


def has_room(path: Path, wanted: int = 64 * 1024) -> bool:
    """Whether *wanted* bytes can really be written beside *path*: a quota does not show in the free space."""
    probe = path.with_name(path.name + ".probe")
    try:
        with probe.open("wb") as file:
            file.write(b"\0" * wanted)
    except OSError as error:
        return error.errno not in (errno.ENOSPC, errno.EDQUOT)
    finally:
        probe.unlink(missing_ok=True)
    return True
