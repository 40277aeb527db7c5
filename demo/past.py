"""Ten weeks that never were: what every machine would have sent before the demo begins, in the words of the contract.

Pure but for the seals, which are random as everywhere. Each machine has one boot and one outbox for all that time, and
closes that outbox when the past ends: the real machine that starts then brings an outbox of its own. One machine has
lost its network before that: what it kept since (`parted`) lies in the outbox it starts with.
"""

import random
import uuid
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from contract import codec
from contract.cards import SealingKey
from contract.messages import Clock, Envelope, Event, Happening, Heartbeat, Hours, Record, Tap
from contract.topics import DeviceId
from demo.city import City
from demo.residents import Plan

LENGTH: Final = timedelta(weeks=10)
HEARTBEAT_MS: Final = 30 * 60_000
"""Every half-hour; a real machine beats every 30 s."""
HOUR_MS: Final = 3_600_000
LATENCY_MS: Final = 300
VERSION: Final = "0.1.0"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(NamedTuple):
    """Something a machine kept: a tap with this card, else the record of the hour that ended, else the end."""

    at_ms: int
    uid: bytes | None
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """One machine until the demo begins. Entry n (from 0) has seq n + 2; seq 1 is its boot."""

    device: DeviceId
    outbox: str
    boot: str
    since_ms: int
    until_ms: int
    entries: tuple[Entry, ...] = field(repr=False)

    def last_seq(self, at_ms: int) -> int:
        """The highest seq given before *at_ms*."""
        return bisect_left(self.entries, at_ms, key=lambda entry: entry.at_ms) + 1


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the past: when it reached the cloud, from whom, and its bytes."""

    arrived_ms: int
    device: DeviceId
    payload: bytes = field(repr=False)


def milliseconds(instant: datetime) -> int:
    """Since 1970 UTC."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def lives(city: City, plan: Plan, *, until: datetime, seed: int, length: timedelta = LENGTH) -> tuple[Life, ...]:
    """Every machine's past, from *length* before *until*."""
    start_ms, until_ms = milliseconds(until - length), milliseconds(until)
    taps: dict[DeviceId, list[Entry]] = {machine: [] for machine in city.machines}
    for tap in plan.between(until - length, until):
        taps[tap.machine].append(Entry(milliseconds(tap.at), city.flats[tap.flat].uid))
    return tuple(_life(machine, found, (start_ms, until_ms), seed) for machine, found in taps.items())


def _life(device: DeviceId, taps: Sequence[Entry], span: tuple[int, int], seed: int) -> Life:
    since_ms, until_ms = span
    hours = [Entry(at_ms, None) for at_ms in range(since_ms + HOUR_MS, until_ms, HOUR_MS)]
    entries = sorted((*taps, *hours), key=lambda entry: entry.at_ms)
    end = Entry(until_ms - 1, None, is_end=True)
    chance = random.Random(f"{seed}|past|{device}")
    outbox, boot = (str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(2))
    return Life(device, outbox, boot, since_ms, until_ms, (*entries, end))


def parted(life: Life, at_ms: int) -> tuple[Life, Life]:
    """*life* as the cloud heard of it until *at_ms*, and what the machine kept from then on, in a boot of its own."""
    told = tuple(entry for entry in life.entries if entry.at_ms < at_ms)
    kept = tuple(entry for entry in life.entries if entry.at_ms >= at_ms and not entry.is_end)
    boot = str(uuid.uuid5(uuid.UUID(life.boot), "parted"))
    end = Entry(at_ms - 1, None, is_end=True)
    return (
        replace(life, until_ms=at_ms, entries=(*told, end)),
        replace(life, boot=boot, since_ms=at_ms, entries=kept),
    )


def records(life: Life, key: SealingKey) -> list[Record]:
    """Everything the machine kept, in order."""
    return [_boot(life), *(_record(life, number, key) for number in range(len(life.entries)))]


def batches(life: Life, key: SealingKey, *, start_ms: int, end_ms: int) -> Iterator[Sent]:
    """The records made in that stretch, in batches of at most 100, each arrived just after its last record."""
    first, last = (bisect_left(life.entries, at, key=lambda entry: entry.at_ms) for at in (start_ms, end_ms))
    records = [_record(life, number, key) for number in range(first, last)]
    if life.since_ms == start_ms:
        records.insert(0, _boot(life))
    for offset in range(0, len(records), codec.MAX_RECORDS):
        batch = records[offset : offset + codec.MAX_RECORDS]
        envelope = Envelope(device=life.device, outbox=life.outbox, confirmed=batch[0].seq - 1)
        payload = codec.encode_batch(envelope, [codec.body(record) for record in batch])
        yield Sent(batch[-1].at + LATENCY_MS, life.device, payload)


def heartbeats(life: Life, *, start_ms: int, end_ms: int) -> Iterator[Sent]:
    """The heartbeats of that stretch."""
    for at_ms in range(start_ms, min(end_ms, life.until_ms), HEARTBEAT_MS):
        yield Sent(at_ms + LATENCY_MS, life.device, codec.encode(heartbeat(life, at_ms)))


def heartbeat(life: Life, at_ms: int) -> Heartbeat:
    """What the machine says at *at_ms*."""
    last_seq = life.last_seq(at_ms)
    return Heartbeat(
        device=life.device,
        at=at_ms,
        boot=life.boot,
        session=1,
        uptime_s=(at_ms - life.since_ms) // 1000,
        outbox=life.outbox,
        last_seq=last_seq,
        confirmed=last_seq,
        backlog=0,
        reader="ok",
        clock="trusted",
        clock_offset_ms=0,
        disk_free_pct=81.0,
        version=VERSION,
    )


def _boot(life: Life) -> Event:
    stamp = _stamp(life, 1, life.since_ms)
    return Event(**stamp, event=Happening.BOOT)


def _record(life: Life, number: int, key: SealingKey) -> Record:
    entry = life.entries[number]
    stamp = _stamp(life, number + 2, entry.at_ms)
    if entry.is_end:
        detail = {"outbox": life.outbox, "last_seq": number + 2}
        return Event(**stamp, event=Happening.OUTBOX_CLOSED, detail=detail)
    if entry.uid is None:
        return Hours(**stamp, hour=entry.at_ms - HOUR_MS, able_min=60)
    return Tap(**stamp, card=str(key.seal(entry.uid, life.device)))


def _stamp(life: Life, seq: int, at_ms: int) -> dict[str, object]:
    return {"seq": seq, "at": at_ms, "mono": at_ms - life.since_ms, "boot": life.boot, "clock": Clock.TRUSTED}
