"""What became of a record, as values: the resolver says it, the ledger writes it, once. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from cloud.days import DaySpan
from contract.codec import Received, Unreadable
from contract.topics import DeviceId


class Outcome(StrEnum):
    """What a tap says about its card."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    TEST = "test"
    """A technician's card: stored and confirmed, never presence, never counted."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A card was at an estate at `at_ms`, give or take `uncertainty_ms`."""

    at_ms: int
    uncertainty_ms: int
    pseudonym: str = field(repr=False)
    outcome: Outcome
    unit: str | None = field(repr=False)
    estate: str
    span: DaySpan | None = field(default=None, repr=False)
    """Of an uncertain tap of a known card, the days on which it may have been made with that card valid.

    None = on its own day and no other.
    """


@dataclass(frozen=True, slots=True)
class Kept:
    """An hour or event record, stored as it is. `touches` are the (estate, day) pairs whose roll-ups it changes."""

    at_ms: int
    touches: tuple[tuple[str, date], ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """Its meaning depends on registry, key or clock: kept sealed, confirmed, resolved again when these change."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """It can never be read."""

    reason: str
    explanation: str


Verdict = Sighting | Kept | Held | Rejected


@dataclass(frozen=True, slots=True, order=True)
class StreamKey:
    """One outbox of one machine: what a sequence number belongs to."""

    device: DeviceId
    outbox: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One record that arrived, and what became of it."""

    record: Received | Unreadable
    verdict: Verdict
    arrived_ms: int

    @property
    def seq(self) -> int:
        """Its number. An unreadable record without one never becomes an entry."""
        seq = self.record.record.seq if isinstance(self.record, Received) else self.record.seq
        if seq is None:
            raise ValueError("a record without a number cannot be entered: it is a dead letter")
        return seq


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrived for one stream, and how far its machine knows itself confirmed."""

    key: StreamKey
    confirmed: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: what could not be taken, kept with the reason. `source` is mqtt, record, sql or history."""

    arrived_ms: int
    source: str
    topic: str
    reason: str
    explanation: str
    payload: bytes = field(repr=False)
    outbox: str | None = None
    seq: int | None = None
