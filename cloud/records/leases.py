"""Leases: of several ingesters one at a time does what must be done once. A dead holder's lease runs out by itself."""

from __future__ import annotations

from sqlalchemy import Connection, or_, update

from cloud.records.schema import leases
from cloud.records.upserts import insert_missing


def take(connection: Connection, name: str, *, holder: str, now_ms: int, until_ms: int) -> bool:
    """Take or renew lease *name* until *until_ms*, unless another *holder* has it at *now_ms*; whether it is ours.

    A lease that ends later than any can was taken under a clock that has been set back since: it is free.
    """
    longest_ms = now_ms + 2 * (until_ms - now_ms)
    insert_missing(connection, leases, [{"name": name, "holder": holder, "until_ms": until_ms}])
    free = or_(leases.c.holder == holder, leases.c.until_ms <= now_ms, leases.c.until_ms > longest_ms)
    statement = update(leases).where(leases.c.name == name, free).values(holder=holder, until_ms=until_ms)
    return connection.execute(statement).rowcount == 1


def give_back(connection: Connection, name: str, *, holder: str) -> None:
    """End our own lease at once, so that another need not wait for it to run out."""
    connection.execute(update(leases).where(leases.c.name == name, leases.c.holder == holder).values(until_ms=0))
