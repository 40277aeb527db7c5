"""What must be resolved again: held records, and sightings whose card or machine the registry now sees differently."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, Select, and_, delete, insert, or_, select, tuple_, update

from cloud.records import dead_letters
from cloud.records.counts import Deltas
from cloud.records.ledger import sighting_row
from cloud.records.positions import Position
from cloud.records.schema import arrivals, held, sightings, streams
from cloud.records.verdicts import Held, Letter, Outcome, Rejected, Sighting, StreamKey
from contract import topics
from contract.topics import DeviceId


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A record that waits."""

    stream: int
    seq: int
    key: StreamKey
    body: str = field(repr=False)
    reason: str
    arrived_ms: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting as it was resolved."""

    stream: int
    seq: int
    device: str
    sighting: Sighting
    arrived_ms: int


@dataclass(frozen=True, slots=True)
class Dated:
    """A dated record: what an undated neighbour is dated by."""

    seq: int
    at_ms: int
    mono_ms: int
    boot: str


Cursor = tuple[int, int]
"""A (stream, seq) after which to go on."""
START: Cursor = (0, 0)


def held_records(
    connection: Connection, *, reasons: Collection[str], due_ms: int, after: Cursor, limit: int
) -> list[HeldRecord]:
    """Records held for one of *reasons*, and those from the future whose time has come by *due_ms*."""
    is_wanted = or_(held.c.reason.in_(sorted(reasons)), and_(held.c.reason == "future", arrivals.c.at_ms <= due_ms))
    query = (
        select(held, streams.c.device, streams.c.outbox, arrivals.c.arrived_ms)
        .join(arrivals, (arrivals.c.stream == held.c.stream) & (arrivals.c.seq == held.c.seq))
        .join(streams, streams.c.id == held.c.stream)
        .where(is_wanted, tuple_(held.c.stream, held.c.seq) > after)
        .order_by(held.c.stream, held.c.seq)
        .limit(limit)
    )
    return [_held(row) for row in connection.execute(query)]


def sightings_of(
    connection: Connection, *, pseudonyms: Collection[str], devices: Collection[str], after: Cursor, limit: int
) -> list[Seen]:
    """Sightings by these cards or at these machines."""
    query = (
        select(sightings)
        .where(or_(sightings.c.pseudonym.in_(sorted(pseudonyms)), sightings.c.device.in_(sorted(devices))))
        .where(tuple_(sightings.c.stream, sightings.c.seq) > after)
        .order_by(sightings.c.stream, sightings.c.seq)
        .limit(limit)
    )
    return [_seen(row) for row in connection.execute(query)]


def neighbours(connection: Connection, position: Position, seq: int) -> tuple[Dated | None, Dated | None]:
    """The nearest dated records before and after *seq* in its outbox, however far."""
    own = select(arrivals).where(arrivals.c.stream == position.id, arrivals.c.dated)
    before = own.where(arrivals.c.seq < seq).order_by(arrivals.c.seq.desc()).limit(1)
    after = own.where(arrivals.c.seq > seq).order_by(arrivals.c.seq).limit(1)
    return _dated(connection, before), _dated(connection, after)


def settle(connection: Connection, record: HeldRecord, verdict: Sighting | Held | Rejected, *, deltas: Deltas) -> None:
    """Write what a held record has become and add to *deltas* what that counts. Nothing, if another was faster."""
    here = (held.c.stream == record.stream) & (held.c.seq == record.seq)
    if isinstance(verdict, Held):
        if connection.execute(update(held).where(here).values(reason=verdict.reason)).rowcount == 1:
            _note(connection, record, state="held", reason=verdict.reason)
        return
    if connection.execute(delete(held).where(here)).rowcount != 1:
        return
    if isinstance(verdict, Rejected):
        _note(connection, record, state="rejected", reason=verdict.reason)
        dead_letters.file(connection, [_letter(record, verdict)])
        return
    device = record.key.device
    row = sighting_row(record.stream, record.seq, device, verdict, arrived_ms=record.arrived_ms)
    connection.execute(insert(sightings), [row])
    _note(connection, record, state="stored", reason=None)
    deltas.count(verdict, device=device, arrived_ms=record.arrived_ms)


def correct(connection: Connection, seen: Seen, becomes: Sighting, *, deltas: Deltas) -> None:
    """Write what a sighting has become and add to *deltas* what that changes. Nothing, if another was faster."""
    was = seen.sighting
    unchanged = (
        (sightings.c.stream == seen.stream)
        & (sightings.c.seq == seen.seq)
        & (sightings.c.outcome == was.outcome.value)
        & (sightings.c.estate == was.estate)
        & (sightings.c.unit.is_(None) if was.unit is None else sightings.c.unit == was.unit)
        & sightings.c.first_day.is_not_distinct_from(was.span[0] if was.span else None)
        & sightings.c.last_day.is_not_distinct_from(was.span[1] if was.span else None)
    )
    row = sighting_row(seen.stream, seen.seq, seen.device, becomes, arrived_ms=seen.arrived_ms)
    values = {name: row[name] for name in ("outcome", "unit", "estate", "first_day", "last_day")}
    if connection.execute(update(sightings).where(unchanged).values(values)).rowcount == 1:
        deltas.count(was, device=seen.device, arrived_ms=seen.arrived_ms, sign=-1)
        deltas.count(becomes, device=seen.device, arrived_ms=seen.arrived_ms)


def _note(connection: Connection, record: HeldRecord, *, state: str, reason: str | None) -> None:
    here = (arrivals.c.stream == record.stream) & (arrivals.c.seq == record.seq)
    connection.execute(update(arrivals).where(here).values(state=state, reason=reason))


def _letter(record: HeldRecord, verdict: Rejected) -> Letter:
    return Letter(
        arrived_ms=record.arrived_ms,
        source="record",
        topic=str(topics.records(record.key.device)),
        reason=verdict.reason,
        explanation=verdict.explanation,
        payload=record.body.encode(),
        outbox=record.key.outbox,
        seq=record.seq,
    )


def _held(row: Row[tuple[object, ...]]) -> HeldRecord:
    key = StreamKey(DeviceId(row.device), row.outbox)
    return HeldRecord(row.stream, row.seq, key, row.body, row.reason, row.arrived_ms)


def _seen(row: Row[tuple[object, ...]]) -> Seen:
    outcome = Outcome(row.outcome)
    span = None if row.first_day is None else (row.first_day, row.last_day)
    sighting = Sighting(row.at_ms, row.uncertainty_ms, row.pseudonym, outcome, row.unit, row.estate, span)
    return Seen(row.stream, row.seq, row.device, sighting, row.arrived_ms)


def _dated(connection: Connection, query: Select[tuple[object, ...]]) -> Dated | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else Dated(row.seq, row.at_ms, row.mono_ms, row.boot)
