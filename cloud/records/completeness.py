"""What says how far a machine's record is complete: its outboxes, the gaps in them, the proofs, the boots.

Fills the values that `cloud.days.complete` judges.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, delete, select

from cloud.days import Gap, Outbox, Proof
from cloud.records import positions
from cloud.records.positions import Position
from cloud.records.schema import arrivals, boots, held, proofs, streams
from cloud.records.verdicts import StreamKey
from contract.ranges import Ranges
from contract.topics import DeviceId


@dataclass(slots=True)
class Evidence:
    """What `cloud.days.complete` takes, for one machine."""

    outboxes: list[Outbox] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    base_ms: dict[str, int] = field(default_factory=dict)


def evidence(connection: Connection, devices: Collection[str]) -> dict[str, Evidence]:
    """The evidence of each machine, empty for one that was never heard of."""
    found = {device: Evidence() for device in devices}
    wanted = sorted(found)
    for position, first_ms in _positions(connection, wanted):
        found[position.key.device].outboxes.append(_outbox(connection, position, first_ms))
    for row in connection.execute(select(proofs).where(proofs.c.device.in_(wanted))):
        found[row.device].proofs.append(Proof(row.outbox, row.last_seq, row.boot, row.uptime_s))
    for row in connection.execute(select(boots).where(boots.c.device.in_(wanted))):
        found[row.device].base_ms[row.boot] = row.base_ms
    return found


def forget_proofs(connection: Connection) -> int:
    """Forget proofs that a later one of the same boot makes idle: both hold, and only the latest counts. How many.

    A machine proves something new with every record it makes; without this, judging it would cost ever more.
    """
    idle: list[dict[str, object]] = []
    for device in connection.scalars(select(proofs.c.device).distinct()).all():
        found = evidence(connection, [device])[device]
        reached = {outbox.outbox: outbox.settled.prefix for outbox in found.outboxes}
        idle += [_proof_key(device, proof) for proof in _idle(found.proofs, reached)]
    is_it = [proofs.c[name] == bindparam(f"the_{name}") for name in ("device", "outbox", "last_seq", "boot")]
    if idle:
        connection.execute(delete(proofs).where(*is_it), idle)
    return len(idle)


def _idle(those: Iterable[Proof], reached: Mapping[str, int]) -> Iterator[Proof]:
    holding = [proof for proof in those if proof.last_seq <= reached.get(proof.outbox, 0)]
    latest: dict[tuple[str, str], int] = {}
    for proof in holding:
        key = proof.outbox, proof.boot
        latest[key] = max(proof.uptime_s, latest.get(key, 0))
    return (proof for proof in holding if proof.uptime_s < latest[proof.outbox, proof.boot])


def _proof_key(device: str, proof: Proof) -> dict[str, object]:
    return {
        "the_device": device,
        "the_outbox": proof.outbox,
        "the_last_seq": proof.last_seq,
        "the_boot": proof.boot,
    }


def _positions(connection: Connection, devices: list[str]) -> list[tuple[Position, int]]:
    """The positions of *devices*, each with when the first fact of it arrived, in that order."""
    query = select(streams.c.device, streams.c.outbox, streams.c.first_ms).where(streams.c.device.in_(devices))
    first_ms = {StreamKey(DeviceId(row.device), row.outbox): row.first_ms for row in connection.execute(query)}
    found = positions.read(connection, first_ms)
    return sorted(((found[key], first) for key, first in first_ms.items()), key=lambda pair: (pair[1], pair[0].id))


def _outbox(connection: Connection, position: Position, first_ms: int) -> Outbox:
    waiting = Ranges.single(connection.scalars(select(held.c.seq).where(held.c.stream == position.id)))
    settled = position.answered - waiting
    return Outbox(
        position.key.outbox,
        first_ms,
        settled,
        tuple(_gaps(connection, position, settled)),
        position.closed_at_seq,
        first_record_ms=_neighbour_ms(connection, position.id, above=0),
    )


def _gaps(connection: Connection, position: Position, settled: Ranges) -> Iterator[Gap]:
    highest = max(position.answered.highest, position.highest_told, position.closed_at_seq or 0)
    for first, last in settled.missing(highest).spans:
        yield Gap(
            first,
            last,
            _neighbour_ms(connection, position.id, below=first),
            _neighbour_ms(connection, position.id, above=last),
        )


def _neighbour_ms(
    connection: Connection, stream: int, *, below: int | None = None, above: int | None = None
) -> int | None:
    """When the nearest dated record before seq *below*, or after seq *above*, was made."""
    query = select(arrivals.c.at_ms).where(arrivals.c.stream == stream, arrivals.c.dated)
    if below is not None:
        query = query.where(arrivals.c.seq < below).order_by(arrivals.c.seq.desc())
    else:
        query = query.where(arrivals.c.seq > above).order_by(arrivals.c.seq)
    return connection.scalar(query.limit(1))
