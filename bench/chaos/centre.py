"""The cloud of one row: a database, a history, ingesters as processes; and what they hold, read past all their code."""

import contextlib
import shutil
import sqlite3
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from bench.chaos.book import uid_of
from bench.chaos.score import Meaning, Sighting, Stored
from bench.chaos.town import Town
from cloud.history import journal
from cloud.records import Records, migrate, open_records
from cloud.records.pseudonyms import Pepper
from contract.series import Point
from contract.topics import DeviceId
from demo.servers.influxdb import InfluxDB
from demo.servers.mosquitto import Mosquitto
from demo.servers.process import Process
from provisioning import keys
from provisioning.broker import Service
from provisioning.registry import importing

READY: Final = "Connected to the broker"
START_PATIENCE: Final = timedelta(minutes=5)
KEY_ID: Final = "k1"


class Ledger(Protocol):
    """Where records are kept."""

    @property
    def url(self) -> str: ...


class History(Protocol):
    """Where points are kept."""

    def settings(self) -> dict[str, str]:
        """What an ingester must be told to write there."""
        ...

    def points(self) -> int:
        """How many distinct points of taps are there."""
        ...

    def size(self) -> int:
        """A number that grows with every write; quickly found."""
        ...


@dataclass(frozen=True)
class SqliteFile:
    """Records in a file."""

    path: Path

    @property
    def url(self) -> str:
        """For `open_records`."""
        return f"sqlite:///{self.path}"

    def back_up(self, to: Path) -> None:
        """A copy of the database as it is now, as an operator's nightly job makes one."""
        with contextlib.closing(sqlite3.connect(self.path)) as db, contextlib.closing(sqlite3.connect(to)) as copy:
            db.backup(copy)

    def restore(self, backup: Path) -> None:
        """Put *backup* in place of what is there. Nobody may use it meanwhile."""
        for tail in ("-wal", "-shm"):
            self.path.with_name(self.path.name + tail).unlink(missing_ok=True)
        shutil.copyfile(backup, self.path)


@dataclass(frozen=True)
class Journal:
    """Points as line-protocol files."""

    folder: Path

    def settings(self) -> dict[str, str]:
        return {"HADIR_HISTORY": f"journal:{self.folder}"}

    def size(self) -> int:
        return sum(file.stat().st_size for file in self.folder.glob("taps/*.lp"))

    def points(self) -> int:
        found = (point for point in journal.read(self.folder) if isinstance(point, Point))
        return len({(point.tags, point.time_ns) for point in found if point.measurement == "tap"})


@dataclass(frozen=True)
class Influx:
    """Points in the real engine."""

    engine: InfluxDB
    token_file: Path

    def settings(self) -> dict[str, str]:
        self.token_file.write_text(self.engine.token)
        return {
            "HADIR_HISTORY": self.engine.url,
            "HADIR_INFLUX_TOKEN_FILE": str(self.token_file),
            "HADIR_INFLUX_ORG": self.engine.org,
        }

    def size(self) -> int:
        return self.points()

    def points(self) -> int:
        return sum(int(str(row["count"])) for row in self.engine.query("taps", 'SELECT count("seq") FROM "tap"'))


@dataclass
class Centre:
    """Database and history stand outside; `ingesters` are started and killed by number."""

    folder: Path
    broker: Mosquitto
    ledger: Ledger
    history: History
    environment: dict[str, str] = field(default_factory=dict)
    ingesters: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secrets = self.folder / "secrets"
        keys.new_sealing_key(self.secrets, KEY_ID)
        keys.new_pepper(self.secrets / "pepper")
        self.pepper = Pepper.parse((self.secrets / "pepper").read_text())
        self._credentials = self.broker.issue(Service.INGEST)
        self._cards: dict[str, int] = {}
        with self.records() as records:
            migrate.upgrade_records(records)

    def records(self) -> Records:
        """The database, to be closed again."""
        return open_records(self.ledger.url)

    def register(self, town: Town) -> None:
        """Import *town*, as an officer would."""
        files = self.folder / "registry"
        files.mkdir(exist_ok=True)
        for name, text in town.files().items():
            (files / name).write_text(text, "utf-8")
        with self.records() as records:
            lines = importing.read_folder(files, pepper=self.pepper)
            importing.carry_out(records, lines, now=datetime.now(UTC), history=True)

    def start(self, number: int = 0) -> None:
        """Start ingester *number*, and return when it listens."""
        while number >= len(self.ingesters):
            self.ingesters.append(self._new_ingester(len(self.ingesters)))
        one = self.ingesters[number]
        before = one.logged().count(READY)
        one.start(lambda: one.logged().count(READY) > before, patience=START_PATIENCE)

    def kill(self, number: int = 0) -> None:
        """End ingester *number* as a crash would."""
        self.ingesters[number].kill()

    def stop(self) -> None:
        """End all ingesters in good order."""
        for one in self.ingesters:
            one.stop()

    def _new_ingester(self, number: int) -> Process:
        environment = {
            "HADIR_DATABASE_URL": self.ledger.url,
            "HADIR_BROKER": f"mqtts://{self.broker.host}:{self.broker.port}",
            "HADIR_CA_FILE": str(self._credentials.ca),
            "HADIR_CERT_FILE": str(self._credentials.certificate),
            "HADIR_KEY_FILE": str(self._credentials.key),
            "HADIR_OPENING_KEYS_DIR": str(self.secrets),
            "HADIR_PEPPER_FILE": str(self.secrets / "pepper"),
            "HADIR_INSTANCE": f"ingest-{number + 1}",
            **self.history.settings(),
            **self.environment,
        }
        command = [sys.executable, "-m", "cloud.ingest"]
        return Process(command, log=self.folder / f"ingest-{number + 1}.log", env=environment)

    # ---- what it holds -----------------------------------------------------------------------------------------------

    def taps(self) -> int:
        """How many taps are stored."""
        return int(self.ask("SELECT count(*) FROM sightings")[0][0])

    def events(self, name: str) -> list[str]:
        """The details (JSON) of all events of that name."""
        return [row[0] for row in self.ask(f"SELECT detail FROM device_events WHERE event = '{name}'")]

    def stored(self, town: Town) -> Stored:
        """Everything it holds about taps."""
        for card in range(len(self._cards), town.cards):
            self._cards[self.pepper.pseudonym(uid_of(card))] = card
        sightings = [
            Sighting(self._cards.get(name), DeviceId(device), at, uncertainty, Meaning(outcome, unit, estate))
            for name, device, at, uncertainty, outcome, unit, estate in self.ask(
                "SELECT pseudonym, device, at_ms, uncertainty_ms, outcome, unit, estate FROM sightings"
            )
        ]
        presence = {
            (unit, _day(day), DeviceId(device)): taps
            for unit, day, device, taps in self.ask("SELECT unit, day, device, taps FROM presence WHERE taps > 0")
        }
        counts = {
            (DeviceId(device), hour): (known, unknown)
            for device, hour, known, unknown in self.ask("SELECT device, hour_ms, known, unknown FROM hour_counts")
        }
        return Stored(sightings, presence, counts, self.history.points())

    def ask(self, query: str) -> list[tuple[Any, ...]]:  # Any: whatever a column holds
        """What the database answers; *query* is ours, never anybody's input."""
        with self.records() as records:
            return [tuple(row) for row in records.read(lambda db: db.exec_driver_sql(query).fetchall())]


def _day(value: date | str) -> date:
    """A date as either engine hands it over."""
    return value if isinstance(value, date) else date.fromisoformat(value)
