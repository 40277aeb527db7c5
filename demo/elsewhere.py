"""The city against servers that run elsewhere: `hadir-demo machines` and `hadir-demo registry`. Wiring only.

Time is the real one. The machines' clocks are simulated nevertheless, so that they are trusted on any computer.
"""

import asyncio
import contextlib
import itertools
import logging
import signal
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import click

from contract.topics import DeviceId
from demo import city as cities
from demo import fleet, residents
from demo import registry as registries
from demo.city import City
from demo.clocks import Clocks
from demo.fleet import Connection, Machine, MachineEnded, Pace, Said
from demo.ledger import Ledger
from demo.life import Residents
from demo.residents import PERIOD, Plan, PlannedTap
from demo.servers.mosquitto import Credentials
from edge.signals import Signal

CALENDAR: Final = date(2026, 1, 5)
"""The periods of the duty are counted from this Monday, so that a restart goes on with the same plan."""
LOOK_S: Final = 5.0
ONLINE: Final = frozenset({Signal.READY, Signal.STORED, Signal.CONFIRMED, Signal.UNKNOWN_CARD})
OFFLINE: Final = frozenset({Signal.READY_OFFLINE, Signal.STORED_OFFLINE, Signal.FAULT})
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Posting:
    """Where the machines report to, and where their things lie."""

    broker: str
    ca: Path
    credentials: Path
    """A folder with NAME.pem and NAME.key of every machine."""
    sealing_key: Path
    outboxes: Path

    def connection(self, device: DeviceId, readers: Path) -> Connection:
        """How *device* reaches the cloud."""
        files = Credentials(self.ca, self.credentials / f"{device}.pem", self.credentials / f"{device}.key")
        return Connection(self.broker, files, self.sealing_key, self.outboxes, readers)


@dataclass(slots=True)
class Online:
    """Which machines can take a tap and reach the cloud, by their own words."""

    known: set[DeviceId] = field(default_factory=set)

    def told(self, device: DeviceId, said: Said) -> None:
        """*device* has said something."""
        if said.signal in ONLINE:
            self.known.add(device)
        elif said.signal in OFFLINE:
            self.known.discard(device)


def taps(city: City, *, since: datetime, seed: int) -> Callable[[DeviceId], Iterator[PlannedTap]]:
    """What is planned at a machine, from the period that holds *since* on and without end."""
    first = (since.astimezone(residents.JAKARTA).date() - CALENDAR) // PERIOD

    @lru_cache(maxsize=2)
    def period(number: int) -> Plan:
        return residents.plan(city, go_live=CALENDAR, periods=range(number, number + 1), seed=seed)

    def of(machine: DeviceId) -> Iterator[PlannedTap]:
        for number in itertools.count(first):
            yield from period(number).of(machine)

    return of


async def live(city: City, posting: Posting, *, now: datetime, seed: int, ready_file: Path | None) -> None:
    """Run every machine and its residents until cancelled. Raises `MachineEnded` (in a group)."""
    with tempfile.TemporaryDirectory(prefix="hadir-") as path:
        readers, online = Path(path), Online()
        clocks = Clocks(readers / "clocks", city.machines, start=now)
        clocks.run(1)
        machines = [_machine(device, posting, clocks, readers) for device in city.machines]
        guests = Residents(city, clocks.city, Ledger(), pseudonym=lambda uid: "", told=online.told)
        planned = taps(city, since=now, seed=seed)
        try:
            async with asyncio.TaskGroup() as tasks:
                for machine in machines:
                    await machine.start()
                    tasks.create_task(machine.listen(guests.hear))
                    tasks.create_task(_visits(guests, machine, planned))
                if ready_file is not None:
                    tasks.create_task(_show_readiness(ready_file, lambda: len(online.known) == len(machines)))
        finally:
            await asyncio.gather(*(machine.stop() for machine in machines))


def _machine(device: DeviceId, posting: Posting, clocks: Clocks, readers: Path) -> Machine:
    connection = posting.connection(device, readers)
    return Machine(device, readers, fleet.settings(device, connection, clock=clocks.file(device), pace=Pace(1)))


async def _visits(guests: Residents, machine: Machine, planned: Callable[[DeviceId], Iterator[PlannedTap]]) -> None:
    await machine.is_ready.wait()
    await guests.visit(machine, planned(machine.device))


async def _show_readiness(path: Path, is_ready: Callable[[], bool]) -> None:
    """*path* is fresh while every machine is online and absent while not: what a container's health check looks at."""
    try:
        while True:
            _show(path, is_ready=is_ready())
            await asyncio.sleep(LOOK_S)
    finally:
        _show(path, is_ready=False)


def _show(path: Path, *, is_ready: bool) -> None:
    if is_ready:
        path.touch()
    else:
        path.unlink(missing_ok=True)


async def _until_terminated(work: Coroutine[Any, Any, None]) -> None:  # Any: a coroutine's other two types
    """Run *work*; SIGTERM and SIGINT cancel it, and that is a clean end."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _city(seed: int, share: float) -> City:
    sites = cities.read_sites((resources.files("demo") / "data" / "rusun.csv").read_text("utf-8"))
    return cities.build(sites, seed=seed, share=share)


def _run(work: Coroutine[Any, Any, None]) -> None:  # Any: as above
    ended: list[BaseException] = []
    try:
        asyncio.run(_until_terminated(work))
    except* MachineEnded as group:
        ended.append(group)
    if ended:
        raise click.ClickException(str(_first(ended[0])))


def _first(trouble: BaseException) -> BaseException:
    return _first(trouble.exceptions[0]) if isinstance(trouble, BaseExceptionGroup) else trouble


_seed = click.option("--seed", default=17, show_default=True, help="Another number, another city.")
_share = click.option("--units", "share", default=1.0, type=click.FloatRange(0.01, 1), show_default=True)


@click.command()
@click.option("--broker", envvar="HADIR_BROKER", required=True, metavar="URL", help="mqtts://HOST:PORT")
@click.option("--ca-file", "ca", envvar="HADIR_CA_FILE", required=True, type=_FILE)
@click.option("--credentials-dir", "credentials", envvar="HADIR_CREDENTIALS_DIR", required=True, type=_FOLDER)
@click.option("--sealing-key-file", "sealing_key", envvar="HADIR_SEALING_KEY_FILE", required=True, type=_FILE)
@click.option("--outboxes-dir", "outboxes", envvar="HADIR_OUTBOXES_DIR", required=True, type=_FOLDER)
@click.option("--ready-file", envvar="HADIR_READY_FILE", type=click.Path(path_type=Path))
@_seed
@_share
def machines(ready_file: Path | None, seed: int, share: float, **places: Any) -> None:  # Any: click's own
    """Run the city's 32 machines, and residents who lay cards on them, against a broker that runs elsewhere."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    work = live(_city(seed, share), Posting(**places), now=datetime.now(UTC), seed=seed, ready_file=ready_file)
    _run(work)


@click.command()
@click.argument("folder", type=_FOLDER)
@_seed
@_share
def registry(folder: Path, seed: int, share: float) -> None:
    """Write the city as the registry's CSV files into FOLDER; for `hadir-provision registry import --history`."""
    files = registries.files(_city(seed, share), go_live=datetime.now(UTC))
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    click.echo(f"{len(files)} files written to {folder}.")
