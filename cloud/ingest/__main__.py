"""`hadir-ingest`: the ingester, and what its operator does by hand. Everything is wired here."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cloud.feed import Feed
from cloud.history import BadHistoryUrl, open_history
from cloud.ingest import journals, letters, running
from cloud.ingest.chores import Chores
from cloud.ingest.service import Service
from cloud.ingest.settings import BadSettings, HistorySettings, Settings
from cloud.ingest.store import Store
from cloud.records import RecordsUnavailable, open_records


def now() -> datetime:
    """The real time: the only place in this program that asks for it."""
    return datetime.now(UTC)


class _Group(click.Group):
    """Explains what an operator can put right, instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # Any: click's own signature
        try:
            return super().invoke(ctx)
        except (BadSettings, BadHistoryUrl, RecordsUnavailable) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, invoke_without_command=True)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Stores what the machines send, and answers them. Without a command: `run`."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(run)


@main.command()
def run() -> None:
    """Run the ingester until SIGTERM."""
    settings = Settings.read()
    configure_logging(settings.log)
    asyncio.run(_until_terminated(_serve(settings)))


@main.command("load-journal")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def load_journal(folder: Path) -> None:
    """Pour the journal in FOLDER into the history, and write the days it touches anew from the records."""
    settings = HistorySettings.read()
    configure_logging(settings.log)
    loaded = asyncio.run(_load(settings, folder))
    click.echo(
        f"{loaded.points} points loaded, {loaded.refused} refused, {loaded.illegible} illegible lines; "
        f"{loaded.days} days of estates will be rolled up again by the running ingester."
    )


main.add_command(letters.group)


def configure_logging(level: str) -> None:
    """One line per record on standard error, with its stable `action`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s [%(action)s]", defaults={"action": "-"})
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


async def _serve(settings: Settings) -> None:
    opener, address = settings.opener(), settings.address()
    with open_records(settings.database()) as records:
        async with open_history(settings.history, settings.access(), now=now) as history:
            feed = Feed(address, now=now)
            store = Store(records, history, opener=opener, now=now)
            chores = Chores(store, feed, instance=settings.instance)
            await running.run(feed, Service(feed, store), chores, ready_file=settings.ready_file)


async def _load(settings: HistorySettings, folder: Path) -> journals.Loaded:
    with open_records(settings.database()) as records:
        async with open_history(settings.history, settings.access("load"), now=now) as history:
            return await journals.load(folder, records, history, now=now)


async def _until_terminated(work: Coroutine[Any, Any, None]) -> None:
    """Run *work*; SIGTERM and SIGINT cancel it, and that is a clean end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    main()
