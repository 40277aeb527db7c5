"""What the README says is so: its length, its files, its links, and the commands of "Run it for real"."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.servers.mosquitto import for_loopback
from demo.servers.pcscd import Pcscd
from demo.servers.process import MissingProgram, find, free_port

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
REGISTRY = (ROOT / "docs" / "registry.md").read_text()
PATIENCE_S = 60.0


def commands() -> str:
    """The one script of the README."""
    (script,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return str(script)


def test_it_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) <= 200


def test_the_life_of_a_tap_is_eight_lines_that_name_files_which_exist() -> None:
    section = README.partition("## The life of a tap")[2].partition("\n## ")[0]
    lines = re.findall(r"^\d\. .*$", section, re.MULTILINE)
    assert len(lines) == 8
    named = [re.findall(r"`([a-z0-9_/]+\.py|[a-z0-9_/]+/)`", line) for line in lines]
    assert all(named), "every line names a file"
    assert [path for paths in named for path in paths if not (ROOT / path).exists()] == []


def test_its_links_lead_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.integration
@pytest.mark.timeout(180)
def test_its_commands_make_a_system_that_takes_a_tap(tmp_path: Path, pcscd: Pcscd) -> None:
    port = _prepare(tmp_path)
    with (
        _running(commands().replace("8883", str(port)), tmp_path, pcscd) as said,
        pcscd.card(b"\x04\xa1\xb2\xc3\xd4\xe5\xf6"),
    ):
        _until(lambda: "VALIDASI BERHASIL" in said.read_text(), said)
        time.sleep(0.5)
    text = said.read_text()
    assert "Traceback" not in text
    assert "BAIK" in text, "the doctor has spoken"


def _prepare(folder: Path) -> int:
    """The registry's example files, and a checkout whose broker listens on a free port of the loopback alone."""
    (folder / "registry").mkdir()
    for name, text in re.findall(r"^## (\S+\.csv)\n```csv\n(.*?)```", REGISTRY, re.MULTILINE | re.DOTALL):
        (folder / "registry" / name).write_text(
            text.replace("2026-07-01,", "2036-07-01,").replace("2026-06-30", "2036-06-30")
        )
    port = free_port()
    (folder / "deploy").mkdir()
    shipped = (ROOT / "deploy" / "mosquitto.conf").read_text()
    user = "root" if os.geteuid() == 0 else "mosquitto"
    (folder / "deploy" / "mosquitto.conf").write_text(for_loopback(shipped, port=port, user=user))
    return port


@contextmanager
def _running(script: str, folder: Path, pcscd: Pcscd) -> Iterator[Path]:
    """The script in a shell and a session of its own, so that everything it started ends with it."""
    said = folder / "said.txt"
    # A card and a set clock are what the technician sees to; the doctor's test of them must not hold up the script.
    script = script.replace("hadir-edge doctor ", "hadir-edge doctor --card-s 0 || true ")
    environment = os.environ | pcscd.environment | {"PATH": _path(), "HADIR": str(folder), "HADIR_SIGNALS": "console:"}
    with said.open("wb") as log:
        shell = subprocess.Popen(
            ["bash", "-euc", f"{script}\nwait"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield said
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(timeout=20)


def _path() -> str:
    try:
        broker = Path(find("mosquitto", package="mosquitto")).parent
    except MissingProgram as error:
        pytest.skip(str(error))
    return f"{Path(sys.executable).parent}:{broker}:{os.environ['PATH']}"


def _until(condition: object, said: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    assert callable(condition)
    while not condition():
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.1)
