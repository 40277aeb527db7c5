"""From stored records to points, and from points the history refused to dead letters. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cloud.history import Refused
from cloud.ingest import points
from cloud.records.verdicts import Entry, Kept, Letter, Sighting
from contract import topics
from contract.codec import Received
from contract.messages import Event
from contract.series import Point
from contract.topics import DeviceId


def points_of(device: str, entry: Entry) -> Iterator[Point]:
    """What the history is told about one record; nothing of what is held or rejected, or of hours."""
    match entry.verdict:
        case Sighting() as sighting:
            yield sighted(device, entry.seq, sighting, arrived_ms=entry.arrived_ms)
        case Kept(at_ms, touches) if touches and isinstance(entry.record, Received):
            record = entry.record.record
            if isinstance(record, Event):
                happened = record.model_copy(update={"at": at_ms})
                yield points.event(happened, device=device, estate=touches[-1][0])


def sighted(device: str, seq: int, sighting: Sighting, *, arrived_ms: int) -> Point:
    """The point of a tap: the same for the same tap, whatever it resolves to later."""
    return points.tap(points.ResolvedTap(device, seq, sighting.at_ms, arrived_ms, sighting.outcome.value))


def refusal(refused: Refused, *, now_ms: int) -> Letter:
    """The dead letter of a point that the history will never take. Its record is stored all the same."""
    device = dict(refused.point.tags).get("device")
    return Letter(
        arrived_ms=now_ms,
        source="history",
        topic=str(topics.records(DeviceId(device))) if device else refused.point.measurement,
        reason="refused_by_history",
        explanation=refused.reason,
        payload=refused.point.line().encode(),
    )
