"""The feed on a real broker: what arrives, what is said, and that it comes back after every break."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import aiomqtt
import pytest

from cloud import feed
from cloud.feed import Address, Arrived, Feed, Signs, Waiting
from contract import topics
from contract.topics import DeviceId, Kind
from provisioning.broker import Service

DEVICE = DeviceId("DMG-01")


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 0.25, 0.5), (2, 0.5, 1), (5, 4, 8), (7, 15, 30), (500, 15, 30)]
)
def test_attempts_come_ever_more_slowly_and_never_in_step(attempt, least, most):
    assert (feed.delay_s(attempt, chance=0), feed.delay_s(attempt, chance=1)) == (least, most)


def batch(payload: bytes) -> Arrived:
    return Arrived(str(topics.records(DEVICE)), payload, is_retained=False, arrived_ms=0)


async def test_records_that_would_fill_the_memory_are_passed_over_until_there_is_room():
    waiting, large = Waiting(), bytes(1024 * 1024)
    for _ in range(2 * feed.MOST_BYTES // len(large)):
        waiting.put(batch(large))
    taken = len(waiting)
    assert taken * len(large) <= feed.MOST_BYTES < (taken + 2) * len(large)
    assert waiting.passed_over == 2 * feed.MOST_BYTES // len(large) - taken
    await waiting.get()
    waiting.put(batch(large))
    assert len(waiting) == taken


async def test_many_small_messages_fill_the_memory_too():
    waiting = Waiting()
    for _ in range(feed.MOST_BYTES // feed.BYTES_EACH + 1):
        waiting.put(batch(b""))
    assert waiting.passed_over > 0


def sign(kind: Kind, payload: bytes, *, is_retained: bool = False) -> Arrived:
    return Arrived(f"{topics.status(DEVICE)}".replace("status", kind), payload, is_retained, arrived_ms=0)


async def test_what_each_new_connection_hands_over_again_waits_once():
    signs = Signs()
    for _ in range(3):
        signs.put(sign(Kind.STATUS, b"birth", is_retained=True))
    signs.put(sign(Kind.STATUS, b"will", is_retained=True))
    assert len(signs) == 2
    assert [(await signs.get()).payload for _ in range(2)] == [b"birth", b"will"]
    signs.put(sign(Kind.STATUS, b"birth", is_retained=True))
    assert len(signs) == 1


async def test_heartbeats_are_passed_over_when_too_many_wait_and_nothing_else_is():
    signs = Signs()
    for number in range(feed.MOST_SIGNS + 1):
        signs.put(sign(Kind.HEARTBEAT, str(number).encode()))
    signs.put(sign(Kind.STATUS, b"birth"))
    signs.put(sign(Kind.STATUS, b"will"))
    assert len(signs) == feed.MOST_SIGNS + 2


def tls(broker, name):
    credentials = broker.issue(name)
    context = ssl.create_default_context(cafile=credentials.ca)
    context.load_cert_chain(credentials.certificate, credentials.key)
    return context


@asynccontextmanager
async def running(broker) -> AsyncIterator[Feed]:
    async with connected(Address("127.0.0.1", broker.port, "hadir-ingest-a", tls(broker, Service.INGEST))) as listening:
        yield listening


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Feed]:
    listening = Feed(address, now=lambda: datetime.now(UTC))
    task = asyncio.create_task(listening.run())
    try:
        await until(lambda: listening.is_listening)
        yield listening
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(holds) -> None:
    async with asyncio.timeout(15):
        while not holds():  # noqa: ASYNC110  # there is nothing to wait on
            await asyncio.sleep(0.02)


async def _never_acknowledge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A broker that lets connect and subscribe, and takes what is published without a word."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            kind, size, shift = (await reader.readexactly(1))[0], 0, 0
            while True:
                (part,) = await reader.readexactly(1)
                size, shift = size | (part & 127) << shift, shift + 7
                if part < 128:
                    break
            body = await reader.readexactly(size)
            if kind == 0x10:
                writer.write(b"\x20\x03\0\0\0")
            elif kind == 0x82:
                writer.write(b"\x90\x07" + body[:2] + b"\0\1\1\1\0")
    writer.close()


async def test_answers_that_the_broker_never_acknowledges_do_not_pile_up():
    server = await asyncio.start_server(_never_acknowledge, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, connected(Address("127.0.0.1", port, "hadir-ingest-a", None)) as listening:
        saying = [
            asyncio.create_task(listening.publish(topics.stored(DEVICE), b"x")) for _ in range(feed.MOST_ANSWERS + 50)
        ]
        await until(lambda: sum(each.done() for each in saying) >= 50)
        refused = [each.result() for each in saying if each.done()]
        assert len(refused) < len(saying) and not any(refused)
        for each in saying:
            each.cancel()
        await asyncio.gather(*saying, return_exceptions=True)


def a_machine(broker, context) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1", broker.port, identifier=DEVICE, tls_context=context, protocol=aiomqtt.ProtocolVersion.V5
    )


@pytest.mark.integration
async def test_messages_arrive_and_answers_are_heard(mosquitto):
    mosquitto.admit(DEVICE)
    context = tls(mosquitto, DEVICE)
    async with running(mosquitto) as listening, a_machine(mosquitto, context) as machine:
        await machine.subscribe(str(topics.stored(DEVICE)), qos=1)
        await machine.publish(str(topics.records(DEVICE)), b"r", qos=1)
        await machine.publish(str(topics.status(DEVICE)), b"s", qos=1, retain=True)
        arrived = [await asyncio.wait_for(each, 5) for each in (listening.next(), listening.next_sign())]
        assert {(each.topic, each.payload) for each in arrived} == {
            (str(topics.records(DEVICE)), b"r"),
            (str(topics.status(DEVICE)), b"s"),
        }
        assert await listening.publish(topics.stored(DEVICE), b"answer")
        assert (await asyncio.wait_for(anext(aiter(machine.messages)), 5)).payload == b"answer"


@pytest.mark.integration
async def test_a_restarted_broker_is_found_again(mosquitto):
    mosquitto.admit(DEVICE)
    context = tls(mosquitto, DEVICE)
    async with running(mosquitto) as listening:
        mosquitto.stop()
        await until(lambda: not listening.is_listening)
        assert not await listening.publish(topics.stored(DEVICE), b"lost")
        mosquitto.start()
        await until(lambda: listening.is_listening)
        async with a_machine(mosquitto, context) as machine:
            await machine.publish(str(topics.records(DEVICE)), b"again", qos=1)
        assert (await asyncio.wait_for(listening.next(), 5)).payload == b"again"


@pytest.mark.integration
async def test_what_waits_to_be_stored_is_bounded_and_nothing_taken_is_thrown_away(mosquitto):
    mosquitto.admit(DEVICE)
    context = tls(mosquitto, DEVICE)
    async with running(mosquitto) as listening, a_machine(mosquitto, context) as machine:
        for number in range(feed.CROWDED):
            await machine.publish(str(topics.records(DEVICE)), str(number).encode(), qos=1)
        await until(lambda: not listening.is_taking)
        await asyncio.sleep(0.3)
        await machine.publish(str(topics.records(DEVICE)), b"into the void", qos=1)
        await asyncio.sleep(0.3)
        assert feed.CROWDED <= listening.backlog <= feed.CROWDED + feed.IN_FLIGHT
        await machine.publish(str(topics.heartbeat(DEVICE)), b"alive", qos=1)
        assert (await asyncio.wait_for(listening.next_sign(), 5)).payload == b"alive"
        assert listening.is_listening
        taken = [(await listening.next()).payload for _ in range(feed.CROWDED)]
        assert taken == [str(number).encode() for number in range(feed.CROWDED)]
        await until(lambda: listening.is_taking)
        await machine.publish(str(topics.records(DEVICE)), b"back", qos=1)
        assert (await asyncio.wait_for(listening.next(), 5)).payload == b"back"


@pytest.mark.integration
async def test_a_new_connection_makes_no_room(mosquitto):
    """While a database is away and connections break, each of them would else bring another 200 batches."""
    mosquitto.admit(DEVICE)
    context = tls(mosquitto, DEVICE)
    async with running(mosquitto) as listening:
        async with a_machine(mosquitto, context) as machine:
            for number in range(feed.CROWDED):
                await machine.publish(str(topics.records(DEVICE)), str(number).encode(), qos=1)
            await until(lambda: not listening.is_taking)
        mosquitto.stop()
        await until(lambda: not listening.is_listening)
        mosquitto.start()
        await until(lambda: listening.is_listening)
        async with a_machine(mosquitto, context) as machine:
            await machine.publish(str(topics.records(DEVICE)), b"too much", qos=1)
            await machine.publish(str(topics.heartbeat(DEVICE)), b"alive", qos=1)
            assert (await asyncio.wait_for(listening.next_sign(), 5)).payload == b"alive"
            assert (listening.backlog, listening.is_taking) == (feed.CROWDED, False)
            for _ in range(feed.CROWDED):
                await listening.next()
            await until(lambda: listening.is_taking)
            await machine.publish(str(topics.records(DEVICE)), b"back", qos=1)
            assert (await asyncio.wait_for(listening.next(), 5)).payload == b"back"
