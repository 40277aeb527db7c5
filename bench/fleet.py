"""Many machines in one process: they speak the contract over one TLS connection, and know when each tap was confirmed.

The only importer of paho beside the machine's own link. What a machine keeps on its disk is kept here in memory.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import codec, topics
from contract.cards import SealingKey
from contract.messages import Clock, Envelope, Heartbeat, Record, Tap
from contract.topics import DeviceId, Kind
from demo.servers.mosquitto import Mosquitto

NAME: Final = "fleet"
BOOT: Final = str(uuid.UUID(int=1 << 64))
WINDOW: Final = 4
"""Batches that a machine has on its way at once, as the real one."""
IN_FLIGHT: Final = 200
RESEND_S: Final = 30.0


def admit(broker: Mosquitto) -> None:
    """Let the fleet speak for every machine of a broker that is not started yet, until its rules are written anew."""
    rules = [f"topic write {topics.every(kind)}" for kind in topics.UP]
    rules += [f"topic read {topics.every(kind)}" for kind in topics.DOWN]
    file = broker.folder / "acl"
    file.write_text(file.read_text() + "\n" + "\n".join([f"user {NAME}", *rules]) + "\n")


@dataclass(slots=True)
class Machine:
    """One of them: what it made, by seq, and what is still on its way."""

    device: DeviceId
    outbox: str = field(default_factory=lambda: str(uuid.uuid4()))
    made: int = 0
    confirmed: int = 0
    waiting: dict[int, tuple[str, float]] = field(default_factory=dict)
    """By seq: the digest that an answer must name, and when the tap was made."""
    lone: dict[int, tuple[str, float]] = field(default_factory=dict)
    """By seq: taps sent alone, and when that was last."""
    batches: deque[tuple[list[str], list[int]]] = field(default_factory=deque)
    """Of a backlog: bodies and seqs that still are to be sent."""
    flights: int = 0


class Fleet:
    """`machines` behind one connection."""

    def __init__(self, broker: Mosquitto, devices: Sequence[DeviceId]) -> None:
        self.machines = {device: Machine(device) for device in devices}
        self.delays: list[float] = []
        self.stored = 0
        self.repeated = 0
        self._changed = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=NAME, protocol=MQTTProtocolVersion.MQTTv5)
        files = broker.issue(NAME)
        tls = ssl.create_default_context(cafile=files.ca)
        tls.load_cert_chain(files.certificate, files.key)
        self._client.tls_set_context(tls)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.on_message = self._answered
        self._ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe(topics.every(Kind.STORED), qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect(broker.host, broker.port, keepalive=60)

    @contextmanager
    def connected(self) -> Iterator[Fleet]:
        """Connected for as long as the block lasts."""
        self._client.loop_start()
        try:
            if not self._ready.wait(20):
                raise TimeoutError("the fleet could not connect to the broker")
            yield self
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    # ---- one tap at a time -------------------------------------------------------------------------------------------

    def tap(self, device: DeviceId, card: str) -> None:
        """A card is laid on a machine, now."""
        machine = self.machines[device]
        machine.made += 1
        began = time.monotonic()
        text = codec.body(tap_record(machine.made, card, at=round(time.time() * 1000)))
        machine.waiting[machine.made] = codec.digest(text), began
        machine.lone[machine.made] = text, began
        self.say(machine, [text])

    def repeat(self) -> None:
        """Send again what was not answered for 30 s, as the real machine does."""
        now = time.monotonic()
        for machine in self.machines.values():
            for seq, (text, sent) in list(machine.lone.items()):
                if seq not in machine.waiting:
                    machine.lone.pop(seq)
                elif now - sent > RESEND_S:
                    machine.lone[seq] = text, now
                    self.repeated += 1
                    self.say(machine, [text])

    def say(self, machine: Machine, bodies: list[str]) -> None:
        """Send a batch."""
        envelope = Envelope(device=machine.device, outbox=machine.outbox, confirmed=machine.confirmed)
        self._client.publish(str(topics.records(machine.device)), codec.encode_batch(envelope, bodies), qos=1)

    def beat(self, device: DeviceId) -> None:
        """A heartbeat."""
        machine = self.machines[device]
        now = round(time.time() * 1000)
        beat = Heartbeat(
            device=device, at=now, boot=BOOT, session=1, uptime_s=1000, outbox=machine.outbox, last_seq=machine.made,
            confirmed=machine.confirmed, backlog=len(machine.waiting), reader="ok", clock="trusted", disk_free_pct=50,
            version="bench",
        )  # fmt: skip
        self._client.publish(str(topics.heartbeat(device)), codec.encode(beat), qos=0)

    # ---- a backlog ---------------------------------------------------------------------------------------------------

    def load(self, device: DeviceId, bodies: Sequence[str], *, size: int) -> None:
        """Give a machine records 1.. that it has kept, to be sent in batches of *size*."""
        machine = self.machines[device]
        for start in range(0, len(bodies), size):
            part = list(bodies[start : start + size])
            machine.batches.append((part, list(range(start + 1, start + 1 + len(part)))))

    def drain(self, *, patience_s: float) -> float:
        """Send all backlogs as real machines do; seconds until the last record was confirmed."""
        began = time.monotonic()
        with self._changed:
            for machine in self.machines.values():
                self._fill(machine)
            if not self._changed.wait_for(self._is_drained, timeout=patience_s):
                raise TimeoutError(f"{self.backlog} records are not confirmed after {patience_s:.0f} s")
        return time.monotonic() - began

    def flood(self) -> None:
        """Send all backlogs without waiting for anybody."""
        for machine in self.machines.values():
            while machine.batches:
                self.say(machine, machine.batches.popleft()[0])

    @property
    def backlog(self) -> int:
        """Records not confirmed yet."""
        return sum(
            len(machine.waiting) + sum(len(part) for part, _ in machine.batches) for machine in self.machines.values()
        )

    def _is_drained(self) -> bool:
        return not any(machine.waiting or machine.batches for machine in self.machines.values())

    def _fill(self, machine: Machine) -> None:
        while machine.batches and len(machine.waiting) < WINDOW * len(machine.batches[0][1]):
            bodies, seqs = machine.batches.popleft()
            now = time.monotonic()
            machine.waiting.update({seq: (codec.digest(text), now) for seq, text in zip(seqs, bodies, strict=True)})
            self.say(machine, bodies)

    # ---- answers -----------------------------------------------------------------------------------------------------

    def _answered(self, client: Client, _: Any, message: MQTTMessage) -> None:  # Any: paho's own signature
        now = time.monotonic()
        answer = json.loads(message.payload)
        machine = self.machines.get(answer["device"])
        if machine is None or machine.outbox != answer["outbox"]:
            return
        with self._changed:
            for seq, digest in answer.get("digests", {}).items():
                known = machine.waiting.get(int(seq))
                if known is not None and known[0] == digest:
                    del machine.waiting[int(seq)]
                    self.delays.append(now - known[1])
                    self.stored += 1
            machine.confirmed = (
                max(machine.confirmed, answer["upto"]) if not machine.waiting else min(machine.waiting) - 1
            )
            self._fill(machine)
            self._changed.notify_all()


def tap_record(seq: int, card: str, *, at: int) -> Record:
    """A tap as a machine with a good clock makes it."""
    return Tap(seq=seq, at=at, mono=seq, boot=BOOT, clock=Clock.TRUSTED, card=card)


def seal(key: SealingKey, device: DeviceId, numbers: Sequence[int]) -> list[str]:
    """Cards with these numbers, sealed at a machine."""
    return [str(key.seal(uid(number), device)) for number in numbers]


def uid(number: int) -> bytes:
    """The UID of card *number*."""
    return b"\x04" + number.to_bytes(6, "big")
