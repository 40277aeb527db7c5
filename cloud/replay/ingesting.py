"""Recorded facts into records, through the ingester's own store, sweep and ear; the clock stands where the facts are.

Facts are taken in batches, as a busy ingester takes them; an outbox heard of for the first time is noted at its very
instant, because outboxes are told apart by who came first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, TypeAlias

from cloud import days
from cloud.history import Refused
from cloud.ingest.requests import Incoming
from cloud.ingest.resolve import CardRead, Opened
from cloud.ingest.store import Store
from cloud.ingest.sweep import Sweep
from cloud.records import Connection, Records, completeness, heard, marks, registrar
from cloud.replay import translating
from cloud.replay.directory import Arrival, Row, Rows
from cloud.replay.lines import Fact, Heartbeat, Status
from contract import messages
from contract.codec import Batch
from contract.messages import Envelope
from contract.series import Point
from contract.topics import DeviceId

MOST_RECORDS: Final = 1000
MOST_SIGNS: Final = 4000
FORGET_MS: Final = 7 * days.DAY
"""How often proofs that later ones make idle are forgotten: they cost whoever judges."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Stream: TypeAlias = tuple[DeviceId, str]
Sign: TypeAlias = messages.Heartbeat | messages.Status


class Nowhere:
    """A history that keeps nothing."""

    trouble: str | None = None

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Forget *points*."""
        return []


class Plain:
    """An opener of cards that were recorded unsealed: the text in the file is what the card is known by."""

    def open(self, sealed: str, device: DeviceId) -> CardRead:
        """The card itself."""
        return Opened(sealed)


class Ingest:
    """Takes a replay's registry and facts in order of time; `settle` brings all of it up to one instant."""

    def __init__(self, records: Records, registry: Rows) -> None:
        self._records = records
        self._now_ms = 0
        self._since_ms: int | None = None
        self._store = Store(records, Nowhere(), opener=Plain(), now=self._now, dated=translating.moment)
        self._sweep = Sweep(self._store)
        self._unknown = deque(sorted(_known_from(registry), key=lambda item: item[0]))
        self._incoming: list[Incoming] = []
        self._signs: list[Sign] = []
        self._streams: set[Stream] = set()
        self._confirmed: dict[Stream, int] = {}
        self._sessions: dict[DeviceId, int] = {}
        self._forgot_ms = 0

    def _now(self) -> datetime:
        return _EPOCH + timedelta(milliseconds=self._now_ms)

    def learn(self, until_ms: int) -> None:
        """Let the cloud know what it knew by *until_ms*, as an import of the registry would."""
        rows: list[tuple[str, Row, bool]] = []
        while self._unknown and self._unknown[0][0] <= until_ms:
            _, table, row = self._unknown.popleft()
            rows.append((table, row, True))
        if rows:
            self._records.write(lambda connection: registrar.write(connection, rows, touched=(), now_ms=until_ms))

    async def take(self, arrival: Arrival) -> None:
        """Take one fact. What is not stored at once is stored by `settle`."""
        new = _streams(arrival) - self._streams
        if new:
            await self._flush()
            self._streams |= new
        self._now_ms = arrival.arrived_ms
        self._add(arrival.device, arrival.fact)
        if new or len(self._incoming) >= MOST_RECORDS or len(self._signs) >= MOST_SIGNS:
            await self._flush()

    async def settle(self, now_ms: int) -> None:
        """Store what waits, and resolve everything by the registry of *now_ms*: it is this that is judged."""
        await self._flush()
        self._now_ms = now_ms
        self._records.write(self._listen)
        await self._sweep.run()
        if now_ms - self._forgot_ms >= FORGET_MS:
            self._forgot_ms = now_ms
            self._records.write(completeness.forget_proofs)

    def _listen(self, connection: Connection) -> None:
        """Somebody has been listening ever since the first fact came, or since the first instant that is judged."""
        self._since_ms = self._now_ms if self._since_ms is None else self._since_ms
        marks.put(connection, marks.LISTENING_SINCE, self._since_ms)
        marks.put(connection, marks.LISTENING_UNTIL, self._now_ms)

    def _add(self, device: DeviceId, fact: Fact) -> None:
        self._since_ms = fact.arrived if self._since_ms is None else self._since_ms
        if isinstance(fact, Heartbeat):
            session = self._sessions.get(device, 0)
            self._signs.append(translating.heartbeat(device, fact, session=session))
            self._confirmed[device, translating.name(device, fact.outbox)] = fact.confirmed
        elif isinstance(fact, Status):
            self._sessions[device] = fact.session
            self._signs.append(translating.status(device, fact))
        else:
            outbox = translating.name(device, fact.outbox)
            envelope = Envelope(device=device, outbox=outbox, confirmed=self._confirmed.get((device, outbox), 0))
            record = translating.received(device, fact)
            self._incoming.append(Incoming(device, Batch(envelope, (record,), ()), fact.arrived))

    async def _flush(self) -> None:
        incoming, self._incoming = self._incoming, []
        if incoming:
            await self._store.take(incoming)
        signs, self._signs = self._signs, []
        if signs:
            self._records.write(lambda connection: _hear(connection, signs, now_ms=self._now_ms))


def _hear(connection: Connection, signs: Sequence[Sign], *, now_ms: int) -> None:
    """Note signs of life in their order: what a machine says of its connection divides its heartbeats."""
    for _, group in groupby(signs, key=type):
        alike = list(group)
        beats = [sign for sign in alike if isinstance(sign, messages.Heartbeat)]
        if beats:
            heard.take_beats(connection, translating.beats(beats), now_ms=now_ms)
        for sign in alike:
            if isinstance(sign, messages.Status):
                heard.take_status(connection, sign, arrived_ms=sign.at or now_ms, is_retained=False)


def _known_from(registry: Rows) -> Iterator[tuple[int, str, Row]]:
    for table, rows in registry.items():
        for row in rows:
            yield int(str(row.get("known_from_ms", 0))), table, row


def _streams(arrival: Arrival) -> set[Stream]:
    """The outboxes a fact names: its own, and one that it speaks of."""
    device, fact = arrival.device, arrival.fact
    if isinstance(fact, Status) and fact.reason != "goodbye":
        return set()
    named = {(device, translating.name(device, fact.outbox))}
    mentioned = translating.mentions(device, fact)
    return named | {(device, mentioned)} if mentioned else named
