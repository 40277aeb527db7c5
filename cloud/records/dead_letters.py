"""Dead letters: what could not be taken, with its reason, until somebody reads it or replays it after a fix."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, insert, select, update

from cloud.records.schema import dead_letters
from cloud.records.verdicts import Letter

MAX_PAYLOAD: Final = 512 * 1024
"""Bytes kept of one letter; the broker lets less through."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A letter and its number."""

    id: int
    letter: Letter
    replayed_ms: int | None


def file(connection: Connection, letters: Sequence[Letter]) -> None:
    """Keep *letters*."""
    if letters:
        connection.execute(insert(dead_letters), [_to_row(letter) for letter in letters])


def listed(connection: Connection, *, reason: str | None = None, limit: int = 100) -> list[Filed]:
    """The newest letters, of *reason* only if one is given."""
    query = select(dead_letters).order_by(dead_letters.c.id.desc()).limit(limit)
    if reason is not None:
        query = query.where(dead_letters.c.reason == reason)
    return [_from_row(row) for row in connection.execute(query)]


def find(connection: Connection, number: int) -> Filed | None:
    """The letter of that number."""
    row = connection.execute(select(dead_letters).where(dead_letters.c.id == number)).one_or_none()
    return None if row is None else _from_row(row)


def waiting(connection: Connection, *, reason: str | None, after: int, limit: int) -> list[Filed]:
    """Letters not replayed yet with a number above *after*, oldest first."""
    query = select(dead_letters).where(dead_letters.c.id > after, dead_letters.c.replayed_ms.is_(None))
    if reason is not None:
        query = query.where(dead_letters.c.reason == reason)
    return [_from_row(row) for row in connection.execute(query.order_by(dead_letters.c.id).limit(limit))]


def mark_replayed(connection: Connection, number: int, *, now_ms: int) -> None:
    """Say that this letter has been taken after all."""
    connection.execute(update(dead_letters).where(dead_letters.c.id == number).values(replayed_ms=now_ms))


def _to_row(letter: Letter) -> dict[str, object]:
    return {
        "arrived_ms": letter.arrived_ms,
        "source": letter.source,
        "topic": _plain(letter.topic)[:300],
        "outbox": letter.outbox,
        "seq": letter.seq,
        "reason": letter.reason[:40],
        "explanation": _plain(letter.explanation)[:2000],
        "payload": base64.b64encode(letter.payload[:MAX_PAYLOAD]).decode(),
    }


def _plain(text: str) -> str:
    """What both engines can hold, whatever a stranger wrote."""
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")


def _from_row(row: Row[tuple[object, ...]]) -> Filed:
    letter = Letter(
        row.arrived_ms,
        row.source,
        row.topic,
        row.reason,
        row.explanation,
        base64.b64decode(row.payload),
        row.outbox,
        row.seq,
    )
    return Filed(row.id, letter, row.replayed_ms)
