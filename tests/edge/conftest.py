"""A centre that answers as ingest does, over the real broker: what the machine's program is tried against."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contract import codec, topics
from contract.messages import Heartbeat, Record, Status, Stored
from contract.ranges import Ranges
from contract.topics import DeviceId, Kind
from demo.servers.mosquitto import Mosquitto


@dataclass
class Centre:
    """Stores in memory what arrives, and answers it; `is_silent` makes it a centre that is down but subscribed."""

    broker: Mosquitto
    known: bool = True
    is_silent: bool = False
    at_ms: Callable[[], int] = lambda: 1_800_000_000_000
    stored: dict[tuple[str, int], str] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    batches: int = 0

    def __enter__(self) -> "Centre":
        self._changed = threading.Condition()
        files = self.broker.issue("ingest")
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="ingest", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.tls_set(str(files.ca), str(files.certificate), str(files.key))
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topics.every(kind), 1) for kind in (Kind.RECORDS, Kind.HEARTBEAT, Kind.STATUS)]
        )
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect(self.broker.host, self.broker.port)
        self._client.loop_start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        topic = topics.parse(message.topic)
        with self._changed:
            if topic.kind is Kind.STATUS:
                self.statuses.append(codec.decode(message.payload, Status, device=topic.device))
            elif topic.kind is Kind.HEARTBEAT:
                self.heartbeats.append(codec.decode(message.payload, Heartbeat, device=topic.device))
            else:
                self._store(topic.device, codec.decode_batch(message.payload, device=topic.device))
            self._changed.notify_all()

    def _store(self, device: DeviceId, batch: codec.Batch) -> None:
        self.batches += 1
        if self.is_silent:
            return
        outbox = batch.envelope.outbox
        conflicts = [
            one.record.seq
            for one in batch.records
            if self.stored.setdefault((outbox, one.record.seq), one.body) != one.body
        ]
        self.say(device, self.answer(device, outbox, conflicts))

    def answer(self, device: DeviceId, outbox: str, conflicts: list[int]) -> Stored:
        held = {seq: body for (name, seq), body in self.stored.items() if name == outbox}
        covered = Ranges.single(held)
        return Stored(
            device=device,
            outbox=outbox,
            at=self.at_ms(),
            upto=covered.prefix,
            beyond=covered.beyond,
            digests={seq: codec.digest(body) for seq, body in held.items()},
            outcomes={seq: "known" if self.known else "unknown" for seq, body in held.items() if '"tap"' in body},
            conflicts=Ranges.single(conflicts),
        )

    def say(self, device: DeviceId, message: Any) -> None:
        kind = topics.stored if isinstance(message, Stored) else topics.resume
        self._client.publish(str(kind(device)), codec.encode(message), qos=1)

    def records(self) -> list[Record]:
        read = [codec.decode_record(body) for body in list(self.stored.values())]
        return [one.record for one in read if isinstance(one, codec.Received)]

    def wait_for(self, what: Callable[[], bool], seconds: float = 20) -> None:
        with self._changed:
            assert self._changed.wait_for(what, seconds), (
                f"not seen within {seconds} s; stored {sorted(self.stored)}, {len(self.statuses)} statuses"
            )


@pytest.fixture
def centre_at() -> type[Centre]:
    return Centre
