"""What `hadir-replay` says of a directory, asked as anyone would: by its command line."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.truth.recount import calendar
from bench.truth.recount.running import Line

ABOUT: Final = ("missed_periods", "periods", "days_counted", "days_not_counted")
"""What the document says of the evidence, and nothing else of it."""
ENDS: Final = ("closed", "retracted")
RULE: Final = "UNIT_NO_TAPS"


class ReplayFailed(RuntimeError):
    """hadir-replay did not run to its end; the message holds its last words."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line of hadir-replay."""

    at: int
    kind: str
    subject: str
    change: str
    evidence: dict[str, Any]

    @property
    def day(self) -> int:
        """The local day of the instant."""
        return calendar.day_of(self.at)


def replay(folder: Path, *, kinds: Sequence[str] = (), policy: str | None = None) -> list[Said]:
    """Every line about *kinds* (empty = all). *policy* takes the place of the directory's own."""
    if policy is not None:
        (folder / "policy.toml").write_text(policy, "utf-8")
    command = [sys.executable, "-m", "cloud.replay", str(folder), *(["--kinds", ",".join(kinds)] if kinds else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReplayFailed(f"hadir-replay {folder} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return [_said(json.loads(line)) for line in done.stdout.splitlines()]


def _said(line: dict[str, Any]) -> Said:
    return Said(calendar.instant(line["at"]), line["kind"], line["subject"], line["change"], line.get("evidence") or {})


def lacking(wanted: Sequence[Line | Said], found: Sequence[Line | Said]) -> list[Line | Said]:
    """What is wanted and not found, each line once; of a rise its evidence must be the same too."""
    keys = {_key(line) for line in found}
    return [line for line in wanted if _key(line) not in keys]


def _key(line: Line | Said) -> str:
    is_bare = line.change in ENDS or line.kind != RULE
    evidence = {} if is_bare else {name: line.evidence.get(name) for name in ABOUT}
    return json.dumps([line.at, line.kind, line.subject, line.change, evidence], sort_keys=True)
