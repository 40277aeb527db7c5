"""A machine in a story: keeps hours and taps under a seq while it has power, sends them while it has a network."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from cloud.days import HOUR, MINUTE
from cloud.ingest.requests import Incoming
from cloud.records.heard import Beat
from contract import codec, messages
from contract.codec import Batch, Received
from contract.messages import Clock, Envelope, Stored
from contract.topics import DeviceId


class Now(Protocol):
    """Whoever has the time."""

    now_ms: int


KINDS = {"tap": messages.Tap, "hours": messages.Hours, "event": messages.Event}


def named(device: str, what: str) -> str:
    """The UUID of a machine's boot or outbox."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{device}/{what}"))


@dataclass
class Machine:
    """One machine, and what befalls it."""

    device: DeviceId
    world: Now
    has_power: bool = True
    has_network: bool = True
    boots: int = 1
    born_ms: int = 0
    seq: int = 0
    confirmed: int = 0
    waiting: list[Received] = field(default_factory=list)
    reader: str = "ok"
    free_pct: float = 60.0
    clock_ms: int | None = None
    """By how much its clock is wrong; None = it is synchronised."""
    hour_ms: int = 0
    able_ms: int = 0
    """In the hour that has begun."""
    place: dict[str, Any] = field(default_factory=dict)
    """Its row in the registry."""

    # ---- what befalls it ---------------------------------------------------------------------------------------------

    def loses_power(self) -> None:
        self.close_hour()
        self.has_power = False

    def gets_power(self, *, clock_at_ms: int | None = None) -> None:
        """It boots; *clock_at_ms*: what its clock shows, if that is wrong."""
        self.has_power, self.boots, self.born_ms = True, self.boots + 1, self.world.now_ms
        self.clock_ms = None if clock_at_ms is None else clock_at_ms - self.world.now_ms
        self.hour_ms, self.able_ms = self.world.now_ms // HOUR * HOUR, 0
        self.keeps("event", event="boot")

    def tap(self, card: str) -> None:
        assert self.has_power
        self.keeps("tap", card=card)

    # ---- what it does ------------------------------------------------------------------------------------------------

    @property
    def boot(self) -> str:
        return named(self.device, f"boot {self.boots}")

    @property
    def outbox(self) -> str:
        return named(self.device, "outbox")

    @property
    def shown_ms(self) -> int:
        """What its clock shows."""
        return self.world.now_ms + (self.clock_ms or 0)

    def passes(self, until_ms: int) -> None:
        """Time passes: each hour that ends becomes a record."""
        while self.has_power and self.hour_ms + HOUR <= until_ms:
            self.able_ms += self.hour_ms + HOUR - max(self.world.now_ms, self.hour_ms)
            self.close_hour()
        if self.has_power and self.reader == "ok":
            self.able_ms += until_ms - max(self.world.now_ms, self.hour_ms)

    def close_hour(self) -> None:
        if self.clock_ms is None:  # the minutes of a machine that does not know the time count for nobody
            able = min(60, self.able_ms // MINUTE) if self.reader == "ok" else 0
            self.keeps("hours", hour=self.hour_ms, able_min=able)
        self.hour_ms, self.able_ms = self.hour_ms + HOUR, 0

    def keeps(self, kind: str, **more: Any) -> None:
        self.seq += 1
        clock = Clock.TRUSTED if self.clock_ms is None else Clock.UNTRUSTED
        stamp = {"seq": self.seq, "at": self.shown_ms, "mono": self.world.now_ms - self.born_ms, "boot": self.boot}
        record = KINDS[kind](**stamp, clock=clock, **more)
        text = codec.body(record)
        self.waiting.append(Received(record, text, codec.digest(text)))

    def heartbeat(self) -> Beat:
        beat = messages.Heartbeat(
            device=self.device,
            at=self.shown_ms,
            boot=self.boot,
            session=self.boots,
            uptime_s=(self.world.now_ms - self.born_ms) // 1000,
            outbox=self.outbox,
            last_seq=self.seq,
            confirmed=self.confirmed,
            backlog=len(self.waiting),
            oldest_unsent=self.waiting[0].record.at if self.waiting else None,
            reader=self.reader,
            clock="trusted" if self.clock_ms is None else "untrusted",
            disk_free_pct=self.free_pct,
            version="1",
        )
        return Beat(beat, codec.encode(beat).decode(), self.world.now_ms)

    def batches(self) -> Iterator[Incoming]:
        """What it holds, a hundred records at a time."""
        envelope = Envelope(device=self.device, outbox=self.outbox, confirmed=self.confirmed)
        for first in range(0, len(self.waiting), 100):
            records = tuple(self.waiting[first : first + 100])
            yield Incoming(self.device, Batch(envelope, records, ()), self.world.now_ms)

    def hears(self, answer: Stored) -> None:
        self.confirmed = max(self.confirmed, answer.upto)
        self.waiting = [each for each in self.waiting if each.record.seq > answer.upto]
