"""MQTT to messages and back: one connection after another, each with a new client. The only importer of aiomqtt.

Records and heartbeats are shared with the other ingesters of the group; status is not. The broker counts a message as
delivered once it is in memory here, so nothing may rest on that: machines resend until they are answered. When too much
waits to be stored, records are unsubscribed from: the broker then deals them to other ingesters, or tells the machines
that nobody is listening; what was taken already is worked off. Only what would not fit into memory is passed over, and
comes again unasked. Signs of life have a queue of their own: a machine is not silent because its records wait for a
database.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from contract import topics
from contract.codec import MAX_PAYLOAD
from contract.topics import Canary, Kind, Topic

log = logging.getLogger(__name__)

GROUP: Final = "ingest"
KEEPALIVE_S: Final = 15
IN_FLIGHT: Final = 100
CROWDED: Final = 200
"""Batches of records waiting at which no more are taken."""
DRAINED: Final = 20
"""Batches waiting at which they are taken again."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of records waiting, beyond which they are passed over: the broker hands over all it has in store, taken or not."""
BYTES_EACH: Final = 1024
"""What a message takes beside its payload, generously."""
MOST_ANSWERS: Final = 2000
"""Messages on their way to the broker, beyond which no more are accepted: it does not take them."""
MOST_SIGNS: Final = 5000
"""Signs of life waiting at which heartbeats are passed over: the next one is 30 s away and says it all again."""
_RECORDS: Final = topics.shared(Kind.RECORDS, GROUP)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is to be heard, and how surely."""

    filter: str
    qos: int = 1


INGEST: Final = (
    Subscription(topics.every(Kind.STATUS)),
    Subscription(topics.shared(Kind.HEARTBEAT, GROUP)),
    Subscription(_RECORDS),
    Subscription("$SYS/broker/#", 0),
)
"""Everything an ingester hears."""
CANARY: Final = (Subscription(str(topics.CANARY)),)
"""Only what a program says to hear it back."""


@dataclass(frozen=True, slots=True)
class Address:
    """The broker, and as whom to speak to it."""

    host: str
    port: int
    client_id: str
    tls: ssl.SSLContext | None = field(repr=False)
    """None only for a broker on this very computer."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as the broker handed it over."""

    topic: str
    payload: bytes = field(repr=False)
    is_retained: bool
    arrived_ms: int


def delay_s(attempt: int, *, chance: float) -> float:
    """The wait before connection attempt number *attempt* (from 1): doubling to 30 s, spread by *chance* (0-1)."""
    return float(min(30.0, 0.5 * 2.0 ** min(attempt - 1, 10)) * (0.5 + chance / 2))


class Waiting:
    """Batches of records that wait to be stored."""

    def __init__(self) -> None:
        self._batches: asyncio.Queue[Arrived] = asyncio.Queue()
        self._bytes = 0
        self.is_crowded = asyncio.Event()
        self.is_drained = asyncio.Event()
        self.passed_over = 0

    def __len__(self) -> int:
        return self._batches.qsize()

    def put(self, arrived: Arrived) -> None:
        """Keep it, or pass it over: its machine, never answered, sends it again."""
        size = len(arrived.payload) + BYTES_EACH
        if self._bytes + size > MOST_BYTES:
            self.passed_over += 1
            return
        self._bytes += size
        self._batches.put_nowait(arrived)
        if len(self) >= CROWDED and not self.is_crowded.is_set():
            self.is_drained.clear()
            self.is_crowded.set()

    async def get(self) -> Arrived:
        """The longest waiting; waits for one."""
        arrived = await self._batches.get()
        self._bytes -= len(arrived.payload) + BYTES_EACH
        if len(self) <= DRAINED:
            self.is_drained.set()
        return arrived


class Signs:
    """Signs of life that wait to be noted."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[Arrived] = asyncio.Queue()
        self._retained: set[tuple[str, bytes]] = set()

    def __len__(self) -> int:
        return self._messages.qsize()

    def put(self, arrived: Arrived) -> None:
        """Keep it, unless it is one heartbeat too many, or what every new connection hands over and still waits."""
        if len(self) >= MOST_SIGNS and arrived.topic.endswith(f"/{Kind.HEARTBEAT}"):
            return
        if arrived.is_retained:
            if (arrived.topic, arrived.payload) in self._retained:
                return
            self._retained.add((arrived.topic, arrived.payload))
        self._messages.put_nowait(arrived)

    async def get(self) -> Arrived:
        """The longest waiting; waits for one."""
        arrived = await self._messages.get()
        if arrived.is_retained:
            self._retained.discard((arrived.topic, arrived.payload))
        return arrived


class Feed:
    """The connection to the broker. `run` keeps it up, `next` and `next_sign` give what arrived, `publish` speaks."""

    def __init__(
        self, address: Address, *, now: Callable[[], datetime], subscriptions: Sequence[Subscription] = INGEST
    ) -> None:
        self._address = address
        self._subscriptions = subscriptions
        self._now = now
        self._records = Waiting()
        self._signs = Signs()
        self._client: aiomqtt.Client | None = None
        self.broker_says: dict[str, str] = {}
        """What the broker says of itself, by the topic after `$SYS/broker/`."""

    @property
    def is_listening(self) -> bool:
        """Whether every sign of life would arrive now."""
        return self._client is not None and len(self._signs) < MOST_SIGNS

    @property
    def is_taking(self) -> bool:
        """Whether records would be taken now as well."""
        return self.is_listening and not self._records.is_crowded.is_set()

    @property
    def backlog(self) -> int:
        """Messages that wait to be taken by `next` and `next_sign`."""
        return len(self._records) + len(self._signs)

    async def next(self) -> Arrived:
        """The next batch of records; waits for one."""
        return await self._records.get()

    async def next_sign(self) -> Arrived:
        """The next message that is no batch of records; waits for one."""
        return await self._signs.get()

    async def publish(self, topic: Topic | Canary, payload: bytes) -> bool:
        """Say it, at least once if connected. False: it may be lost, and whoever needs it will ask again."""
        client = self._client
        if client is None:
            return False
        try:
            await client.publish(str(topic), payload, qos=1)
        except aiomqtt.MqttError:
            return False
        return True

    async def run(self) -> None:
        """Stay connected until cancelled."""
        attempt = 0
        while True:
            try:
                async with self._new_client() as client:
                    attempt = 0
                    await self._listen(client)
            except* (aiomqtt.MqttError, OSError) as group:
                log.warning("Not connected to the broker: %s", _first(group), extra={"action": "broker_lost"})
            except* Exception as group:  # noqa: BLE001  # the top of a service loop
                kind = type(_first(group)).__name__
                log.error("The connection to the broker failed on a %s", kind, extra={"action": "feed_failed"})
            finally:
                self._client = None
            attempt += 1
            await asyncio.sleep(delay_s(attempt, chance=random.random()))

    def _new_client(self) -> aiomqtt.Client:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = IN_FLIGHT
        properties.SessionExpiryInterval = 0
        properties.MaximumPacketSize = MAX_PAYLOAD + 1024
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            identifier=self._address.client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            keepalive=KEEPALIVE_S,
            max_inflight_messages=IN_FLIGHT,
            max_queued_outgoing_messages=MOST_ANSWERS,
            properties=properties,
            tls_context=self._address.tls,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # an answer never waits for the next one
        )

    async def _listen(self, client: aiomqtt.Client) -> None:
        client.pending_calls_threshold = IN_FLIGHT
        is_crowded = self._records.is_crowded.is_set()  # a new connection makes no room
        wanted = [each for each in self._subscriptions if not (is_crowded and each.filter == _RECORDS)]
        await client.subscribe([(each.filter, each.qos) for each in wanted])
        self._client = client
        log.info("Connected to the broker", extra={"action": "broker_connected"})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(client))
            tasks.create_task(self._pace(client))

    async def _read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic, payload = str(message.topic), message.payload
            raw = payload if isinstance(payload, bytes) else b""
            if topic.startswith("$SYS/"):
                self.broker_says[topic.removeprefix("$SYS/broker/")] = raw[:100].decode(errors="replace")
                continue
            self._put(Arrived(topic, raw, bool(message.retain), round(self._now().timestamp() * 1000)))

    def _put(self, arrived: Arrived) -> None:
        if arrived.topic.endswith(f"/{Kind.RECORDS}"):
            self._records.put(arrived)
        else:
            self._signs.put(arrived)

    async def _pace(self, client: aiomqtt.Client) -> None:
        records = self._records
        while True:
            await records.is_crowded.wait()
            log.warning("Too much waits to be stored: taking no more records", extra={"action": "feed_paused"})
            await client.unsubscribe(_RECORDS)
            await records.is_drained.wait()
            await client.subscribe(_RECORDS, qos=1)
            records.is_crowded.clear()
            log.info(
                "Taking records again; %d were passed over until now and come again",
                records.passed_over,
                extra={"action": "feed_resumed"},
            )


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first cause of a group of exceptions."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
