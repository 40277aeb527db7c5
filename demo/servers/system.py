"""The whole system on loopback: real servers, and our own programs started as systemd would start them.

A machine says what it shows as lines of JSON. Everything that servers and programs leave behind lies in one folder.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from contract.topics import DeviceId
from demo.servers.influxdb import InfluxDB
from demo.servers.mosquitto import Mosquitto
from edge.clock import simulated
from provisioning import keys

PATIENCE_S: Final = 30.0
GOODBYE_S: Final = 20.0


class NotSeen(AssertionError):
    """What was waited for did not happen in time."""


def until(condition: Callable[[], object], what: str, *, patience_s: float = PATIENCE_S) -> float:
    """Wait for *condition*; the instant (`time.monotonic`) at which it was seen to hold. Raises `NotSeen`."""
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            raise NotSeen(f"{what} did not happen within {patience_s:.0f} s")
        time.sleep(0.005)
    return time.monotonic()


class Program:
    """One of our programs: a module, its words, its environment. Its log is a file; what it shows is kept."""

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._command = command
        self._environment = dict(environment)
        self._shown: list[tuple[float, str]] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id, also after its end."""
        assert self._process is not None, "start it first"
        return self._process.pid

    def start(self) -> Self:
        """Start it; returns at once."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._command],
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit code."""
        assert self._process is not None, "start it first"
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        return self._process.wait(timeout=GOODBYE_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.stop(signal.SIGKILL)

    def shown(self, signal_name: str, since: float = 0.0) -> float | None:
        """When a machine first showed that after *since*."""
        return next((at for at, name in self._shown if at >= since and name == signal_name), None)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                with suppress(ValueError):
                    self._shown.append((time.monotonic(), json.loads(line)["signal"]))


@dataclass
class System:
    """Servers that run, secrets that are made, a database that is prepared; `ingester` and `machine` start the rest."""

    folder: Path
    broker: Mosquitto
    influx: InfluxDB
    database_url: str
    pace: float = 1.0
    """How much faster than real time everybody's clock runs."""
    _programs: list[Program] = field(default_factory=list)
    _environment: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        keys.new_sealing_key(self.folder / "keys", "k1")
        keys.new_pepper(self.folder / "pepper")
        (self.folder / "influx-token").write_text(self.influx.token)
        simulated.write(self.clock, simulated.start(int(time.time() * 1000), speed=self.pace))
        self._environment = self._cloud_environment()
        self.provision("registry", "prepare")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for program in reversed(self._programs):
            program.stop()

    @property
    def clock(self) -> Path:
        """The clock of all machines, and of the ingesters when it runs faster."""
        return self.folder / "clock"

    def provision(self, *words: str) -> None:
        """Run `hadir-provision`; raises with what it said when it fails."""
        command = [sys.executable, "-m", "provisioning", *words]
        done = subprocess.run(
            command, env={**os.environ, **self._environment}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotSeen(f"hadir-provision {' '.join(words)} failed: {done.stdout}{done.stderr}")

    def register(self, files: Mapping[str, str], *words: str) -> None:
        """Import these registry files, by name."""
        folder = self.folder / "registry"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        self.provision("registry", "import", str(folder), *words)

    def ingester(self, name: str = "ingest-1", **more: str) -> Program:
        """Start an ingester of that name."""
        ready = self.folder / f"{name}.ready"
        own = {"HADIR_INSTANCE": name, "HADIR_READY_FILE": str(ready)}
        command: tuple[str, ...] = ("cloud.ingest", "run")
        if self.pace != 1:
            command = ("demo.ingester",)
            own |= {"HADIR_DEMO_CLOCK": str(self.clock), "HADIR_DEMO_PACE": str(self.pace)}
        program = self._start(command, self._environment | own | more, name)
        until(ready.exists, f"The ingester {name} being ready")
        return program

    def machine(self, device: DeviceId, reader: str, *, port: int | None = None, **more: str) -> Program:
        """Start a machine at *reader*, quick to repeat itself; *port*: where it finds the broker."""
        self.broker.admit(device)
        environment = {
            **self._client(device, port or self.broker.port),
            "HADIR_DEVICE": device,
            "HADIR_SEALING_KEY_FILE": str(self.folder / "keys" / "k1.pub"),
            "HADIR_OUTBOX": str(self.folder / f"{device}.db"),
            "HADIR_READER": reader,
            "HADIR_SIGNALS": "console:json",
            "HADIR_CLOCK": f"simulated:{self.clock}",
            "HADIR_RESERVE_BYTES": "65536",
            "HADIR_HEARTBEAT_S": "1",
            "HADIR_RESEND_FIRST_S": "1",
            "HADIR_RESEND_MAX_S": "4",
            "HADIR_SAME_CARD_S": "0.2",
            "HADIR_LOG_LEVEL": "DEBUG",
        }
        program = self._start(("edge", "run"), environment | more, device)
        until(lambda: program.shown("ready"), f"{device} being ready")
        return program

    def _start(self, command: tuple[str, ...], environment: Mapping[str, str], name: str) -> Program:
        program = Program(command, environment, self.folder / f"{name}.log")
        self._programs.append(program)
        return program.start()

    def _client(self, name: str, port: int) -> dict[str, str]:
        files = self.broker.issue(name)
        return {
            "HADIR_BROKER": f"mqtts://{self.broker.host}:{port}",
            "HADIR_CA_FILE": str(files.ca),
            "HADIR_CERT_FILE": str(files.certificate),
            "HADIR_KEY_FILE": str(files.key),
        }

    def _cloud_environment(self) -> dict[str, str]:
        return {
            **self._client("ingest", self.broker.port),
            "HADIR_DATABASE_URL": self.database_url,
            "HADIR_HISTORY": self.influx.url,
            "HADIR_INFLUX_TOKEN_FILE": str(self.folder / "influx-token"),
            "HADIR_INFLUX_ORG": self.influx.org,
            "HADIR_OPENING_KEYS_DIR": str(self.folder / "keys"),
            "HADIR_PEPPER_FILE": str(self.folder / "pepper"),
            "HADIR_LOG": "DEBUG",
        }
