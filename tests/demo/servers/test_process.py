import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from demo.servers import process
from demo.servers.process import MissingProgram, Process, ServerFailed

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def started(command: list[str], log: Path) -> Process:
    server = Process(command, log=log)
    server.start(lambda: "up" in server.logged())
    return server


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_missing_program_is_named_with_the_command_that_gets_it() -> None:
    with pytest.raises(MissingProgram, match=r"hadir-none is not installed: get it with `sudo apt-get install some`"):
        process.find("hadir-none", package="some")


def test_a_stopped_process_is_gone_and_can_be_started_again(tmp_path: Path) -> None:
    server = started(SLEEPER, tmp_path / "log")
    first = server.pid
    server.stop()
    assert not exists(first) and not server.is_running()
    server.start(lambda: server.logged().count("up") == 2)
    assert server.pid != first
    server.kill()


def test_one_that_will_not_end_is_ended(tmp_path: Path) -> None:
    server = started(STUBBORN, tmp_path / "log")
    pid = server.pid
    server.stop(patience=timedelta(seconds=0.2))
    assert not exists(pid)


def test_one_that_ends_at_its_start_is_quoted(tmp_path: Path) -> None:
    server = Process([sys.executable, "-c", "raise SystemExit('the port is taken')"], log=tmp_path / "log")
    with pytest.raises(ServerFailed, match="the port is taken"):
        server.start(lambda: False)


def test_one_that_never_gets_ready_is_not_left_running(tmp_path: Path) -> None:
    server = Process(SLEEPER, log=tmp_path / "log")
    with pytest.raises(ServerFailed, match="did not happen within"):
        server.start(lambda: False, patience=timedelta(seconds=0.3))
    assert not server.is_running()


def test_what_is_not_running_has_no_pid(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="not running"):
        _ = Process(SLEEPER, log=tmp_path / "log").pid
