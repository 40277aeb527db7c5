"""What stands before anybody taps: folder, secrets, broker, certificates, registry. All in one folder, on loopback."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cloud.history import Access
from cloud.records import migrate, open_records, people
from cloud.records.pseudonyms import Pepper
from contract.cards import SealingKey
from contract.topics import DeviceId
from demo import offices, registry
from demo.city import City
from demo.servers.mosquitto import Credentials, Mosquitto
from provisioning import keys
from provisioning.broker import Service
from provisioning.registry import importing

KEY_ID: Final = "demo"


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything of one run lies."""

    path: Path

    @property
    def opening_key(self) -> Path:
        """The private half, for ingest."""
        return self.path / "secrets" / f"{KEY_ID}.key"

    @property
    def sealing_key(self) -> Path:
        """The public half, for the machines."""
        return self.path / "secrets" / f"{KEY_ID}.pub"

    @property
    def pepper(self) -> Path:
        """For ingest and the import."""
        return self.path / "secrets" / "pepper"

    @property
    def machines(self) -> Path:
        """Outboxes, reader sockets and logs of the machines."""
        return self.path / "machines"

    @property
    def messages(self) -> Path:
        """What the alert worker sends, as it is read."""
        return self.path / "messages.txt"

    @property
    def database_url(self) -> str:
        """The records."""
        return f"sqlite:///{self.path / 'hadir.db'}"


@dataclass(frozen=True, slots=True)
class Series:
    """Where observations go: an InfluxDB that is already there, or files below the demo's folder."""

    influx_url: str | None = None
    token_file: Path | None = None
    org: str = "hadir"

    def url(self, folder: Folder) -> str:
        """The address of the history."""
        return self.influx_url or f"journal:{folder.path / 'journal'}"

    def access(self, writer: str) -> Access:
        """Who writes there."""
        token = self.token_file.read_text().strip() if self.token_file is not None else ""
        return Access(writer, token, self.org)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the demo itself must know: to seal the past, and to compare with SQL."""

    sealing: SealingKey
    pepper: Pepper


def make_secrets(folder: Folder) -> Secrets:
    """New ones for this run."""
    sealing = keys.new_sealing_key(folder.opening_key.parent, KEY_ID).public()
    keys.new_pepper(folder.pepper)
    folder.machines.mkdir()
    return Secrets(sealing, Pepper.parse(folder.pepper.read_text()))


def open_broker(folder: Folder, machines: Iterable[DeviceId]) -> Mosquitto:
    """The broker, not started yet; these machines and ingest may speak. Raises `MissingProgram`."""
    broker = Mosquitto(folder.path / "mosquitto")
    broker.admit(*machines)
    return broker


def certificates(broker: Mosquitto, machines: Iterable[DeviceId]) -> dict[str, Credentials]:
    """For every machine, for ingest and for the alert worker."""
    return {name: broker.issue(name) for name in (*machines, Service.INGEST, Service.ALERTS)}


def fill_registry(folder: Folder, city: City, secrets: Secrets, *, go_live: datetime) -> None:
    """Tables, then the city, as an operator would import it on the day everything went live."""
    files = folder.path / "registry"
    files.mkdir()
    for name, text in registry.files(city, go_live=go_live).items():
        (files / name).write_text(text, "utf-8")
    with open_records(folder.database_url) as records:
        migrate.upgrade_records(records)
        importing.carry_out(records, importing.read_folder(files, pepper=secrets.pepper), now=go_live, history=True)
        records.write(lambda connection: people.replace_all(connection, offices.people(city.estates)))
