"""`make soak`: 32 machines tap while everything is killed at random; then every tap is counted, and memory drawn."""

import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bench import picture
from bench.chaos import table
from bench.chaos.rig import Hands, Rig, standing
from bench.chaos.stage import Row, Stage
from bench.chaos.table import Result
from bench.processes import resident_mb
from contract.topics import DeviceId

MACHINES: Final = tuple(DeviceId(f"{estate}-{number:02}") for estate in ("DMG", "RWB") for number in range(1, 17))
INGESTERS: Final = 2
LOOK_S: Final = 5.0
DOWN_S: Final = (0.2, 5.0)
BETWEEN_S: Final = (1.0, 6.0)


@dataclass
class Killer:
    """Ends one thing after the other, and brings it back."""

    rig: Rig
    chance: random.Random
    kills: dict[str, int] = field(default_factory=dict)

    def strike(self) -> None:
        """End something; it stays down for a moment."""
        name, end, begin = self.chance.choice(self._victims())
        self.kills[name] = self.kills.get(name, 0) + 1
        end()
        time.sleep(self.chance.uniform(*DOWN_S))
        begin()

    def _victims(self) -> list[tuple[str, Callable[[], None], Callable[[], None]]]:
        rig, number = self.rig, self.chance.randrange(INGESTERS)
        machine = self.chance.choice(rig.machines)
        assert rig.postgres is not None and rig.influxdb is not None
        return [
            ("machine", machine.kill, machine.start),
            ("machine", machine.kill, machine.start),
            ("broker", rig.broker.kill, rig.broker.start),
            ("ingester", lambda: rig.centre.kill(number), lambda: rig.centre.start(number)),
            ("InfluxDB", rig.influxdb.kill, rig.influxdb.start),
            ("PostgreSQL", rig.postgres.kill, rig.postgres.start),
        ]


Samples = dict[str, list[tuple[float, float]]]


@contextmanager
def _watched(rig: Rig) -> Iterator[Samples]:
    """Resident memory of all machines, of the ingesters and of the broker, for as long as the block lasts."""
    samples: Samples = {"32 machines": [], "2 ingesters": [], "broker": []}
    stop, began = threading.Event(), time.monotonic()

    def look() -> None:
        while not stop.wait(LOOK_S):
            at = time.monotonic() - began
            with suppress(Exception):  # somebody was just killed: the next look sees all of them again
                sizes = [resident_mb(machine.pid) for machine in rig.machines if machine.is_running]
                ingesters = [resident_mb(one.pid) for one in rig.centre.ingesters if one.is_running()]
                if len(sizes) == len(rig.machines):
                    samples["32 machines"].append((at, sum(sizes)))
                if len(ingesters) == INGESTERS:
                    samples["2 ingesters"].append((at, sum(ingesters)))
                samples["broker"].append((at, resident_mb(rig.broker.pid)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


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
        with _watched(rig) as seen:
            with rig.laying(1, seconds=seconds) as hands:
                _storm(rig, hands, killer, seconds=seconds)
            rig.mended()
            rig.settle()
        samples.update(seen)
        kills = ", ".join(f"{count} {name}" for name, count in sorted(killer.kills.items()))
        score = rig.score(note=f"{sum(killer.kills.values())} kills: {kills}")
    return Result(row, score, seconds=time.monotonic() - began)


@click.command()
@click.option("--minutes", default=30.0, show_default=True, envvar="MINUTES")
@click.option("--rate", default=40.0, show_default=True, envvar="RATE", help="Taps per second, all machines together.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("docs/bench"), show_default=True)
@click.option("--seed", default=20, show_default=True)
def main(minutes: float, rate: float, out: Path, seed: int) -> None:
    """Kill everything at random for a while; then count."""
    console, samples = Console(), Samples()
    if not console.is_terminal:
        console.width = 140
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything that was started is ended
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    folder.chmod(0o755)
    with console.status("starting") as status:
        stage = Stage(folder, round(minutes * 60 * rate), status.update, random.Random(seed))
        result = _play(stage, minutes * 60, samples)
    out.mkdir(parents=True, exist_ok=True)
    picture.draw_memory(out / "soak.svg", samples)
    (out / "soak.json").write_text(json.dumps(samples), "utf-8")
    console.print(table.terminal([result]))
    console.print(table.notes(result), markup=False, soft_wrap=True)
    console.print(f"Memory: {out / 'soak.svg'}. Ended {datetime.now().astimezone():%H:%M}; everything lies in {folder}")
    sys.exit(0 if result.is_good else 1)


if __name__ == "__main__":
    main()
