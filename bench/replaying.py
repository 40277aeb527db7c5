"""`python -m bench.replaying`: how long a replay of a plain, regular city takes, how fast it reads, its memory.

The city has no misfortunes: every machine beats, keeps its hours and sends within a minute; most households tap once a
fortnight, a few never. What the rules say about cities with misfortunes is asked elsewhere.
"""

from __future__ import annotations

import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import click

from bench import figures
from cloud import days
from cloud.days import DAY, HOUR, MINUTE
from cloud.replay import instants

FIRST: Final = date(2026, 1, 1)
BOOT: Final = "b1"
AIM_S: Final = 300.0
AIM_MB: Final = 1024.0
NEVER: Final = 0.002
"""Share of units that never tap."""
CALENDAR: Final = (("*", "2026-03-20", "2026-03-27", "lebaran", "Idulfitri"),)

Cells = Sequence[object]


@dataclass(frozen=True, slots=True)
class Size:
    """How large the city is, and how dense its facts."""

    units: int = 14_000
    days: int = 180
    machines: int = 32
    estates: int = 23
    beat_ms: int = 30 * MINUTE

    @property
    def codes(self) -> list[str]:
        """The estates' codes."""
        return [f"R{number:02}" for number in range(self.estates)]

    @property
    def devices(self) -> list[tuple[str, str]]:
        """Each machine and its estate: one everywhere, a second one where they suffice."""
        found = [(number % self.estates, 1 + number // self.estates) for number in range(self.machines)]
        return [(f"R{estate:02}-{nth:02}", f"R{estate:02}") for estate, nth in found]

    @property
    def homes(self) -> list[tuple[str, str]]:
        """Each unit and its estate."""
        places = [(number % self.estates, number // self.estates) for number in range(self.units)]
        return [(f"R{estate:02}/A/{nth // 20:02}/{nth % 20:02}", f"R{estate:02}") for estate, nth in places]


def write(folder: Path, size: Size, *, seed: int = 1) -> int:
    """Write the city's replay directory; how many facts it holds."""
    (folder / "devices").mkdir(parents=True)
    until = FIRST + timedelta(days=size.days)
    meta = {"format": "hadir-replay/1", "from": FIRST.isoformat(), "until": until.isoformat()}
    (folder / "meta.json").write_text(json.dumps(meta))
    for name, header, rows in _sheets(size):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([header.split(","), *rows])
    taps = _taps(size, random.Random(seed))
    return sum(_write_machine(folder / "devices", size, device, taps.get(device, [])) for device, _ in size.devices)


def _sheets(size: Size) -> Iterator[tuple[str, str, list[Cells]]]:
    start, installed = (FIRST - timedelta(days=60)).isoformat(), instants.written(days.starts(FIRST))
    yield "estates", "estate,name,lat,lon,go_live", [(code, f"Rusun {code}", "", "", FIRST) for code in size.codes]
    yield "units", "unit,estate", list(size.homes)
    yield "tenancies", "unit,start,end,known_from", [(unit, start, "", "") for unit, _ in size.homes]
    cards: list[Cells] = [(f"K{unit}", unit, "holder", 1, start, "", "", "") for unit, _ in size.homes]
    yield "cards", "card,unit,role,obliged,valid_from,valid_to,ended_because,known_from", cards
    stays: list[Cells] = [(device, estate, installed, "", "Mon-Sun 06:00-22:00", "") for device, estate in size.devices]
    yield "installations", "device,estate,installed,removed,service_hours,known_from", stays
    yield "calendar", "scope,from,to,kind,reason,known_from", [(*row, "") for row in CALENDAR]
    yield "leave", "unit,from,to,known_from", []
    yield "declared_lost", "device,from,to,known_from", []


def _taps(size: Size, chance: random.Random) -> dict[str, list[tuple[int, str]]]:
    """By machine, (instant, card): one tap in each fortnight of each unit that taps."""
    machines: dict[str, list[str]] = {}
    for device, estate in size.devices:
        machines.setdefault(estate, []).append(device)
    found: dict[str, list[tuple[int, str]]] = {}
    for unit, estate in size.homes:
        for fortnight in range(0, size.days, 14) if chance.random() >= NEVER else ():
            day = fortnight + chance.randrange(14)
            at_ms = days.starts(FIRST) + day * DAY + 6 * HOUR + chance.randrange(16 * HOUR // 1000) * 1000
            if day < size.days:
                found.setdefault(chance.choice(machines[estate]), []).append((at_ms, f"K{unit}"))
    return found


def _write_machine(folder: Path, size: Size, device: str, taps: list[tuple[int, str]]) -> int:
    begin = days.starts(FIRST)
    hours = [(begin + number * HOUR, "") for number in range(1, size.days * 24)]
    count, seq = 0, 0
    with (folder / f"{device}.jsonl").open("w") as file:
        entries = iter(sorted([*taps, *hours]))
        entry = next(entries, None)
        for beat_ms in range(begin, begin + size.days * DAY + 1, size.beat_ms):
            while entry is not None and entry[0] <= beat_ms:
                seq += 1
                file.write(_record(seq, *entry))
                count, entry = count + 1, next(entries, None)
            file.write(_beat(beat_ms, begin, seq))
            count += 1
    return count


def _record(seq: int, at_ms: int, card: str) -> str:
    head = f'{{"arrived":"{instants.written(at_ms)}","seq":{seq},'
    if card:
        return head + f'"kind":"tap","at":"{instants.written(at_ms)}","card":"{card}"}}\n'
    return head + f'"kind":"hours","hour":"{instants.written(at_ms - HOUR)}","able_min":60}}\n'


def _beat(at_ms: int, begin: int, seq: int) -> str:
    said = {
        "arrived": instants.written(at_ms), "kind": "heartbeat", "boot": BOOT, "uptime_s": (at_ms - begin) // 1000,
        "last_seq": seq, "confirmed": seq, "oldest_unsent": None, "backlog": 0, "clock_offset_ms": 3, "reader": "ok",
        "disk_free_pct": 81.5,
    }  # fmt: skip
    return json.dumps(said, separators=(",", ":")) + "\n"


@click.command()
@click.option("--units", default=14_000, show_default=True)
@click.option("--days", "length", default=180, show_default=True)
@click.option("--machines", default=32, show_default=True)
@click.option("--beat-s", default=1800, show_default=True, help="Seconds between heartbeats; real machines beat at 30.")
@click.option("--keep", type=click.Path(path_type=Path), help="Write the directory here, and leave it.")
@click.argument("options", nargs=-1)
def main(units: int, length: int, machines: int, beat_s: int, keep: Path | None, options: tuple[str, ...]) -> None:
    """Write a city, replay it with OPTIONS (after `--`), and say what that took."""
    with tempfile.TemporaryDirectory(prefix="hadir-bench-") as scratch:
        folder = keep or Path(scratch) / "city"
        size = Size(units, length, machines, estates=min(23, machines), beat_ms=beat_s * 1000)
        facts = write(folder, size)
        seconds, lines = _replay(folder, options)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    click.echo(
        f"{units:,} units × {length} days, {facts:,} facts: {seconds:,.1f} s (aim {AIM_S:.0f}), "
        f"{facts / seconds:,.0f} facts/s, {memory:,.0f} MiB at most (aim {AIM_MB:.0f}), {lines:,} lines said; "
        f"{figures.machine()}"
    )


def _replay(folder: Path, options: Sequence[str]) -> tuple[float, int]:
    began = time.monotonic()
    command = [sys.executable, "-m", "cloud.replay", str(folder), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return time.monotonic() - began, done.stdout.count(b"\n")


if __name__ == "__main__":
    main()
