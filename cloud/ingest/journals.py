"""Pouring a journal into the history: every point again, and the days it touches rolled up anew from SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from cloud import days
from cloud.history import History
from cloud.history.journal import Illegible, read
from cloud.ingest import observed
from cloud.ingest.points import NS
from cloud.ingest.store import ms_of
from cloud.records import Connection, Records, dead_letters, dirty, registry
from contract.series import Point

CHUNK: Final = 5000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was done."""

    points: int = 0
    refused: int = 0
    illegible: int = 0
    days: int = 0


async def load(folder: Path, records: Records, history: History, *, now: Callable[[], datetime]) -> Loaded:
    """Write every point of the journal in *folder* to *history*; mark the days it touches as dirty."""
    lines = read(folder)
    done, touched = Loaded(), set[tuple[str, date]]()
    places = await asyncio.to_thread(records.read, _places)
    while some := await asyncio.to_thread(lambda: list(islice(lines, CHUNK))):
        wanted = [each for each in some if not isinstance(each, Illegible)]
        refused = await history.write(wanted)
        letters = [observed.refusal(each, now_ms=ms_of(now())) for each in refused]
        await asyncio.to_thread(
            records.write, lambda connection, letters=letters: dead_letters.file(connection, letters)
        )
        touched |= set(_touched(wanted, places))
        done = Loaded(
            done.points + len(wanted) - len(refused),
            done.refused + len(refused),
            done.illegible + len(some) - len(wanted),
        )
    now_ms = ms_of(now())
    await asyncio.to_thread(records.write, lambda connection: dirty.touch(connection, touched, now_ms=now_ms))
    return Loaded(done.points, done.refused, done.illegible, len(touched))


Places = dict[str, list[registry.Installation]]


def _places(connection: Connection) -> Places:
    found: Places = {}
    for place in registry.all_installations(connection):
        found.setdefault(place.device, []).append(place)
    return found


def _touched(points: Iterable[Point], places: Places) -> Iterator[tuple[str, date]]:
    """The (estate, day) of each tap and roll-up; the estate of a tap is where its machine stood."""
    for point in points:
        tags, at_ms = dict(point.tags), point.time_ns // NS
        estate = tags.get("estate") or _estate(places.get(tags.get("device", ""), []), at_ms)
        if estate is not None:
            yield estate, days.day_of(at_ms)


def _estate(places: Iterable[registry.Installation], at_ms: int) -> str | None:
    return next((place.estate for place in places if place.covers(at_ms)), None)
