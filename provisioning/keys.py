"""Secrets for cards, and the command `hadir-provision keys`: the sealing key pair and the pepper, as 0600 files.

The public half goes to every machine. The private half belongs to the ingester alone, the pepper to the ingester and
the registry import: together they tie a card to a flat, so they are never stored beside a backup of the database.
"""

import secrets
from pathlib import Path

import click

from contract.cards import OpeningKey
from provisioning import files

PEPPER_BYTES = 32


def new_sealing_key(folder: Path, key_id: str) -> OpeningKey:
    """Make the pair *key_id*: FOLDER/KEYID.key (private) and FOLDER/KEYID.pub; never overwrites either."""
    key = OpeningKey.generate(key_id)
    folder.mkdir(parents=True, exist_ok=True)
    files.create(folder / f"{key_id}.key", f"{key.reveal()}\n".encode(), mode=files.SECRET)
    files.create(folder / f"{key_id}.pub", f"{key.public()}\n".encode())
    return key


def new_pepper(path: Path) -> None:
    """Make a pepper, 32 random bytes as hex. Never overwrites one: without it no card is recognised any more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.create(path, f"{secrets.token_hex(PEPPER_BYTES)}\n".encode(), mode=files.SECRET)


@click.group("keys")
def group() -> None:
    """Secrets for cards: the sealing key and the pepper."""


@group.command()
@click.argument("key_id")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder for the pair.")
def new(key_id: str, out: Path) -> None:
    """Make the sealing key pair KEY_ID (a-z, 0-9, '-'; at most 16), such as k2026."""
    try:
        new_sealing_key(out, key_id)
    except (ValueError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out / key_id}.pub goes to every machine; {out / key_id}.key to the ingester alone.")


@group.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def pepper(file: Path) -> None:
    """Make the pepper in FILE. Keep one copy offline: without it no card is recognised any more."""
    try:
        new_pepper(file)
    except FileExistsError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Pepper written to {file}; only ingest and the registry import read it.")
