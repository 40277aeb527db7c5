"""The canary hears itself, and nothing else is proof; on a real broker it falls silent with it and comes back."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from cloud import feed
from cloud.alerts.canary import Canary
from cloud.feed import Address, Arrived, Feed
from contract import codec, topics
from contract.messages import Canary as Song
from provisioning.broker import Service

T0 = datetime(2026, 7, 1, tzinfo=UTC)
T0_MS = round(T0.timestamp() * 1000)
TOPIC = str(topics.CANARY)


class Air:
    """Gives back what is said, unless it is deaf."""

    def __init__(self):
        self.said = asyncio.Queue()
        self.is_deaf = False

    async def publish(self, topic, payload):
        if not self.is_deaf:
            self.said.put_nowait(Arrived(str(topic), payload, False, 0))
        return not self.is_deaf

    async def next_sign(self):
        return await self.said.get()


def song(instance="alerts-a", number=1, at=T0_MS):
    return codec.encode(Song(instance=instance, at=at, number=number))


@pytest.mark.parametrize(
    ("arrived", "heard"),
    [
        pytest.param((TOPIC, song()), True, id="its own"),
        pytest.param((TOPIC, song("alerts-b")), False, id="another worker's"),
        pytest.param((TOPIC, song(number=2)), False, id="one it has not sung: of its life before"),
        pytest.param(("hadir/v1/DMG-01/status", song()), False, id="from elsewhere"),
        pytest.param((TOPIC, b"{"), False, id="nothing that can be read"),
    ],
)
async def test_only_its_own_songs_are_proof(arrived, heard):
    canary = Canary(Air(), instance="alerts-a", every_s=30, now=lambda: T0)
    await canary.sing()
    canary.hear(Arrived(arrived[0], arrived[1], False, 0))
    assert (canary.heard_ms is not None) is heard


async def test_what_it_hears_counts_from_when_it_was_sung():
    time = [T0]
    air = Air()
    canary = Canary(air, instance="alerts-a", every_s=30, now=lambda: time[0])
    await canary.sing()
    time[0] += timedelta(minutes=9)
    canary.hear(await air.next_sign())
    assert canary.heard_ms == T0_MS


async def test_in_deaf_air_it_hears_nothing():
    air = Air()
    air.is_deaf = True
    canary = Canary(air, instance="alerts-a", every_s=30, now=lambda: T0)
    assert canary.since_ms is None
    assert not await canary.sing()
    assert canary.heard_ms is None


# ---- on a real broker ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def singing(broker):
    credentials = broker.issue(Service.ALERTS)
    context = ssl.create_default_context(cafile=credentials.ca)
    context.load_cert_chain(credentials.certificate, credentials.key)

    def now():
        return datetime.now(UTC)

    air = Feed(Address("127.0.0.1", broker.port, "hadir-alerts-a", context), now=now, subscriptions=feed.CANARY)
    canary = Canary(air, instance="alerts-a", every_s=0.05, now=now)

    async def both():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(air.run())
            tasks.create_task(canary.run())

    task = asyncio.create_task(both())
    try:
        yield canary, air
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(holds):
    async with asyncio.timeout(15):
        while not holds():  # noqa: ASYNC110  # there is nothing to wait on
            await asyncio.sleep(0.02)


def fresh(canary, since_ms):
    return canary.heard_ms is not None and canary.heard_ms > since_ms


@pytest.mark.integration
async def test_a_canary_falls_silent_with_its_broker_and_sings_again_after(mosquitto):
    async with singing(mosquitto) as (canary, air):
        await until(lambda: fresh(canary, 0))
        mosquitto.stop()
        await until(lambda: not air.is_listening)
        silent = canary.heard_ms
        await asyncio.sleep(0.3)
        assert canary.heard_ms == silent
        mosquitto.start()
        await until(lambda: fresh(canary, silent))
