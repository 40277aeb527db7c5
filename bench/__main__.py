"""`make bench`: measure, print the table, and with `--write` keep it in docs/bench with its plot and its machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table

from bench import figures, growing, keeping, panels, storing, sweeping, waiting
from bench.figures import COLUMNS, Figure

DOCS: Final = Path(__file__).parents[1] / "docs" / "bench"


@dataclass
class Run:
    """What was measured, and what the plot is made of."""

    is_quick: bool
    figures: list[Figure] = field(default_factory=list)
    delays: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def keep(self) -> None:
        """The outbox."""
        self.figures += keeping.measure(300 if self.is_quick else 5000)

    def grow(self) -> None:
        """The cost of a tap over the history."""
        sizes = (1_000, 10_000) if self.is_quick else growing.SIZES
        self.figures += growing.measure(sizes, batches=10 if self.is_quick else growing.BATCHES)

    def store(self) -> None:
        """The ingester's rate."""
        small = {"machines": 4, "days": 2, "a_day": 100, "singles": 80}
        found, drained = storing.measure(**small) if self.is_quick else storing.measure()
        self.figures += found
        self._remember("drain", drained.memory)

    def wait(self) -> None:
        """Real agents."""
        machines = 2 if self.is_quick else 32
        waited = waiting.agents(machines=machines, taps=3 if self.is_quick else 20)
        self._waited(machines, waited, "agents")

    def crowd(self) -> None:
        """The fleet."""
        machines = 50 if self.is_quick else 3200
        waited = waiting.crowd(
            machines=machines, per_second=20 if self.is_quick else 100, seconds=3 if self.is_quick else 360
        )
        self._waited(machines, waited, "fleet")

    def idle(self) -> None:
        """An agent that nobody uses."""
        self.figures += waiting.idle(minutes=0.05 if self.is_quick else 10)

    def _waited(self, machines: int, waited: waiting.Waited, who: str) -> None:
        self.figures.append(waiting.figure(machines, waited, who=who))
        self.delays[f"{machines:,} machines ({who})"] = waited.delays
        self._remember(f"{machines:,} machines ({who})", waited.memory)

    def _remember(self, name: str, memory: list[tuple[float, float]]) -> None:
        self.memory[name] = memory
        settled = [size for _, size in memory[len(memory) // 2 :]]
        self.figures.append(
            Figure(
                f"ingest memory, {name}", f"{settled[-1]:.0f} MB at the end",
                f"{settled[0]:.0f} MB after half of {memory[-1][0]:.0f} s",
                settled[-1] / settled[0], "flat (≤ 1.1 ×)", settled[-1] / settled[0] <= 1.1,
            )
        )  # fmt: skip


PARTS: Final[dict[str, Callable[[Run], None]]] = {
    "outbox": Run.keep,
    "history": Run.grow,
    "ingest": Run.store,
    "agents": Run.wait,
    "fleet": Run.crowd,
    "idle": Run.idle,
    "sweep": lambda run: run.figures.extend(sweeping.measure((2_000,) if run.is_quick else sweeping.SIZES)),
    "panels": lambda run: run.figures.extend(panels.measure(*panels.chosen(run.is_quick))),
}


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="These parts alone.")
@click.option("--quick", is_flag=True, help="A minute instead of half an hour: whether it works, not how fast.")
@click.option("--write", is_flag=True, help="Keep table, figures and plot in docs/bench.")
def main(only: tuple[str, ...], quick: bool, write: bool) -> None:
    """Measure Hadir beside what it is built on. Ratios of one run; the machine should do nothing else meanwhile."""
    run = Run(quick)
    load = os.getloadavg()[0]
    for name in only or PARTS:
        click.echo(f"{name} …", err=True)
        PARTS[name](run)
        if write:
            _write(run, load)
    Console(width=150).print(_table(run.figures))
    for figure in run.figures:
        if figure.limit:
            click.echo(f"{figure.name}: {figure.limit}")
    click.echo(f"\n{figures.machine()}; load before it began {load:.1f}")


def _table(rows: list[Figure]) -> Table:
    table = Table()
    for column in COLUMNS:
        table.add_column(column, justify="right" if column == "ratio" else "left")
    for row in rows:
        table.add_row(*row.cells())
    return table


def _write(run: Run, load: float) -> None:
    from bench import picture  # drawing needs a library that measuring does not

    DOCS.mkdir(parents=True, exist_ok=True)
    kept = _kept()
    for name, figure in figures.as_json(run.figures, load).items():
        kept["figures"][name] = figure
    for name, delays in run.delays.items():
        kept["delays"][name] = [round(figures.percentile(delays, at / 200), 4) for at in range(201)]
    for name, memory in run.memory.items():
        kept["memory"][name] = [(round(at, 1), round(size, 1)) for at, size in memory[:: 1 + len(memory) // 200]]
    (DOCS / "figures.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (DOCS / "README.md").write_text(_page(figures.from_json(kept["figures"])), "utf-8")
    picture.draw(DOCS / "plot.svg", delays=kept["delays"], memory=kept["memory"])


def _kept() -> dict[str, dict[str, Any]]:  # Any: JSON
    """What earlier runs left: a part that is measured anew takes the place of the old one."""
    file = DOCS / "figures.json"
    kept: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return {part: dict(kept.get(part, {})) for part in ("figures", "delays", "memory")}


def _page(rows: list[Figure]) -> str:
    day = datetime.now(UTC).date().isoformat()
    return (
        f"# What it takes\n\n`make bench ARGS=--write`, {day}, on {figures.machine()}. "
        "Ratios are of one run, side by side; "
        "`figures.json` says how busy the machine was before each part.\n\n"
        f"{figures.markdown(rows)}\n![How long taps took, and the ingester's memory](plot.svg)\n"
    )


if __name__ == "__main__":
    main()
