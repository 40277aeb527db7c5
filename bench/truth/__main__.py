"""`make truth`: ten cities of known truth, what the rules say of them, and a recount that shares no code with them."""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from bench.truth import table
from bench.truth.measuring import measure
from demo.truth.city import Size

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "truth.md"
BEGIN: Final = "<!-- written by make truth ARGS=--write -->\n"


@click.command()
@click.option("--seeds", default=10, show_default=True, help="How many cities.")
@click.option("--first", default=1, show_default=True, help="The first seed.")
@click.option("--estates", default=4, show_default=True, help="Rusun a city.")
@click.option("--units", default=60, show_default=True, help="Flats a rusun; 0 = as many as there really are.")
@click.option("--days", default=180, show_default=True)
@click.option("--heartbeat-min", default=120, show_default=True, help="Minutes between two heartbeats.")
@click.option("--jobs", default=os.cpu_count() or 1, help="Cities at the same time.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep every replay directory in this folder.")
@click.option("--write", is_flag=True, help=f"Put the tables into {DOCUMENT.name}.")
def main(seeds: int, first: int, *, jobs: int, keep: Path | None, write: bool, **size: int) -> None:
    """Print what hadir-replay makes of cities of which everything is known. Exit status 1: not all is as it must be."""
    numbers = range(first, first + seeds)
    with ProcessPoolExecutor(max_workers=min(jobs, seeds)) as pool:
        found = list(pool.map(partial(measure, Size(**size), folder=keep), numbers))
    console = Console()
    for difference in [line for seed in found for line in seed.differences][:20]:
        console.print(difference, highlight=False, markup=False)
    made = table.sheets(found)
    for sheet in made:
        console.print(sheet.rich())
    if write:
        text = DOCUMENT.read_text("utf-8").partition(BEGIN)[0]
        DOCUMENT.write_text(text + BEGIN + "\n" + "\n".join(sheet.markdown() for sheet in made), "utf-8")
    raise SystemExit(0 if table.is_good(found) else 1)


if __name__ == "__main__":
    main()
