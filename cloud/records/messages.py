"""Sending: who has something to be told, the messages that carry it, the attempts to deliver them. Nothing is decided
here.

Only the sender that has locked a person (`lock`) may write about them; a lease covers the call of the channel.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select, union, update

from cloud.records.notice_schema import attempts, channel_holds, messages, notices, people
from cloud.records.notices import Notice, State, read_notice
from cloud.records.upserts import insert_into


class Fate(StrEnum):
    """What became of a message, or of an attempt."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """The channel took it; whether it arrived is not known yet."""
    DELIVERED = "delivered"
    UNSURE = "unsure"
    RELEASED = "released"
    """It will not be sent; what it carried goes another way."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is not through yet."""

    id: int
    person: str
    address: int
    made_ms: int
    next_ms: int
    lease_until_ms: int
    tries: int
    unknowns: int
    amends: str | None
    running: int | None = None
    """The attempt of which no outcome is known."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a channel's receipt is about."""

    attempt: int
    message: int
    person: str
    address: int


def with_work(connection: Connection, now_ms: int) -> list[str]:
    """People for whom something may be done now."""
    due = select(notices.c.person).where(notices.c.state == State.WAITING.value, notices.c.due_ms <= now_ms)
    open_ = select(messages.c.person).where(
        messages.c.state == Fate.OPEN.value, messages.c.next_ms <= now_ms, messages.c.lease_until_ms <= now_ms
    )
    return sorted(connection.scalars(union(due, open_)))


def lock(connection: Connection, person: str) -> bool:
    """Be the only sender that deals with *person* until the transaction ends; False when another one does."""
    query = select(people.c.person).where(people.c.person == person).with_for_update(skip_locked=True)
    return connection.scalar(query) is not None


def lock_surely(connection: Connection, person: str) -> None:
    """`lock`, waiting for whoever has it."""
    connection.execute(select(people.c.person).where(people.c.person == person).with_for_update())


def waiting(connection: Connection, person: str) -> list[Notice]:
    """What waits to be said to *person*, due or not, in the order it was decided; locked."""
    query = select(notices).where(notices.c.person == person, notices.c.state == State.WAITING.value)
    return [read_notice(row) for row in connection.execute(query.order_by(notices.c.id).with_for_update())]


def carried(connection: Connection, message: int) -> list[Notice]:
    """What *message* carries."""
    query = select(notices).where(notices.c.message == message).order_by(notices.c.id)
    return [read_notice(row) for row in connection.execute(query)]


def told_of(connection: Connection, person: str, flags: Collection[str]) -> list[Notice]:
    """What *person* has been told, or may have been, of *flags*."""
    if not flags:
        return []
    query = select(notices).where(notices.c.person == person, notices.c.flag.in_(sorted(flags)))
    found = connection.execute(query.where(notices.c.state != State.WAITING.value).order_by(notices.c.id))
    return [notice for notice in map(read_notice, found) if notice.is_maybe_told]


def rewritable(connection: Connection, ids: Collection[int]) -> dict[int, tuple[int, str]]:
    """Of these messages those that carried one notice alone: at which address each lies, and its name there."""
    alone = (
        select(notices.c.message)
        .where(notices.c.message.in_(sorted(ids)))
        .group_by(notices.c.message)
        .having(func.count() == 1)
    )
    query = select(attempts.c.message, attempts.c.address, attempts.c.reference).where(
        attempts.c.message.in_(alone), attempts.c.reference.is_not(None)
    )
    return {row.message: (row.address, row.reference) for row in connection.execute(query.order_by(attempts.c.id))}


def open_of(connection: Connection, person: str) -> list[Message]:
    """The messages to *person* that are not through, oldest first."""
    query = select(messages).where(messages.c.person == person, messages.c.state == Fate.OPEN.value)
    rows = connection.execute(query.order_by(messages.c.id)).all()
    running = select(attempts.c.message, attempts.c.id).where(
        attempts.c.message.in_([row.id for row in rows]), attempts.c.ended_ms.is_(None)
    )
    attempt_of = {row.message: row.id for row in connection.execute(running)}
    return [
        Message(
            row.id,
            row.person,
            row.address,
            row.made_ms,
            row.next_ms,
            row.lease_until_ms,
            row.tries,
            row.unknowns,
            row.amends,
            attempt_of.get(row.id),
        )
        for row in rows
    ]


def disturbed_at(connection: Connection, person: str, since_ms: int) -> list[int]:
    """When, after *since_ms*, something was sent to *person* that arrived or may have; rewriting disturbs nobody."""
    arrived = attempts.c.outcome.is_(None) | attempts.c.outcome.in_(("accepted", "delivered", "unknown"))
    query = (
        select(attempts.c.started_ms)
        .join(messages, messages.c.id == attempts.c.message)
        .where(attempts.c.person == person, attempts.c.started_ms > since_ms, arrived, messages.c.amends.is_(None))
    )
    return sorted(connection.scalars(query))


def bind(
    connection: Connection, carries: Collection[Notice], *, address: int, amends: str | None, now_ms: int
) -> Message:
    """A new message to *address* that carries *carries*, all of one person."""
    person = next(iter(carries)).person
    row = {"person": person, "address": address, "state": Fate.OPEN.value, "made_ms": now_ms, "next_ms": now_ms}
    made = connection.execute(insert(messages).values(**row, amends=amends).returning(messages.c.id)).scalar_one()
    ids = [notice.id for notice in carries]
    connection.execute(update(notices).where(notices.c.id.in_(ids)).values(state=State.BOUND.value, message=made))
    return Message(made, person, address, now_ms, now_ms, 0, 0, 0, amends)


def start(connection: Connection, message: Message, *, holder: str, now_ms: int, until_ms: int) -> int:
    """Write down that an attempt begins, leased to *holder* until *until_ms*; its number."""
    lease = {"holder": holder, "lease_until_ms": until_ms}
    connection.execute(update(messages).where(messages.c.id == message.id).values(**lease))
    row = {"message": message.id, "person": message.person, "address": message.address, "started_ms": now_ms}
    statement = insert(attempts).values(**row, is_repeat=message.unknowns > 0).returning(attempts.c.id)
    return int(connection.execute(statement).scalar_one())


def end(
    connection: Connection, attempt: int, outcome: str, *, explanation: str, reference: str | None, now_ms: int
) -> bool:
    """Write down how *attempt* ended; False when that is known already."""
    values = {"outcome": outcome, "explanation": explanation, "reference": reference, "ended_ms": now_ms}
    where = (attempts.c.id == attempt, attempts.c.ended_ms.is_(None))
    return connection.execute(update(attempts).where(*where).values(**values)).rowcount == 1


def again(connection: Connection, message: int, *, next_ms: int, tries: int, unknowns: int) -> None:
    """Try *message* again at *next_ms*; free its lease."""
    values = {"next_ms": next_ms, "tries": tries, "unknowns": unknowns, "lease_until_ms": 0, "holder": ""}
    connection.execute(update(messages).where(messages.c.id == message).values(**values))
    if unknowns:
        connection.execute(update(notices).where(notices.c.message == message).values(is_repeat=True))


def close(connection: Connection, message: int, fate: Fate, state: State, *, now_ms: int) -> None:
    """*message* is through, and with it what it carried."""
    _finish(connection, message, fate, now_ms)
    connection.execute(update(notices).where(notices.c.message == message).values(state=state.value, ended_ms=now_ms))


def release(connection: Connection, message: int, *, shun: int | None, now_ms: int) -> None:
    """What *message* carried waits again, and no longer for the address *shun*."""
    carries = carried(connection, message)
    _finish(connection, message, Fate.RELEASED, now_ms)
    for notice in carries:
        shunned = notice.shunned if shun is None else notice.shunned | {shun}
        freed = {"state": State.WAITING.value, "message": None, "ended_ms": None, "shunned": _joined(shunned)}
        connection.execute(update(notices).where(notices.c.id == notice.id).values(**freed))


def give_up(connection: Connection, ids: Collection[int], state: State, *, because: str, now_ms: int) -> None:
    """These notices will not be sent."""
    values = {"state": state.value, "because": because, "ended_ms": now_ms, "message": None}
    connection.execute(update(notices).where(notices.c.id.in_(sorted(ids))).values(**values))


def set_aside(connection: Connection, ids: Collection[int], *, until_ms: int) -> None:
    """These notices wait, bound to nothing, until *until_ms*."""
    values = {"state": State.WAITING.value, "message": None, "due_ms": until_ms}
    connection.execute(update(notices).where(notices.c.id.in_(sorted(ids))).values(**values))


# ---- channels as a whole, and what they report later -----------------------------------------------------------------


def holds(connection: Connection) -> dict[str, int]:
    """Channels that are held, each with when it is tried again."""
    return {row.channel: row.until_ms for row in connection.execute(select(channel_holds))}


def hold(connection: Connection, channel: str, *, reason: str, now_ms: int, until_ms: int) -> bool:
    """Send nothing by *channel* until *until_ms*; whether that is news."""
    row = {"channel": channel, "since_ms": now_ms, "until_ms": until_ms, "reason": reason}
    is_news = channel not in holds(connection)
    statement = insert_into(connection, channel_holds)
    later = {"until_ms": until_ms, "reason": reason}
    connection.execute(statement.on_conflict_do_update(index_elements=["channel"], set_=later), row)
    return is_news


def unhold(connection: Connection, channel: str) -> bool:
    """*channel* works again; whether that is news."""
    return connection.execute(delete(channel_holds).where(channel_holds.c.channel == channel)).rowcount == 1


def reported(connection: Connection, reference: str) -> Reported | None:
    """The attempt that a channel calls *reference*."""
    query = select(attempts).where(attempts.c.reference == reference).order_by(attempts.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Reported(row.id, row.message, row.person, row.address)


def note_receipt(connection: Connection, about: Reported, receipt: str, *, now_ms: int) -> None:
    """Write down what the channel reports of an attempt that it had accepted."""
    values = {"receipt": receipt, "receipt_ms": now_ms}
    connection.execute(update(attempts).where(attempts.c.id == about.attempt).values(**values))


def mark_delivered(connection: Connection, message: int) -> None:
    """It is known to have arrived."""
    where = (messages.c.id == message, messages.c.state == Fate.ACCEPTED.value)
    connection.execute(update(messages).where(*where).values(state=Fate.DELIVERED.value))


def reopen(connection: Connection, message: int) -> bool:
    """It was accepted and has not arrived: it is open again; False if it was not merely accepted."""
    where = (messages.c.id == message, messages.c.state == Fate.ACCEPTED.value)
    return connection.execute(update(messages).where(*where).values(state=Fate.OPEN.value)).rowcount == 1


def _finish(connection: Connection, message: int, fate: Fate, now_ms: int) -> None:
    values = {"state": fate.value, "ended_ms": now_ms, "lease_until_ms": 0, "holder": ""}
    connection.execute(update(messages).where(messages.c.id == message).values(**values))


def _joined(ids: Collection[int]) -> str:
    return " ".join(str(each) for each in sorted(ids))
