"""`kill -9` of a real sender between its commits: nothing is lost, and at most one marked duplicate arrives."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import answering
import pytest
from answering import Answerer
from postal import MINUTE, NOON, Rig, draft, person

from cloud.alerts.channels import Secrets, open_channel
from cloud.records import Records
from cloud.records.people import Role

pytestmark = pytest.mark.integration

SENDER = Path(answering.__file__).with_name("mortal_sender.py")
ROOT = Path(__file__).parents[3]
REPEAT = "(kirim ulang)"
FLAGS = [f"FLG-26-{number:05}" for number in range(1, 13)]


@pytest.fixture
def server() -> Iterator[Answerer]:
    with Answerer(answering.webhook) as started:
        yield started


@pytest.fixture
def rig(records: Records, server: Answerer) -> Rig:
    made = Rig(records)
    made.know(*(person(f"noc-{n}", Role.NOC, f"webhook:{server.url}/{n}") for n in range(4)))
    made.say(*(draft(f"noc-{number % 4}", flag) for number, flag in enumerate(FLAGS)))
    return made


def sender(url: str, now_ms: int, dies: str = "never", after: int = 0) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SENDER), url, str(now_ms), dies, str(after)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def finish(rig: Rig) -> None:
    """What another sender does later: the lease runs out, then the repeat is due."""
    rig.channels = {"webhook": open_channel("webhook:", Secrets("signing-key"))}
    for wait_ms in (MINUTE, MINUTE):
        rig.later(wait_ms)
        rig.run()


def shown(server: Answerer) -> list[str]:
    return [asked.body["headline"] for asked in server.asked]


def check(server: Answerer, rig: Rig) -> None:
    arrived = Counter(flag for line in shown(server) for flag in FLAGS if flag in line)
    assert set(arrived) == set(FLAGS)
    assert all(sum(flag in line and REPEAT not in line for line in shown(server)) <= 1 for flag in FLAGS), (
        "a duplicate that is not marked"
    )
    assert max(arrived.values()) <= 2
    assert {state for _, state in rig.states()} == {"told"}


@pytest.mark.parametrize(("dies", "duplicates"), [("before", 0), ("after", 1)])
def test_killed_between_commit_and_call_or_between_call_and_commit(
    records_url: str, rig: Rig, server: Answerer, dies: str, duplicates: int
) -> None:
    assert sender(records_url, rig.now_ms, dies, 3).wait(60) == -signal.SIGKILL
    finish(rig)
    check(server, rig)
    assert len(shown(server)) == len(FLAGS) + duplicates
    assert sum(REPEAT in line for line in shown(server)) == 1


def test_killed_during_the_call(records_url: str, rig: Rig, server: Answerer) -> None:
    server.script.append(answering.HANG)
    process = sender(records_url, rig.now_ms)
    until = time.monotonic() + 60
    while not server.asked and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    assert rig.now_ms == NOON
    finish(rig)
    check(server, rig)
    assert sum(REPEAT in line for line in shown(server)) == 1
