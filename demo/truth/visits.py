"""Who comes to a machine and when; which taps were made, and which a machine, a door or a flood prevented. Pure."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from demo.truth import days
from demo.truth.days import HOUR, MINUTE, Span, midnight
from demo.truth.habits import Hour
from demo.truth.homes import Home
from demo.truth.machines import Device, Fault, Post

if TYPE_CHECKING:
    from demo.truth.city import City

PERIOD: Final = 14
_MUDIK: Final = 12
"""Days before and after the middle of Lebaran on which those who went home are away."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A card was read. `at` is the true instant, `recorded` what the machine's clock said."""

    device: str
    unit: str
    card: str
    at: int
    recorded: int
    uncertainty_s: int = 0
    is_lost: bool = False
    """The machine's disk lost it before it was sent."""


@dataclass(frozen=True, slots=True)
class Prevented:
    """Somebody stood before a machine that could not take the card."""

    device: str
    unit: str
    at: int
    because: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What a visit needs to know of the city."""

    posts: Mapping[str, tuple[Post, ...]]
    closed: Mapping[str, tuple[tuple[int, int], ...]]
    """By estate: first and last day on which its doors were shut, whatever the calendar knew then."""
    elsewhere: tuple[str, ...]
    go_live: Mapping[str, int]
    until: int
    seed: int


def visited(city: City) -> City:
    """The same city with all its taps, in order."""
    ground = _ground(city)
    found = [each for home in city.homes for each in _life(home, ground)]
    found += _test_cards(city)
    by_device = {device.name: device for device in city.devices}
    taps = [_dated(each, by_device[each.device]) for each in found if isinstance(each, Tap)]
    prevented = [each for each in found if isinstance(each, Prevented)]
    return replace(
        city,
        taps=tuple(sorted(taps, key=lambda tap: (tap.at, tap.device, tap.card))),
        prevented=tuple(sorted(prevented, key=lambda each: (each.at, each.unit))),
    )


def _ground(city: City) -> Ground:
    posts: dict[str, tuple[Post, ...]] = defaultdict(tuple)
    for post in city.posts:
        posts[post.estate] += (post,)
    closed: dict[str, tuple[tuple[int, int], ...]] = defaultdict(tuple)
    for row in city.calendar:
        if row.kind in ("flood", "closure"):
            closed[row.scope] += ((row.first, row.last),)
    codes = tuple(estate.code for estate in city.estates)
    go_live = {estate.code: estate.go_live for estate in city.estates}
    return Ground(posts, closed, codes, go_live, city.until, city.seed)


def _life(home: Home, ground: Ground) -> Iterator[Tap | Prevented]:
    """Period by period, whoever of the household thinks of it comes once, or until the card is read."""
    if not home.cards:
        return
    first = ground.go_live[home.estate]
    for number in range((ground.until - first) // PERIOD + 1):
        chance = random.Random(f"{ground.seed}|{home.unit}|{number}")
        if chance.random() < home.habit.comes:
            yield from _period(home, first + number * PERIOD, ground, chance)


def _period(home: Home, first: int, ground: Ground, chance: random.Random) -> Iterator[Tap | Prevented]:
    place = home.estate
    if chance.random() < home.habit.elsewhere and len(ground.elsewhere) > 1:
        place = chance.choice([code for code in ground.elsewhere if code != home.estate])
    day = first + chance.randrange(PERIOD)
    for _ in range(home.habit.tries):
        come = _when(home, place, day, ground, chance)
        if come is None:
            return
        device, at = come
        day = days.day_of(at) + chance.randint(1, 3)
        because = _prevents(device, at, place, ground)
        if because is None:
            yield from _lay_on(home, device, at, chance)
            return
        yield Prevented(device.name, home.unit, at, because)


def _when(home: Home, place: str, day: int, ground: Ground, chance: random.Random) -> tuple[Device, int] | None:
    """The first moment from *day* on that suits the household and the office's hours on the door."""
    posts = ground.posts[place]
    is_night = home.habit.hour is Hour.NIGHT and len(posts) > 1
    post = posts[1] if is_night else posts[random.Random(home.unit).randrange(len(posts))]
    for later in range(day, day + 7):
        hours = _night(later) if is_night else days.opening(later)
        if hours is None or later >= ground.until or later < ground.go_live[place] or not _is_here(home, later):
            continue
        at = _moment(home, hours, chance)
        device = post.at(at)
        if device is not None:
            return device, at
    return None


def _night(day: int) -> Span:
    return midnight(day) + 19 * HOUR, midnight(day + 1) - 1


def _moment(home: Home, hours: Span, chance: random.Random) -> int:
    begin, end = hours
    if home.habit.hour is Hour.PRAYER:
        noon = begin + 4 * HOUR + 15 * MINUTE + int(chance.gauss(0, 6) * MINUTE)
        if begin <= noon < end:
            return noon
    return chance.randrange(begin, end)


def _is_here(home: Home, day: int) -> bool:
    if any(first <= day <= last for first, last in home.away):
        return False
    if home.sublet_from is not None and day >= home.sublet_from and not home.is_courier:
        return False
    middle = (days.LEBARAN[0] + days.LEBARAN_MOVED[1]) // 2
    return not (home.habit.is_mudik and abs(day - middle) <= _MUDIK + 8)


def _prevents(device: Device, at: int, place: str, ground: Ground) -> str | None:
    if any(first <= days.day_of(at) <= last for first, last in ground.closed[place]):
        return "closed"
    return None if device.takes(at) else "machine"


def _lay_on(home: Home, device: Device, at: int, chance: random.Random) -> Iterator[Tap]:
    held = [card for card in home.cards if card.is_held(days.day_of(at))]
    if home.habit.who == "member":
        held = [card for card in held if not card.is_obliged]
    if held and home.habit.who != "all":
        held = [chance.choice(held)]
    for place, card in enumerate(held):
        yield Tap(device.name, home.unit, card.card, at + place * 9000, at + place * 9000)


def _test_cards(city: City) -> Iterator[Tap]:
    """A technician tries each machine when it is mounted."""
    for device in city.devices:
        at = device.installed + 20 * MINUTE
        if device.takes(at):
            yield Tap(device.name, "", f"test {device.estate}", at, at)


def _dated(tap: Tap, device: Device) -> Tap:
    """What the machine's clock made of the instant, and whether its disk kept the tap."""
    lost = device.lost()
    tap = replace(tap, is_lost=lost is not None and lost[0] <= tap.at < lost[1])
    wrong = next(((begin, end) for begin, end in device.spans(Fault.CLOCK) if begin <= tap.at < end), None)
    if wrong is None:
        return tap
    half = (wrong[1] - wrong[0]) // 2
    recorded = tap.at + random.Random(f"{tap.card}|{tap.at}").randint(-half, half)
    recorded = min(max(recorded, device.installed), wrong[1] - 1)
    return replace(tap, recorded=recorded, uncertainty_s=half // 1000 + 1)
