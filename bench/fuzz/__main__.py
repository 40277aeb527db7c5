"""`python -m bench.fuzz`: so many inputs over all targets, a table of what they reached, exit 1 if anything broke."""

from __future__ import annotations

import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench.fuzz.running import Outcome, Task, run
from bench.fuzz.targets import TARGETS, shares

COLUMNS = ("target", "inputs", "inputs/s", "edges by seeds", "at the end", "corpus", "MB", "broken")


@click.command()
@click.option("--inputs", default=1_000_000, show_default=True, help="Together, over all targets.")
@click.option("--only", multiple=True, type=click.Choice(sorted(TARGETS)), help="These targets alone.")
@click.option("--seed", default=0, help="Of the fuzzer; 0 = another one each time.")
@click.option("--keep", default="build/fuzz", type=click.Path(path_type=Path), help="Where inputs that break go.")
def main(inputs: int, only: tuple[str, ...], seed: int, keep: Path) -> None:
    """Feed every reader of foreign bytes with bytes that reach further into it each time."""
    wanted = {name: count for name, count in shares(inputs).items() if not only or name in only}
    seed = seed or 1 + secrets.randbelow(2**31)
    click.echo(f"{sum(wanted.values())} inputs for {len(wanted)} targets, seed {seed}")
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        jobs = [pool.submit(_run, name, count, seed, keep) for name, count in _longest_first(wanted)]
        for job in as_completed(jobs):
            outcomes.append(job.result())
            click.echo(_line(outcomes[-1]))
    outcomes.sort(key=lambda outcome: list(TARGETS).index(outcome.name))
    Console(width=120).print(_table(outcomes))
    for outcome in outcomes:
        if outcome.crash:
            click.echo(f"\n{outcome.name}: broken by an input now in {keep}\n{outcome.crash}")
    sys.exit(1 if any(outcome.crash for outcome in outcomes) else 0)


def _run(name: str, count: int, seed: int, keep: Path) -> Outcome:
    target = TARGETS[name]
    return run(Task(name, count, target.longest, target.beginnings()), seed=seed, keep=keep)


def _longest_first(wanted: dict[str, int]) -> list[tuple[str, int]]:
    slow = ("ingest", "wreck", "bent-batch", "registry-folder", "batch")
    return sorted(wanted.items(), key=lambda item: slow.index(item[0]) if item[0] in slow else len(slow))


def _line(outcome: Outcome) -> str:
    state = "BROKEN" if outcome.crash else "ok"
    return f"{outcome.name}: {outcome.inputs} inputs in {outcome.seconds} s, {state}"


def _table(outcomes: list[Outcome]) -> Table:
    table = Table()
    for number, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if number == 0 else "right")
    for each in outcomes:
        reached = map(str, (*each.edges, each.corpus, each.memory_mb, 1 if each.crash else 0))
        table.add_row(each.name, f"{each.inputs:,}", f"{each.per_second:,.0f}", *reached)
    table.add_section()
    table.add_row("all", f"{sum(each.inputs for each in outcomes):,}", *[""] * 5, str(sum(map(_is_broken, outcomes))))
    return table


def _is_broken(outcome: Outcome) -> bool:
    return bool(outcome.crash)


if __name__ == "__main__":
    main()
