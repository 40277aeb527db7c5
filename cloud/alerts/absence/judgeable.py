"""Rule 4: a period can be judged once every machine at which the household may have tapped has sent what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cloud import days
from cloud.alerts.absence import periods
from cloud.alerts.absence.periods import Period
from cloud.alerts.absence.verdicts import Tap
from cloud.days import Machine


@dataclass(frozen=True, slots=True)
class Sent:
    """A machine, and how far its record is complete (None = not at all)."""

    machine: Machine
    complete_ms: int | None

    def has_all_of(self, period: Period) -> bool:
        """Whether nothing it holds can still change *period*: complete past it or its removal, or declared lost."""
        if self.complete_ms is not None and self.complete_ms >= period.end_ms + days.SETTLING:
            return True
        return days.is_settled(self.machine, self.complete_ms, (self._since(period), period.last))

    def is_there(self, period: Period) -> bool:
        """Whether it is installed at any moment of *period*."""
        span = days.starts(period.first), period.end_ms
        return any(stay.span[0] < span[1] and span[0] < stay.span[1] for stay in self.machine.stays)

    def _since(self, period: Period) -> date:
        """From when on it must be complete: one that was removed before the period, from where it is not on."""
        if self.is_there(period):
            return period.first
        gone = [stay.span for stay in self.machine.stays if stay.span[1] <= days.starts(period.first)]
        if not gone:
            return period.first
        installed, removed = max(gone)
        reached = max(installed, self.complete_ms or 0)
        return days.day_of(min(reached, removed - 1))


def frontier(ended: Sequence[Period], machines: Sequence[Sent]) -> int:
    """How many of an estate's periods, from the first on, can be judged as far as its own machines go."""
    for period in ended:
        if not all(each.has_all_of(period) for each in machines if each.is_there(period)):
            return period.number
    return len(ended)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Which machines of the city still hold something of which periods of one estate; its own do not matter here."""

    waiting: Mapping[str, frozenset[int]]
    """By machine, the numbers of the periods that wait for it if somebody of this estate taps there."""

    def of(self, period: Period) -> list[str]:
        """The machines that still hold something of *period*, named by rule 4 or not: evidence says so."""
        return sorted(device for device, late in self.waiting.items() if period.number in late)

    def frontier(self, ended: Sequence[Period], upto: int, taps: Sequence[Tap]) -> int:
        """How many of the first *upto* periods can be judged for a household that made *taps*."""
        there = [tap for tap in taps if tap.device in self.waiting]
        for number in range(upto) if there else ():
            recent = periods.before(ended, number)
            if any(number in self.waiting[tap.device] and _is_within(recent, tap) for tap in there):
                return number
        return upto


def elsewhere(ended: Sequence[Period], machines: Sequence[Sent], own: Sequence[Sent]) -> Elsewhere:
    """What is outstanding at *machines* of the city (their stays everywhere); *own* = the estate's, its stays alone."""
    at_home = {each.machine.device: each for each in own}
    waiting: dict[str, frozenset[int]] = {}
    for sent in machines:
        home = at_home.get(sent.machine.device)
        late = frozenset(
            period.number
            for period in ended
            if not (home is not None and home.is_there(period)) and not sent.has_all_of(period)
        )
        if late:
            waiting[sent.machine.device] = late
    return Elsewhere(waiting)


def _is_within(recent: Sequence[Period], tap: Tap) -> bool:
    return bool(recent) and recent[0].first <= tap.last and tap.first <= recent[-1].last
