"""The chore of minute rows: machines, fleet, and silences, for the minutes that are due. What is decided is elsewhere.

A silence is remembered before it is written and forgotten after, so that none stays open for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from cloud.ingest import minutes, points, silences
from cloud.ingest.minutes import Listening
from cloud.ingest.points import Ledger, Place, Registered
from cloud.ingest.silences import Minute, Told
from cloud.ingest.store import Store
from cloud.records import Connection, heard, marks, registry, shown, standing, tallies
from cloud.records.heard import Heard
from cloud.records.registry import Installation
from cloud.records.shown import Silence
from cloud.records.standing import Totals
from contract import codec
from contract.codec import BadMessage
from contract.messages import Heartbeat
from contract.series import Point
from contract.topics import DeviceId

Write = Callable[[Sequence[Point]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the records say of one minute."""

    registered: Sequence[Registered]
    places: Sequence[Place]
    silent: Sequence[Silence]


class MinuteRows:
    """Writes minute rows by *write*. *pace*: how much faster than real time the clock runs."""

    def __init__(self, store: Store, write: Write, *, pace: float = 1.0) -> None:
        self._store = store
        self._write = write
        self._late_ms = round(points.STALE_AFTER_MS * max(1.0, pace))

    async def write_due(self) -> int:
        """Write the minute rows that are due; how many minutes."""
        due, listening = await asyncio.to_thread(self._store.records.read, self._due)
        for minute_ms in due:
            await self._write_minute(Minute(minute_ms, listening))
        return len(due)

    def _due(self, connection: Connection) -> tuple[range, Listening]:
        heard_on, written = listening(connection), marks.read(connection, marks.MINUTES_WRITTEN)
        return minutes.due(written, heard_on, self._store.now_ms()), heard_on

    async def _write_minute(self, minute: Minute) -> None:
        known = await asyncio.to_thread(self._look, minute.at_ms)
        certain = minutes.certain(known.registered, minute.at_ms, minute.listening, late_ms=self._late_ms)
        told = silences.tell(certain, known.registered, known.silent, minute=minute)
        rows = points.machines(certain, minute_ms=minute.at_ms)
        if len(certain) == len(known.registered):
            rows += points.fleet(known.registered, known.places, minute_ms=minute.at_ms)
        if begun := told.begun(known.silent):
            await asyncio.to_thread(self._store.records.write, lambda connection: shown.keep(connection, begun))
        await self._write([*rows, *told.points()])
        await asyncio.to_thread(self._note, minute.at_ms, certain, told)

    def _note(self, minute_ms: int, certain: Sequence[Registered], told: Told) -> None:
        online = [each.device for each in certain if each.is_online(minute_ms)]

        def note(connection: Connection) -> None:
            if not minute_ms <= marks.read_locked(connection, marks.MINUTES_WRITTEN) <= self._store.now_ms():
                marks.put(connection, marks.MINUTES_WRITTEN, minute_ms)
                tallies.add_online(connection, online, minute_ms=minute_ms)
            shown.keep(connection, told.lasting)
            shown.forget(connection, [each.silence for each in told.ended])

        self._store.records.write(note)

    def _look(self, minute_ms: int) -> _Known:
        records = self._store.records
        places, found = records.read(lambda connection: _standing(connection, minute_ms))
        if any(place.device not in found for place in places):
            quarter_ms = minute_ms - minute_ms % points.QUARTER
            found = records.write(lambda connection: _fix(connection, places, quarter_ms=quarter_ms))
        return records.read(lambda connection: _known(connection, places, found, minute_ms=minute_ms))


def listening(connection: Connection) -> Listening:
    """For how long some ingester has listened without a break."""
    return Listening(marks.read(connection, marks.LISTENING_SINCE), marks.read(connection, marks.LISTENING_UNTIL))


def _standing(connection: Connection, minute_ms: int) -> tuple[list[Installation], dict[str, Totals]]:
    """Who stands where, and the ledgers that are shown already in this quarter-hour."""
    quarter_ms = minute_ms - minute_ms % points.QUARTER
    return standing.installed_at(connection, minute_ms), shown.ledgers(connection, quarter_ms=quarter_ms)


def _fix(connection: Connection, places: Sequence[Installation], *, quarter_ms: int) -> dict[str, Totals]:
    """Fix the ledgers of a quarter-hour as they are now, of those machines that show none in it yet."""
    devices = [place.device for place in places]
    current = standing.totals(connection, devices)
    shown.show(connection, {each: current.get(each, Totals()) for each in devices}, quarter_ms=quarter_ms)
    return shown.ledgers(connection, quarter_ms=quarter_ms)


def _known(
    connection: Connection, places: Sequence[Installation], ledgers: dict[str, Totals], *, minute_ms: int
) -> _Known:
    life = {each.device: each for each in heard.all_heard(connection)}
    quarter_ms = minute_ms - minute_ms % points.QUARTER
    registered = [
        _registered(place, _ledger(ledgers[place.device], quarter_ms), life.get(place.device)) for place in places
    ]
    estates = [Place(each.estate, each.lat, each.lon) for each in registry.all_estates(connection)]
    return _Known(registered, estates, shown.open_silences(connection))


def _ledger(totals: Totals, quarter_ms: int) -> Ledger:
    return Ledger(quarter_ms, totals.made, totals.stored, totals.missing, totals.held, totals.rejected)


def _registered(place: Installation, ledger: Ledger, life: Heard | None) -> Registered:
    if life is None:
        return Registered(place.device, place.estate, place.installed_ms, ledger)
    return Registered(
        place.device,
        place.estate,
        place.installed_ms,
        ledger,
        heartbeat=_heartbeat(place.device, life.heartbeat),
        heard_ms=life.arrived_ms or None,
        gone_ms=None if life.online else life.status_ms,
        born_ms=life.status_ms if life.online else None,
        beat_ms=life.beat_ms,
    )


def _heartbeat(device: str, text: str | None) -> Heartbeat | None:
    if text is None:
        return None
    try:
        return codec.decode(text.encode(), Heartbeat, device=DeviceId(device))
    except BadMessage:
        return None  # kept by another version of this program
