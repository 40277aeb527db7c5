"""What stands where, and how the records of each machine stand: for the minute rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select

from cloud.records import registry
from cloud.records.positions import read_all
from cloud.records.registry import Installation
from cloud.records.schema import REJECTED, arrivals, held, streams


@dataclass(frozen=True, slots=True)
class Totals:
    """A machine's records over all its outboxes."""

    made: int = 0
    stored: int = 0
    missing: int = 0
    held: int = 0
    rejected: int = 0


def installed_at(connection: Connection, at_ms: int) -> list[Installation]:
    """Where each machine stands at that instant, by machine."""
    return [place for place in registry.all_installations(connection) if place.covers(at_ms)]


def totals(connection: Connection, devices: Collection[str]) -> dict[str, Totals]:
    """How the records of each of these machines stand."""
    waiting = _by_device(connection, held)
    refused = _by_device(connection, arrivals)
    found: dict[str, Totals] = {}
    for position in read_all(connection, devices):
        device = str(position.key.device)
        was = found.get(device, Totals(held=waiting.get(device, 0), rejected=refused.get(device, 0)))
        made = max(position.answered.highest, position.highest_told)
        arrived = len(position.answered - position.dropped)
        missing = made - arrived  # what the machine says is gone was made, and has never arrived
        found[device] = Totals(was.made + made, was.stored + arrived, was.missing + missing, was.held, was.rejected)
    return {
        device: Totals(each.made, each.stored - each.held - each.rejected, each.missing, each.held, each.rejected)
        for device, each in found.items()
    }


def count_held(connection: Connection) -> int:
    """How many records wait for registry, key or clock."""
    return connection.scalar(select(func.count()).select_from(held)) or 0


def _by_device(connection: Connection, table: Table) -> dict[str, int]:
    query = select(streams.c.device, func.count().label("n")).join(table, table.c.stream == streams.c.id)
    if table is arrivals:
        query = query.where(REJECTED)
    return {row.device: row.n for row in connection.execute(query.group_by(streams.c.device))}
