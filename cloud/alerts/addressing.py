"""`hadir-alerts people`: who is told, on the command line. Names and addresses are never printed."""

from __future__ import annotations

from pathlib import Path

import click

from cloud.alerts import roster
from cloud.alerts.settings import DeskSettings
from cloud.records import Connection, open_records, people, registry
from cloud.records.people import Person


@click.group("people")
def group() -> None:
    """Who is told."""


@group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Make the people in FILE (TOML) everybody who is told. Who is missing there is told nothing more."""
    text = file.read_text("utf-8")

    def write(connection: Connection) -> int:
        estates = [estate.estate for estate in registry.all_estates(connection)]
        wanted = roster.parse(text, estates)
        people.replace_all(connection, wanted)
        return len(wanted)

    with open_records(DeskSettings.read().database()) as records:
        click.echo(f"{records.write(write)} penerima tercatat.")


@group.command("list")
def show() -> None:
    """List who is told: opaque names, duties, channels."""
    with open_records(DeskSettings.read().database()) as records:
        for person in records.read(people.everybody):
            click.echo(_line(person))


@group.command()
@click.argument("person")
@click.argument("channel")
def enable(person: str, channel: str) -> None:
    """Try the disabled addresses of PERSON in CHANNEL again."""

    def write(connection: Connection) -> int:
        found = people.named(connection, person)
        addresses = [each for each in (found.addresses if found else ()) if each.channel == channel]
        dead = [address for address in addresses if not address.is_usable]
        for address in dead:
            people.enable(connection, address.id)
        return len(dead)

    with open_records(DeskSettings.read().database()) as records:
        click.echo(f"{records.write(write)} alamat diaktifkan kembali.")


@group.command()
def example() -> None:
    """Print what FILE looks like."""
    click.echo(roster.EXAMPLE.strip())


def _line(person: Person) -> str:
    duties = ", ".join(sorted(f"{duty.role}:{duty.scope}" for duty in person.duties))
    channels = ", ".join(each.channel + ("" if each.is_usable else " (nonaktif)") for each in person.addresses)
    return f"{person.person}\t{duties}\t{channels}"
