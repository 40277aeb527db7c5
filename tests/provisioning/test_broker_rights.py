"""What the real broker lets whom do, with deploy/mosquitto.conf and the generated ACL."""

import queue
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contract import topics
from contract.topics import DeviceId, Kind
from demo.servers.mosquitto import Credentials, Mosquitto
from demo.servers.process import wait_for
from provisioning.__main__ import main
from provisioning.certificates import AuthorityFolder

pytestmark = pytest.mark.integration

A, B = DeviceId("DMG-01"), DeviceId("DMG-02")
GRANTED, NOBODY_LISTENS, NOT_AUTHORISED = 0, 0x10, 0x87
PATIENCE = 5.0


class Caller:
    """A client that waits for each answer; *name* is its client id, which is not who it is."""

    def __init__(self, broker: Mosquitto, credentials: Credentials, name: str) -> None:
        self.received: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: queue.Queue[int] = queue.Queue()
        self._connected: queue.Queue[bool] = queue.Queue()
        self._disconnected = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        self._client.tls_set(str(credentials.ca), str(credentials.certificate), str(credentials.key))
        self._client.on_connect = lambda _c, _u, _f, code, _p: self._connected.put(code.is_failure)
        self._client.on_disconnect = lambda *_: self._disconnected.set()
        self._client.on_publish = lambda _c, _u, _mid, code, _p: self._answers.put(code.value)
        self._client.on_subscribe = lambda _c, _u, _mid, codes, _p: self._answers.put(codes[0].value)
        self._client.on_message = lambda _c, _u, message: self.received.put((message.topic, message.payload))
        self._broker = broker

    def __enter__(self) -> "Caller":
        self._client.connect(self._broker.host, self._broker.port, keepalive=20)
        self._client.loop_start()
        if self._connected.get(timeout=PATIENCE):
            self.__exit__()
            raise AssertionError("the broker refused the connection")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def is_connected(self) -> bool:
        return self._client.is_connected()

    def publish(self, topic: object, payload: bytes = b"x", *, retain: bool = False) -> int:
        """The broker's reason code."""
        self.send(topic, payload, retain=retain)
        return self._answers.get(timeout=PATIENCE)

    def send(self, topic: object, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(str(topic), payload, qos=1, retain=retain)

    def was_cut_off(self) -> bool:
        """Whether the broker ends the connection (within patience)."""
        return self._disconnected.wait(PATIENCE)

    def subscribe(self, topic: object) -> None:
        self._client.subscribe(str(topic), qos=1)
        assert self._answers.get(timeout=PATIENCE) <= 1

    def hears(self, expected: bytes) -> bool:
        """Whether *expected* is the next message to come."""
        try:
            return self.received.get(timeout=PATIENCE)[1] == expected
        except queue.Empty:
            return False


@pytest.fixture
def broker(mosquitto: Mosquitto) -> Mosquitto:
    mosquitto.admit(A, B)
    return mosquitto


@pytest.fixture
def a(broker: Mosquitto) -> Iterator[Caller]:
    with Caller(broker, broker.issue(A), A) as caller:
        yield caller


@pytest.fixture
def b(broker: Mosquitto) -> Iterator[Caller]:
    with Caller(broker, broker.issue(B), B) as caller:
        yield caller


@pytest.fixture
def ingest(broker: Mosquitto) -> Iterator[Caller]:
    with Caller(broker, broker.issue("ingest"), "ingest-1") as caller:
        yield caller


def connect_fails(broker: Mosquitto, credentials: Credentials | None) -> bool:
    """Whether the broker refuses already while TLS is being set up (with TLS 1.3: at the first thing sent)."""
    context = ssl.create_default_context(cafile=str(broker.authority.path / "root.pem"))
    if credentials is not None:
        context.load_cert_chain(credentials.certificate, credentials.key)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="probe", protocol=mqtt.MQTTv5)
    client.tls_set_context(context)
    reasons: list[ReasonCode] = []
    client.on_connect = lambda _c, _u, _f, code, _p: reasons.append(code)
    try:
        client.connect(broker.host, broker.port)
        while client.loop(timeout=1.0) == MQTTErrorCode.MQTT_ERR_SUCCESS and not reasons:
            pass
    except (ssl.SSLError, ConnectionError):
        return True
    finally:
        client.disconnect()
        client.loop(timeout=0.1)
    return not reasons


def test_without_a_certificate_nobody_gets_in(broker: Mosquitto) -> None:
    assert connect_fails(broker, None)


def test_a_certificate_of_another_authority_is_refused(broker: Mosquitto, tmp_path: Path) -> None:
    foreign = AuthorityFolder.init(tmp_path / "foreign", datetime.now(UTC))
    foreign.issue_client(A, tmp_path, now=datetime.now(UTC))
    assert connect_fails(broker, Credentials(tmp_path / "ca.pem", tmp_path / f"{A}.pem", tmp_path / f"{A}.key"))


def test_an_expired_certificate_is_refused(broker: Mosquitto) -> None:
    assert connect_fails(broker, broker.issue(A, now=datetime.now(UTC) - timedelta(days=91)))


def test_the_brokers_own_certificate_is_no_way_in(broker: Mosquitto) -> None:
    tls = broker.folder / "tls"
    assert connect_fails(broker, Credentials(tls / "ca.pem", tls / "server.pem", tls / "server.key"))


def test_a_valid_certificate_gets_in(broker: Mosquitto) -> None:
    assert not connect_fails(broker, broker.issue(A))


def test_a_revoked_certificate_is_refused_and_others_are_not(broker: Mosquitto) -> None:
    of_a, of_b = broker.issue(A), broker.issue(B)
    broker.revoke(A)
    assert connect_fails(broker, of_a)
    assert not connect_fails(broker, of_b)


def test_the_list_alone_refuses_a_revoked_machine_that_kept_its_rights(broker: Mosquitto) -> None:
    of_a = broker.issue(A)
    broker.authority.revoke(A, now=datetime.now(UTC))
    broker.install_revocations()
    broker.reload()
    assert connect_fails(broker, of_a)


def test_an_expired_revocation_list_refuses_everybody(broker: Mosquitto) -> None:
    of_a = broker.issue(A)
    broker.authority.renew_list(datetime.now(UTC) - timedelta(days=31))
    broker.install_revocations()
    broker.reload()
    assert connect_fails(broker, of_a)
    broker.authority.renew_list(datetime.now(UTC))
    broker.install_revocations()
    broker.reload()
    assert not connect_fails(broker, of_a)


@pytest.mark.parametrize("kind", topics.UP)
def test_what_a_machine_sends_reaches_ingest(a: Caller, ingest: Caller, kind: Kind) -> None:
    ingest.subscribe(topics.every(kind))
    assert a.publish(topics.of(A, kind), b"from A") == GRANTED
    assert ingest.hears(b"from A")


@pytest.mark.parametrize("kind", sorted(topics.SHARED))
def test_ingest_may_share_what_machines_send(a: Caller, ingest: Caller, kind: Kind) -> None:
    ingest.subscribe(topics.shared(kind, "ingest"))
    assert a.publish(topics.of(A, kind), b"from A") == GRANTED
    assert ingest.hears(b"from A")


@pytest.mark.parametrize("kind", topics.DOWN)
def test_what_ingest_writes_to_a_machine_reaches_that_machine_alone(
    a: Caller, b: Caller, ingest: Caller, kind: Kind
) -> None:
    a.subscribe(topics.of(A, kind))
    b.subscribe(topics.of(A, kind))
    b.subscribe(topics.every(kind))
    b.subscribe(topics.of(B, kind))
    assert ingest.publish(topics.of(A, kind), b"to A") == GRANTED
    assert ingest.publish(topics.of(B, kind), b"to B") == GRANTED
    assert a.hears(b"to A")
    assert b.hears(b"to B"), "B was sent something else first"


@pytest.mark.parametrize("kind", Kind)
def test_a_machine_cannot_write_as_another(a: Caller, kind: Kind) -> None:
    assert a.publish(topics.of(B, kind)) == NOT_AUTHORISED


@pytest.mark.parametrize("kind", topics.DOWN)
def test_a_machine_cannot_confirm_or_order_itself_anything(a: Caller, kind: Kind) -> None:
    assert a.publish(topics.of(A, kind)) == NOT_AUTHORISED


@pytest.mark.parametrize("kind", topics.UP)
def test_a_machine_cannot_listen_to_another(a: Caller, b: Caller, ingest: Caller, kind: Kind) -> None:
    a.subscribe(topics.of(B, kind))
    a.subscribe("#")
    a.subscribe(topics.stored(A))
    assert b.publish(topics.of(B, kind), b"from B", retain=True) in (GRANTED, NOBODY_LISTENS)
    ingest.publish(topics.stored(A), b"to A")
    assert a.hears(b"to A"), "A heard B"


@pytest.mark.parametrize("topic", ["elsewhere", "hadir/v1", "hadir/v1/DMG-01/records/x", "$SYS/broker/uptime"])
def test_a_machine_has_no_other_topics(a: Caller, topic: str) -> None:
    assert a.publish(topic) == NOT_AUTHORISED


@pytest.mark.parametrize("kind", topics.UP)
def test_ingest_cannot_speak_as_a_machine(ingest: Caller, kind: Kind) -> None:
    assert ingest.publish(topics.of(A, kind)) == NOT_AUTHORISED


def test_taking_anothers_client_id_gives_nothing_that_is_its(broker: Mosquitto, ingest: Caller) -> None:
    long_session = Properties(PacketTypes.CONNECT)
    long_session.SessionExpiryInterval = 3600
    _absent(broker, broker.issue(B), subscribed_to=topics.stored(B), properties=long_session)
    ingest.publish(topics.stored(B), b"to B")
    thief = Caller(broker, broker.issue(A), B)
    with thief:
        thief.subscribe(topics.stored(A))
        ingest.publish(topics.stored(B), b"to B too")
        ingest.publish(topics.stored(A), b"to A")
        assert thief.hears(b"to A"), "A got B's mail"


def test_revoking_cuts_a_live_connection_off_while_others_stay(broker: Mosquitto, a: Caller, b: Caller) -> None:
    assert a.publish(topics.records(A)) == NOBODY_LISTENS
    broker.revoke(A)
    assert a.publish(topics.records(A)) == NOT_AUTHORISED
    assert b.publish(topics.records(B)) == NOBODY_LISTENS
    assert b.is_connected()


def test_a_revoked_machine_that_is_still_connected_hears_no_more(broker: Mosquitto, a: Caller, ingest: Caller) -> None:
    a.subscribe(topics.stored(A))
    broker.revoke(A)
    ingest.publish(topics.stored(A), b"to A")
    with pytest.raises(queue.Empty):
        a.received.get(timeout=0.5)


def test_admitting_a_machine_disturbs_nobody(broker: Mosquitto, a: Caller) -> None:
    broker.admit(DeviceId("DMG-03"))
    assert a.publish(topics.records(A)) == NOBODY_LISTENS


def test_the_operators_commands_revoke_a_live_machine(broker: Mosquitto, a: Caller, b: Caller) -> None:
    authority = broker.authority.path
    for command in (
        ["ca", "revoke", authority, A],
        ["broker", "crl", broker.folder, authority / "crl.pem"],
        ["broker", "acl", broker.folder, B, "--reload"],
    ):
        assert CliRunner().invoke(main, [str(word) for word in command]).exit_code == 0
    wait_for(lambda: a.publish(topics.records(A)) == NOT_AUTHORISED, "The refusal of a revoked machine")
    assert b.publish(topics.records(B)) == NOBODY_LISTENS
    assert connect_fails(broker, broker.credentials(A))


def test_a_client_must_say_its_id(broker: Mosquitto) -> None:
    with pytest.raises(AssertionError, match="refused"), Caller(broker, broker.issue(A), ""):
        pass


def test_a_restarted_broker_has_forgotten_what_was_retained(broker: Mosquitto) -> None:
    with Caller(broker, broker.issue(A), A) as a:
        a.publish(topics.status(A), b"before", retain=True)
    broker.restart()
    with Caller(broker, broker.issue("ingest"), "ingest-1") as ingest:
        ingest.subscribe(topics.every(Kind.STATUS))
        ingest.subscribe(topics.every(Kind.APPLIED))
        with Caller(broker, broker.issue(A), A) as a:
            a.publish(topics.applied(A), b"after")
        assert ingest.hears(b"after")
    assert not list(broker.folder.glob("*.db"))


def test_a_packet_above_the_limit_ends_only_its_own_connection(broker: Mosquitto, a: Caller, b: Caller) -> None:
    a.send(topics.records(A), b"x" * 300_000)
    assert a.was_cut_off()
    assert b.publish(topics.records(B)) == NOBODY_LISTENS


def _absent(broker: Mosquitto, credentials: Credentials, *, subscribed_to: object, properties: Any) -> None:
    """Leave a session behind that waits for its machine. (`Any`: paho makes the attributes of Properties up.)"""
    done = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=B, protocol=mqtt.MQTTv5)
    client.tls_set(str(credentials.ca), str(credentials.certificate), str(credentials.key))
    client.on_connect = lambda *_: client.subscribe(str(subscribed_to), qos=1)
    client.on_subscribe = lambda *_: done.set()
    client.connect(broker.host, broker.port, properties=properties)
    client.loop_start()
    assert done.wait(PATIENCE)
    client.disconnect()
    client.loop_stop()
