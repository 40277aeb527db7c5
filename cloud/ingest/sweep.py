"""Resolving again: held records when registry, keys or time have changed, sightings when the registry has.

Repeatable: a sweep that is cut short, or runs twice at once, leaves the same behind. The registry's version is held
while a change is written; if it moved, the sweep starts anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cloud.ingest import observed, resolve
from cloud.ingest.resolve import HeldBecause, Moment, Neighbour, Neighbourhood, Opened, Registry
from cloud.ingest.store import Store
from cloud.records import Connection, counts, marks, positions, registry, waiting
from cloud.records.counts import Deltas
from cloud.records.marks import StaleFacts
from cloud.records.positions import Position
from cloud.records.registry import Changed
from cloud.records.verdicts import Held, Rejected, Sighting, StreamKey, Verdict
from cloud.records.waiting import START, Cursor, Dated, HeldRecord, Seen
from contract import codec
from contract.codec import Received
from contract.messages import Tap
from contract.ranges import Ranges
from contract.series import Point

log = logging.getLogger(__name__)

T = TypeVar("T")
CHUNK: Final = 500
CARDS_AT_ONCE: Final = 50
"""Few: for every `CHUNK` of their sightings all of them are looked through again."""


_Extent = tuple[Ranges, int | None]
"""What of a stream decides which neighbours its undated records have."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep changed."""

    held: int = 0
    sightings: int = 0


class Sweep:
    """Sweeps over what a store has stored."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._is_first = True
        self._tried: dict[StreamKey, _Extent] = {}
        """At what of a stream its undated records could not be dated."""

    async def run(self) -> Swept:
        """Bring everything stored up to the registry of now. Raises `RecordsUnavailable`."""
        for _ in range(5):
            try:
                return await self._run()
            except StaleFacts:
                continue
        return Swept()  # the registry is being changed all the time; the next sweep comes soon

    async def _run(self) -> Swept:
        changed = await self._read(_changes)
        if changed is None:
            reasons = {HeldBecause.UNDATED} | (set(HeldBecause) if self._is_first else set())
            found = Swept(held=await self._held(reasons))
        else:
            self._tried.clear()
            corrected = await self._sightings(changed)
            found = Swept(held=await self._held(set(HeldBecause)), sightings=corrected)
            await asyncio.to_thread(self._store.records.write, lambda connection: _finish(connection, changed.version))
            log.info("Everything is resolved by the registry of now", extra={"action": "sweep_finished"})
        self._is_first = False
        return found

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.to_thread(self._store.records.read, work)

    # ---- sightings ---------------------------------------------------------------------------------------------------

    async def _sightings(self, changed: Changed) -> int:
        total = 0
        cards = sorted(changed.pseudonyms)
        groups: list[tuple[list[str], list[str]]] = [
            (cards[start : start + CARDS_AT_ONCE], []) for start in range(0, len(cards), CARDS_AT_ONCE)
        ]
        for pseudonyms, devices in [*groups, ([], sorted(changed.devices))]:
            if pseudonyms or devices:
                total += await self._group(pseudonyms, devices)
        return total

    async def _group(self, pseudonyms: Sequence[str], devices: Sequence[str]) -> int:
        total, after = 0, START
        while True:
            start = after

            def chunk(connection: Connection, start: Cursor = start) -> tuple[list[Seen], Registry]:
                seen = waiting.sightings_of(
                    connection, pseudonyms=pseudonyms, devices=devices, after=start, limit=CHUNK
                )
                return seen, _facts(connection, {each.device for each in seen}, _cards(seen))

            seen, facts = await self._read(chunk)
            if not seen:
                return total
            total += await self._correct(seen, facts)
            after = seen[-1].stream, seen[-1].seq

    async def _correct(self, seen: Sequence[Seen], facts: Registry) -> int:
        changes = [(each, becomes) for each in seen if (becomes := reseen(each, facts)) != each.sighting]
        if not changes:
            return 0
        await self._write_points(
            observed.sighted(each.device, each.seq, becomes, arrived_ms=each.arrived_ms) for each, becomes in changes
        )

        def write(connection: Connection) -> None:
            marks.require(connection, marks.REGISTRY_CHANGED, facts.version)
            deltas = Deltas()
            for each, becomes in changes:
                waiting.correct(connection, each, becomes, deltas=deltas)
            counts.apply(connection, deltas, now_ms=self._store.now_ms())

        await asyncio.to_thread(self._store.records.write, write)
        return len(changes)

    # ---- held records ------------------------------------------------------------------------------------------------

    async def _held(self, reasons: Iterable[HeldBecause]) -> int:
        total, after, tried = 0, START, dict[StreamKey, _Extent]()
        wanted = sorted(reason.value for reason in reasons if reason is not HeldBecause.FUTURE)
        due_ms = self._store.now_ms() + resolve.AHEAD_MS
        while True:
            start = after

            def chunk(connection: Connection, start: Cursor = start) -> list[HeldRecord]:
                return waiting.held_records(connection, reasons=wanted, due_ms=due_ms, after=start, limit=CHUNK)

            records = await self._read(chunk)
            if not records:
                self._tried = tried
                return total
            at = await asyncio.to_thread(self._positions, _keys(records))
            tried = {key: _extent(position) for key, position in at.items()} | tried
            total += await self._settle([each for each in records if self._is_worth_it(each, at[each.key])])
            after = records[-1].stream, records[-1].seq

    def _positions(self, keys: Iterable[StreamKey]) -> dict[StreamKey, Position]:
        return self._store.records.read(lambda connection: positions.read(connection, keys))

    def _is_worth_it(self, record: HeldRecord, position: Position) -> bool:
        """Whether anything has come that could date an undated record: looking again costs an opened card."""
        return record.reason != HeldBecause.UNDATED or self._tried.get(position.key) != _extent(position)

    async def _settle(self, records: Sequence[HeldRecord]) -> int:
        if not records:
            return 0
        resolved, version = await asyncio.to_thread(self._resolve, records)
        changes = [(each, verdict) for each, verdict in resolved if verdict != Held(each.reason)]
        if not changes:
            return 0
        await self._write_points(
            observed.sighted(each.key.device, each.seq, verdict, arrived_ms=each.arrived_ms)
            for each, verdict in changes
            if isinstance(verdict, Sighting)
        )

        def write(connection: Connection) -> None:
            marks.require(connection, marks.REGISTRY_CHANGED, version)
            now_ms = self._store.now_ms()
            deltas = Deltas()
            for each, verdict in changes:
                waiting.settle(connection, each, verdict, deltas=deltas)
            counts.apply(connection, deltas, now_ms=now_ms)

        await asyncio.to_thread(self._store.records.write, write)
        return sum(isinstance(verdict, Sighting) for _, verdict in changes)

    def _resolve(self, records: Sequence[HeldRecord]) -> tuple[list[tuple[HeldRecord, _Settled]], int]:
        keys = _keys(records)
        read = [(each, codec.decode_record(each.body)) for each in records]
        taps = [(each, got.record) for each, got in read if isinstance(got, Received) and isinstance(got.record, Tap)]
        opened = [(each, tap, self._store.opener.open(tap.card, each.key.device)) for each, tap in taps]

        def work(connection: Connection) -> tuple[list[tuple[HeldRecord, _Settled]], int]:
            pseudonyms = {card.pseudonym for _, _, card in opened if isinstance(card, Opened)}
            facts = _facts(connection, {key.device for key in keys}, pseudonyms)
            at = positions.read(connection, keys)
            settled: list[tuple[HeldRecord, _Settled]] = []
            for each, tap, card in opened:
                moment = self._store.dated(tap) or self._date(connection, at[each.key], each, tap, facts)
                verdict = resolve.tap(each.key.device, moment, card, facts, now_ms=self._store.now_ms())
                settled.append((each, _settled(verdict)))
            return settled, facts.version

        return self._store.records.read(work)

    def _date(
        self, connection: Connection, position: Position, record: HeldRecord, tap: Tap, facts: Registry
    ) -> Moment | None:
        """When an undated tap was made, once enough of its neighbourhood has arrived."""
        before, after = waiting.neighbours(connection, position, record.seq)
        around = surrounding(position, record, before, after)
        if around is None:
            return None
        return resolve.moment_of(tap, _placed(around, facts, record.key.device))

    async def _write_points(self, points: Iterable[Point]) -> None:
        refused = await self._store.history.write(list(points))
        await self._store.file([observed.refusal(each, now_ms=self._store.now_ms()) for each in refused])


_Settled = Sighting | Held | Rejected


def reseen(seen: Seen, facts: Registry) -> Sighting:
    """What a sighting is by the registry of now. If its machine stood nowhere then, it stays where it was."""
    was = seen.sighting
    estate = facts.estate_of(seen.device, was.at_ms) or was.estate
    return resolve.sighting(Moment(was.at_ms, was.uncertainty_ms), Opened(was.pseudonym), estate, facts)


def surrounding(
    position: Position, record: HeldRecord, before: Dated | None, after: Dated | None
) -> Neighbourhood | None:
    """What surrounds an undated tap, or None while something between it and its neighbours may still arrive.

    Neighbours are known to be the nearest only when nothing is missing between: so no order of arrival matters.
    """
    first, last = next(span for span in position.answered.spans if span[0] <= record.seq <= span[1])
    boot_known = after is not None and after.seq <= last
    is_last = position.closed_at_seq is not None and last >= position.closed_at_seq and not boot_known
    if not boot_known and not is_last:
        return None
    follows = after if boot_known else None
    is_reached = first == 1 or (before is not None and before.seq >= first)
    if not is_reached and not (follows is not None and _same_boot(record, follows)):
        return None
    precedes = before if before is not None and before.seq >= first else None
    return Neighbourhood(_neighbour(precedes), _neighbour(follows), None, record.arrived_ms)


def _same_boot(record: HeldRecord, other: Dated) -> bool:
    read = codec.decode_record(record.body)
    return isinstance(read, Received) and read.record.boot == other.boot


def _neighbour(dated: Dated | None) -> Neighbour | None:
    return None if dated is None else Neighbour(dated.at_ms, dated.mono_ms, dated.boot)


def _placed(around: Neighbourhood, facts: Registry, device: str) -> Neighbourhood:
    """With the installation before which the machine cannot have taken a tap."""
    latest = around.after.at_ms if around.after else around.arrived_ms
    begun = [place.installed_ms for place in facts.installations.get(device, ()) if place.installed_ms <= latest]
    return Neighbourhood(around.before, around.after, max(begun, default=None), around.arrived_ms)


def _settled(verdict: Verdict) -> _Settled:
    if isinstance(verdict, Sighting | Held | Rejected):
        return verdict
    raise TypeError("a tap is never merely kept")


def _changes(connection: Connection) -> Changed | None:
    """What the registry says anew since the last sweep; None if nothing."""
    finished = marks.read(connection, marks.SWEEP_FINISHED)
    return registry.changed_after(connection, finished) if registry.version(connection) != finished else None


def _finish(connection: Connection, version: int) -> None:
    marks.require(connection, marks.REGISTRY_CHANGED, version)
    marks.put(connection, marks.SWEEP_FINISHED, version)


def _facts(connection: Connection, devices: Iterable[str], pseudonyms: Iterable[str]) -> Registry:
    places = registry.installations_of(connection, set(devices))
    return Registry(registry.version(connection), places, registry.cards_of(connection, set(pseudonyms)))


def _extent(position: Position) -> _Extent:
    return position.answered, position.closed_at_seq


def _keys(records: Iterable[HeldRecord]) -> set[StreamKey]:
    return {each.key for each in records}


def _cards(seen: Iterable[Seen]) -> set[str]:
    return {each.sighting.pseudonym for each in seen}
