"""The machines: one real `hadir-edge run` process each, a hand that lays cards on its reader, and an ear for its words.

What a machine says on standard output (a JSON object per signal) is the only thing the demo believes about taps.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.topics import DeviceId
from demo.servers.mosquitto import Credentials
from edge.readers.simulated import Finger
from edge.signals import Signal

COMMAND: Final = (sys.executable, "-m", "edge", "run")
GOODBYE_S: Final = 10.0


class MachineEnded(RuntimeError):
    """A machine ended though nobody asked it to; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What SPEED scales, in real seconds for a machine. Keepalive, last will and TLS are not among it."""

    speed: float

    def settings(self) -> dict[str, str]:
        """The environment that says so."""
        scaled = {"HEARTBEAT": 30, "RESEND_FIRST": 30, "RESEND_MAX": 600, "SAME_CARD": 10, "CLOCK_WAIT": 600}
        return {f"HADIR_{name}_S": f"{seconds / self.speed:.4f}" for name, seconds in scaled.items()}


@dataclass(frozen=True, slots=True)
class Connection:
    """How a machine reaches the cloud, and where it keeps its things."""

    broker: str
    credentials: Credentials
    sealing_key: Path
    outboxes: Path
    readers: Path
    """Sockets of the simulated readers, and logs."""


def settings(device: DeviceId, connection: Connection, *, clock: Path, pace: Pace) -> dict[str, str]:
    """The environment of one machine."""
    return {
        "HADIR_DEVICE": device,
        "HADIR_BROKER": connection.broker,
        "HADIR_CA_FILE": str(connection.credentials.ca),
        "HADIR_CERT_FILE": str(connection.credentials.certificate),
        "HADIR_KEY_FILE": str(connection.credentials.key),
        "HADIR_SEALING_KEY_FILE": str(connection.sealing_key),
        "HADIR_OUTBOX": str(connection.outboxes / f"{device}.db"),
        "HADIR_READER": f"sim:{reader(connection.readers, device)}",
        "HADIR_SIGNALS": "console:json",
        "HADIR_CLOCK": f"simulated:{clock}",
        "HADIR_RESERVE_BYTES": "0",
        "HADIR_LOG_LEVEL": "WARNING",
        **pace.settings(),
    }


def reader(folder: Path, device: DeviceId) -> Path:
    """The socket of a machine's simulated reader."""
    return folder / f"{device}.sock"


@dataclass(frozen=True, slots=True)
class Said:
    """One signal of a machine; `real_s` is when it was heard, by this computer's clock."""

    signal: Signal
    seq: int | None
    real_s: float


class Machine:
    """One machine process."""

    def __init__(self, device: DeviceId, folder: Path, environment: Mapping[str, str]) -> None:
        self.device = device
        self.log = folder / f"{device}.log"
        self._environment = {**os.environ, **environment}
        self._finger = Finger(reader(folder, device))
        self._process: asyncio.subprocess.Process | None = None
        self._is_asked_to_end = False
        self.is_ready = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process; `listen` says when it is ready."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which ends its machines in good order
            )

    async def listen(self, hear: Callable[["Machine", Said], None]) -> None:
        """Tell *hear* everything the machine says, until it ends. Raises `MachineEnded` when it was not asked to."""
        assert self._process is not None and self._process.stdout is not None, "start it first"
        async for line in self._process.stdout:
            said = json.loads(line)
            self.is_ready.set()
            hear(self, Said(Signal(said["signal"]), said["seq"], time.monotonic()))
        if not self._is_asked_to_end:
            raise MachineEnded(f"Machine {self.device} ended by itself. The end of its log {self.log}:\n{self._end()}")

    async def lay(self, uid: bytes) -> None:
        """Lay a card on. Raises what `Finger.lay` raises."""
        await asyncio.to_thread(self._finger.lay, uid)

    async def stop(self) -> None:
        """Ask it to say goodbye and end; end it by force when it does not."""
        self._is_asked_to_end = True
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _end(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-5:])
