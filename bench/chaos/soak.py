"""`make soak`: 32 machines tap while everything is killed at random; then every tap is counted, and memory drawn.

One machine and one ingester are never killed: theirs is the memory of the whole run.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bench import picture
from bench.chaos import memory, mortal, table
from bench.chaos.memory import Samples
from bench.chaos.rig import Hands, Rig, standing
from bench.chaos.stage import Row, Stage
from bench.chaos.table import Result
from bench.processes import resident_mb
from contract.topics import DeviceId
from demo.servers.process import ServerFailed

MACHINES: Final = tuple(DeviceId(f"{estate}-{number:02}") for estate in ("DMG", "RWB") for number in range(1, 17))
INGESTERS: Final = 3
TOP_RATE: Final = 2.5 * len(MACHINES)
"""Faster no real machine is: its reader looks for a card every 0.4 s."""
DOWN_S: Final = (0.2, 5.0)
BETWEEN_S: Final = (1.0, 6.0)
ATTEMPTS: Final = 10
SPARED: Final = ("the ingester that is not", "the machine that is not")
"""Whose memory must be flat."""


@dataclass
class Killer:
    """Ends one thing after the other, and brings it back. The last machine and the last ingester are spared."""

    rig: Rig
    chance: random.Random
    kills: dict[str, int] = field(default_factory=dict)

    def strike(self) -> None:
        """End something; it stays down for a moment."""
        name, end, begin = self.chance.choice(self._victims())
        self.kills[name] = self.kills.get(name, 0) + 1
        with suppress(ServerFailed):  # it is dead, its children take their time
            end()
        time.sleep(self.chance.uniform(*DOWN_S))
        _until_it_stands(begin)

    def _victims(self) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
        rig, number = self.rig, self.chance.randrange(INGESTERS - 1)
        machine = self.chance.choice(rig.machines[:-1])
        assert rig.postgres is not None and rig.influxdb is not None
        return [
            ("machine", machine.kill, machine.start),
            ("machine", machine.kill, machine.start),
            ("broker", rig.broker.kill, rig.broker.start),
            ("ingester", lambda: rig.centre.kill(number), lambda: rig.centre.start(number)),
            ("InfluxDB", rig.influxdb.kill, rig.influxdb.start),
            ("PostgreSQL", rig.postgres.kill, rig.postgres.start),
        ]


def _until_it_stands(begin: Callable[[], None]) -> None:
    """On a busy computer a server may need more than one attempt."""
    for _ in range(ATTEMPTS - 1):
        with suppress(ServerFailed):
            return begin()
    return begin()


def _sizes(rig: Rig) -> dict[str, Callable[[], float | None]]:
    """Whose memory is looked at."""

    def all_machines() -> float | None:
        sizes = [resident_mb(machine.pid) for machine in rig.machines if machine.is_running]
        return sum(sizes) if len(sizes) == len(rig.machines) else None

    def killed_ingesters() -> float | None:
        sizes = [resident_mb(one.pid) for one in rig.centre.ingesters[:-1] if one.is_running()]
        return sum(sizes) if len(sizes) == INGESTERS - 1 else None

    return {
        "32 machines": all_machines,
        "the 2 ingesters that are killed": killed_ingesters,
        SPARED[0]: lambda: resident_mb(rig.centre.ingesters[-1].pid),
        SPARED[1]: lambda: resident_mb(rig.machines[-1].pid),
        "broker": lambda: resident_mb(rig.broker.pid),
    }


def _storm(rig: Rig, hands: Hands, killer: Killer, *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and hands.are_busy:
        time.sleep(killer.chance.uniform(*BETWEEN_S))
        killer.strike()
        rig.stage.tell(f"{len(rig.book.made)} taps, {sum(killer.kills.values())} kills")


def _play(stage: Stage, seconds: float, samples: Samples) -> Result:
    row = Row("soak", "soak: random kills of everything", "all of them together", lambda _: score)
    began = time.monotonic()
    with standing(stage, database="postgres", history="influx", devices=MACHINES) as rig:
        for number in range(1, INGESTERS):
            rig.centre.start(number)
        rig.start()
        killer = Killer(rig, stage.chance)
        with memory.watched(_sizes(rig)) as seen:
            with rig.laying(1, seconds=seconds, no_longer=True) as hands:
                _storm(rig, hands, killer, seconds=seconds)
            rig.mended()
            rig.settle()
        samples.update(seen)
        kills = ", ".join(f"{count} {name}" for name, count in sorted(killer.kills.items()))
        score = rig.score(note=f"{sum(killer.kills.values())} kills: {kills}")
    return Result(row, score, seconds=time.monotonic() - began)


@click.command()
@click.option("--minutes", default=30.0, show_default=True, envvar="MINUTES")
@click.option(
    "--rate", default=TOP_RATE, show_default=True, envvar="RATE", help="Taps per second, all machines together."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("docs/bench"), show_default=True)
@click.option("--seed", default=20, show_default=True)
@click.option("--apart", is_flag=True, hidden=True)
def main(minutes: float, rate: float, out: Path, seed: int, apart: bool) -> None:
    """Kill everything at random for a while; then count."""
    if not apart:
        command = [*mortal.words(), sys.executable, "-m", "bench.chaos.soak", *sys.argv[1:], "--apart"]
        sys.exit(subprocess.run(command, check=False).returncode)
    console, samples = Console(), Samples()
    if not console.is_terminal:
        console.width = 140
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    folder.chmod(0o755)
    with console.status("starting") as status:
        stage = Stage(folder, round(minutes * 60 * rate), status.update, random.Random(seed))
        result = _play(stage, minutes * 60, samples)
    _keep(out, result, samples, said=f"{minutes:g} minutes, at most {rate:g} taps a second, seed {seed}")
    console.print(table.terminal([result]))
    console.print(table.notes(result), markup=False, soft_wrap=True)
    console.print(f"{out / 'soak.md'} holds all of it; what the programs left behind lies in {folder}")
    sys.exit(0 if result.is_good and all(memory.is_flat(samples[name]) for name in SPARED) else 1)


def _keep(out: Path, result: Result, samples: Samples, *, said: str) -> None:
    """The table, the plot and its numbers, as files in *out*."""
    out.mkdir(parents=True, exist_ok=True)
    picture.draw_memory(out / "soak.svg", samples)
    rounded = {name: [(round(at), round(size, 1)) for at, size in seen] for name, seen in samples.items()}
    (out / "soak.json").write_text(json.dumps(rounded), "utf-8")
    ended = datetime.now().astimezone()
    text = f"""# Everything killed at random

`make soak`: {said}; ended {ended:%Y-%m-%d %H:%M}, {result.seconds / 60:.0f} minutes after it began. {len(MACHINES)}
machines, {INGESTERS} ingesters, PostgreSQL, InfluxDB and a broker that keeps nothing; one after the other is ended by
`kill -9` and comes back after a moment. One machine and one ingester are spared, so that their memory is that of the
whole run.

{table.markdown([result])}
| resident memory | early, MB | at the end, MB | |
|---|---:|---:|---|
{_memory_rows(samples)}
Early: the median of the second fifth of the run; the end: that of the last fifth.

![Resident memory over the run](soak.svg)
"""
    (out / "soak.md").write_text(text, "utf-8")


def _memory_rows(samples: Samples) -> str:
    rows = ""
    for name, seen in samples.items():
        if len(seen) >= memory.LEAST:
            early, late = memory.ends(seen)
            verdict = ("flat" if memory.is_flat(seen) else "GROWS") if name in SPARED else ""
            rows += f"| {name} | {early:.0f} | {late:.0f} | {verdict} |\n"
    return rows


if __name__ == "__main__":
    main()
