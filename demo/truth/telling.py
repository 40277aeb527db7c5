"""What a machine tells of its life: records under one seq, heartbeats, and when each reaches the cloud. Pure."""

from __future__ import annotations

import random
import uuid
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from demo.truth.days import HOUR, MINUTE, Span, overlap, written
from demo.truth.machines import Device, Fault
from demo.truth.visits import Tap

DUPLICATES: Final = 0.005
"""The share of the records that arrive twice."""
_DRAIN_MS: Final = 8
"""Between two records of a backlog."""


@dataclass(slots=True)
class Record:
    """A record on the machine's disk. `made` orders them; a lost one is never read again."""

    made: int
    kind: str
    body: dict[str, Any]
    is_lost: bool = False
    outbox: int = 0
    seq: int = 0
    arrived: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the machine's file."""

    arrived: int
    body: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """As it is written."""
        return {"arrived": written(self.arrived)} | self.body


@dataclass(frozen=True, slots=True)
class Telling:
    """What it takes to tell a machine's life until an instant."""

    device: Device
    until: int
    heartbeat_min: int
    chance: random.Random = field(repr=False)

    def id(self, what: str) -> str:
        """A UUID, always the same for the same thing."""
        return str(uuid.UUID(int=random.Random(f"{self.device.name}|{what}").getrandbits(128), version=4))


def tell(telling: Telling, taps: Sequence[Tap]) -> list[Line]:
    """Every line of the machine, in order of arrival."""
    records = _records(telling, taps)
    _number(telling, records)
    online = telling.device.online(telling.until)
    _send(telling, records, online)
    lines = [line for record in records for line in _arrivals(telling, record)]
    lines += _heartbeats(telling, records, online)
    lines += _statuses(telling, records, online)
    return sorted((line for line in lines if line.arrived < telling.until), key=lambda line: line.arrived)


# ---- what is made ----------------------------------------------------------------------------------------------------


def _records(telling: Telling, taps: Sequence[Tap]) -> list[Record]:
    records = [*_hours(telling), *_events(telling)]
    records += [Record(tap.at, "tap", _tap(tap), is_lost=tap.is_lost) for tap in taps]
    lost = telling.device.lost()
    for record in records:
        record.is_lost = record.is_lost or (lost is not None and lost[0] <= record.made < lost[1])
    return sorted(records, key=lambda record: (record.made, record.kind))


def _tap(tap: Tap) -> dict[str, Any]:
    clock = "untrusted" if tap.uncertainty_s else "trusted"
    return {"at": written(tap.recorded), "card": tap.card, "clock": clock, "uncertainty_s": tap.uncertainty_s}


def _hours(telling: Telling) -> Iterator[Record]:
    """A record for every part of an hour that it ran; one cut short by power is written at the next boot."""
    device, powered = telling.device, telling.device.powered(telling.until)
    readers, clocks = device.spans(Fault.READER), device.spans(Fault.CLOCK)
    for place, (begin, end) in enumerate(powered):
        following = powered[place + 1][0] + MINUTE if place + 1 < len(powered) else None
        for hour in range(begin // HOUR * HOUR, end, HOUR):
            part = max(begin, hour), min(end, hour + HOUR)
            made = hour + HOUR if hour + HOUR <= end else following
            if made is not None:
                able = (part[1] - part[0] - sum(overlap(part, span) for span in readers)) // MINUTE
                wrong = any(overlap(part, span) for span in clocks)
                body = {"hour": written(hour), "able_min": able, "clock": "untrusted" if wrong else "trusted"}
                yield Record(made, "hours", body)


def _events(telling: Telling) -> Iterator[Record]:
    device = telling.device
    for begin, _ in device.powered(telling.until):
        yield _event(begin, "boot")
    for begin, end in device.spans(Fault.CLOCK):
        if device.takes(end):
            yield _event(end, "clock_step", {"from": written(begin)})
    for begin, end in device.spans(Fault.READER):
        for at, what in ((begin, "reader_fault"), (end, "reader_ok")):
            if device.takes(at - 1) or device.takes(at):
                yield _event(at, what)


def _event(made: int, what: str, detail: dict[str, Any] | None = None) -> Record:
    return Record(made, "event", {"at": written(made), "event": what, "detail": detail or {}})


# ---- its place in the outbox -----------------------------------------------------------------------------------------


def _number(telling: Telling, records: list[Record]) -> None:
    """Give each record its outbox and seq; a torn outbox is closed by events in the next one."""
    loss = telling.device.loss
    old = [record for record in records if loss is None or record.made < loss.at]
    for seq, record in enumerate(old, 1):
        record.seq = seq
    if loss is None:
        return
    new = [record for record in records if record.made >= loss.at]
    if loss.is_told:
        new = _confess(telling, old, loss.at) + new
    for seq, record in enumerate(new, 1):
        record.outbox, record.seq = 1, seq
    records[:] = old + new


def _confess(telling: Telling, old: list[Record], at: int) -> list[Record]:
    gone = [record for record in old if record.is_lost]
    name = telling.id("outbox 0")
    made = next(max(at, begin) for begin, end in telling.device.powered(telling.until) if at < end) + 1000
    closed = _event(made + 1, "outbox_closed", {"outbox": name, "last_seq": old[-1].seq})
    if not gone:
        return [closed]
    detail = {"outbox": name, "from_seq": gone[0].seq, "to_seq": gone[-1].seq}
    detail |= {"from": written(gone[0].made), "to": written(gone[-1].made)}
    return [_event(made, "records_dropped", detail), closed]


# ---- how it reaches the cloud ----------------------------------------------------------------------------------------


def _send(telling: Telling, records: Sequence[Record], online: Sequence[Span]) -> None:
    """Each record goes as soon as the machine is online; a backlog goes record by record, not quite in order.

    What is made at the moment of its removal goes before its goodbye.
    """
    ends = [end + (end == telling.device.removed) for _, end in online]
    waiting: dict[int, int] = {}
    for record in records:
        place = bisect_right(ends, record.made)
        if record.is_lost or place == len(online):
            continue
        begin = online[place][0]
        if record.made >= begin:
            record.arrived = record.made + telling.chance.randint(300, 9000)
        else:
            waiting[place] = waiting.get(place, 0) + 1
            record.arrived = begin + 20_000 + waiting[place] * _DRAIN_MS + telling.chance.randint(0, 30_000)


def _arrivals(telling: Telling, record: Record) -> Iterator[Line]:
    if record.arrived is None:
        return
    body = {"kind": record.kind, "outbox": telling.id(f"outbox {record.outbox}"), "seq": record.seq} | record.body
    yield Line(record.arrived, body)
    if telling.chance.random() < DUPLICATES:
        yield Line(record.arrived + telling.chance.randint(30_000, 600_000), body)


def _heartbeats(telling: Telling, records: Sequence[Record], online: Sequence[Span]) -> Iterator[Line]:
    told = _Told(telling, records)
    for begin, end in online:
        for at in range(begin + 10_000, end, telling.heartbeat_min * MINUTE):
            body = told.position(at) | {"confirmed": 0, "oldest_unsent": None, "backlog": 0, "clock_offset_ms": 0}
            reader = "fault" if any(first <= at < last for first, last in telling.device.spans(Fault.READER)) else "ok"
            yield Line(
                at + telling.chance.randint(100, 1500),
                {"kind": "heartbeat"} | body | {"reader": reader, "disk_free_pct": 71},
            )


class _Told:
    """What a machine says of itself at an instant."""

    def __init__(self, telling: Telling, records: Sequence[Record]) -> None:
        self.telling = telling
        self.boots = [begin for begin, _ in telling.device.powered(telling.until)]
        self.made = sorted((record.made, record.outbox, record.seq) for record in records)

    def position(self, at: int) -> dict[str, Any]:
        """Outbox, boot, uptime and last seq."""
        place = bisect_right(self.made, (at, 9, 0))
        _, outbox, seq = self.made[place - 1] if place else (0, 0, 0)
        loss = self.telling.device.loss
        if loss is not None and at >= loss.at and outbox == 0:
            outbox, seq = 1, 0
        number = bisect_right(self.boots, at) - 1
        return {
            "outbox": self.telling.id(f"outbox {outbox}"),
            "boot": self.telling.id(f"boot {number}"),
            "uptime_s": (at - self.boots[number]) // 1000,
            "last_seq": seq,
        }


def _statuses(telling: Telling, records: Sequence[Record], online: Sequence[Span]) -> Iterator[Line]:
    """A birth at each connection; a goodbye when it is taken down in good order, else a will."""
    told = _Told(telling, records)
    for session, (begin, end) in enumerate(online, 1):
        yield Line(begin + 500, {"kind": "status", "online": True, "session": session, "reason": "birth"})
        if end == telling.device.removed:
            body = {"kind": "status", "online": False, "session": session, "reason": "goodbye"}
            yield Line(end + 75_000, body | told.position(end + MINUTE))
        elif end < telling.until:
            body = {"kind": "status", "online": False, "session": session, "reason": "will"}
            yield Line(end + 55_000, body)
