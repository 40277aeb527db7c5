"""The minute rows of the last day before the show: the points of ingest, from what the machines would have said.

Written in one go instead of minute by minute; beyond a day back ingest writes none either.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cloud import days
from cloud.ingest import points
from cloud.ingest.points import Ledger, Place, Registered
from cloud.ingest.store import Store
from cloud.records import Connection, marks, tallies
from contract.series import Point
from contract.topics import DeviceId
from demo import past
from demo.city import City
from demo.past import Life

LENGTH: Final = timedelta(days=1)
AT_ONCE: Final = 60
HEARD_BEFORE_MS: Final = 12_000


async def write(store: Store, lives: Sequence[Life], city: City, *, until: datetime) -> None:
    """Write them, count the minutes online, and tell ingest where to go on."""
    until_ms = past.milliseconds(until)
    minutes = range(past.milliseconds(until - LENGTH), until_ms, days.MINUTE)
    places = [Place(estate.code, estate.lat, estate.lon) for estate in city.estates]
    estates = {machine: estate.code for estate in city.estates for machine in estate.machines}
    for first in range(0, len(minutes), AT_ONCE):
        await store.history.write(
            [point for at_ms in minutes[first : first + AT_ONCE] for point in _rows(lives, estates, places, at_ms)]
        )
    await asyncio.to_thread(store.records.write, lambda connection: _note(connection, minutes, lives))


def _rows(lives: Sequence[Life], estates: dict[DeviceId, str], places: Sequence[Place], at_ms: int) -> list[Point]:
    registered = [_registered(life, estates[life.device], at_ms) for life in lives]
    rows = points.machines(registered, minute_ms=at_ms)
    return rows + points.fleet(registered, places, minute_ms=at_ms)


def _registered(life: Life, estate: str, at_ms: int) -> Registered:
    heard_ms = min(at_ms, life.until_ms) - HEARD_BEFORE_MS
    quarter_ms = at_ms - at_ms % points.QUARTER
    made = life.last_seq(min(quarter_ms, life.until_ms))
    heartbeat = past.heartbeat(life, heard_ms)
    return Registered(
        life.device, estate, life.since_ms, Ledger(quarter_ms, made=made, stored=made), heartbeat, heard_ms
    )


def _note(connection: Connection, minutes: range, lives: Sequence[Life]) -> None:
    """The centre counts as just opened: nobody has been listening for silence yet."""
    for minute_ms in minutes:
        online = [life.device for life in lives if life.until_ms > minute_ms]
        tallies.add_online(connection, online, minute_ms=minute_ms)
    marks.put(connection, marks.MINUTES_WRITTEN, minutes[-1])
    marks.put(connection, marks.LISTENING_SINCE, minutes[-1])
    marks.put(connection, marks.LISTENING_UNTIL, minutes[-1])
