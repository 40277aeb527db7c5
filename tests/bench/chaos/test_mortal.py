"""However the rig ends, nothing of it stays."""

import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from bench.chaos import mortal

STARTS_A_CHILD = """
import subprocess, sys
subprocess.Popen(["sleep", "1000.{word}"], start_new_session=True)
print("started", flush=True)
sys.stdin.read()
"""


def running(word: str) -> list[str]:
    """The command lines, of whatever runs on this computer, that hold *word*."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_text())
        except OSError:  # it has just ended
            continue
    return [line for line in found if word in line]


@pytest.mark.integration
def test_what_a_killed_program_started_ends_with_it() -> None:
    if not mortal.may_have_own_pids():
        pytest.skip("this computer allows no process namespaces: run as root")
    word = str(uuid.uuid4().int)
    command = [*mortal.words(), sys.executable, "-c", STARTS_A_CHILD.format(word=word)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None and program.stdout.readline() == b"started\n"
        assert running(f"1000.{word}")
        program.kill()
    give_up = time.monotonic() + 20
    while running(f"1000.{word}"):
        assert time.monotonic() < give_up, "its child goes on"
        time.sleep(0.05)


@pytest.mark.integration
def test_the_exit_code_is_that_of_the_program() -> None:
    assert subprocess.run([*mortal.words(), "sh", "-c", "exit 7"], check=False).returncode == 7
