"""The connection: what a broker's answers mean, what TLS lets pass, and how it behaves at the real broker."""

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from contract import codec, topics
from contract.messages import Status, Stored
from contract.topics import DeviceId, Kind
from demo.servers.mosquitto import Mosquitto
from edge import machine
from edge.link import (
    Address,
    Arrived,
    Connected,
    Disconnected,
    Happening,
    Link,
    Published,
    Receipts,
    delay_s,
    refusal,
    tls_context,
)
from provisioning import ca

DEVICE = DeviceId("DMG-01")
OUTBOX = "00000001-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0x00, None),
        (0x10, "nobody_listening"),
        (0x87, "not_authorised"),
        (0x97, "quota_exceeded"),
        (0x80, "refused_80"),
        (0x99, "refused_99"),
    ],
)
def test_each_refusal_has_a_word(code, expected) -> None:
    assert refusal(code) == expected


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_delay_between_attempts_grows_to_a_minute_and_is_half_chance(attempt, chance) -> None:
    ceiling = min(2.0 ** min(attempt - 1, 16), 60.0)
    assert ceiling / 2 <= delay_s(attempt, chance=chance) <= ceiling


# ---- TLS without a network -------------------------------------------------------------------------------------------


def write_identity(folder: Path, now: datetime) -> tuple[Address, ssl.SSLContext]:
    """A fleet that began at *now*: the machine's files, and the broker's side of TLS."""
    root = ca.new_root(now)
    issuing = ca.new_issuing(root, now)
    keys = {name: ca.new_key() for name in ("broker", DEVICE)}
    requests = {name: ca.request(key, name) for name, key in keys.items()}
    chains = {
        "broker": ca.server_certificate(issuing, requests["broker"], hosts=["localhost"], now=now),
        DEVICE: ca.client_certificate(issuing, requests[DEVICE], name=DEVICE, now=now),
    }
    for name in keys:
        (folder / f"{name}.pem").write_bytes(ca.pem(chains[name], issuing.certificate))
        (folder / f"{name}.key").write_bytes(ca.key_pem(keys[name]))
    (folder / "ca.pem").write_bytes(ca.pem(root.certificate))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "broker.pem", folder / "broker.key")
    files = (folder / "ca.pem", folder / f"{DEVICE}.pem", folder / f"{DEVICE}.key")
    return Address("localhost", 8883, *files), server


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str = "localhost") -> None:
    """A handshake in memory. Raises what either side objects to."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(down, up, server_hostname=host), server.wrap_bio(up, down, server_side=True)]
    for _ in range(6):
        for side in sides:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()


def test_a_broker_of_our_own_fleet_is_believed(tmp_path) -> None:
    address, server = write_identity(tmp_path, datetime.now(UTC))
    shake_hands(tls_context(address, is_clock_trusted=True), server)


def test_a_machine_that_wakes_in_the_past_can_still_ask_what_time_it_is(tmp_path) -> None:
    address, server = write_identity(tmp_path, datetime.now(UTC) + timedelta(days=3650))
    shake_hands(tls_context(address, is_clock_trusted=False), server)
    with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
        shake_hands(tls_context(address, is_clock_trusted=True), server)


def test_even_then_a_stranger_is_refused(tmp_path) -> None:
    (tmp_path / "other").mkdir()
    address, _ = write_identity(tmp_path, datetime.now(UTC))
    _, stranger = write_identity(tmp_path / "other", datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tls_context(address, is_clock_trusted=False), stranger)
    _, server = write_identity(tmp_path, datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(tls_context(address, is_clock_trusted=False), server, host="elsewhere")


def test_old_tls_is_not_spoken(tmp_path) -> None:
    address, _ = write_identity(tmp_path, datetime.now(UTC))
    assert tls_context(address, is_clock_trusted=True).minimum_version == ssl.TLSVersion.TLSv1_2


# ---- receipts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_answered_first", [False, True])
def test_a_receipt_names_what_was_sent_whichever_is_told_of_first(is_answered_first) -> None:
    receipts = Receipts()
    steps = [lambda: receipts.sent(7, Kind.RECORDS), lambda: receipts.answered(7, 0x87)]
    first, second = (step() for step in (reversed(steps) if is_answered_first else steps))
    assert (first, second) == (None, Published(Kind.RECORDS, "not_authorised"))


def test_publishing_waits_for_nothing_that_a_callback_of_paho_waits_for(tmp_path) -> None:
    """paho calls on_publish inside the lock that its own publish takes."""
    address, _ = write_identity(tmp_path, datetime.now(UTC))
    link = Link(DEVICE, address, will=b"{}", is_clock_trusted=lambda: True, report=lambda _: None)
    client = link._client = link._new_client()
    link._is_connected = True
    publishing = threading.Thread(target=link.publish, args=(topics.records(DEVICE), b"{}"), daemon=True)
    with client._out_message_mutex:
        publishing.start()
        publishing.join(0.1)  # it has reached the lock by now
        accepted = ReasonCode(PacketTypes.PUBACK, identifier=0)
        answering = threading.Thread(target=link._on_publish, args=(client, None, 1, accepted, None), daemon=True)
        answering.start()
        answering.join(2)
        assert not answering.is_alive(), "both threads wait for each other"
    publishing.join(2)
    assert not publishing.is_alive()


# ---- a strange broker ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def broker_that_says(answer: bytes, server: ssl.SSLContext) -> Iterator[int]:
    """Takes one connection after the other, answers the first bytes of each with *answer*; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                with contextlib.suppress(OSError), server.wrap_socket(plain, server_side=True) as secure:
                    secure.recv(4096)
                    secure.sendall(answer)
                    secure.recv(4096)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(bytes.fromhex("2003000002"), "Disconnected", id="properties cut short"),
        pytest.param(bytes.fromhex("20060000037fff01"), "Disconnected", id="a property that does not exist"),
        pytest.param(bytes.fromhex("200101"), "Disconnected", id="half a greeting"),
        pytest.param(bytes.fromhex("2003008900"), "Server busy", id="busy"),
        pytest.param(bytes.fromhex("2003000000e0028e00"), "Session taken over", id="thrown out by its double"),
    ],
)
def test_whatever_a_broker_says_the_link_tries_again(tmp_path, answer, expected) -> None:
    address, server = write_identity(tmp_path, datetime.now(UTC))
    reports: queue.SimpleQueue[Happening] = queue.SimpleQueue()
    with broker_that_says(answer, server) as port:
        link = Link(DEVICE, replace(address, port=port), will=b"{}", is_clock_trusted=lambda: True, report=reports.put)
        thread = threading.Thread(target=link.run)
        thread.start()
        while not isinstance(report := reports.get(timeout=10), Disconnected):
            pass
        thread.join(0.1)
        assert thread.is_alive()
        link.stop()
        thread.join(10)
    assert expected in str(report)


def test_the_will_waits_longer_than_a_usual_reconnection(tmp_path) -> None:
    address, _ = write_identity(tmp_path, datetime.now(UTC))
    link = Link(DEVICE, address, will=b"{}", is_clock_trusted=lambda: True, report=lambda _: None)
    assert link._new_client()._will_properties.WillDelayInterval == 10


# ---- at the real broker ----------------------------------------------------------------------------------------------


class Connection:
    """A link in a thread, and what it reported."""

    def __init__(self, broker: Mosquitto, session: int = 1) -> None:
        files = broker.issue(DEVICE)
        self.reports: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self.link = Link(
            DEVICE,
            Address(broker.host, broker.port, files.ca, files.certificate, files.key),
            will=codec.encode(machine.will(DEVICE, session)),
            is_clock_trusted=lambda: True,
            report=self.reports.put,
        )
        self.thread = threading.Thread(target=self.link.run)
        self.thread.start()

    def wait_for(self, kind: type, seconds: float = 15) -> Happening:
        deadline = time.monotonic() + seconds
        while True:
            report = self.reports.get(timeout=max(deadline - time.monotonic(), 0.01))
            if isinstance(report, kind):
                return report

    def end(self) -> None:
        self.link.stop()
        self.thread.join(10)


@pytest.fixture
def short_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried is that the will comes or stays away, not how long it takes."""
    monkeypatch.setattr("edge.link.WILL_DELAY_S", 2)


@pytest.fixture
def connection(mosquitto: Mosquitto) -> Iterator[Connection]:
    mosquitto.admit(DEVICE)
    one = Connection(mosquitto)
    yield one
    one.end()


def birth(session: int = 1) -> bytes:
    return codec.encode(
        Status(device=DEVICE, online=True, session=session, reason="birth", boot=OUTBOX, uptime_s=1, outbox=OUTBOX,
               last_seq=0, confirmed=0)
    )  # fmt: skip


def answer() -> Stored:
    return Stored(device=DEVICE, outbox=OUTBOX, at=1, upto=0)


@pytest.mark.integration
def test_a_publish_that_nobody_hears_is_told_from_one_that_is_heard(connection, mosquitto, centre_at) -> None:
    connection.wait_for(Connected)
    assert connection.link.publish(topics.records(DEVICE), b"{}")
    assert connection.wait_for(Published) == Published(Kind.RECORDS, "nobody_listening")
    with centre_at(mosquitto):
        connection.link.publish(topics.status(DEVICE), birth())
        assert connection.wait_for(Published) == Published(Kind.STATUS, None)


@pytest.mark.integration
def test_a_machine_whose_rights_were_taken_is_told_so_on_the_open_connection(connection, mosquitto) -> None:
    connection.wait_for(Connected)
    mosquitto.revoke(DEVICE)
    connection.link.publish(topics.records(DEVICE), b"{}")
    assert connection.wait_for(Published) == Published(Kind.RECORDS, "not_authorised")


@pytest.mark.integration
def test_without_a_broker_nothing_is_queued_and_the_link_comes_back_by_itself(connection, mosquitto) -> None:
    connection.wait_for(Connected)
    mosquitto.kill()
    connection.wait_for(Disconnected)
    assert not connection.link.publish(topics.records(DEVICE), b"{}")
    mosquitto.start()
    connection.wait_for(Connected, 30)


@pytest.mark.integration
def test_answers_sent_while_the_machine_was_away_wait_for_it(connection, mosquitto, centre_at) -> None:
    connection.wait_for(Connected)
    connection.end()
    with centre_at(mosquitto) as centre:
        centre.say(DEVICE, answer())
        again = Connection(mosquitto, session=2)
        try:
            arrived = again.wait_for(Arrived)
            assert isinstance(arrived, Arrived)
            assert arrived.topic == str(topics.stored(DEVICE))
        finally:
            again.end()


@pytest.mark.integration
def test_a_machine_that_vanishes_is_declared_gone_with_its_session(
    short_delay, connection, mosquitto, centre_at
) -> None:
    with centre_at(mosquitto) as centre:
        connection.wait_for(Connected)
        connection.link.publish(topics.status(DEVICE), birth())
        centre.wait_for(lambda: centre.statuses)
        connection.end()
        centre.wait_for(lambda: centre.statuses[-1].reason == "will", 20)
        assert centre.statuses[-1].session == 1


@pytest.mark.integration
def test_a_goodbye_keeps_the_broker_from_declaring_the_machine_gone(
    short_delay, connection, mosquitto, centre_at
) -> None:
    with centre_at(mosquitto) as centre:
        connection.wait_for(Connected)
        goodbye = Status.model_validate_json(birth()).model_copy(update={"online": False, "reason": "goodbye"})
        assert connection.link.part(codec.encode(goodbye), 5)
        connection.thread.join(10)
        time.sleep(3.5)
        assert [status.reason for status in centre.statuses] == ["goodbye"]


@pytest.mark.integration
@pytest.mark.usefixtures("short_delay")
def test_a_short_break_sends_no_will(connection, mosquitto, centre_at) -> None:
    with centre_at(mosquitto) as centre:
        connection.wait_for(Connected)
        connection.end()
        again = Connection(mosquitto, session=2)
        try:
            again.wait_for(Connected)
            time.sleep(3.5)
            assert centre.statuses == []
        finally:
            again.end()
