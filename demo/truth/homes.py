"""Households: tenancies, cards, leave and sub-letting of every unit, by its habit. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from demo.truth.days import DAY, HOUR, midnight
from demo.truth.habits import HABITS, Away, Event, Habit

LONG_AGO: Final = 400
_FLOORS: Final = 5
_DOORS: Final = 20


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A unit is let from `start` to the day before `end`."""

    start: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the household; `last` is included. `known_ms` None = from the start."""

    card: str
    role: str
    is_obliged: bool
    first: int
    last: int | None = None
    ended_because: str = ""
    known_ms: int | None = None

    def is_held(self, day: int) -> bool:
        """Whether somebody has it in hand."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Leave:
    """Days `first` to `last` the office was told of, when it was."""

    first: int
    last: int
    known_ms: int | None


@dataclass(frozen=True, slots=True)
class Home:
    """A unit and those who live, or do not live, in it."""

    unit: str
    estate: str
    habit: Habit
    tenancies: tuple[Tenancy, ...]
    cards: tuple[Card, ...]
    leave: tuple[Leave, ...] = ()
    away: tuple[tuple[int, int], ...] = ()
    """First and last day on which nobody is there to tap."""
    sublet_from: int | None = None
    """The first day on which the family is gone for good."""
    is_courier: bool = False


@dataclass(slots=True)
class _Draft:
    unit: str
    habit: Habit
    chance: random.Random
    go_live: int
    until: int
    begins: int = 0
    tenancies: list[Tenancy] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)

    def day(self, early: float = 0.1, late: float = 0.8) -> int:
        """A day between two shares of the time the estate is live."""
        return self.go_live + int(self.chance.uniform(early, late) * (self.until - self.go_live))

    def deal(self, number: int, first: int, *, known_ms: int | None = None) -> list[Card]:
        """New cards for a household: its holder's, obliged, and its members'."""
        made = len(self.cards)
        return [
            Card(
                f"card {self.unit} {made + place}",
                "member" if place else "holder",
                place == 0,
                first,
                known_ms=known_ms,
            )
            for place in range(number)
        ]


def address(estate: str, number: int) -> str:
    """Estate, block, floor, door."""
    floors, door = divmod(number, _DOORS)
    block, floor = divmod(floors, _FLOORS)
    return f"{estate}/{_letters(block)}/{floor + 1:02}/{door + 1:02}"


def _letters(number: int) -> str:
    prefix = _letters(number // 26 - 1) if number >= 26 else ""
    return prefix + chr(ord("A") + number % 26)


def settle(estate: str, units: int, *, go_live: int, until: int, seed: int) -> Iterator[Home]:
    """The households of an estate. Every estate has families that have left, however small it is."""
    names = [address(estate, number) for number in range(units)]
    chance = random.Random(f"{seed}|habits|{estate}")
    habits = chance.choices(HABITS, [habit.share for habit in HABITS], k=units)
    certain = [habit for habit in HABITS if habit.event in (Event.SUBLET_FIRST, Event.SUBLET_LATER)]
    for place, habit in zip(chance.sample(range(units), len(certain)), certain, strict=True):
        habits[place] = habit
    for unit, habit in zip(names, habits, strict=True):
        yield _home(estate, _Draft(unit, habit, random.Random(f"{seed}|home|{unit}"), go_live, until))


def _home(estate: str, draft: _Draft) -> Home:
    draft.begins = draft.go_live - LONG_AGO
    draft.tenancies = [Tenancy(draft.begins)]
    draft.cards = draft.deal(draft.habit.cards, draft.begins)
    _happen(draft)
    away = _away(draft)
    event = draft.habit.event
    return Home(
        unit=draft.unit,
        estate=estate,
        habit=draft.habit,
        tenancies=tuple(draft.tenancies),
        cards=tuple(draft.cards),
        leave=tuple(_told(draft, away)),
        away=tuple(away),
        sublet_from=_left(draft, event),
        is_courier=event is Event.SUBLET_COURIER,
    )


def _left(draft: _Draft, event: Event) -> int | None:
    match event:
        case Event.SUBLET_FIRST | Event.SUBLET_COURIER:
            return draft.begins
        case Event.SUBLET_LATER:
            return draft.day(0.1, 0.6)
        case _:
            return None


def _happen(draft: _Draft) -> None:
    match draft.habit.event:
        case Event.CARD_LOST | Event.CARD_REPLACED:
            _replace_card(draft, is_lost=draft.habit.event is Event.CARD_LOST)
        case Event.REGISTERED_LATE:
            known = midnight(draft.day(0.1, 0.4)) + 10 * HOUR
            draft.cards = [replace(card, known_ms=known) for card in draft.cards]
        case Event.NEVER_REGISTERED:
            draft.cards = []
        case Event.NEW_TENANT:
            first = draft.day(0.1, 0.5)
            draft.tenancies = [Tenancy(first)]
            draft.cards = [replace(card, first=first, known_ms=midnight(first) + 9 * HOUR) for card in draft.cards]
        case Event.MOVED_OUT:
            _move_out(draft)
        case Event.HOLDER_GONE:
            _lose_holder(draft)
        case _:
            pass


def _replace_card(draft: _Draft, *, is_lost: bool) -> None:
    """A lost card is missed for up to two weeks; a replaced one is handed over the counter."""
    last, old = draft.day(), draft.cards[0]
    again = last + (draft.chance.randint(7, 14) if is_lost else 1)
    draft.cards[0] = replace(old, last=last, ended_because="lost" if is_lost else "replaced")
    draft.cards += draft.deal(1, again, known_ms=midnight(again) + 9 * HOUR + draft.chance.randint(0, 5) * HOUR)


def _move_out(draft: _Draft) -> None:
    end = draft.day(0.2, 0.6)
    again = end + draft.chance.randint(10, 45)
    draft.tenancies = [Tenancy(draft.begins, end), Tenancy(again)]
    draft.cards = [replace(card, last=end - 1, ended_because="tenancy") for card in draft.cards]
    draft.cards += draft.deal(1, again, known_ms=midnight(again) + 11 * HOUR)


def _lose_holder(draft: _Draft) -> None:
    """The holder's card ends; until another is made the holder, nobody of the household is obliged."""
    last = draft.day(0.2, 0.6)
    again = last + draft.chance.randint(40, 70)
    draft.cards[0] = replace(draft.cards[0], last=last, ended_because="replaced")
    member = draft.cards[1]
    draft.cards[1] = replace(member, last=again - 1, ended_because="replaced")
    draft.cards.append(
        Card(member.card, "holder", True, again, known_ms=midnight(again) + 9 * HOUR)
    )  # fmt: skip


def _away(draft: _Draft) -> list[tuple[int, int]]:
    habit, chance = draft.habit, draft.chance
    if habit.away is Away.NO:
        return []
    first = draft.day(0.1, 0.6)
    return [(first, first + chance.randint(*habit.away_days) - 1)]


def _told(draft: _Draft, away: list[tuple[int, int]]) -> Iterator[Leave]:
    for first, last in away:
        match draft.habit.away:
            case Away.TOLD:
                yield Leave(first, last, midnight(first) - draft.chance.randint(1, 20) * DAY)
            case Away.TOLD_LATE:
                yield Leave(first, last, midnight(first) + draft.chance.randint(15, 70) * DAY + 10 * HOUR)
            case _:
                pass
