"""The city: estates with their homes and posts, the calendar, and every tap that was made or prevented."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from demo.city import Site, estimated_units, spread
from demo.truth import days, homes, machines, visits
from demo.truth.days import DAY, HOUR, midnight
from demo.truth.homes import Home
from demo.truth.machines import Device, Fleet, Misfortune, Post
from demo.truth.visits import Prevented, Tap

START: Final = days.number(date(2026, 1, 1))


@dataclass(frozen=True, slots=True)
class Size:
    """How large a city: the first *estates* of the list; *units* a piece (0 = as many as they have)."""

    estates: int = 3
    units: int = 40
    days: int = 180
    heartbeat_min: int = 30


WHOLE: Final = Size(estates=23, units=0)


@dataclass(frozen=True, slots=True)
class Row:
    """A calendar row; `scope` is an estate or `*`, `last` included."""

    scope: str
    first: int
    last: int
    kind: str
    reason: str
    known_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Estate:
    """A rusun of the city."""

    code: str
    name: str
    lat: float
    lon: float
    go_live: int


@dataclass(frozen=True, slots=True)
class City:
    """Everything that is so, whether anybody knows it or not."""

    seed: int
    size: Size
    first: int
    until: int
    estates: tuple[Estate, ...]
    homes: tuple[Home, ...]
    posts: tuple[Post, ...]
    calendar: tuple[Row, ...]
    taps: tuple[Tap, ...] = ()
    prevented: tuple[Prevented, ...] = ()

    @property
    def devices(self) -> list[Device]:
        """Every machine there ever was."""
        return [device for post in self.posts for device in post.devices]


def build(sites: Sequence[Site], size: Size, *, seed: int) -> City:
    """The city of a seed."""
    chance = random.Random(f"{seed}|city")
    until = START + size.days
    estates = tuple(_estate(site, place, size, chance) for place, site in enumerate(sites[: size.estates]))
    posts = tuple(_posts(sites, estates, size, seed))
    units = estimated_units(sites)
    households = tuple(
        home
        for estate in estates
        for home in homes.settle(
            estate.code, size.units or units[estate.code], go_live=estate.go_live, until=until, seed=seed
        )
    )
    calendar = tuple(_calendar(estates, until, chance))
    city = City(seed, size, START, until, estates, households, posts, calendar)
    return visits.visited(city)


def _estate(site: Site, place: int, size: Size, chance: random.Random) -> Estate:
    """Some are live from the first day, some within two weeks; the third one comes a month later."""
    after = 30 if place == 2 else chance.choice((0, 0, 4, 9, 13))
    return Estate(site.code, site.name, site.lat, site.lon, START + min(after, size.days // 4))


def _posts(sites: Sequence[Site], estates: Sequence[Estate], size: Size, seed: int) -> Iterator[Post]:
    """As many machines as the real city has, or in a small one two at every other estate."""
    fleet, until = Fleet(), START + size.days
    counts = spread(estimated_units(sites), 32) if not size.units else {}
    chance = random.Random(f"{seed}|posts")
    fates = _fates(chance)
    for place, estate in enumerate(estates):
        for number in range(counts.get(estate.code, 1 + place % 2)):
            new = machines.post(fleet, estate.code, number=number, go_live=estate.go_live)
            yield machines.befall(new, next(fates), fleet, until=until, chance=chance)


def _fates(chance: random.Random) -> Iterator[Misfortune]:
    """Each misfortune once before any comes again."""
    while True:
        yield from chance.sample(list(Misfortune), len(Misfortune))


def _calendar(estates: Sequence[Estate], until: int, chance: random.Random) -> Iterator[Row]:
    for day in days.HOLIDAYS:
        yield Row("*", day, day, "holiday", "hari libur nasional")
    yield Row("*", *days.LEBARAN, "lebaran", "Idulfitri 1447 H")
    yield Row("*", *days.LEBARAN_MOVED, "lebaran", "cuti bersama digeser", days.LEBARAN_MOVED_ON)
    flooded, locked = chance.choice(estates).code, chance.choice(estates).code
    first = START + int(chance.uniform(0.2, 0.6) * (until - START))
    yield Row(flooded, first, first + 7, "flood", "banjir", midnight(first + 3) + 10 * HOUR)
    first = START + int(chance.uniform(0.2, 0.8) * (until - START))
    yield Row(locked, first, first + 5, "closure", "kantor terkunci", midnight(first) + 9 * DAY)
