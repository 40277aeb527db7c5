"""What is to be said to whom: written in the transaction that decides it, withdrawn while nobody has been told.

A notice is `waiting`, then `bound` to a message, then `told`, `unsure`, `unreached`; or it is `moot`. Sending is
messages.py's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select, update

from cloud.records.notice_schema import addresses, channel_holds, messages, notices
from cloud.records.upserts import insert_missing

Facts = Mapping[str, object]
"""Plain JSON: what the text is made of."""

LOOKS_BACK_MS: Final = 24 * 3_600_000
OVERDUE_MS: Final = 3_600_000
STRUGGLING: Final = 4


class State(StrEnum):
    """How far a notice has come."""

    WAITING = "waiting"
    BOUND = "bound"
    """Some message carries it: it may have arrived."""
    TOLD = "told"
    UNSURE = "unsure"
    """Sent as often as may be, and nobody knows whether it arrived."""
    MOOT = "moot"
    UNREACHED = "unreached"


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice to be. The same `key` is said once."""

    key: str
    person: str
    flag: str | None
    said: str
    severity: str
    due_ms: int
    facts: Facts = field(repr=False)
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it stands."""

    id: int
    key: str
    person: str
    flag: str | None
    said: str
    severity: str
    due_ms: int
    state: State
    facts: Facts = field(repr=False)
    by: str | None = None
    shunned: frozenset[int] = frozenset()
    """Addresses that did not take it."""
    is_repeat: bool = False
    message: int | None = None

    @property
    def is_maybe_told(self) -> bool:
        """Whether the person may know of it."""
        return self.is_repeat or self.state in (State.BOUND, State.TOLD, State.UNSURE)


@dataclass(frozen=True, slots=True)
class Failing:
    """How telling people fares; nothing is wrong when all of it is empty."""

    held: tuple[str, ...] = ()
    """Channels that need a person: refused token, template, sender."""
    unreached: int = 0
    """Notices of the last day that reached nobody at any address."""
    unsure: int = 0
    """Flags of the last day that were sent and of which nobody knows whether anybody got them."""
    overdue: int = 0
    """Messages that have failed several times and are still being tried."""
    unsent: int = 0
    """Notices due for more than an hour that no sender has taken up."""
    disabled: int = 0
    """Addresses that died within the last day."""
    since_ms: int | None = None

    @property
    def is_failing(self) -> bool:
        """Whether somebody must look; a dead address alone has been told already."""
        return bool(self.held or self.unreached or self.unsure or self.overdue or self.unsent)


def add(connection: Connection, drafts: Iterable[Draft], *, now_ms: int) -> None:
    """Say *drafts*, those not said yet."""
    insert_missing(connection, notices, [_row(draft, now_ms) for draft in drafts])


def of_flags(connection: Connection, flags: Collection[str]) -> list[Notice]:
    """Everything said about *flags*, locked so that no sender takes any of it up until this transaction ends."""
    if not flags:
        return []
    query = select(notices).where(notices.c.flag.in_(sorted(flags))).order_by(notices.c.id)
    return [read_notice(row) for row in connection.execute(query.with_for_update())]


def withdraw(connection: Connection, ids: Collection[int], *, because: str, now_ms: int) -> None:
    """Never say these, as far as they still wait."""
    _change(connection, ids, state=State.MOOT.value, because=because, ended_ms=now_ms)


def postpone(connection: Connection, ids: Collection[int], *, until_ms: int) -> None:
    """Say these not before *until_ms*, as far as they still wait."""
    _change(connection, ids, due_ms=until_ms)


def since(connection: Connection, first_ms: int) -> list[Notice]:
    """Every notice made at or after *first_ms*, in the order they were made."""
    query = select(notices).where(notices.c.made_ms >= first_ms).order_by(notices.c.id)
    return [read_notice(row) for row in connection.execute(query)]


def failing(connection: Connection, now_ms: int) -> Failing:
    """How telling people fares at *now_ms*."""
    recent = now_ms - LOOKS_BACK_MS
    holds = connection.execute(select(channel_holds).order_by(channel_holds.c.channel)).all()
    counts = {
        "unreached": _unreached(connection, recent),
        "unsure": _unsure(connection, recent),
        "overdue": _overdue(connection),
        "unsent": _unsent(connection, now_ms - OVERDUE_MS),
        "disabled": _disabled(connection, recent),
    }
    firsts = [hold.since_ms for hold in holds] + [first for _, first in counts.values()]
    return Failing(
        held=tuple(hold.channel for hold in holds),
        **{name: count for name, (count, _) in counts.items()},
        since_ms=min((first for first in firsts if first is not None), default=None),
    )


def read_notice(row: Row[tuple[object, ...]]) -> Notice:
    """A row of the table as a value."""
    return Notice(
        row.id,
        row.key,
        row.person,
        row.flag,
        row.said,
        row.severity,
        row.due_ms,
        State(row.state),
        json.loads(row.facts),
        row.by,
        frozenset(int(part) for part in row.shunned.split()),
        row.is_repeat,
        row.message,
    )


def _row(draft: Draft, now_ms: int) -> dict[str, object]:
    return {
        "key": draft.key,
        "person": draft.person,
        "flag": draft.flag,
        "said": draft.said,
        "severity": draft.severity,
        "facts": json.dumps(draft.facts, ensure_ascii=True, sort_keys=True),
        "made_ms": now_ms,
        "due_ms": draft.due_ms,
        "state": State.WAITING.value,
        "by": draft.by,
        "shunned": "",
        "is_repeat": False,
    }


def _change(connection: Connection, ids: Collection[int], **values: object) -> None:
    if ids:
        where = (notices.c.id.in_(sorted(ids)), notices.c.state == State.WAITING.value)
        connection.execute(update(notices).where(*where).values(**values))


# ---- what can go wrong with telling, each as how often and since when ------------------------------------------------

_Count = tuple[int, int | None]


def _unreached(connection: Connection, recent: int) -> _Count:
    where = (notices.c.state == State.UNREACHED.value, notices.c.ended_ms >= recent)
    return _first(connection, select(func.count(), func.min(notices.c.ended_ms)).where(*where))


def _unsure(connection: Connection, recent: int) -> _Count:
    """Flags that nobody is known to have heard of."""
    told = select(notices.c.flag).where(notices.c.state == State.TOLD.value, notices.c.flag.is_not(None))
    where = (notices.c.state == State.UNSURE.value, notices.c.ended_ms >= recent, notices.c.flag.not_in(told))
    query = select(func.count(notices.c.flag.distinct()), func.min(notices.c.ended_ms))
    return _first(connection, query.where(*where))


def _overdue(connection: Connection) -> _Count:
    where = (messages.c.state == "open", messages.c.tries >= STRUGGLING)
    return _first(connection, select(func.count(), func.min(messages.c.made_ms)).where(*where))


def _unsent(connection: Connection, before: int) -> _Count:
    where = (notices.c.state == State.WAITING.value, notices.c.due_ms < before)
    return _first(connection, select(func.count(), func.min(notices.c.due_ms)).where(*where))


def _disabled(connection: Connection, recent: int) -> _Count:
    where = (addresses.c.active, addresses.c.disabled_ms >= recent)
    return _first(connection, select(func.count(), func.min(addresses.c.disabled_ms)).where(*where))


def _first(connection: Connection, query: Select[int, Any]) -> _Count:  # Any: no instant where nothing is counted
    row = connection.execute(query).one()
    return row[0], row[1] if row[0] else None
