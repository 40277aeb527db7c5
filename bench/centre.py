"""The cloud that is measured: broker with TLS, InfluxDB engine, SQLite, one ingester, and a registry of any size."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench import fleet
from contract.cards import SealingKey
from contract.topics import DeviceId
from demo.servers import process
from demo.servers.influxdb import InfluxDB
from demo.servers.mosquitto import Mosquitto
from demo.servers.system import Program, System

CARDS: Final = 500
ESTATES: Final = 10
SETTLED_WITHIN: Final = timedelta(minutes=5)


def devices(count: int) -> list[DeviceId]:
    """So many machines, spread over the estates."""
    return [DeviceId(f"E{number % ESTATES:02}-{number // ESTATES:03}") for number in range(count)]


@contextmanager
def standing(machines: Sequence[DeviceId], *, days: int = 1) -> Iterator[System]:
    """Everything but the ingester runs; *machines* and `CARDS` cards are registered since *days*."""
    with (
        tempfile.TemporaryDirectory(prefix="hadir-bench-") as folder,
        _broker(Path(folder) / "mosquitto", machines) as broker,
        InfluxDB(Path(folder) / "influxdb") as influx,
        System(Path(folder) / "system", broker, influx, f"sqlite:///{folder}/records.db") as system,
    ):
        system.register(_registry(machines, days), "--history")
        yield system


def _broker(folder: Path, machines: Sequence[DeviceId]) -> Mosquitto:
    broker = Mosquitto(folder)
    broker.admit(*machines)
    fleet.admit(broker)
    return broker


def ingester(system: System) -> Program:
    """An ingester that has done what an import leaves to do: every day of it is rolled up once."""
    program = system.ingester(**QUIET)
    file = Path(system.database_url.removeprefix("sqlite:///"))

    def is_settled() -> bool:
        with contextlib.closing(sqlite3.connect(file, timeout=10)) as db:
            return not db.execute("SELECT count(*) FROM dirty_days").fetchone()[0]

    process.wait_for(is_settled, "The first roll-ups", patience=SETTLED_WITHIN)
    return program


def sealing_key(system: System) -> SealingKey:
    """What machines seal with."""
    return SealingKey.parse((system.folder / "keys" / "k1.pub").read_text())


def _registry(machines: Sequence[DeviceId], days: int) -> dict[str, str]:
    estates = [f"E{number:02}" for number in range(ESTATES)]
    units = [f"{estates[number % ESTATES]}/A/{number:04}" for number in range(CARDS)]
    since = datetime.now(UTC) - timedelta(days=days)
    known, day = since.isoformat(timespec="seconds"), since.date().isoformat()
    cards = [f"{fleet.uid(number).hex()},{unit},holder,1,{day},{known}" for number, unit in enumerate(units)]
    return {
        "estates.csv": "\n".join(["estate,name,go_live", *(f"{code},{code},{day}" for code in estates)]),
        "units.csv": "\n".join(["unit,estate", *(f"{unit},{unit[:3]}" for unit in units)]),
        "tenancies.csv": "\n".join(["unit,start,known_from", *(f"{unit},{day},{known}" for unit in units)]),
        "cards.csv": "\n".join(["card,unit,role,obliged,valid_from,known_from", *cards]),
        "installations.csv": "\n".join(
            ["device,estate,installed,known_from", *(f"{each},{each[:3]},{known},{known}" for each in machines)]
        ),
    }


QUIET: Final = {"HADIR_LOG": "WARNING"}
