"""`hadir-provision registry`: prepare the tables, import the files. Prints counts and places, never a cell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table

from cloud.records import BadData, Records, RecordsUnavailable, migrate, open_records
from cloud.records.pseudonyms import Pepper
from provisioning.registry import importing
from provisioning.registry.importing import Imported
from provisioning.registry.planning import RegistryRefused


def _address(context: click.Context, parameter: click.Parameter, url: str | None) -> str:
    """The address given; else what the file in HADIR_DATABASE_URL_FILE holds, where it carries a password."""
    file = os.environ.get("HADIR_DATABASE_URL_FILE")
    if url or not file:
        return url or _missing(context, parameter)
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise click.UsageError("The file named by HADIR_DATABASE_URL_FILE cannot be read.") from None


def _missing(context: click.Context, parameter: click.Parameter) -> NoReturn:
    raise click.MissingParameter(ctx=context, param=parameter)


def _pepper(context: click.Context, parameter: click.Parameter, file: Path | None) -> Pepper | None:
    if file is None:
        return None
    try:
        return Pepper.parse(file.read_text())
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{file} cannot be used: {error}") from None


database = click.option(
    "--database",
    "url",
    envvar="HADIR_DATABASE_URL",
    callback=_address,
    help="sqlite:///FILE or postgresql://USER@HOST/NAME; or HADIR_DATABASE_URL, or HADIR_DATABASE_URL_FILE.",
)


@click.group("registry")
def group() -> None:
    """The registry: estates, units, tenancies, cards, installations, calendar, leave."""


@group.command()
@database
def prepare(url: str) -> None:
    """Bring the database to this version's tables; changes nothing where that is done."""
    with _records(url) as records:
        migrate.upgrade_records(records)
        click.echo(f"The database has the tables of revision {migrate.current(records)}.")


@group.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@database
@click.option(
    "--pepper-file",
    "pepper",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="HADIR_PEPPER_FILE",
    callback=_pepper,
    help="The pepper; needed for cards.csv.",
)
@click.option("--history", is_flag=True, help="Believe `known_from`: this loads a recorded past, not news.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def import_(folder: Path, url: str, pepper: Pepper | None, history: bool, dry_run: bool) -> None:
    """Import the CSV files in DIR, all or none. Importing the same files again changes nothing."""
    now: datetime = click.get_current_context().obj
    with _records(url) as records:
        lines = importing.read_folder(folder, pepper=pepper)
        if dry_run:
            imported = importing.preview(records, lines, now=now, history=history)
        else:
            imported = importing.carry_out(records, lines, now=now, history=history)
    Console().print(_table(imported))
    click.echo(_conclusion(imported, dry_run=dry_run))


def _conclusion(imported: Imported, *, dry_run: bool) -> str:
    if dry_run:
        return "Nothing was changed: this was a dry run."
    if not imported.plan.changes:
        return "Nothing was changed: all of this is registered already."
    return f"The registry is at version {imported.version}; ingest now resolves again what this affects."


def _table(imported: Imported) -> Table:
    table = Table("file", title="Registry")
    for column in ("new", "changed", "unchanged"):
        table.add_column(column, justify="right")
    for tally in imported.plan.tallies:
        table.add_row(tally.file, str(tally.new), str(tally.changed), str(tally.unchanged))
    return table


@contextmanager
def _records(url: str) -> Iterator[Records]:
    """The database, open; what goes wrong becomes a sentence."""
    try:
        with open_records(url) as records:
            yield records
    except (RegistryRefused, RecordsUnavailable, BadData, ValueError) as error:
        raise click.ClickException(str(error)) from error
