"""The running parts: broker, machines, ingest. Put up here, taken down in reverse order, whatever happens meanwhile."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from contract.topics import DeviceId
from demo import fleet, foundation
from demo.centre import Centre
from demo.city import City
from demo.clocks import CITY, Clocks
from demo.fleet import Connection, Machine, Pace, Said
from demo.foundation import Folder, Secrets, Series
from demo.incidents import Cast
from demo.network import Cable
from demo.residents import JAKARTA, Plan
from demo.servers.mosquitto import Credentials, Mosquitto
from demo.servers.process import Process
from provisioning.broker import Service

_TUESDAY: Final = 1
OPENS: Final = time(8)
LISTENING: Final = "Connected to the broker"


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What the town is to be. `past` ends and the show begins at `opening`."""

    city: City
    plan: Plan
    opening: datetime
    past: timedelta
    speed: float
    seed: int
    cast: Cast
    """Who gets into trouble during the show."""


def last_tuesday(now: datetime) -> datetime:
    """Tuesday 08.00 WIB, at least a day ago: InfluxDB still takes the past, and the show is not ahead of real time."""
    yesterday = (now - timedelta(days=1)).astimezone(JAKARTA)
    day = yesterday.date() - timedelta(days=(yesterday.weekday() - _TUESDAY) % 7)
    opening = datetime.combine(day, OPENS, JAKARTA)
    return opening if opening <= yesterday else opening - timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Town:
    """What runs. Time stands still until `clocks.run`."""

    blueprint: Blueprint
    folder: Folder
    secrets: Secrets
    broker: Mosquitto
    clocks: Clocks
    cables: Mapping[DeviceId, Cable]
    machines: Sequence[Machine]
    ingest: Process
    alerts: Process
    ears: asyncio.TaskGroup

    async def switch_on(self, machines: Iterable[Machine], hear: Callable[[Machine, Said], None]) -> None:
        """Start these; *hear* gets what they say. They are ready some seconds later."""
        for machine in machines:
            await machine.start()
            self.ears.create_task(machine.listen(hear))

    @property
    def latecomers(self) -> list[Machine]:
        """The machines that are switched on when the show begins: without the time, or with days of backlog."""
        cast = self.blueprint.cast
        return [machine for machine in self.machines if machine.device in (cast.forgetful, cast.isolated)]

    def start_ingest(self) -> None:
        """Start ingest and return once it listens. Raises `ServerFailed`."""
        self.ingest.start(lambda: LISTENING in self.ingest.logged())

    def start_alerts(self) -> None:
        """Start the alert worker and return once its canary sings. Raises `ServerFailed`."""
        self.alerts.start(lambda: LISTENING in self.alerts.logged())

    @property
    def pids(self) -> tuple[int, ...]:
        """Every process but ingest: machines, broker, and this one."""
        machines = tuple(machine.pid for machine in self.machines if machine.pid is not None)
        return (*machines, self.broker.pid, os.getpid())


@asynccontextmanager
async def standing(blueprint: Blueprint, folder: Folder, series: Series) -> AsyncIterator[Town]:
    """The town with its broker running, machines and ingest not yet. Raises `MissingProgram`, `ServerFailed`."""
    city = blueprint.city
    secrets = foundation.make_secrets(folder)
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(foundation.open_broker(folder, city.machines))
        credentials = foundation.certificates(broker, city.machines)
        clocks = Clocks(folder.path / "clocks", city.machines, start=blueprint.opening)
        cast = blueprint.cast
        cables = {
            machine: await stack.enter_async_context(Cable(broker.port))
            for machine in (cast.cut_off, cast.forgetful, cast.isolated)
        }
        clocks.lose(cast.forgetful)
        cables[cast.forgetful].cut()
        cables[cast.isolated].cut()
        ports = {machine: cable.port for machine, cable in cables.items()}
        machines = [
            _machine(
                _connection(ports.get(device, broker.port), credentials[device], folder), clocks, device, blueprint
            )
            for device in city.machines
        ]
        centre = Centre(folder, clocks.file(CITY), series, blueprint.speed)
        ingest = centre.ingest(_connection(broker.port, credentials[Service.INGEST], folder))
        alerts = centre.alerts(_connection(broker.port, credentials[Service.ALERTS], folder))
        ears = await stack.enter_async_context(asyncio.TaskGroup())
        stack.push_async_callback(_stop, machines, ingest, alerts)
        yield Town(blueprint, folder, secrets, broker, clocks, cables, machines, ingest, alerts, ears)


def _connection(port: int, credentials: Credentials, folder: Folder) -> Connection:
    return Connection(f"mqtts://127.0.0.1:{port}", credentials, folder.sealing_key, folder.machines, folder.machines)


def _machine(connection: Connection, clocks: Clocks, device: DeviceId, blueprint: Blueprint) -> Machine:
    settings = fleet.settings(device, connection, clock=clocks.file(device), pace=Pace(blueprint.speed))
    return Machine(device, connection.readers, settings)


async def _stop(machines: Sequence[Machine], ingest: Process, alerts: Process) -> None:
    """Machines say goodbye while ingest still listens, and nobody judges their leaving."""
    await asyncio.to_thread(alerts.stop)
    await asyncio.gather(*(machine.stop() for machine in machines))
    await asyncio.to_thread(ingest.stop)
