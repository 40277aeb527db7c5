"""What several batches ask of one transaction: records by stream, in order of arrival. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cloud.records.verdicts import Letter, Rejected, StreamKey
from contract import topics
from contract.codec import Batch, Received, Unreadable
from contract.topics import DeviceId

REFUSED_BY_SQL = Rejected("refused_by_sql", "the database refuses the values of this record")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A batch as it arrived from a machine."""

    device: DeviceId
    batch: Batch
    arrived_ms: int


@dataclass(frozen=True, slots=True)
class Item:
    """One record with its number. `forced` is a verdict that stands before anything is resolved."""

    record: Received | Unreadable
    arrived_ms: int
    forced: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for one stream."""

    key: StreamKey
    confirmed: int
    items: tuple[Item, ...]


def gather(incoming: Sequence[Incoming]) -> list[Request]:
    """One request per stream."""
    items: dict[StreamKey, list[Item]] = {}
    confirmed: dict[StreamKey, int] = {}
    for each in incoming:
        key = StreamKey(each.device, each.batch.envelope.outbox)
        confirmed[key] = max(confirmed.get(key, 0), each.batch.envelope.confirmed)
        numbered = [bad for bad in each.batch.unreadable if bad.seq is not None]
        wanted = items.setdefault(key, [])
        wanted += [Item(record, each.arrived_ms) for record in each.batch.records]
        wanted += [Item(bad, each.arrived_ms) for bad in numbered]
    return [Request(key, confirmed[key], tuple(items[key])) for key in sorted(items)]


def unnumbered(incoming: Sequence[Incoming]) -> list[Letter]:
    """Records without a number: nothing to answer, only dead letters."""
    return [
        Letter(
            arrived_ms=each.arrived_ms,
            source="record",
            topic=str(topics.records(each.device)),
            reason=bad.reason,
            explanation=bad.explanation,
            payload=bad.body.encode(),
            outbox=each.batch.envelope.outbox,
        )
        for each in incoming
        for bad in each.batch.unreadable
        if bad.seq is None
    ]


def halves(requests: Sequence[Request]) -> list[list[Request]]:
    """Two parts of about as many records each; of a lone record, itself as rejected; of none, nothing."""
    flat = [(request, item) for request in requests for item in request.items]
    if not flat or (len(flat) == 1 and flat[0][1].forced):
        return []
    if len(flat) == 1:
        request, item = flat[0]
        return [[replace(request, items=(replace(item, forced=REFUSED_BY_SQL),))]]
    middle = len(flat) // 2
    return [_regroup(flat[:middle]), _regroup(flat[middle:])]


def _regroup(flat: Sequence[tuple[Request, Item]]) -> list[Request]:
    items: dict[StreamKey, list[Item]] = {}
    heads = {request.key: request for request, _ in flat}
    for request, item in flat:
        items.setdefault(request.key, []).append(item)
    return [replace(head, items=tuple(items[key])) for key, head in heads.items()]
