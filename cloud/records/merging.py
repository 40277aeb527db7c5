"""Which records of a delivery are new, which are known already, which contradict what is kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cloud.records.positions import Position
from cloud.records.verdicts import Delivery, Entry, Kept, StreamKey
from contract.codec import Received
from contract.messages import Event
from contract.ranges import Ranges
from contract.topics import DeviceId


@dataclass(frozen=True, slots=True)
class Merged:
    """The position after a delivery, and the entries to be written."""

    position: Position
    new: tuple[Entry, ...]


def merge(position: Position, delivery: Delivery, digests: Mapping[int, str]) -> Merged:
    """Enter *delivery* into *position*. *digests*: by which the seqs of it that are kept already are known.

    A seq that is covered but has no digest was closed as lost, and is welcome after all; or it was kept so long ago
    that nobody can say what it was: then it is a conflict, and the machine sends it under a new outbox.
    """
    seen = dict(digests)
    new: list[Entry] = []
    conflicts: list[int] = []
    for entry in delivery.entries:
        known = seen.get(entry.seq)
        if known is None and (entry.seq not in position.answered or entry.seq in position.dropped):
            new.append(entry)
            seen[entry.seq] = entry.record.digest
        elif known != entry.record.digest:
            conflicts.append(entry.seq)
    arrived = Ranges.single(entry.seq for entry in new)
    merged = replace(
        position,
        answered=position.answered | arrived,
        dropped=position.dropped - arrived,
        conflicts=position.conflicts | Ranges.single(conflicts),
        confirmed_told=max(position.confirmed_told, delivery.confirmed),
    )
    return Merged(merged, tuple(new))


def mentioned(delivery: Delivery) -> set[StreamKey]:
    """The streams a delivery speaks about: its own, and those its events close."""
    keys = {delivery.key}
    for event in _events(delivery.entries):
        about = event.dropped() or event.closed()
        if about is not None:
            keys.add(StreamKey(delivery.key.device, about.outbox))
    return keys


def close(positions: dict[StreamKey, Position], device: DeviceId, new: Iterable[Entry]) -> None:
    """Apply to *positions* what the *new* events of *device* say about its outboxes."""
    for event in _events(new):
        dropped, closed = event.dropped(), event.closed()
        if dropped is not None:
            key = StreamKey(device, dropped.outbox)
            positions[key] = positions[key].lost(Ranges(((dropped.from_seq, dropped.to_seq),)))
        elif closed is not None:
            key = StreamKey(device, closed.outbox)
            positions[key] = positions[key].closed(closed.last_seq)


def _events(entries: Iterable[Entry]) -> Iterable[Event]:
    for entry in entries:
        if isinstance(entry.verdict, Kept) and isinstance(entry.record, Received):
            record = entry.record.record
            if isinstance(record, Event):
                yield record
