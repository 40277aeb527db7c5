"""Every law holds where the fuzzer begins and for all that was ever found; a short run of the fuzzer itself."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bench.fuzz import running, targets
from bench.fuzz.drawing import Draw, bent
from bench.fuzz.targets import TARGETS
from bench.fuzz.wire import sample


@pytest.mark.parametrize("name", TARGETS)
def test_the_law_holds_where_the_fuzzer_begins(name: str) -> None:
    for data in TARGETS[name].beginnings():
        TARGETS[name].check(data)


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"ingest", "wreck"}))
def test_the_law_holds_for_bytes_without_sense(name: str) -> None:
    chance = random.Random(7)
    for _ in range(60):
        TARGETS[name].check(chance.randbytes(chance.randrange(64)))


def test_all_inputs_are_given_out() -> None:
    assert sum(targets.shares(1_000_000).values()) == 1_000_000
    assert all(count > 0 for count in targets.shares(10_000).values())


def test_a_bent_message_is_bent_but_for_no_bytes_at_all() -> None:
    straight = sample("records")
    assert bent(Draw(b""), straight) == straight
    others = [bent(Draw(bytes([4, number, 1, 3, 1, 1, 1, 1])), straight) for number in range(50)]
    assert all(json.dumps(other) for other in others)
    assert any(other != straight for other in others)


WORDS = """#8\tINITED cov: 68 ft: 104 corp: 7/1388b exec/s: 0 rss: 112Mb
#1000\tDONE   cov: 90 ft: 117 corp: 28/1454b lim: 435 exec/s: 500 rss: 112Mb
Done 1000 runs in 2 second(s)
stat::number_of_executed_units: 1000
stat::peak_rss_mb:              112
"""


def test_what_the_fuzzer_says_is_read() -> None:
    outcome = running.read("topic", WORDS, code=0)
    assert (outcome.inputs, outcome.edges, outcome.corpus, outcome.memory_mb) == (1000, (68, 90), 28, 112)
    assert outcome.per_second == 500 and not outcome.crash


@pytest.mark.parametrize(("words", "code"), [(WORDS, 77), (WORDS.partition("#1000")[0], 0)])
def test_a_run_that_did_not_reach_its_end_is_broken(words: str, code: int) -> None:
    assert running.read("topic", words, code=code).crash


@pytest.mark.integration
def test_a_short_run_reaches_further_than_its_seeds(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is missing: it has wheels for Linux on x86-64 only")
    wanted = [word for name in ("record", "answer") for word in ("--only", name)]
    command = [sys.executable, "-m", "bench.fuzz", "--inputs", "20000", "--seed", "3", "--keep", str(tmp_path), *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "record: 2400 inputs" in done.stdout and not list(tmp_path.iterdir())
