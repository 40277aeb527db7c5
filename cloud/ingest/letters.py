"""`hadir-ingest dead-letters`: look at what could not be taken, and take it again after a fix."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from cloud.history import History, open_history
from cloud.ingest import reading
from cloud.ingest.requests import Incoming
from cloud.ingest.settings import RecordsSettings, StoreSettings
from cloud.ingest.store import Store, ms_of
from cloud.records import Connection, Records, dead_letters, open_records
from cloud.records.dead_letters import Filed
from cloud.records.heard import Beat
from cloud.records.verdicts import Letter
from contract import codec, series, topics
from contract.codec import Batch
from contract.messages import Envelope
from contract.series import BadPoint

SHOWN: Final = 50
CHUNK: Final = 100


async def replay(letter: Letter, store: Store) -> bool:
    """Take *letter* again; whether it is taken now."""
    if letter.source == "history":
        return await _replay_point(letter, store.history)
    if letter.source == "mqtt":
        read = reading.read(letter.topic, letter.payload, arrived_ms=letter.arrived_ms, is_retained=True)
        return await _replay_message(read, store)
    incoming = as_incoming(letter)
    return incoming is not None and await store.reconsider(incoming)


async def _replay_message(read: reading.Read, store: Store) -> bool:
    if isinstance(read, Incoming):
        await store.take([read])
    elif isinstance(read, Beat):
        await store.take_beats([read])
    return not isinstance(read, Letter)


async def _replay_point(letter: Letter, history: History) -> bool:
    try:
        return not await history.write([series.read(letter.payload.decode())])
    except (BadPoint, UnicodeDecodeError):
        return False


def as_incoming(letter: Letter) -> Incoming | None:
    """A record's letter as a batch of its own, if this program can read it now."""
    record = codec.decode_record(letter.payload.decode(errors="replace"))
    if letter.outbox is None or not isinstance(record, codec.Received):
        return None
    device = topics.parse(letter.topic).device
    envelope = Envelope(device=device, outbox=letter.outbox, confirmed=0)
    return Incoming(device, Batch(envelope, (record,), ()), letter.arrived_ms)


# ---- the commands ----------------------------------------------------------------------------------------------------


@click.group("dead-letters")
def group() -> None:
    """What could not be taken, with its reason."""


@group.command("list")
@click.option("--reason", help="Only those with this reason.")
@click.option("--limit", default=SHOWN, show_default=True, help="At most so many, the newest.")
def list_command(reason: str | None, limit: int) -> None:
    """List dead letters."""
    with open_records(_settings().database()) as records:
        found = records.read(lambda connection: dead_letters.listed(connection, reason=reason, limit=limit))
    table = Table("No.", "Arrived", "From", "Topic", "Seq", "Reason", "Replayed", box=None)
    for each in found:
        letter = each.letter
        seq = str(letter.seq or "")
        row = (letter.source, letter.topic, seq, letter.reason, "yes" if each.replayed_ms else "")
        table.add_row(str(each.id), _instant(letter.arrived_ms), *row)
    Console().print(table if found else "No dead letters.")


@group.command("show")
@click.argument("number", type=int)
def show_command(number: int) -> None:
    """Show dead letter NUMBER with its payload."""
    with open_records(_settings().database()) as records:
        found = records.read(lambda connection: dead_letters.find(connection, number))
    if found is None:
        raise click.ClickException(f"There is no dead letter {number}.")
    letter = found.letter
    click.echo(f"{letter.topic} ({letter.source}), arrived {_instant(letter.arrived_ms)}")
    click.echo(f"{letter.reason}: {letter.explanation}")
    click.echo(ascii(letter.payload))


@group.command("replay")
@click.argument("numbers", type=int, nargs=-1)
@click.option("--reason", help="All that wait with this reason.")
def replay_command(numbers: tuple[int, ...], reason: str | None) -> None:
    """Take dead letters again: those of NUMBERS, or all with one --reason."""
    if not numbers and reason is None:
        raise click.UsageError("Say which: numbers, or --reason WORD.")
    taken, left = asyncio.run(_replay_all(numbers, reason))
    click.echo(f"{taken} taken, {left} still not.")
    if left:
        raise SystemExit(1)


async def _replay_all(numbers: tuple[int, ...], reason: str | None) -> tuple[int, int]:
    settings = StoreSettings.read()
    with open_records(settings.database()) as records:
        async with open_history(settings.history, settings.access("replay"), now=_now) as history:
            store = Store(records, history, opener=settings.opener(), now=_now)
            results = [await _replay_one(filed, store) for filed in _chosen(records, numbers, reason)]
    return sum(results), len(results) - sum(results)


def _chosen(records: Records, numbers: tuple[int, ...], reason: str | None) -> list[Filed]:
    if numbers:
        found = [records.read(_finder(number)) for number in numbers]
        return [each for each in found if each is not None]
    return records.read(lambda connection: dead_letters.waiting(connection, reason=reason, after=0, limit=100_000))


def _finder(number: int) -> Callable[[Connection], Filed | None]:
    return lambda connection: dead_letters.find(connection, number)


async def _replay_one(filed: Filed, store: Store) -> bool:
    if not await replay(filed.letter, store):
        return False
    now_ms = ms_of(_now())
    await asyncio.to_thread(
        store.records.write, lambda connection: dead_letters.mark_replayed(connection, filed.id, now_ms=now_ms)
    )
    return True


def _settings() -> RecordsSettings:
    return RecordsSettings.read()


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _now() -> datetime:
    return datetime.now(UTC)
