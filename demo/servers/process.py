"""One server process: found, started, awaited, ended by its own pid. Its output goes to a log file."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

PATIENCE: Final = timedelta(seconds=20)
_SYSTEM_FOLDERS: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_LOG_LINES_SHOWN: Final = 5


class MissingProgram(RuntimeError):
    """A server is not installed here; the message names it and the command that gets it."""


class ServerFailed(RuntimeError):
    """A server did not start, or did not do what it was told; the message carries the end of its log."""


def find(program: str, *, package: str, folders: Sequence[str | Path] = ()) -> str:
    """The path of *program*, also where only root usually looks. Raises `MissingProgram`."""
    places = os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), *_SYSTEM_FOLDERS])
    found = shutil.which(program, path=places)
    if found is None:
        raise MissingProgram(f"{program} is not installed: get it with `sudo apt-get install {package}`.")
    return found


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], what: str, *, patience: timedelta = PATIENCE) -> None:
    """Return as soon as *condition* holds; raises `ServerFailed` naming *what* when patience runs out."""
    give_up = time.monotonic() + patience.total_seconds()
    while not condition():
        if time.monotonic() > give_up:
            raise ServerFailed(f"{what} did not happen within {patience.total_seconds():.0f} s.")
        time.sleep(0.02)


class Process:
    """A command that can be started again and again; at most one instance runs."""

    def __init__(
        self, command: Sequence[str], *, log: Path, folder: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self._command = list(command)
        self._log = log
        self._folder = folder
        self._env = {**os.environ, **(env or {})}
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the running process. Raises `ServerFailed` when there is none."""
        if self._running is None:
            raise ServerFailed(f"{self._command[0]} is not running.")
        return self._running.pid

    def is_running(self) -> bool:
        """Whether the process was started and has not ended, by us or by itself."""
        return self._running is not None and self._running.poll() is None

    def logged(self) -> str:
        """Everything it has said since it was first started."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(
        self, ready: Callable[[], bool], *, stdin: socket.socket | None = None, patience: timedelta = PATIENCE
    ) -> None:
        """Start and return once *ready*. Raises `ServerFailed`, leaving nothing running, when that does not come."""
        if self.is_running():
            return
        handed = subprocess.DEVNULL if stdin is None else stdin.fileno()
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                self._command,
                stdin=handed,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._env,
                start_new_session=True,  # Ctrl-C is for whoever started it, who ends it in good order
            )
        try:
            what = f"The start of {self._command[0]} (log: {self._log})"
            wait_for(lambda: not self.is_running() or ready(), what, patience=patience)
        except BaseException:
            self.kill()
            raise
        if not self.is_running():
            raise ServerFailed(self._last_words())

    def stop(self, by: signal.Signals = signal.SIGTERM, *, patience: timedelta = PATIENCE) -> None:
        """Ask it to end and wait; end it by force when it does not."""
        if self._running is None:
            return
        self._running.send_signal(by)
        try:
            self._running.wait(patience.total_seconds())
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._running = None

    def kill(self) -> None:
        """End it as a power cut would."""
        self.stop(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal other than the end."""
        os.kill(self.pid, number)

    def _last_words(self) -> str:
        said = "\n".join(self.logged().splitlines()[-_LOG_LINES_SHOWN:])
        return f"{self._command[0]} ended at its start. The end of its log {self._log}:\n{said}"
