"""The services of docker-compose.yml on loopback: command, environment and health check as they stand there.

What a container would bring is put in place by name: mounts and secrets become paths of this computer, hosts become
ports of its loopback. No Docker engine was met in the checks.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from small_grafana import SmallGrafana
from small_influx import SmallInflux

from demo.servers.influxdb import InfluxDB
from demo.servers.mosquitto import for_loopback
from demo.servers.process import MissingProgram, Process, find, free_port, wait_for
from provisioning.broker import write_revocations
from provisioning.certificates import AuthorityFolder

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
HEALTHY_S = 300.0

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@dataclass
class Room:
    """Where this computer has what the containers would have."""

    folder: Path
    hosts: dict[str, str] = field(default_factory=dict)
    """`mosquitto:8883` → `localhost:PORT`."""

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    def here(self, service: str, words: str) -> str:
        """*words* with this computer's paths and hosts in place of the container's, and nothing set in `.env`."""
        words = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", words)
        places = {**self._mounts(SERVICES[service]), **self.hosts}
        if not places:
            return words
        names = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
        return re.sub(names, lambda found: places[found[0]], words.replace("$$", "$"))

    def command(self, service: str) -> list[str]:
        asked = SERVICES[service]
        words = [self.here(service, word) for word in [*asked.get("entrypoint", []), *asked.get("command", [])]]
        return [str(ROOT / "deploy" / "secrets") if word == "hadir-secrets" else word for word in words]

    def environment(self, service: str) -> dict[str, str]:
        return {name: self.here(service, value) for name, value in SERVICES[service].get("environment", {}).items()}

    def is_healthy(self, service: str) -> bool:
        """What the health check of the file says."""
        kind, *check = [self.here(service, word) for word in SERVICES[service]["healthcheck"]["test"]]
        command = ["sh", "-c", *check] if kind == "CMD-SHELL" else check
        workplace = self.here(service, SERVICES[service].get("working_dir", str(self.folder)))
        done = subprocess.run(command, cwd=workplace, env=os.environ | {"PATH": PATH}, capture_output=True, check=False)
        return done.returncode == 0

    def run(self, service: str, *more: str) -> str:
        """Run a service that ends by itself."""
        return self.within(service, [*self.command(service), *more])

    def within(self, service: str, command: list[str]) -> str:
        """What another command says in the place of a service, as by `docker compose exec`."""
        environment = os.environ | self.environment(service) | {"PATH": PATH}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, service: str) -> Iterator[Process]:
        """A service that stays, until its health check is content; ended in good order."""
        environment = {**self.environment(service), "PATH": PATH}
        command = self.command(service)
        command[0] = shutil.which(command[0], path=PATH) or command[0]
        process = Process(command, log=self.folder / f"{service}.log", env=environment)
        process.start(lambda: True)
        try:
            self._until(lambda: self.is_healthy(service), process)
            yield process
        finally:
            process.stop()

    def _until(self, condition: Callable[[], bool], process: Process) -> None:
        give_up = time.monotonic() + HEALTHY_S
        while not condition():
            assert process.is_running() and time.monotonic() < give_up, process.logged()[-3000:]
            time.sleep(0.5)

    def _mounts(self, service: Mapping[str, Any]) -> dict[str, str]:
        """Container path to path of this computer; volumes and tmpfs are folders below `folder`."""
        places = {f"/run/secrets/{name}": COMPOSE["secrets"][name]["file"] for name in service.get("secrets", ())}
        for volume in service.get("volumes", ()):
            source, target = volume.split(":")[:2]
            places[target] = source if source.startswith(".") else self._made(f"volumes/{source}")
        for mount in service.get("tmpfs", ()):
            target = mount.partition(":")[0]
            if target != os.sep + "tmp":
                places[target] = self._made(f"tmpfs{target}")
        return {target: str(self.folder / source) for target, source in places.items()}

    def _made(self, name: str) -> str:
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        return name


PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"


@pytest.fixture(autouse=True)
def _nothing_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the file says reaches a service."""
    for name in [name for name in os.environ if name.startswith(("HADIR_", "INFLUX_", "GF_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, give_up: Callable[[MissingProgram | str], NoReturn]) -> Path:
    """What `docker compose run --rm setup sim` leaves."""
    if os.geteuid() != 0:
        give_up("deploy/secrets gives each file to its reader: run this as root")
    room = Room(tmp_path_factory.mktemp("made"))
    room.run("setup", "sim")
    return room.folder


@pytest.fixture
def room(made: Path, tmp_path: Path) -> Room:
    """The same for one test alone, owners included."""
    subprocess.run(["cp", "-a", made / "secrets", tmp_path], check=True)
    return Room(tmp_path)


@pytest.fixture
def broker(room: Room, give_up: Callable[[MissingProgram | str], NoReturn]) -> Iterator[Process]:
    """The shipped file, in the folder that `setup` made."""
    try:
        program = find("mosquitto", package="mosquitto")
        find("mosquitto_pub", package="mosquitto-clients")
    except MissingProgram as error:
        give_up(error)
    port = free_port()
    # The health check names host and port as two words, so the port stands for itself.
    room.hosts |= {"mosquitto:8883": f"localhost:{port}", "8883": str(port)}
    config = room.folder / "mosquitto.conf"
    config.write_text(for_loopback((ROOT / "deploy" / "mosquitto.conf").read_text(), port=port, user="root"))
    server = Process([program, "-c", str(config)], log=room.folder / "mosquitto.log", folder=room.secrets / "broker")
    server.start(lambda: "running" in server.logged())
    yield server
    server.stop()


def test_every_secret_of_the_file_is_made_once_and_belongs_to_its_reader(room: Room) -> None:
    for name, secret in COMPOSE["secrets"].items():
        users = {
            service["user"].partition(":")[0] for service in SERVICES.values() if name in service.get("secrets", ())
        }
        status = (room.folder / secret["file"]).stat()
        assert users - {"0"} == {str(status.st_uid)}, name
        assert name.endswith(("_ca", "_cert")) or status.st_mode & 0o077 == 0, name
    before = {path: path.read_bytes() for path in room.secrets.rglob("*") if path.is_file()}
    room.run("setup", "sim")
    after = {path: path.read_bytes() for path in room.secrets.rglob("*") if path.is_file()}
    changed = {str(path.relative_to(room.secrets)) for path in after if before.get(path) != after[path]}
    assert changed == {"ca/crl.pem", "broker/tls/crl.pem", "revocations/crl.pem"}


def test_the_alert_worker_looks_at_the_list_that_the_broker_goes_by(room: Room) -> None:
    theirs, ours = room.secrets / "broker" / "tls" / "crl.pem", room.secrets / "revocations" / "crl.pem"
    assert ours.read_bytes() == theirs.read_bytes()
    for folder in ("revocations", "channels"):
        assert (room.secrets / folder).stat().st_uid == 10001
    before = ours.stat().st_ino
    room.run("setup")
    assert ours.stat().st_ino != before, "whoever reads it meanwhile sees the old list or the new one, never half"


def test_a_room_from_before_the_alert_worker_gets_one_and_its_machines_keep_their_rights(room: Room) -> None:
    rules = room.secrets / "broker" / "acl"
    now = rules.read_text()
    rules.write_text(re.sub(r"user alerts\n(topic .*\n)+", "", now))
    assert rules.read_text() != now
    for folder in ("alerts", "revocations", "channels"):
        shutil.rmtree(room.secrets / folder)
    room.run("setup")
    assert rules.read_text() == now
    assert {path.name for path in (room.secrets / "alerts").iterdir()} == {"alerts.pem", "alerts.key", "ca.pem"}


def test_simulated_machines_take_no_real_ones_rights(room: Room) -> None:
    shutil.rmtree(room.secrets / "sim")
    command = [*room.command("setup"), "sim"]
    done = subprocess.run(command, env=os.environ | {"PATH": PATH}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Real machines report to this broker" in done.stderr


def test_the_tokens_are_kept_in_the_files_of_their_readers(room: Room) -> None:
    influx = SmallInflux((room.secrets / "influx_operator").read_text())
    room.hosts["http://influxdb:8086"] = influx.url
    room.run("tokens")
    assert room.run("tokens") == "nothing to do\n"
    influx.close()
    for name, user in (
        ("influx_ingest", 10001),
        ("influx_alerts", 10001),
        ("influx_grafana_ops", 472),
        ("influx_grafana_aggregate", 472),
    ):
        secret = room.secrets / name
        assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (user, 0o600)
        assert secret.read_text()


def test_the_officials_get_their_organisation(room: Room) -> None:
    server = SmallGrafana("12.4.11", (room.secrets / "grafana_password").read_text())
    room.hosts["http://grafana:3000"] = server.url
    (room.secrets / "influx_grafana_aggregate").write_text("Token x")
    room.run("officials")
    source = server.officials()["sources"]["aggregate"]
    server.close()
    assert (source["url"], source["token"]) == ("http://influxdb:8086", {"httpHeaderValue1": "Token x"})


def test_the_broker_is_healthy_until_its_revocation_list_has_expired(room: Room, broker: Process) -> None:
    assert room.is_healthy("mosquitto")
    authority = AuthorityFolder(room.secrets / "ca")
    authority.renew_list(datetime.now(UTC) - timedelta(days=40))
    write_revocations(room.secrets / "broker", (authority.path / "crl.pem").read_bytes())
    broker.signal(signal.SIGHUP)
    wait_for(lambda: not room.is_healthy("mosquitto"), "The end of its health")


def test_ingest_and_32_machines_become_healthy_and_end_in_good_order(
    room: Room, broker: Process, influxdb: InfluxDB, postgres_url: str
) -> None:
    room.hosts["http://influxdb:8086"] = influxdb.url
    (room.secrets / "influx_ingest").write_text(influxdb.token)
    (room.secrets / "database_url").write_text(postgres_url)
    room.run("tables")
    assert "The registry is at version" in room.run("sim-registry")
    assert "Nothing was changed" in room.run("sim-registry")
    with room.running("ingest") as ingest, room.running("sim") as machines:
        assert influxdb.url in room.environment("ingest").values()
    assert not room.is_healthy("sim") and not room.is_healthy("ingest")
    assert "Traceback" not in ingest.logged() + machines.logged()


def test_the_alert_worker_becomes_healthy_and_warns_before_the_revocation_list_expires(
    room: Room, broker: Process, influxdb: InfluxDB, postgres_url: str
) -> None:
    room.hosts["http://influxdb:8086"] = influxdb.url
    (room.secrets / "influx_alerts").write_text(influxdb.token)
    (room.secrets / "database_url").write_text(postgres_url)
    room.run("tables")
    authority = AuthorityFolder(room.secrets / "ca")
    authority.renew_list(datetime.now(UTC) - timedelta(days=25))
    shutil.copy(authority.path / "crl.pem", room.secrets / "revocations")
    with room.running("alerts") as alerts:
        flags = json.loads(room.within("alerts", ["hadir-alerts", "flags", "--json"]))
        wait_for(lambda: "broker_connected" in alerts.logged(), "Its connection to the broker")
    assert [flag["kind"] for flag in flags] == ["CRL_EXPIRING"]
    assert influxdb.query("ops", "SELECT msgs_total FROM pipeline WHERE stage = 'alerts'")
    assert not room.is_healthy("alerts")
    assert "Traceback" not in alerts.logged()
