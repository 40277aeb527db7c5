"""`make chaos`: play the rows, print the loss table, end with 1 if anything was lost, wrong or doubled."""

import os
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.chaos import play, table
from bench.chaos.rows import ROWS
from bench.chaos.stage import Row
from bench.chaos.table import Result


@click.command()
@click.option("--taps", default=300, show_default=True, envvar="TAPS", help="Taps of each row.")
@click.option("--only", default="", envvar="ONLY", help="Names of rows, separated by commas or spaces.")
@click.option("--jobs", default=0, envvar="JOBS", help="Rows at a time; as many as processors if not given.")
@click.option("--list", "listed", is_flag=True, help="Print the names of all rows and the guards they try.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table to this file.")
@click.option("--play", "played", default="", hidden=True)
@click.option("--in", "folder", type=click.Path(file_okay=False, path_type=Path), hidden=True)
def main(  # one parameter per option: click calls it
    taps: int, only: str, jobs: int, listed: bool, markdown: Path | None, played: str, folder: Path | None
) -> None:
    """Break everything, count every tap."""
    if played and folder is not None:
        play.here(_wanted(played)[0], folder, taps)
        return
    if listed:
        for row in ROWS:
            click.echo(f"{row.name:24} {row.guard}")
        return
    results = _show(_wanted(only), taps, jobs or max(2, os.cpu_count() or 1), markdown)
    sys.exit(0 if all(result.is_good for result in results) else 1)


def _wanted(only: str) -> list[Row]:
    names = only.replace(",", " ").split()
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        raise click.ClickException(f"No row is called {', '.join(sorted(unknown))}: see --list.")
    return [row for row in ROWS if not names or row.name in names]


def _show(rows: list[Row], taps: int, jobs: int, markdown: Path | None) -> list[Result]:
    """Play *rows* under a progress bar, then print the table in the order of the rows."""
    console, began = Console(), time.monotonic()
    if not console.is_terminal:
        console.width = 140
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results: list[Result] = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(rows))
        for result in play.several(
            rows, taps, jobs=jobs, told=lambda row, words: progress.update(task, description=f"{row.name}: {words}")
        ):
            results.append(result)
            results.sort(key=lambda result: rows.index(result.row))
            progress.update(task, advance=1)
            if markdown is not None:
                markdown.write_text(table.markdown(results), "utf-8")
            if not result.is_good:
                progress.console.print(f"{result.row.name}: NOT GOOD", style="bold red")
    console.print(table.terminal(results))
    for result in filter(table.notes, results):
        console.print(f"{result.row.name}: {table.notes(result)}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"{len(rows)} rows of {taps} taps in {(time.monotonic() - began) / 60:.1f} min")
    return results


if __name__ == "__main__":
    main()
