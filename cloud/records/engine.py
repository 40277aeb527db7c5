"""Reaching the database, whichever engine: `open_records(url)`, then whole transactions as functions of a connection.

A transaction that lost a race (deadlock, serialization, locked) is repeated here and nowhere else, so its function must
be repeatable. What a database can say against us becomes one of two: `RecordsUnavailable` (later) or `BadData` (never).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self, TypeVar

import psycopg
import tenacity
from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")

BUSY_TIMEOUT_S: Final = 10
_CONTENTION: Final = frozenset({"40001", "40P01", "55P03"})  # serialization failure, deadlock, lock not available
_ABSENT: Final = frozenset({"42P01", "42703"})  # undefined table, undefined column
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PG_OPTIONS: Final = "-c synchronous_commit=on -c lock_timeout=20s -c idle_in_transaction_session_timeout=120s"


class RecordsUnavailable(Exception):
    """The database cannot be used now; the same work may succeed later. Whether it committed is unknown."""


class BadData(ValueError):
    """The database refuses these values and always will. Names the rule, never a value."""


class Records:
    """A database of records. Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def read(self, work: Callable[[Connection], T]) -> T:
        """What *work* finds in one consistent state of the database, in which it can change nothing."""
        return self._run(work, "read")

    def write(self, work: Callable[[Connection], T]) -> T:
        """What *work* returns, once its changes are committed durably. It may run several times; one run counts."""
        return self._run(work, "write")

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, work: Callable[[Connection], T], intent: str) -> T:
        with _explained():
            for attempt in _repeating():
                with attempt:
                    return self._once(work, intent)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _once(self, work: Callable[[Connection], T], intent: str) -> T:
        with self._engine.connect() as connection:
            connection.execution_options(intent=intent, **self._isolation(intent))
            with connection.begin():
                return work(connection)

    def _isolation(self, intent: str) -> dict[str, object]:
        """PostgreSQL reads from one snapshot, as SQLite does by itself; writers lock rows and need none."""
        if self.dialect == "sqlite" or intent == "write":
            return {}
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def open_records(url: str) -> Records:
    """The database at *url*: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`. Raises `ValueError`; connects later."""
    try:
        parsed = make_url(url.strip())
    except exc.ArgumentError:
        raise ValueError("the database URL cannot be read: use sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return Records(_sqlite(parsed))
    if backend in ("postgresql", "postgres"):
        return Records(_postgresql(parsed))
    raise ValueError(f"no database of the kind {backend!r} is known: use sqlite:///FILE or postgresql://USER@HOST/NAME")


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("the database URL names no file: a database in memory would be lost, and is not shared")
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: Python's own comes too late and is never IMMEDIATE
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    is_writer = connection.get_execution_options().get("intent") == "write"
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if is_writer else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


def _postgresql(url: URL) -> Engine:
    connect_args: dict[str, object] = {"connect_timeout": 10, "application_name": "hadir", "options": _PG_OPTIONS}
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={key: value for key, value in connect_args.items() if key not in url.query},
    )


def _repeating() -> tenacity.Retrying:
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_contention),
        stop=tenacity.stop_after_attempt(8),
        wait=tenacity.wait_random_exponential(multiplier=0.01, max=1),
        reraise=True,
    )


# ---- what went wrong -------------------------------------------------------------------------------------------------


def is_contention(error: BaseException) -> bool:
    """Whether another transaction was in the way, so that running again is the answer."""
    origin = error.orig if isinstance(error, exc.DBAPIError) else None
    if isinstance(origin, psycopg.Error):
        return origin.sqlstate in _CONTENTION
    return isinstance(origin, sqlite3.Error) and _sqlite_code(origin) in _LOCKED


@contextmanager
def _explained() -> Iterator[None]:
    """Every exception of the libraries, translated once. Bad data loses its cause: that text quotes whole rows."""
    try:
        yield
    except (exc.DataError, exc.IntegrityError) as error:
        raise BadData(_complaint(error.orig)) from None
    except (OverflowError, UnicodeEncodeError) as error:
        raise BadData(f"a value does not fit the database ({type(error).__name__})") from None
    except exc.DBAPIError as error:
        if isinstance(error, exc.ProgrammingError) and not _is_absent(error.orig):
            raise
        raise RecordsUnavailable(_advice(error.orig)) from error
    except exc.TimeoutError as error:
        raise RecordsUnavailable("no connection to the database became free: too much at once, or it hangs") from error


def _complaint(origin: BaseException | None) -> str:
    if isinstance(origin, psycopg.Error):
        broken = origin.diag.constraint_name or origin.diag.column_name or "type or range"
        return f"the database refuses a value: {broken} ({type(origin).__name__})"
    return f"the database refuses a value: {origin}"


def _advice(origin: BaseException | None) -> str:
    if _is_absent(origin):
        return "the database lacks tables of this version: run `hadir-provision registry prepare`, then start again"
    if isinstance(origin, sqlite3.Error) and _sqlite_code(origin) == sqlite3.SQLITE_FULL:
        return "the disk of the database is full: nothing is stored until space is freed"
    return f"the database cannot be used now ({origin}): is it running, reachable and writable?"


def _is_absent(origin: BaseException | None) -> bool:
    if isinstance(origin, psycopg.Error):
        return origin.sqlstate in _ABSENT
    return isinstance(origin, sqlite3.OperationalError) and str(origin).startswith(("no such table", "no such column"))


def _sqlite_code(error: sqlite3.Error) -> int:
    """The primary result code; the extended ones carry it in their low byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
