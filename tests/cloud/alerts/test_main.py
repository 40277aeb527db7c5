"""The program itself: it starts from its environment, sings, judges, calls its switch, and ends cleanly on SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from cloud.records import leases, migrate, open_records
from demo.servers.mosquitto import Mosquitto
from provisioning.broker import Service


class Switch(BaseHTTPRequestHandler):
    """A dead man's switch: counts its calls."""

    calls: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.calls.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


@pytest.fixture
def switch() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Switch) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def environment(tmp_path: Path, mosquitto: Mosquitto, switch: HTTPServer) -> dict[str, str]:
    url = f"sqlite:///{tmp_path}/records.db"
    migrate.upgrade(url)
    own = mosquitto.issue(Service.ALERTS)
    (tmp_path / "ping").write_text(f"http://127.0.0.1:{switch.server_port}/uuid\n")
    return {
        "HADIR_DATABASE_URL": url,
        "HADIR_HISTORY": f"journal:{tmp_path}/journal",
        "HADIR_BROKER": f"mqtts://127.0.0.1:{mosquitto.port}",
        "HADIR_CA_FILE": str(own.ca),
        "HADIR_CERT_FILE": str(own.certificate),
        "HADIR_KEY_FILE": str(own.key),
        "HADIR_INSTANCE": "alerts-test",
        "HADIR_PING_URL_FILE": str(tmp_path / "ping"),
        "HADIR_READY_FILE": str(tmp_path / "ready"),
    }


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cloud.alerts", "run"]
    with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < until, "it never became ready"
        time.sleep(0.05)


@pytest.mark.integration
def test_a_worker_judges_tells_the_history_calls_its_switch_and_ends_cleanly(
    environment: dict[str, str], tmp_path: Path
) -> None:
    Switch.calls.clear()
    with worker(environment) as process:
        wait_for(tmp_path / "ready", process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert Switch.calls == ["/uuid"] and "uuid" not in said
    written = "".join(path.read_text() for path in (tmp_path / "journal").rglob("*") if path.is_file())
    assert "pipeline,instance=alerts-test,stage=alerts" in written
    assert not (tmp_path / "ready").exists()
    with open_records(environment["HADIR_DATABASE_URL"]) as records:
        free = records.write(lambda c: leases.take(c, "alerts", holder="another", now_ms=1, until_ms=2))
    assert free
