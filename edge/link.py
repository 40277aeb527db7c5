"""The connection to the broker: MQTT 5 over TLS with the machine's own certificate. The only module that knows paho.

Every connection is a new paho client: nothing of an old one can be sent again behind the outbox's back, and a renewed
certificate is picked up. paho's callbacks only report, and whoever takes the reports must only enqueue.
"""

import contextlib
import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contract import topics
from contract.topics import DeviceId, Kind, Topic

KEEPALIVE_S: Final = 25
SESSION_EXPIRY_S: Final = 3600
WILL_DELAY_S: Final = 10
CONNECT_TIMEOUT_S: Final = 10.0
NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME; Python gives it no name."""
REFUSALS: Final = {0x10: "nobody_listening", 0x87: "not_authorised", 0x97: "quota_exceeded"}
"""What a broker may say to a publish though it took it from the wire; any other code >= 0x80 is a refusal too."""
FIRST_DELAY_S: Final = 1.0
MAX_DELAY_S: Final = 60.0
STEADY_S: Final = 10.0
"""A connection that held so long was a good one. After a shorter one the delays go on growing: two machines that share
one certificate throw each other out for ever."""


@dataclass(frozen=True, slots=True)
class Connected:
    """Subscribed and ready to publish."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Gone, or never reached; the link tries again by itself."""

    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """The broker answered a publish of that kind: `refusal` is None or a word for why it goes nowhere."""

    kind: Kind
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message for this machine."""

    topic: str
    payload: bytes


Happening = Connected | Disconnected | Published | Arrived


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, and by which files the machine and the broker know each other."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path


def delay_s(attempt: int, *, chance: float) -> float:
    """Seconds before the *attempt*-th try after a failure: doubling to a minute, half of it random (*chance* 0..1)."""
    ceiling = min(FIRST_DELAY_S * 2.0 ** min(attempt - 1, 16), MAX_DELAY_S)
    return ceiling * (0.5 + 0.5 * chance)


def refusal(code: int) -> str | None:
    """A stable word for a publish that reached nobody, else None."""
    return REFUSALS.get(code) or (f"refused_{code:02x}" if code >= 0x80 else None)


def tls_context(address: Address, *, is_clock_trusted: bool) -> ssl.SSLContext:
    """TLS 1.2 or later, both sides by certificate. Raises OSError when a file is missing or no certificate.

    Under an untrusted clock the dates of certificates cannot be judged; everything else still is. Without this
    a machine that wakes in 1970 could not even ask what time it is.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(address.ca)
    context.load_cert_chain(address.certificate, address.key)
    if not is_clock_trusted:
        context.verify_flags |= NO_CHECK_TIME
    return context


class Receipts:
    """Brings a publish and the broker's answer to it together, whichever of the two is told of first.

    paho calls `on_publish` inside a lock that its `publish` takes too: a lock of ours held around `publish` would one
    day leave both threads waiting for each other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[int, Kind] = {}
        self._answered: dict[int, int] = {}

    def sent(self, mid: int, kind: Kind) -> Published | None:
        """That publish is on its way; its receipt if the answer was faster."""
        with self._lock:
            if mid in self._answered:
                return Published(kind, refusal(self._answered.pop(mid)))
            self._sent[mid] = kind
            return None

    def answered(self, mid: int, code: int) -> Published | None:
        """The broker answered; its receipt if it is known what was sent."""
        with self._lock:
            if mid in self._sent:
                return Published(self._sent.pop(mid), refusal(code))
            self._answered[mid] = code
            return None


class Link:
    """Keeps the machine connected while `run` runs; publishes only while it is."""

    def __init__(
        self,
        device: DeviceId,
        address: Address,
        *,
        will: bytes,
        is_clock_trusted: Callable[[], bool],
        report: Callable[[Happening], None],
    ) -> None:
        self._device = device
        self._address = address
        self._will = will
        self._is_clock_trusted = is_clock_trusted
        self._report = report
        self._receipts = Receipts()
        self._client: Client | None = None
        self._is_connected = False
        self._stop = threading.Event()
        self._attempt = 0
        self._refused = ""

    @property
    def is_connected(self) -> bool:
        """Whether a publish would reach the broker now."""
        return self._is_connected

    def publish(self, topic: Topic, payload: bytes) -> bool:
        """Send under the rules of its kind; False when there is no connection (nothing is queued)."""
        client = self._client
        if client is None or not self._is_connected:
            return False
        return self._publish(client, topic, payload).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def run(self, beat: Callable[[], None] = lambda: None) -> None:
        """Connect, stay, connect again, until `stop`, calling *beat* at every turn. Runs in a thread of its own."""
        while not self._stop.is_set():
            began = time.monotonic()
            reason = self._connect_once(beat)
            self._is_connected, self._client = False, None
            self._report(Disconnected(reason))
            if time.monotonic() - began > STEADY_S:
                self._attempt = 0
            self._attempt += 1
            self._pause(delay_s(self._attempt, chance=random.random()), beat)

    def part(self, goodbye: bytes, patience_s: float) -> bool:
        """Say goodbye, and disconnect cleanly once the broker has it: then it sends no will. Whether it has it."""
        client = self._client
        self._stop.set()
        if client is None or not self._is_connected:
            return False
        info = self._publish(client, topics.status(self._device), goodbye)
        with contextlib.suppress(RuntimeError, ValueError):  # the connection died under it
            info.wait_for_publish(patience_s)
        client.disconnect()
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS and info.is_published()

    def stop(self) -> None:
        """Give up the connection without a word: the broker sends the will."""
        self._stop.set()
        if (client := self._client) is not None:
            client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=0x04))

    def _publish(self, client: Client, topic: Topic, payload: bytes) -> MQTTMessageInfo:
        qos = 0 if topic.kind is topics.Kind.HEARTBEAT else 1
        receipts = self._receipts
        info = client.publish(str(topic), payload, qos=qos, retain=topic.kind in topics.RETAINED)
        if (receipt := receipts.sent(info.mid, topic.kind)) is not None:
            self._report(receipt)
        return info

    def _connect_once(self, beat: Callable[[], None]) -> str:
        """One connection from beginning to end; why it ended."""
        try:
            client = self._new_client()
            self._receipts, self._refused = Receipts(), ""
            client.connect_async(
                self._address.host,
                self._address.port,
                keepalive=KEEPALIVE_S,
                clean_start=False,
                properties=_properties(PacketTypes.CONNECT, SessionExpiryInterval=SESSION_EXPIRY_S),
            )
            self._client = client
            client.reconnect()
            return self._serve(client, beat)
        except (OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"

    def _serve(self, client: Client, beat: Callable[[], None]) -> str:
        while (result := client.loop(timeout=1.0)) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            beat()
        return self._refused or result.name

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._device,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.tls_set_context(tls_context(self._address, is_clock_trusted=self._is_clock_trusted()))
        client.will_set(
            str(topics.status(self._device)),
            self._will,
            qos=1,
            retain=True,
            properties=_properties(PacketTypes.WILLMESSAGE, WillDelayInterval=WILL_DELAY_S),
        )
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        # With it set, paho leaves all writing to the thread that runs its loop, and only wakes that thread.
        client.on_socket_register_write = lambda *_: None
        return client

    # paho's own signatures; its user data is of any type
    def _on_connect(
        self, client: Client, _: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._refused = f"the broker refused the connection: {code}"
            return
        if self._stop.is_set():  # told to stop while it was connecting
            client.disconnect()
            return
        wanted = (topics.stored(self._device), topics.resume(self._device))
        client.subscribe([(str(topic), 1) for topic in wanted])
        self._is_connected = True
        self._report(Connected())

    def _on_disconnect(
        self, client: Client, _: Any, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._is_connected = False
        if flags.is_disconnect_packet_from_server:
            self._refused = f"the broker ended the connection: {code}"

    def _on_publish(self, client: Client, _: Any, mid: int, code: ReasonCode, properties: Properties | None) -> None:
        if (receipt := self._receipts.answered(mid, code.value)) is not None:
            self._report(receipt)

    def _on_message(self, client: Client, _: Any, message: MQTTMessage) -> None:
        self._report(Arrived(message.topic, bytes(message.payload)))

    def _pause(self, seconds: float, beat: Callable[[], None]) -> None:
        remaining = seconds
        while remaining > 0 and not self._stop.wait(min(remaining, 1.0)):
            beat()
            remaining -= 1.0


def _properties(packet: int, **values: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho left it without types
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
