"""Telling the past: what the machines would have sent goes through the code of ingest, day by day, before the show.

The messages are made in a second process, ahead of being stored in this one: sealing costs as much as storing.
"""

import asyncio
import gc
import multiprocessing
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from cloud.alerts import absence, evaluating, policy
from cloud.alerts.evaluating import Circumstances
from cloud.history import open_history
from cloud.ingest.chores import Chores
from cloud.ingest.opening import Opener
from cloud.ingest.requests import Incoming
from cloud.ingest.store import Store
from cloud.ingest.sweep import Sweep
from cloud.records import Records
from cloud.records.heard import Beat
from contract import codec
from contract.cards import Keyring, OpeningKey, SealingKey
from contract.messages import Heartbeat
from demo import backlog, foundation, minute_rows, past
from demo.backlog import KeptTap
from demo.foundation import Folder, Secrets, Series
from demo.past import Life, Sent
from demo.town import Blueprint

DAY: Final = timedelta(days=1)
INSTANT: Final = timedelta(milliseconds=1)
WRITER: Final = "past"
STORING: Final = 3
ROLLING: Final = 1
"""Shares of a day's work on the progress bar."""
Step = Callable[[float, str], None]
"""So much more is done; what is being done now."""


@dataclass(frozen=True, slots=True)
class Day:
    """What reached the cloud until *end*, since the day before."""

    end: datetime
    batches: Sequence[Sent]
    heartbeats: Sequence[Sent]


class _Teller:
    """Lives in the second process, which is given the lives once."""

    lives: Sequence[Life] = ()
    sealing: SealingKey


def _begin(lives: Sequence[Life], sealing: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the demo, which ends this process
    gc.disable()  # hundreds of thousands of values that all live until the process ends
    _Teller.lives, _Teller.sealing = lives, SealingKey.parse(sealing)


def _tell(start: datetime, end: datetime) -> Day:
    span = {"start_ms": past.milliseconds(start), "end_ms": past.milliseconds(end)}
    return Day(
        end,
        [sent for life in _Teller.lives for sent in past.batches(life, _Teller.sealing, **span)],
        [sent for life in _Teller.lives for sent in past.heartbeats(life, **span)],
    )


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the past goes."""

    folder: Folder
    secrets: Secrets
    records: Records
    series: Series


async def tell(blueprint: Blueprint, shelf: Shelf, console: Console) -> list[KeptTap]:
    """Register the city, store its past, roll it up, judge it; shows how far it is.

    Returns the taps that the isolated machine has kept for itself.
    """
    go_live = blueprint.opening - blueprint.past
    with _progress(console, steps=blueprint.past // DAY * (STORING + ROLLING) + 1) as step:
        await asyncio.to_thread(foundation.fill_registry, shelf.folder, blueprint.city, shelf.secrets, go_live=go_live)
        step(1, "Masa lalu disimpan")
        if not blueprint.past:
            return []
        told, kept = _lives(blueprint)
        async with _store(shelf, clock := _Clock(go_live)) as store:
            async for day in _days(blueprint, told, shelf.secrets):
                clock.now = day.end - INSTANT
                await _take(store, day)
                step(STORING, "Masa lalu disimpan")
            await _conclude(store, blueprint, told, step)
    outbox = shelf.folder.machines / f"{kept.device}.db"
    return await asyncio.to_thread(backlog.fill, outbox, kept, shelf.secrets.sealing)


def isolation(length: timedelta) -> timedelta:
    """For how long the isolated machine has had no network: six days of ten weeks, in whole hours."""
    return timedelta(hours=length * 6 // 70 // timedelta(hours=1))


def _lives(blueprint: Blueprint) -> tuple[list[Life], Life]:
    """What the cloud heard of every machine, and what the isolated one has kept for itself."""
    lives = past.lives(
        blueprint.city, blueprint.plan, until=blueprint.opening, seed=blueprint.seed, length=blueprint.past
    )
    lost_ms = past.milliseconds(blueprint.opening - isolation(blueprint.past))
    alone = next(life for life in lives if life.device == blueprint.cast.isolated)
    heard, kept = past.parted(alone, lost_ms)
    return [heard if life is alone else life for life in lives], kept


async def _conclude(store: Store, blueprint: Blueprint, lives: Sequence[Life], step: Step) -> None:
    step(0, "Rekapitulasi ditulis")
    await minute_rows.write(store, lives, blueprint.city, until=blueprint.opening)
    await _roll_up(store, lambda rolled: step(rolled / len(blueprint.city.estates) * ROLLING, "Rekapitulasi ditulis"))
    await Sweep(store).run()
    await asyncio.to_thread(_judge, store.records, past.milliseconds(blueprint.opening))


def _judge(records: Records, now_ms: int) -> None:
    """The flags about absence that stood before anybody watched; nobody is told of them now."""
    evaluating.evaluate(records, policy.shipped(), now_ms=now_ms, circumstances=Circumstances((absence.judge,)))


async def _roll_up(store: Store, told: Callable[[int], None]) -> None:
    """The roll-ups of every day, by the chores of ingest, as after a long backlog."""
    chores = Chores(store, Deaf(), instance=WRITER)
    await chores.note_complete()
    while rolled := await chores.roll_up():
        told(rolled)


class Deaf:
    """Ears for chores that need none."""

    is_listening = False
    backlog = 0
    broker_says: dict[str, str] = {}  # noqa: RUF012  # never written


class _Clock:
    """Ingest's clock while the past is stored: it stands at the end of each day."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def _store(shelf: Shelf, clock: _Clock) -> AsyncIterator[Store]:
    key = OpeningKey.parse(shelf.folder.opening_key.read_text())
    opener = Opener(Keyring({key.key_id: key}), shelf.secrets.pepper)
    access = shelf.series.access(WRITER)
    async with open_history(shelf.series.url(shelf.folder), access, now=clock) as history:
        yield Store(shelf.records, history, opener=opener, now=clock)


async def _take(store: Store, day: Day) -> None:
    with _uncollected():
        await store.take(
            [
                Incoming(sent.device, codec.decode_batch(sent.payload, device=sent.device), sent.arrived_ms)
                for sent in day.batches
            ]
        )
        await store.take_beats(
            [
                Beat(codec.decode(sent.payload, Heartbeat, device=sent.device), sent.payload.decode(), sent.arrived_ms)
                for sent in day.heartbeats
            ]
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which would walk through every value of the day again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def _days(blueprint: Blueprint, lives: Sequence[Life], secrets: Secrets) -> AsyncIterator[Day]:
    """One after the other, each made while the one before is stored."""
    context = multiprocessing.get_context("spawn")
    initial = (lives, str(secrets.sealing))
    with ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=initial) as process:
        told = [process.submit(_tell, end - DAY, end) for end in _ends(blueprint)]
        try:
            for day in told:
                yield await asyncio.wrap_future(day)
        finally:
            process.shutdown(cancel_futures=True)


def _ends(blueprint: Blueprint) -> Iterator[datetime]:
    days = blueprint.past // DAY
    return (blueprint.opening - day * DAY for day in reversed(range(days)))


@contextmanager
def _progress(console: Console, *, steps: int) -> Iterator[Step]:
    """A bar on a terminal; a log gets a line."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    if not console.is_terminal:
        console.print("Kota didaftarkan dan masa lalunya disimpan …")
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("Kota didaftarkan", total=steps)
        yield lambda advance, description: progress.update(bar, advance=advance, description=description)
