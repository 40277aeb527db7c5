"""Running targets, each in its own process, and reading off libFuzzer's words what they did."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LONGEST_INPUT_S: Final = 20
"""An input that takes longer has stopped a loop."""
MOST_MEMORY_MB: Final = 2048
_COVERED: Final = re.compile(r"^#\d+\s+(INITED|DONE)\s+cov: (\d+) ft: \d+ corp: (\d+)", re.MULTILINE)
_RAN: Final = re.compile(r"^Done \d+ runs in (\d+) second", re.MULTILINE)
_STAT: Final = re.compile(r"^stat::(\w+):\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one target did. `crash` is the end of its words when it broke, else empty."""

    name: str
    inputs: int
    seconds: int
    """Without the start of the program; 0 when it broke."""
    edges: tuple[int, int]
    """Branches of our code reached by the seeds, and at the end."""
    corpus: int
    memory_mb: int
    crash: str = ""

    @property
    def per_second(self) -> float:
        """Inputs per second."""
        return self.inputs / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """*inputs* for one target, no longer than *longest* bytes, beginning with *seeds*."""

    name: str
    inputs: int
    longest: int
    seeds: Sequence[bytes] = field(repr=False)


def run(task: Task, *, seed: int, keep: Path) -> Outcome:
    """Carry *task* out; an input that breaks the target is kept in *keep*."""
    keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hadir-corpus-") as corpus:
        for number, content in enumerate(task.seeds):
            (Path(corpus) / f"seed-{number}").write_bytes(content)
        options = {
            "runs": task.inputs,
            "max_len": task.longest,
            "seed": seed,
            "timeout": LONGEST_INPUT_S,
            "rss_limit_mb": MOST_MEMORY_MB,
            "print_final_stats": 1,
            "verbosity": 1,
            "artifact_prefix": f"{keep}/{task.name}-",
        }
        command = [sys.executable, "-m", "bench.fuzz.one", task.name, corpus]
        done = subprocess.run(
            [*command, *(f"-{option}={value}" for option, value in options.items())],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # atheris says there what Python raised
            check=False,
            cwd=Path(__file__).parents[2],
        )
    return read(task.name, done.stdout.decode(errors="replace"), code=done.returncode)


def read(name: str, words: str, *, code: int) -> Outcome:
    """What libFuzzer's *words* say."""
    covered = {when: (int(edges), int(corpus)) for when, edges, corpus in _COVERED.findall(words)}
    first, last = covered.get("INITED", (0, 0)), covered.get("DONE", (0, 0))
    stats = {key: int(value) for key, value in _STAT.findall(words)}
    crash = "" if code == 0 and "DONE" in covered else "\n".join([f"ended with {code}", *_telling(words)])
    inputs = stats.get("number_of_executed_units", 0)
    ran = _RAN.search(words)
    seconds = max(1, int(ran[1])) if ran else 0
    return Outcome(name, inputs, seconds, (first[0], last[0]), last[1], stats.get("peak_rss_mb", 0), crash)


def _telling(words: str) -> list[str]:
    """The lines that say what broke."""
    return [line for line in words.splitlines() if not line.startswith(("INFO:", "WARNING:", "#", "stat::"))][-40:]
