"""What is known at an instant: rows whose `known_from` has come, and facts that have arrived."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from bench.truth.recount.hearing import Heard, Tap
from bench.truth.recount.reading import Card, Days, Directory, Installation, Tenancy

_BEFORE_ALL: Final = -(2**63)


class _Row(Protocol):
    @property
    def known(self) -> int: ...


_R = TypeVar("_R", bound=_Row)


@dataclass(slots=True)
class Changed:
    """What became known since the last instant, so that the rest need not be counted again."""

    everything: bool = False
    units: set[str] = field(default_factory=set)
    days: set[tuple[str, int]] = field(default_factory=set)
    """Machines and the days of which they told."""


class Known:
    """Everything known by `now`, which only ever moves forward; `changed` tells what the last move touched."""

    def __init__(self, directory: Directory) -> None:
        self.all = directory
        self.now = _BEFORE_ALL
        self.installations: list[Installation] = []
        self.calendar: list[Days] = []
        self.lost: list[Days] = []
        self.leave: dict[str, list[Days]] = defaultdict(list)
        self.cards: dict[str, list[Card]] = defaultdict(list)
        self.tenancies: dict[str, list[Tenancy]] = defaultdict(list)
        self.heard: dict[str, Heard] = {}
        self.complete: dict[str, int | None] = {}
        self.taps: dict[str, list[Tap]] = defaultdict(list)
        """By card."""
        self.changed = Changed()
        self._next = 0

    def move(self, now: int) -> None:
        """Go forward to *now*."""
        before, self.now, self.changed = self.now, now, Changed()
        self._know(before)
        self._listen()
        for device, heard in self.heard.items():
            for tap in heard.settle(now, lambda at, of=device: self.place(of, at) is not None):  # type: ignore[misc]
                self.taps[tap.card].append(tap)
            self.complete[device] = heard.complete(lambda day, of=device: self.is_lost(of, day))  # type: ignore[misc]

    def place(self, device: str, at: int) -> Installation | None:
        """Where a machine stood at an instant."""
        stood = (row for row in self.installations if row.device == device and row.installed <= at < row.removed)
        return next(stood, None)

    def stood(self, estate: str, begin: int, end: int) -> list[Installation]:
        """The installations of an estate that overlap a span."""
        return [
            row for row in self.installations if row.estate == estate and row.installed < end and begin < row.removed
        ]

    def is_lost(self, device: str, day: int) -> bool:
        """Whether a machine's day was declared lost."""
        return any(row.of == device and row.has(day) for row in self.lost)

    def tenancy(self, unit: str, day: int) -> Tenancy | None:
        """The tenancy of a unit on a day; of several the one that began last."""
        covering = [row for row in self.tenancies[unit] if row.start <= day < row.end]
        return max(covering, key=lambda row: row.start, default=None)

    def taps_of(self, unit: str) -> list[tuple[Tap, list[Card]]]:
        """Every tap by a card that was ever this unit's, with the rows of that card."""
        rows: dict[str, list[Card]] = defaultdict(list)
        for row in self.cards[unit]:
            rows[row.card].append(row)
        return [(tap, rows[card]) for card in rows for tap in self.taps[card]]

    def _know(self, before: int) -> None:
        rows = self.all
        self.installations += (installed := self._new(rows.installations, before))
        self.calendar += (calendar := self._new(rows.calendar, before))
        self.lost += (lost := self._new(rows.lost, before))
        self.changed.everything = bool(installed or calendar or lost)
        for leave in self._new(rows.leave, before):
            self.leave[leave.of].append(leave)
            self.changed.units.add(leave.of)
        for card in self._new(rows.cards, before):
            self.cards[card.unit].append(card)
            self.changed.units.add(card.unit)
        for tenancy in self._new(rows.tenancies, before):
            self.tenancies[tenancy.unit].append(tenancy)
            self.changed.units.add(tenancy.unit)

    def _listen(self) -> None:
        facts = self.all.facts
        while self._next < len(facts) and facts[self._next].arrived <= self.now:
            fact = facts[self._next]
            self._next += 1
            touched = self.heard.setdefault(fact.device, Heard(fact.device)).hear(fact)
            self.changed.days |= {(fact.device, day) for day in touched}

    def _new(self, rows: Iterable[_R], before: int) -> list[_R]:
        return [row for row in rows if before < row.known <= self.now]
