"""From a recorded fact to the values ingest takes. Pure.

A recorded fact lacks what only a live machine has: names that are UUIDs (made of the texts here), a session in its
heartbeats, a monotonic clock. The uncertainty of a tap, which live ingest derives, is recorded; it travels as `mono`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cloud.ingest.resolve import Moment
from cloud.records.heard import Beat
from cloud.replay.lines import Closed, Dropped, Event, Fact, Heartbeat, Hours, Numbered, Status, Tap
from contract import codec, messages
from contract.codec import Received
from contract.messages import Clock, Record, Stamped
from contract.topics import DeviceId

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPACE: Final = uuid.UUID("6b0cbbf6-4a1c-4f0e-9f39-6c2f1f4b7b1e")
_NO_BOOT: Final = "00000000-0000-0000-0000-000000000000"
VERSION: Final = "recorded"


@lru_cache(maxsize=65_536)
def name(device: DeviceId, text: str) -> str:
    """The UUID of what *device* calls *text*: an outbox or a boot."""
    return text if _UUID.fullmatch(text) else str(uuid.uuid5(_SPACE, f"{device}|{text}"))


def received(device: DeviceId, fact: Numbered) -> Received:
    """A tap, hour or event as a record that arrived."""
    record = _record(device, fact)
    text = codec.body(record)
    return Received(record, text, codec.digest(text))


def moment(record: Stamped) -> Moment:
    """When a recorded tap happened, give or take what was recorded with it."""
    return Moment(record.at, record.mono)


def mentions(device: DeviceId, fact: Fact) -> str | None:
    """The outbox that an event speaks of, if it does."""
    about = fact.about() if isinstance(fact, Event) else None
    return name(device, about.outbox) if about else None


def _record(device: DeviceId, fact: Numbered) -> Record:
    stamp = {"seq": fact.seq, "mono": 0, "boot": _NO_BOOT, "clock": Clock(fact.clock)}
    if isinstance(fact, Tap):
        return messages.Tap(**stamp | {"at": fact.at, "mono": fact.uncertainty_ms}, card=fact.card)
    if isinstance(fact, Hours):
        return messages.Hours(**stamp, at=fact.hour, hour=fact.hour, able_min=fact.able_min)
    if isinstance(fact, Event):
        return messages.Event(**stamp, at=fact.at, event=fact.event, detail=_detail(device, fact))
    raise TypeError("only taps, hours and events are records")


def _detail(device: DeviceId, event: Event) -> dict[str, object]:
    match event.about():
        case Dropped() as dropped:
            span = {"from": dropped.from_ms, "to": dropped.to_ms}
            seqs = {"from_seq": dropped.from_seq, "to_seq": dropped.to_seq}
            return {"outbox": name(device, dropped.outbox), **seqs, **span}
        case Closed() as closed:
            return {"outbox": name(device, closed.outbox), "last_seq": closed.last_seq}
    return dict(event.detail)


def heartbeat(device: DeviceId, fact: Heartbeat, *, session: int) -> messages.Heartbeat:
    """A heartbeat of the session in which it came. Not checked again: there are more of these than of all else."""
    return messages.Heartbeat.model_construct(
        device=device,
        at=fact.arrived,
        boot=name(device, fact.boot),
        session=session,
        uptime_s=fact.uptime_s,
        outbox=name(device, fact.outbox),
        last_seq=fact.last_seq,
        confirmed=fact.confirmed,
        backlog=fact.backlog,
        oldest_unsent=fact.oldest_unsent,
        reader=fact.reader,
        clock=fact.clock,
        clock_offset_ms=fact.clock_offset_ms,
        disk_free_pct=fact.disk_free_pct,
        version=VERSION,
    )


def beats(heartbeats: Sequence[messages.Heartbeat]) -> list[Beat]:
    """*heartbeats*, in order of arrival. Of each machine only the last one's text is kept, so only that is made."""
    last = {each.device: number for number, each in enumerate(heartbeats)}
    return [
        Beat(each, codec.encode(each).decode() if last[each.device] == number else "", each.at)
        for number, each in enumerate(heartbeats)
    ]


def status(device: DeviceId, fact: Status) -> messages.Status:
    """A birth, goodbye or will. Only of a goodbye is recorded how far its machine had come; no more is made up."""
    if fact.reason == "goodbye" and fact.boot is not None:
        return messages.Status(
            device=device,
            online=False,
            session=fact.session,
            reason="goodbye",
            at=fact.arrived,
            boot=name(device, fact.boot),
            uptime_s=fact.uptime_s,
            outbox=name(device, fact.outbox),
            last_seq=fact.last_seq,
            confirmed=0,
        )
    return messages.Status.model_construct(
        device=device, online=fact.online, session=fact.session, reason=fact.reason, at=fact.arrived
    )
