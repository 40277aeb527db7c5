"""What a record means: a sighting at an estate by a card that is known or not, or why that cannot be said (yet). Pure.

The estate is where the machine stood at the tap's time; the unit is whose card it was on the tap's day. What depends on
registry, keys or clock is held and asked again; only what can never be read is rejected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from cloud.days import DAY, DaySpan, day_of
from cloud.records.registry import Card, Installation
from cloud.records.verdicts import Held, Kept, Outcome, Rejected, Sighting, Verdict
from contract.messages import Event, Hours, Stamped

AHEAD_MS: Final = 300_000
"""A tap further in the future than this is held until its time has come."""
LONGEST_LOSS_DAYS: Final = 400
"""Days that one `records_dropped` may touch; roll-ups are kept no longer by quarter-hour."""


class HeldBecause(StrEnum):
    """Why a tap waits. The machine sees the word."""

    UNKNOWN_KEY = "unknown_key"
    UNDATED = "undated"
    FUTURE = "future"
    NOT_INSTALLED = "not_installed"


@dataclass(frozen=True, slots=True)
class Opened:
    """What opening the sealed card gave: a pseudonym; whether it can name anybody."""

    pseudonym: str = field(repr=False)
    is_lasting: bool = True


@dataclass(frozen=True, slots=True)
class NotOpened:
    """The key is not here (yet)."""


@dataclass(frozen=True, slots=True)
class Unopenable:
    """No key will ever open it."""

    explanation: str


CardRead = Opened | NotOpened | Unopenable


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened, give or take `uncertainty_ms`."""

    at_ms: int
    uncertainty_ms: int = 0


@dataclass(frozen=True, slots=True)
class Registry:
    """What the registry says about the machines and cards in question, and the version at which it said so."""

    version: int
    installations: Mapping[str, Sequence[Installation]]
    cards: Mapping[str, Sequence[Card]] = field(repr=False)

    def estate_of(self, device: str, at_ms: int) -> str | None:
        """Where *device* stood at that instant."""
        places = [place for place in self.installations.get(device, ()) if place.covers(at_ms)]
        return places[-1].estate if places else None


def tap(device: str, moment: Moment | None, card: CardRead, registry: Registry, *, now_ms: int) -> Verdict:
    """What a tap at *device* means. No *moment*: nobody can say yet when it happened."""
    if isinstance(card, Unopenable):
        return Rejected("unreadable_card", card.explanation)
    if isinstance(card, NotOpened):
        return Held(HeldBecause.UNKNOWN_KEY)
    if moment is None:
        return Held(HeldBecause.UNDATED)
    if moment.at_ms > now_ms + AHEAD_MS:
        return Held(HeldBecause.FUTURE)
    estate = registry.estate_of(device, moment.at_ms)
    if estate is None:
        return Held(HeldBecause.NOT_INSTALLED)
    return sighting(moment, card, estate, registry)


def sighting(moment: Moment, card: Opened, estate: str, registry: Registry) -> Sighting:
    """Whose card was at *estate* then, as far as the registry knows."""
    found = valid_card(registry.cards.get(card.pseudonym, ()), moment) if card.is_lasting else None
    if found is None:
        outcome, unit = Outcome.UNKNOWN, None
    elif found.role == "test":
        outcome, unit = Outcome.TEST, None
    else:
        outcome, unit = Outcome.KNOWN, found.unit
    span = None if found is None or unit is None else _span(moment, found)
    return Sighting(moment.at_ms, moment.uncertainty_ms, card.pseudonym, outcome, unit, estate, span)


def _span(moment: Moment, card: Card) -> DaySpan | None:
    """The days of *moment* on which *card* was valid; None when that is its own day alone."""
    own = day_of(moment.at_ms)
    first = max(day_of(moment.at_ms - moment.uncertainty_ms), card.valid_from)
    last = day_of(moment.at_ms + moment.uncertainty_ms)
    last = last if card.valid_to is None else min(last, card.valid_to)
    return None if first == last == own else (first, last)


def valid_card(registrations: Sequence[Card], moment: Moment) -> Card | None:
    """The registration in force on the day of *moment*; of an uncertain moment, on the nearest day it may have been.

    Of several the one that began last: a card that was handed on names its new unit. Uncertainty favours the resident.
    """
    for day in _days_of(moment, registrations):
        valid = [card for card in registrations if card.is_valid_on(day)]
        if valid:
            return max(valid, key=lambda card: (card.valid_from, card.unit or ""))
    return None


def _days_of(moment: Moment, registrations: Sequence[Card]) -> Iterator[date]:
    """The day itself, then the days at which a registration is nearest to it within the uncertainty."""
    own = day_of(moment.at_ms)
    yield own
    first = day_of(moment.at_ms - moment.uncertainty_ms)
    last = day_of(moment.at_ms + moment.uncertainty_ms)
    edges = {edge for card in registrations for edge in (card.valid_from, card.valid_to) if edge is not None}
    yield from sorted((day for day in edges if first <= day <= last), key=lambda day: (abs(day - own), day))


def kept(device: str, record: Hours | Event, registry: Registry, *, arrived_ms: int) -> Kept:
    """An hour or event record is always kept. An event that nobody dated is taken to have happened when it arrived."""
    if isinstance(record, Hours):
        return Kept(record.hour, _touched(device, (record.hour,), registry))
    at_ms = record.at if record.is_dated else arrived_ms
    dropped = record.dropped()
    if dropped is None:
        return Kept(at_ms, _touched(device, (at_ms,), registry))
    first = max(dropped.from_ms, dropped.to_ms - LONGEST_LOSS_DAYS * DAY)
    return Kept(at_ms, _touched(device, (*range(first, dropped.to_ms, DAY), dropped.to_ms), registry))


def _touched(device: str, instants: Sequence[int], registry: Registry) -> tuple[tuple[str, date], ...]:
    places = ((registry.estate_of(device, at_ms), day_of(at_ms)) for at_ms in instants)
    return tuple((estate, day) for estate, day in places if estate is not None)


# ---- when an undated tap happened ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A dated record of the same outbox, next to an undated one with nothing unknown between."""

    at_ms: int
    mono_ms: int
    boot: str


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What surrounds an undated tap. `None`: there is none, and there will be none; a gap leaves the tap undated.

    *After* the last record of a closed outbox, nothing follows; the tap was then made before it arrived.
    """

    before: Neighbour | None
    after: Neighbour | None
    installed_ms: int | None
    arrived_ms: int


def moment_of(record: Stamped, around: Neighbourhood) -> Moment | None:
    """When *record* happened: exactly, by the monotonic clock of its boot; else the middle between its neighbours.

    The neighbour after it goes first: an undated start of a boot ends with the record at which the clock was set.
    """
    for neighbour in (around.after, around.before):
        if neighbour is not None and neighbour.boot == record.boot:
            return Moment(max(0, neighbour.at_ms + record.mono - neighbour.mono_ms))
    lower = around.before.at_ms if around.before else around.installed_ms
    upper = around.after.at_ms if around.after else around.arrived_ms
    if lower is None:
        return None
    lower, upper = min(lower, upper), max(lower, upper)
    return Moment((lower + upper) // 2, (upper - lower + 1) // 2)


def dated(record: Stamped) -> Moment | None:
    """When *record* happened by its own account, if that can be trusted."""
    return Moment(record.at) if record.is_dated else None
