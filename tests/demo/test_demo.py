"""The whole demo, small: real broker, real machines, real ingest; and how it ends."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from demo.servers.mosquitto import Mosquitto
from demo.servers.process import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
SMALL = ("--machines", "4", "--past", "1", "--speed", "120")


@pytest.fixture(autouse=True)
def _broker_is_installed(mosquitto: Mosquitto) -> None:
    """The fixture skips, or fails, where there is none."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for the demo's own; its name is short, as the path of a Unix socket must be."""
    with tempfile.TemporaryDirectory(prefix="demo-") as path:
        yield Path(path)


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "demo", *SMALL, *options]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "FOR": "", "SPEED": "", "INFLUX_URL": "", "COLUMNS": "120"}


def left_running(folder: Path) -> list[str]:
    """Processes whose environment names the demo's folder."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in environ.read_bytes():
                found.append(environ.parent.name)
        except OSError:
            continue
    return found


def test_every_tap_is_stored_once_one_outage_is_told_once_and_nothing_is_left_behind(
    tmp_path: Path, place: Path
) -> None:
    shown = tmp_path / "shown.svg"
    run = subprocess.run(
        [*command("--for", "60s", "--picture", str(shown)), "--speed", "60", "--past", "10"],
        env=environment(place),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Semua tap tersimpan tepat satu kali dan terkonfirmasi." in run.stdout
    made = re.search(r"Tap dibuat\s*│\s*([\d.]+)", run.stdout)
    assert made is not None and int(made[1]) > 0
    assert "SPEED=" in run.stdout
    assert shown.read_text().startswith("<svg")
    assert list(place.iterdir()) == []
    assert left_running(place) == []
    letters = run.stdout.split("── kepada ")[1:]
    assert [letter.partition(" ")[0] for letter in letters if " luring sejak " in letter] == ["NOC"], run.stdout
    outages = [letter for letter in letters if " luring sejak " in letter]
    flag = re.search(r"FLG-\d\d-\d{5}", outages[0])
    assert flag is not None
    ends = [letter for letter in letters if flag[0] in letter and " pulih " in letter]
    assert [letter.partition(" ")[0] for letter in ends] == ["NOC"], run.stdout
    unit = [letter for letter in letters if "Satu unit di " in letter and "perlu klarifikasi" in letter]
    assert unit and all(letter.startswith("UPRS") for letter in unit), run.stdout


def test_ctrl_c_ends_the_show_with_the_account(place: Path) -> None:
    with subprocess.Popen(command(), env=environment(place), stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if re.search(r"tap dibuat [1-9]", line):
                break
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
    assert "Neraca penutup" in rest
    assert demo.returncode == 0, rest
    assert left_running(place) == []


def test_ended_before_the_screen_opens_it_leaves_nothing(place: Path) -> None:
    with subprocess.Popen(command(), env=environment(place), stderr=subprocess.PIPE, text=True) as demo:
        wait_for(lambda: any(place.rglob("mosquitto.log")), "The demo's broker", patience=timedelta(seconds=60))
        demo.send_signal(signal.SIGTERM)
        _, said = demo.communicate(timeout=60)
    assert "nothing was left running" in said
    assert demo.returncode == 130
    assert list(place.iterdir()) == []
    assert left_running(place) == []


def test_without_mosquitto_it_says_how_to_get_it(place: Path) -> None:
    program = (
        "from demo.servers import process; process._SYSTEM_FOLDERS = (); "
        "import runpy, sys; sys.argv = ['hadir-demo', '--for', '1s', '--past', '0']; "
        "runpy.run_module('demo', run_name='__main__')"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment(place), "PATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "sudo apt-get install mosquitto" in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
