"""What the ledger holds, read back for whoever compares it with what was sent: the demo's account, the loss rig."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from cloud.records.schema import sightings, streams
from contract.topics import DeviceId


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored tap."""

    device: DeviceId
    outbox: str
    seq: int
    at_ms: int
    uncertainty_ms: int
    pseudonym: str = field(repr=False)
    outcome: str


@dataclass(frozen=True, slots=True)
class Told:
    """How far a machine says it is confirmed, in one outbox."""

    device: DeviceId
    outbox: str
    confirmed: int


def new_since(connection: Connection, first_ms: int) -> list[Told]:
    """The streams that were first heard of at or after *first_ms*."""
    query = select(streams.c.device, streams.c.outbox, streams.c.confirmed_told).where(streams.c.first_ms >= first_ms)
    return [Told(DeviceId(row.device), row.outbox, row.confirmed_told) for row in connection.execute(query)]


def stored_since(connection: Connection, first_ms: int) -> list[Seen]:
    """Every stored tap of the streams of `new_since`."""
    query = (
        select(sightings, streams.c.outbox)
        .join(streams, streams.c.id == sightings.c.stream)
        .where(streams.c.first_ms >= first_ms)
        .order_by(sightings.c.stream, sightings.c.seq)
    )
    return [
        Seen(DeviceId(row.device), row.outbox, row.seq, row.at_ms, row.uncertainty_ms, row.pseudonym, row.outcome)
        for row in connection.execute(query)
    ]


def stored_counts(connection: Connection, first_ms: int) -> dict[DeviceId, int]:
    """How many stored taps each machine has in the streams of `new_since`."""
    query = (
        select(streams.c.device, func.count())
        .join(sightings, streams.c.id == sightings.c.stream)
        .where(streams.c.first_ms >= first_ms)
        .group_by(streams.c.device)
    )
    return {DeviceId(device): count for device, count in connection.execute(query).tuples()}
