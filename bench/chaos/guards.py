"""`python -m bench.chaos.guards`: each guard is removed in a copy of the code, and its row must then fail.

A row that still passes without its guard proves nothing. What is removed stands here as exact pieces of code: when one
is no longer found, the guard has moved, and this list must follow it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from bench.chaos.rows import ROWS
from bench.chaos.stage import Row

ROOT: Final = Path(__file__).parents[2]
COPIED: Final = ("bench", "contract", "edge", "cloud", "provisioning", "demo", "deploy")


@dataclass(frozen=True, slots=True)
class Cut:
    """In *file*, *guard* becomes *without*."""

    file: str
    guard: str
    without: str


_MARK = "self._machine.outbox._write(lambda db: db.execute(\"UPDATE row SET state = 'stored', settled_at = 0\"))"
_ANSWERS = (
    "[codec_stored(device=e.device, outbox=e.batch.envelope.outbox, at=e.arrived_ms, upto=0,"
    " beyond=Ranges.single(r.record.seq for r in e.batch.records),"
    " digests={r.record.seq: r.digest for r in e.batch.records}) for e in incoming]"
)
_IMPORTS = Cut(
    "cloud/ingest/service.py",
    "from contract.topics import Topic\n",
    "from contract.topics import Topic\nfrom contract.ranges import Ranges\ncodec_stored = Stored\n",
)
_TAKE = "            await self._answer(await self._store.take(incoming))\n"
_ANSWERED_FIRST = (
    _IMPORTS,
    Cut("cloud/ingest/service.py", _TAKE, f"            await self._answer({_ANSWERS})\n{_TAKE}"),
)
_ANSWERED_ANYWAY = (
    _IMPORTS,
    Cut(
        "cloud/ingest/service.py",
        _TAKE,
        f"            try:\n    {_TAKE}            except RecordsUnavailable:\n"
        f"                await self._answer({_ANSWERS})\n                return\n",
    ),
)
_REFUSED = "            case Published(kind, refusal):\n"

CUTS: Final[dict[str, Sequence[Cut]]] = {
    "nothing": [
        Cut(
            "cloud/records/ledger.py",
            "    counts.apply(connection, _deltas(new), now_ms=now_ms)\n",
            "    counts.apply(connection, _deltas(new), now_ms=now_ms)\n" * 2,
        )
    ],
    "broker-killed": [Cut("edge/sender.py", _REFUSED, f"{_REFUSED}                {_MARK}\n")],
    "ingester-killed": _ANSWERED_FIRST,
    "both-killed": [
        Cut("edge/pacing.py", "due = [flight for flight in self._flights if flight.due_ms <= now]", "return []")
    ],
    "two-ingesters": [
        Cut("edge/pacing.py", "due = [flight for flight in self._flights if flight.due_ms <= now]", "return []")
    ],
    "influxdb-down": [
        Cut(
            "cloud/ingest/store.py",
            "            refused = await self.history.write(resolved.points)\n",
            "            try:\n"
            "                refused = await asyncio.wait_for(self.history.write(resolved.points), 0.3)\n"
            "            except TimeoutError:\n                refused = []\n",
        )
    ],
    "postgres-stopped": _ANSWERED_ANYWAY,
    "sqlite-locked": [
        *_ANSWERED_ANYWAY,
        Cut("cloud/records/engine.py", "BUSY_TIMEOUT_S: Final = 10", "BUSY_TIMEOUT_S: Final = 1"),
        Cut("cloud/records/engine.py", "stop=tenacity.stop_after_attempt(8)", "stop=tenacity.stop_after_attempt(1)"),
    ],
    "half-open": [
        Cut(
            "edge/link.py",
            "        client.on_connect = self._on_connect\n",
            "        client.on_connect = self._on_connect\n        client._check_keepalive = lambda: None\n",
        )
    ],
    "commit-killed": [
        Cut(
            "edge/station.py",
            "                kept = self._keep(uid)\n",
            "                self._signals.show(Signal.STORED, seq=1)\n                kept = self._keep(uid)\n",
        )
    ],
    "power-cut": [Cut("edge/outbox/schema.py", "synchronous = FULL", "synchronous = NORMAL")],
    "rolled-back": [Cut("cloud/records/merging.py", "elif known != entry.record.digest:", "elif False:")],
    "rolled-back-unsent": [
        Cut("cloud/records/positions.py", "self.highest_told if highest < self.highest_told else 0", "0")
    ],
    "corrupt": [Cut("edge/outbox/__init__.py", "        aside = salvage.set_aside(path)\n", "        raise\n")],
    "corrupt-unsent": [Cut("edge/outbox/__init__.py", "        rows.end(db, outbox, last, stamp)\n", "        pass\n")],
    "disk-full": [
        Cut("edge/outbox/__init__.py", "may_release=may_release or self._read(room.has_settled)", "may_release=True")
    ],
    "clock-1970": [
        Cut("edge/outbox/rows.py", "WHERE boot = ? AND frozen = 0\", (boot,)", "WHERE boot = ? AND 0\", (boot,)")
    ],
    "clock-saved": [
        Cut(
            "cloud/ingest/resolve.py",
            "    return Moment((lower + upper) // 2, (upper - lower + 1) // 2)\n",
            "    return Moment(record.at)\n",
        )
    ],
    "clock-stepped": [
        Cut("edge/dating.py", "Clock.TRUSTED if self._clock.is_trusted() else Clock.UNTRUSTED", "Clock.TRUSTED")
    ],
    "poison": [
        Cut(
            "cloud/ingest/requests.py", "        wanted += [Item(bad, each.arrived_ms) for bad in numbered]\n", ""
        )
    ],
    "oversized": [Cut("edge/sender.py", "if len(payload) > MAX_PAYLOAD:", "if False:")],
    "revoked": [
        Cut(
            "edge/link.py",
            "        client.tls_set_context(tls_context(self._address, is_clock_trusted=self._is_clock_trusted()))\n",
            "        self._kept = getattr(self, '_kept', None) or tls_context(self._address, is_clock_trusted=True)\n"
            "        client.tls_set_context(self._kept)\n",
        )
    ],
    "crl-expired": [
        Cut(
            "edge/link.py",
            "            self._attempt += 1\n",
            "            self._attempt += 1\n            if self._attempt > 1:\n                return\n",
        )
    ],
    "replayed": [
        Cut(
            "cloud/records/ledger.py",
            "    counts.apply(connection, _deltas(new), now_ms=now_ms)\n",
            "    all_of_it = [(each.key, entry) for each in deliveries for entry in each.entries]\n"
            "    counts.apply(connection, _deltas(all_of_it), now_ms=now_ms)\n",
        )
    ],
    "restored": [
        Cut(
            "cloud/ingest/answers.py",
            "is_lost = bool(position.answered.missing(position.confirmed_told))",
            "is_lost = False",
        )
    ],
    "restored-later": [
        Cut(
            "cloud/records/positions.py",
            "confirmed_told=max(self.confirmed_told, confirmed, forgotten)",
            "confirmed_told=max(self.confirmed_told, forgotten)",
        ),
        Cut("cloud/records/merging.py", "max(position.confirmed_told, delivery.confirmed)", "position.confirmed_told"),
    ],
    "moved": [
        Cut(
            "cloud/ingest/resolve.py",
            "[place for place in self.installations.get(device, ()) if place.covers(at_ms)]",
            "list(self.installations.get(device, ()))",
        )
    ],
    "registry": [
        Cut("cloud/ingest/sweep.py", "corrected = await self._sightings(changed)", "corrected = 0")
    ],
    "key-rotated": [
        Cut("cloud/ingest/resolve.py", "return Held(HeldBecause.UNKNOWN_KEY)", 'return Rejected("unknown_key", "")')
    ],
    "readers": [
        Cut(
            "edge/readers/pcsc.py",
            "            except _ReaderLost as lost:\n                self._let_go()\n",
            "            except _ReaderLost as lost:\n",
        )
    ],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """A guard was removed, and this is what its row said."""

    row: Row
    is_caught: bool
    said: str


def without(cuts: Sequence[Cut], copy: Path) -> None:
    """Put a copy of the code into *copy* and remove a guard from it. Raises ValueError when it is not found."""
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for cut in cuts:
        file = copy / cut.file
        text = file.read_text("utf-8")
        if cut.guard not in text:
            raise ValueError(f"{cut.file} no longer holds {cut.guard.strip()!r}: the guard has moved")
        file.write_text(text.replace(cut.guard, cut.without, 1), "utf-8")


def _try(row: Row, taps: int) -> Tried:
    with tempfile.TemporaryDirectory(prefix="guard-", ignore_cleanup_errors=True) as folder:
        without(CUTS[row.name], Path(folder))
        command = [sys.executable, "-m", "bench.chaos", "--only", row.name, "--taps", str(taps), "--jobs", "1"]
        environment = {**os.environ, "PYTHONPATH": folder}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    said = [line for line in done.stdout.splitlines() if line.startswith(f"{row.name}: ") and "NOT GOOD" not in line]
    return Tried(row, done.returncode == 1, said[-1].partition(": ")[2] if said else done.stderr[-200:])


def _all(rows: Sequence[Row], taps: int, jobs: int) -> Iterator[Tried]:
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda row: _try(row, taps), rows)


@click.command()
@click.option("--only", default="", envvar="ONLY", help="Names of rows, separated by commas or spaces.")
@click.option("--taps", default=120, show_default=True, envvar="TAPS")
@click.option("--jobs", default=2, show_default=True, envvar="JOBS")
def main(only: str, taps: int, jobs: int) -> None:
    """Remove each guard in a copy of the code, and see whether its row notices."""
    wanted = only.replace(",", " ").split()
    rows = [row for row in ROWS if not wanted or row.name in wanted]
    table = Table("guard", "row", "without it")
    console, missed = Console(width=160), 0
    for tried in _all(rows, taps, jobs):
        missed += not tried.is_caught
        console.print(
            f"{tried.row.name}: {'fails' if tried.is_caught else 'STILL PASSES'}: {tried.said[:300]}", markup=False
        )
        table.add_row(tried.row.guard, tried.row.name, "fails" if tried.is_caught else "STILL PASSES")
    console.print(table)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
