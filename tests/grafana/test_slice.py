"""Three days through the real broker: machines speak with their certificates, ingest listens; the clock is set by hand.

An hour is a step, ten minutes go by one by one. After each step everything sent is answered before time goes on.
"""

import asyncio
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import month_feeding
import month_story as story
import month_truth
import pytest
from month_feeding import Ingester
from month_story import HOUR, MINUTE, SECOND, Message, Story
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from series_rows import same_rows
from synthetic_city import City

from cloud.feed import Address, Feed
from cloud.history import Access, open_history
from cloud.records import heard, migrate, open_records
from contract import topics
from contract.topics import DeviceId
from demo.servers.influxdb import InfluxDB
from demo.servers.mosquitto import Mosquitto
from demo.servers.process import MissingProgram

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

END = story.at(2, 4, 1)
LATER = 10 * SECOND
"""What is sent in a step arrives so long before its minute."""
PATIENCE_S = 30.0


def steps() -> list[int]:
    """Each full hour, and the minutes that are told one by one; 20 s later the chores are done."""
    minutes = range(story.START + HOUR, END + 1, MINUTE)
    return [minute + 20 * SECOND for minute in minutes if minute % HOUR == 0 or story.is_fine(minute)]


def three_days() -> Story:
    """The beginning of the month, with what the machines sent arriving at the next step."""
    told, turns = story.tell(), iter(steps())
    step, sent = next(turns), []
    for message in (each for each in told.messages if each.arrived <= END - MINUTE):
        while message.arrived > step - 20 * SECOND - LATER:
            step = next(turns)
        when = step - 20 * SECOND - LATER
        records = tuple(replace(record, arrived=when) for record in message.records)
        sent.append(replace(message, arrived=when, records=records))
    kept: dict[str, list[Any]] = {device: [] for device in story.ESTATE_OF}
    for message in sent:
        kept[message.device] += message.records
    return Story(kept, sent, steps(), told.boots)


class Machines:
    """A connection of its own for each machine; knows up to which seq each is answered."""

    def __init__(self, broker: Mosquitto) -> None:
        self.broker = broker
        self._clients: dict[str, Client] = {}
        self.answered: dict[str, int] = {}

    def connect(self, device: str) -> Client:
        if device in self._clients:
            return self._clients[device]
        files = self.broker.issue(device)
        client = Client(CallbackAPIVersion.VERSION2, client_id=device, protocol=MQTTProtocolVersion.MQTTv5)
        tls = ssl.create_default_context(cafile=str(files.ca))
        tls.load_cert_chain(files.certificate, files.key)
        client.tls_set_context(tls)
        ready = threading.Event()
        client.on_message = self._hear
        client.on_subscribe = lambda *_: ready.set()
        client.on_connect = lambda *_: client.subscribe(str(topics.stored(DeviceId(device))), qos=1)
        client.connect(self.broker.host, self.broker.port)
        client.loop_start()
        assert ready.wait(PATIENCE_S), f"{device} could not connect"
        self._clients[device] = client
        return client

    def say(self, message: Message) -> None:
        arrived = month_feeding.message(message)
        said = self.connect(message.device).publish(arrived.topic, arrived.payload, qos=1)
        said.wait_for_publish(PATIENCE_S)

    def leave(self) -> None:
        for client in self._clients.values():
            client.disconnect()
            client.loop_stop()

    def _hear(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        said = json.loads(message.payload)
        self.answered[said["device"]] = max(said["upto"], self.answered.get(said["device"], 0))


async def until(condition: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110  # what is awaited is in other threads
                await asyncio.sleep(0.002)
    except TimeoutError:
        pytest.fail(f"{what} did not come within {PATIENCE_S:.0f} s")


async def live(told: Story, ingester: Ingester, feed: Feed, machines: Machines) -> None:
    """Step by step: say all, wait until it is stored, do the chores."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(feed.run()), tasks.create_task(ingester.service.run())]
        await until(lambda: feed.is_taking, "ingest listens")
        following = 0
        for step in told.steps:
            ingester.ears.now = step - 20 * SECOND - LATER
            first = following
            while following < len(told.messages) and told.messages[following].arrived < step:
                await asyncio.to_thread(machines.say, told.messages[following])
                following += 1
            await stored(told.messages[first:following], ingester, machines)
            ingester.ears.now = step
            await ingester.chores.turn()
        for task in running:
            task.cancel()


async def stored(sent: list[Message], ingester: Ingester, machines: Machines) -> None:
    wanted = {record.device: record.seq for message in sent for record in message.records}
    await until(lambda: all(machines.answered.get(each, 0) >= seq for each, seq in wanted.items()), "answers")
    beats = {each.device: each.said["at"] for each in sent if each.kind == "heartbeat"}

    def is_heard() -> bool:
        known = {each.device: json.loads(each.heartbeat or "{}") for each in ingester.records.read(heard.all_heard)}
        return all(known.get(device, {}).get("at", 0) >= at for device, at in beats.items())

    await until(is_heard, "heartbeats")


@pytest.fixture(scope="module")
def told() -> Story:
    return three_days()


@pytest.fixture(scope="module")
def city(told: Story) -> City:
    return month_truth.rows(told)


@pytest.fixture(scope="module")
def fed(told: Story, tmp_path_factory: pytest.TempPathFactory, give_up: Any) -> Iterator[InfluxDB]:
    folder = tmp_path_factory.mktemp("slice")
    try:
        broker, server = Mosquitto(folder / "mosquitto"), InfluxDB(folder / "influxdb")
    except MissingProgram as error:
        give_up(error)
    broker.admit(*map(DeviceId, story.ESTATE_OF))
    machines = Machines(broker)
    with broker, server:
        asyncio.run(_run(told, folder, server, machines))
        machines.leave()
        yield server


async def _run(told: Story, folder: Path, server: InfluxDB, machines: Machines) -> None:
    url = f"sqlite:///{folder}/records.db"
    migrate.upgrade(url)
    access = Access(writer="ingest-1", token=server.token, org=server.org)
    broker = machines.broker
    with open_records(url) as records:
        async with open_history(server.url, access, now=lambda: datetime.now(UTC)) as history:
            ingester = Ingester(records, history)
            ingester.bring_in(month_feeding.registry(is_replaced=False), folder / "registry", story.at(1, 31))
            files = broker.issue("ingest")
            tls = ssl.create_default_context(cafile=str(files.ca))
            tls.load_cert_chain(files.certificate, files.key)
            feed = Feed(Address(broker.host, broker.port, "hadir-ingest-1", tls), now=ingester.now)
            ingester.listen_to(feed)
            await live(told, ingester, feed, machines)


SERIES = ["tap", "machine", "fleet", "machine_event", "tap_15m", "tap_hour"]
ROLLUPS = ["attendance_day", "attendance_month", "machine_day"]


@pytest.mark.parametrize("series", SERIES + ROLLUPS)
def test_what_came_through_the_broker_is_what_happened(fed: InfluxDB, city: City, series: str) -> None:
    same_rows(fed, city, series)
