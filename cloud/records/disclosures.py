"""Every read of data about a household leaves a row: who read, when, about whom. Kept for 5 years."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select

from cloud.records.flag_schema import disclosures


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One read."""

    at_ms: int
    reader: str
    what: str
    """Of what, such as `flag`."""
    subject: str = ""
    """Whose: a unit; empty = of several, or a card's."""
    purpose: str = ""


def note(connection: Connection, disclosure: Disclosure) -> None:
    """Keep *disclosure*, in the transaction that reads: what could not be noted is not shown."""
    connection.execute(insert(disclosures), asdict(disclosure))


def since(connection: Connection, first_ms: int) -> list[Disclosure]:
    """The reads from *first_ms* on, in order."""
    query = select(disclosures).where(disclosures.c.at_ms >= first_ms).order_by(disclosures.c.id)
    return [Disclosure(row.at_ms, row.reader, row.what, row.subject, row.purpose) for row in connection.execute(query)]
