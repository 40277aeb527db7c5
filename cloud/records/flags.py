"""Flags and their chain of events, as rows. What a flag means and when it moves is decided above.

Whoever writes holds the lock (`lock`) until the end of the transaction: events follow each other without a gap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, func, insert, select, text, update

from cloud.records.flag_schema import flag_events, flags

_ONE_WRITER: Final = 0x486164697246  # "HadirF"
_ALIVE: Final = ("pending", "open", "recovering")
_OPEN: Final = ("open", "recovering")


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A row of `flags`, column by column."""

    id: int
    number: str | None
    kind: str
    subject: str
    estate: str
    run: str
    condition: str
    level: int
    severity: str
    gate: str
    hushed: str
    told: str
    handling: str
    owner: str
    acknowledged_until_ms: int | None
    outcome: str
    decided_ms: int | None
    since_ms: int
    seen_ms: int
    opened_ms: int | None
    recovering_ms: int | None
    ended_ms: int | None
    rule: str
    policy: str
    evidence: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row of `flag_events`, column by column."""

    id: int
    flag: int | None
    at_ms: int
    what: str
    by: str
    detail: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many flags of one estate and kind there are and were."""

    estate: str
    kind: str
    open: int = 0
    unacknowledged: int = 0
    hushed: int = 0
    oldest_ms: int | None = None
    """When the oldest open one was opened."""
    opened: int = 0
    closed: int = 0
    retracted: int = 0


@dataclass(frozen=True, slots=True)
class Lasted:
    """An opened flag's time: when its condition began, and when it was over if it is."""

    kind: str
    estate: str
    since_ms: int
    ended_ms: int | None


_COLUMNS: Final = tuple(flags.c[each.name] for each in fields(FlagRow))
_EVENT_COLUMNS: Final = tuple(flag_events.c[each.name] for each in fields(EventRow))


# ---- reading ---------------------------------------------------------------------------------------------------------


def alive(connection: Connection) -> list[FlagRow]:
    """The flags that have not ended."""
    return _rows(connection, select(*_COLUMNS).where(flags.c.condition.in_(_ALIVE)).order_by(flags.c.id))


def ended_since(connection: Connection, since_ms: int, *, kinds: Collection[str]) -> list[FlagRow]:
    """The opened flags of *kinds* that ended at or after *since_ms*, in the order of their end."""
    ended = flags.c.ended_ms >= since_ms, flags.c.opened_ms.is_not(None), flags.c.kind.in_(sorted(kinds))
    return _rows(connection, select(*_COLUMNS).where(*ended).order_by(flags.c.ended_ms, flags.c.id))


def by_number(connection: Connection, number: str) -> FlagRow | None:
    """The flag called *number*."""
    return next(iter(_rows(connection, select(*_COLUMNS).where(flags.c.number == number))), None)


def listed(connection: Connection, *, kind: str = "", estate: str = "", with_ended: bool = False) -> list[FlagRow]:
    """The flags that were opened, newest first: the open ones, or all of them."""
    query = select(*_COLUMNS).where(flags.c.opened_ms.is_not(None))
    if not with_ended:
        query = query.where(flags.c.condition.in_(_OPEN))
    for column, wanted in ((flags.c.kind, kind), (flags.c.estate, estate)):
        query = query.where(column == wanted) if wanted else query
    return _rows(connection, query.order_by(flags.c.opened_ms.desc(), flags.c.id.desc()))


def held_at(connection: Connection, estate: str) -> list[FlagRow]:
    """The flags of *estate* that the mass gate holds."""
    query = select(*_COLUMNS).where(flags.c.estate == estate, flags.c.gate == "held", flags.c.condition == "pending")
    return _rows(connection, query.order_by(flags.c.kind, flags.c.subject))


def recovering(connection: Connection) -> set[str]:
    """The numbers of the flags of which it is not yet certain whether they are over."""
    return set(connection.scalars(select(flags.c.number).where(flags.c.condition == "recovering")).all())


def decided_since(connection: Connection, since_ms: int, *, outcome: str) -> dict[str, int]:
    """Per subject: when *outcome* was last decided, if at or after *since_ms*."""
    query = (
        select(flags.c.subject, func.max(flags.c.decided_ms))
        .where(flags.c.outcome == outcome, flags.c.decided_ms >= since_ms)
        .group_by(flags.c.subject)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def head(connection: Connection) -> tuple[int, str]:
    """The last event's id and hash; 0 and nothing before the first."""
    query = select(flag_events.c.id, flag_events.c.hash).order_by(flag_events.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return (row.id, row.hash) if row is not None else (0, "")


def events_of(connection: Connection, flag: int) -> list[EventRow]:
    """What happened to a flag, in order."""
    query = select(*_EVENT_COLUMNS).where(flag_events.c.flag == flag).order_by(flag_events.c.id)
    return [EventRow(*row) for row in connection.execute(query)]


def all_events(connection: Connection) -> Iterator[EventRow]:
    """The whole chain in order, without holding it in memory."""
    query = select(*_EVENT_COLUMNS).order_by(flag_events.c.id)
    for row in connection.execution_options(yield_per=1000).execute(query):
        yield EventRow(*row)


def last_number(connection: Connection, prefix: str) -> str | None:
    """The highest number that begins with *prefix*."""
    those = select(flags.c.number).where(flags.c.number.startswith(prefix, autoescape=True))
    return connection.execute(
        those.order_by(func.length(flags.c.number).desc(), flags.c.number.desc()).limit(1)
    ).scalar_one_or_none()


def tallies(connection: Connection) -> list[Tally]:
    """Per estate and kind: the flags that are open, and those that ever were."""
    is_open = flags.c.condition.in_(_OPEN)
    counts = (
        _count(is_open),
        _count(is_open, flags.c.handling == "new"),
        _count(is_open, flags.c.hushed != "{}"),
        func.min(flags.c.opened_ms).filter(is_open),
        func.count(),
        _count(flags.c.condition.in_(("closed", "superseded"))),
        _count(flags.c.condition == "retracted"),
    )
    query = select(flags.c.estate, flags.c.kind, *counts).where(flags.c.opened_ms.is_not(None))
    grouped = query.group_by(flags.c.estate, flags.c.kind).order_by(flags.c.estate, flags.c.kind)
    return [Tally(*row) for row in connection.execute(grouped)]


def lasted(connection: Connection, *, kinds: Collection[str], changed_since_ms: int) -> list[Lasted]:
    """The opened flags of *kinds* that stand, or ended at or after *changed_since_ms*."""
    recent = flags.c.ended_ms.is_(None) | (flags.c.ended_ms >= changed_since_ms)
    over_ms = case((flags.c.ended_ms.is_(None), None), else_=func.coalesce(flags.c.recovering_ms, flags.c.ended_ms))
    query = select(flags.c.kind, flags.c.estate, flags.c.since_ms, over_ms)
    those = query.where(flags.c.kind.in_(sorted(kinds)), flags.c.opened_ms.is_not(None), recent)
    return [Lasted(*row) for row in connection.execute(those.order_by(flags.c.id))]


def _count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(*conditions)


def _rows(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[FlagRow]:  # Any: what the columns hold
    return [FlagRow(*row) for row in connection.execute(query)]


# ---- writing ---------------------------------------------------------------------------------------------------------


def lock(connection: Connection) -> None:
    """Be the only one who writes flags until this transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_WRITER})


def next_id(connection: Connection) -> int:
    """The id of the next new flag. Hold the lock."""
    return (connection.execute(select(func.max(flags.c.id))).scalar_one_or_none() or 0) + 1


def add(connection: Connection, rows: Sequence[FlagRow]) -> None:
    """New flags. Hold the lock."""
    if rows:
        connection.execute(insert(flags), [asdict(row) for row in rows])


def replace(connection: Connection, rows: Sequence[FlagRow]) -> None:
    """What is said of flags that exist. Hold the lock."""
    for row in rows:
        values = asdict(row)
        connection.execute(update(flags).where(flags.c.id == values.pop("id")).values(**values))


def append(connection: Connection, events: Sequence[EventRow]) -> None:
    """Events that follow the head of the chain. Hold the lock."""
    if events:
        connection.execute(insert(flag_events), [asdict(event) for event in events])
