"""Silences that people asked for: about what, until when, why, and by whom."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Final

from sqlalchemy import Connection, insert, select

from cloud.records.flag_schema import silences


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A silence; empty kind, estate or subject = any."""

    kind: str
    estate: str
    subject: str
    from_ms: int
    until_ms: int
    reason: str
    author: str


_COLUMNS: Final = tuple(silences.c[each.name] for each in fields(SilenceRow))


def add(connection: Connection, silence: SilenceRow) -> None:
    """Keep *silence*. It has an end, a reason and an author, or the database refuses it (`BadData`)."""
    connection.execute(insert(silences), asdict(silence))


def in_effect(connection: Connection, now_ms: int) -> list[SilenceRow]:
    """The silences that cover *now_ms*, in the order in which they were asked for."""
    query = select(*_COLUMNS).where(silences.c.from_ms <= now_ms, silences.c.until_ms > now_ms)
    return [SilenceRow(*row) for row in connection.execute(query.order_by(silences.c.id))]
