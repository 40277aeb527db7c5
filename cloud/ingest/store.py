"""Storing what arrived: history first, SQL second, then the answers. The service and the demo both go through here.

Every step may be repeated: both writes are idempotent, and only what SQL has not seen is counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cloud.history import History, Refused
from cloud.ingest import answers, observed, requests, resolve
from cloud.ingest.opening import Opens
from cloud.ingest.requests import Incoming, Item, Request
from cloud.ingest.resolve import CardRead, Moment, NotOpened, Opened, Registry
from cloud.records import BadData, Connection, Records, dead_letters, heard, ledger, registry
from cloud.records.heard import Beat
from cloud.records.marks import StaleFacts
from cloud.records.positions import Position
from cloud.records.verdicts import Delivery, Entry, Letter, Rejected, StreamKey, Verdict
from contract.codec import Unreadable
from contract.messages import Resume, Stamped, Status, Stored, Tap
from contract.series import Point

MOST_ATTEMPTS: Final = 20
"""How often the registry may change under one transaction before that is somebody's fault."""


Answer = Stored | Resume
Dates = Callable[[Stamped], Moment | None]
"""When a tap happened by its own account; None if that cannot be trusted."""


def ms_of(instant: datetime) -> int:
    """Milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


@dataclass(slots=True)
class Tally:
    """What this program has done since its start."""

    messages: int = 0
    records: int = 0
    duplicates: int = 0
    letters: int = 0
    failures: int = 0
    lags_ms: deque[float] = field(default_factory=lambda: deque(maxlen=10_000), repr=False)
    """From arrival to answer, of the batches since these were last taken out."""


@dataclass(frozen=True, slots=True)
class _Resolved:
    version: int
    deliveries: list[Delivery]
    points: list[Point]
    duplicates: int
    rejected: int
    """Of what is not stored yet; each becomes a dead letter."""


class Store:
    """Takes batches, heartbeats and statuses, and says what to answer."""

    def __init__(
        self,
        records: Records,
        history: History,
        *,
        opener: Opens,
        now: Callable[[], datetime],
        dated: Dates = resolve.dated,
    ) -> None:
        self.records = records
        self.history = history
        self.opener = opener
        self.dated = dated
        self.now_ms: Callable[[], int] = lambda: ms_of(now())
        self.tally = Tally()

    async def take(self, incoming: Sequence[Incoming]) -> list[Answer]:
        """Store these batches; one `Stored` per stream (more where a record had to be parted from the others).

        A `Resume` follows for a stream of which its machine knows more confirmed than is here, or that has an old gap.

        Raises `RecordsUnavailable`: nothing is known to be stored, take the same again later.
        """
        letters = requests.unnumbered(incoming)
        stored = await self._store(requests.gather(incoming), letters)
        self.tally.messages += len(incoming)
        self.tally.records += sum(len(each.batch.records) for each in incoming)
        self.tally.lags_ms.extend(float(self.now_ms() - each.arrived_ms) for each in incoming)
        return stored

    async def reconsider(self, incoming: Incoming) -> bool:
        """Take a record that was rejected once more, now that it can be read; whether it is stored now."""
        resolved = await asyncio.to_thread(self._resolve, requests.gather([incoming]))
        delivery = resolved.deliveries[0]
        entry = delivery.entries[0]
        facts = ledger.Facts(registry_version=resolved.version, now_ms=self.now_ms())
        refused = await self.history.write(list(observed.points_of(delivery.key.device, entry)))
        await self.file(self._refusals(refused))
        if await asyncio.to_thread(
            self.records.write, lambda connection: ledger.reconsider(connection, delivery.key, entry, facts=facts)
        ):
            return True
        await self.take([incoming])
        return not isinstance(entry.verdict, Rejected)

    async def file(self, letters: Sequence[Letter]) -> None:
        """Keep dead letters."""
        if letters:
            self.tally.letters += len(letters)
            await asyncio.to_thread(self.records.write, lambda connection: dead_letters.file(connection, letters))

    async def take_beats(self, beats: Sequence[Beat]) -> list[Resume]:
        """Note heartbeats; what to ask their machines for."""
        self.tally.messages += len(beats)
        return await asyncio.to_thread(
            self._listen, lambda connection: heard.take_beats(connection, beats, now_ms=self.now_ms())
        )

    async def take_status(self, status: Status, *, arrived_ms: int, is_retained: bool) -> list[Resume]:
        """Note a birth, goodbye or will; what to ask the machine for."""
        self.tally.messages += 1
        return await asyncio.to_thread(
            self._listen,
            lambda connection: heard.take_status(connection, status, arrived_ms=arrived_ms, is_retained=is_retained),
        )

    def _listen(self, note: Callable[[Connection], list[Position]]) -> list[Resume]:
        return self._ask([position for position in self.records.write(note) if self._is_due(position)])

    def _ask(self, due: Sequence[Position]) -> list[Resume]:
        if not due:
            return []
        keys = [position.key for position in due]
        asked = self.records.write(
            lambda connection: heard.ask(connection, keys, is_due=self._is_due, now_ms=self.now_ms())
        )
        return [answers.resume(position) for position in asked]

    def _is_due(self, position: Position) -> bool:
        return answers.wants_resume(position, now_ms=self.now_ms())

    # ---- records: resolve, history, SQL ------------------------------------------------------------------------------

    async def _store(self, wanted: list[Request], letters: Sequence[Letter]) -> list[Answer]:
        """Both writes for *wanted*. What SQL refuses is halved until the guilty record is alone and rejected."""
        if not wanted and not letters:
            return []
        try:
            return await self._store_whole(wanted, letters)
        except BadData:
            parts = requests.halves(wanted)
            if not parts:
                raise
        stored: list[Answer] = []
        for part in parts:
            stored += await self._store(part, letters)
            letters = ()
        return stored

    async def _store_whole(self, wanted: list[Request], letters: Sequence[Letter]) -> list[Answer]:
        for attempt in range(MOST_ATTEMPTS):
            resolved = await asyncio.to_thread(self._resolve, wanted, is_repeated=attempt > 0)
            refused = await self.history.write(resolved.points)
            try:
                return await asyncio.to_thread(self._commit, resolved, [*letters, *self._refusals(refused)])
            except StaleFacts:
                continue
        raise StaleFacts(f"the registry changed {MOST_ATTEMPTS} times while records were being stored")

    def _commit(self, resolved: _Resolved, letters: Sequence[Letter]) -> list[Answer]:
        now_ms = self.now_ms()

        def work(connection: Connection) -> list[ledger.Standing]:
            facts = ledger.Facts(registry_version=resolved.version, now_ms=now_ms)
            return ledger.take(connection, resolved.deliveries, letters=letters, facts=facts)

        standings = self.records.write(work)
        self.tally.letters += len(letters) + resolved.rejected
        self.tally.duplicates += resolved.duplicates
        stored = [answers.stored(standing, now_ms=now_ms) for standing in standings]
        return [*stored, *self._ask([each.position for each in standings if self._is_due(each.position)])]

    def _resolve(self, wanted: Sequence[Request], *, is_repeated: bool = False) -> _Resolved:
        """Verdicts and points by the registry of now. *is_repeated*: points written under an older one are overwritten.

        Other records need no point if they are kept: neither again, nor from other bytes under their seq.
        """
        cards = {id(item): self._open(request, item) for request in wanted for item in request.items}
        pseudonyms = {card.pseudonym for card in cards.values() if isinstance(card, Opened)}
        devices = {request.key.device for request in wanted}
        seqs = {request.key: [_seq(item) for item in request.items] for request in wanted}

        def look_up(connection: Connection) -> tuple[Registry, dict[StreamKey, Mapping[int, str]]]:
            places = registry.installations_of(connection, devices)
            known = registry.cards_of(connection, pseudonyms)
            return Registry(registry.version(connection), places, known), ledger.already(connection, seqs)

        facts, already = self.records.read(look_up)
        now_ms = self.now_ms()
        deliveries = [
            Delivery(
                request.key,
                request.confirmed,
                tuple(
                    self._entry(request.key, item, cards[id(item)], facts=facts, now_ms=now_ms)
                    for item in request.items
                ),
            )
            for request in wanted
        ]
        entries = [(each.key, entry) for each in deliveries for entry in each.entries]
        new = [(key, entry) for key, entry in entries if entry.seq not in already[key]]
        same = [(key, entry) for key, entry in entries if already[key].get(entry.seq) == entry.record.digest]
        wanting = [*new, *same] if is_repeated else new
        points = [point for key, entry in wanting for point in observed.points_of(key.device, entry)]
        rejected = sum(isinstance(entry.verdict, Rejected) for _, entry in new)
        return _Resolved(facts.version, deliveries, points, sum(map(len, already.values())), rejected)

    def _open(self, request: Request, item: Item) -> CardRead | None:
        if isinstance(item.record, Unreadable) or item.forced or not isinstance(item.record.record, Tap):
            return None
        return self.opener.open(item.record.record.card, request.key.device)

    def _entry(self, key: StreamKey, item: Item, card: CardRead | None, *, facts: Registry, now_ms: int) -> Entry:
        return Entry(item.record, self._verdict(key, item, card, facts=facts, now_ms=now_ms), item.arrived_ms)

    def _verdict(self, key: StreamKey, item: Item, card: CardRead | None, *, facts: Registry, now_ms: int) -> Verdict:
        if item.forced is not None:
            return item.forced
        if isinstance(item.record, Unreadable):
            return Rejected(item.record.reason, item.record.explanation)
        record = item.record.record
        if isinstance(record, Tap):
            return resolve.tap(key.device, self.dated(record), card or NotOpened(), facts, now_ms=now_ms)
        return resolve.kept(key.device, record, facts, arrived_ms=item.arrived_ms)

    def _refusals(self, refused: Sequence[Refused]) -> list[Letter]:
        return [observed.refusal(each, now_ms=self.now_ms()) for each in refused]


def _seq(item: Item) -> int:
    seq = item.record.seq if isinstance(item.record, Unreadable) else item.record.record.seq
    return seq or 0
