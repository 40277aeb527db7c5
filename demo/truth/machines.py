"""The lives of machines: where they stand, and when power, network, reader, clock or disk fails them. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from demo.truth.days import ALWAYS, DAY, HOUR, MINUTE, OFFICE, Span, day_of, midnight, overlap, weekday, without

ON_SITE: Final = 3
"""Days a machine stands before its estate goes live."""
HIDDEN: Final = 6 * DAY
"""For how long a machine that was swapped had not reached the cloud."""


class Fault(StrEnum):
    """What can fail."""

    POWER = "power"
    NETWORK = "network"
    READER = "reader"
    CLOCK = "clock"


class Misfortune(StrEnum):
    """What befalls a machine once, beside the daily cuts."""

    BACKLOG_9_DAYS = "backlog of 9 days"
    BACKLOG_30_DAYS = "backlog of 30 days"
    DEAD_10_DAYS = "dead for 10 days"
    READER_WEEK = "reader broken for a week"
    CLOCK_WEEK = "clock wrong for a week"
    DISK_TORN = "disk torn, records dropped"
    DISK_DEAD = "disk dead, days declared lost"
    SWAPPED_FOUND = "swapped, found in a drawer"
    SWAPPED_LOST = "swapped, never found"
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Cut:
    """A time in which something of a machine did not work."""

    fault: Fault
    begin: int
    end: int
    is_routine: bool = False
    """Switched off every night by the clerk: no outage."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The outbox ends at `at`; what had not been sent since the network went is gone, all or the last half."""

    at: int
    is_told: bool
    """The machine tells by events what it lost; else an official declares the days lost at `declared`."""
    declared: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """One machine from its installation to its removal."""

    name: str
    estate: str
    installed: int
    removed: int | None
    hours: str
    cuts: tuple[Cut, ...] = ()
    loss: Loss | None = None
    found: int | None = None
    """When it was found in a drawer and switched on again, after its removal."""
    declared: int | None = None
    """When what it still held at its removal was declared lost."""
    misfortune: Misfortune = Misfortune.NONE

    def stands(self, ms: int) -> bool:
        """Whether it is installed at an instant."""
        return self.installed <= ms and (self.removed is None or ms < self.removed)

    def spans(self, *faults: Fault) -> list[Span]:
        """When any of *faults* was."""
        return sorted((cut.begin, cut.end) for cut in self.cuts if cut.fault in faults)

    def takes(self, ms: int) -> bool:
        """Whether a card laid on it at an instant is read."""
        return self.stands(ms) and not any(
            cut.begin <= ms < cut.end and cut.fault in (Fault.POWER, Fault.READER) for cut in self.cuts
        )

    def lost(self) -> Span | None:
        """When the records were made that nobody will ever read."""
        if self.loss is not None:
            at = self.loss.at
            begin = next(cut.begin for cut in self.cuts if cut.fault is Fault.NETWORK and cut.begin <= at < cut.end)
            return (begin + at) // 2 if self.loss.is_told else begin, at
        if self.declared is not None and self.removed is not None:
            return self.removed - HIDDEN, self.removed
        return None

    def powered(self, until: int) -> list[Span]:
        """When it runs."""
        spans = [(self.installed, min(until, self.removed) if self.removed is not None else until)]
        running = without(spans, self.spans(Fault.POWER))
        return running + ([(self.found, self.found + 2 * HOUR)] if self.found is not None else [])

    def online(self, until: int) -> list[Span]:
        """When it reaches the cloud."""
        return without(self.powered(until), self.spans(Fault.NETWORK))

    def untroubled(self) -> "Device":
        """The same machine had nothing failed but the clerk's routine."""
        return replace(
            self, cuts=tuple(cut for cut in self.cuts if cut.is_routine), loss=None, found=None, declared=None
        )


@dataclass(frozen=True, slots=True)
class Post:
    """A place in an estate where a machine stands, one after the other."""

    estate: str
    hours: str
    devices: tuple[Device, ...]

    def at(self, ms: int) -> Device | None:
        """The machine there at an instant."""
        return next((device for device in self.devices if device.stands(ms)), None)


@dataclass(slots=True)
class Fleet:
    """Names that are free, by estate."""

    taken: dict[str, int] = field(default_factory=dict)

    def name(self, estate: str) -> str:
        """The next machine's name."""
        self.taken[estate] = self.taken.get(estate, 0) + 1
        return f"{estate}-{self.taken[estate]:02}"


def post(fleet: Fleet, estate: str, *, number: int, go_live: int) -> Post:
    """The first place of an estate is its office; the others are lobbies, open day and night."""
    hours = ALWAYS if number else OFFICE
    begin = midnight(go_live - ON_SITE) + 10 * HOUR
    return Post(estate, hours, (Device(fleet.name(estate), estate, begin, None, hours),))


def befall(place: Post, misfortune: Misfortune, fleet: Fleet, *, until: int, chance: random.Random) -> Post:
    """What happens at a post until a day: the daily cuts, and one *misfortune*."""
    device = place.devices[0]
    first = day_of(device.installed) + ON_SITE
    at = midnight(first + int(chance.uniform(0.15, 0.7) * (until - first))) + chance.randint(6, 20) * HOUR
    lives = _swapped(device, at, misfortune, fleet, chance)
    ends = [life.removed if life.removed is not None else midnight(until) for life in lives]
    cuts = [_daily(life, end, chance) for life, end in zip(lives, ends, strict=True)]
    special = _special(misfortune, at, chance)
    troubled = [
        replace(life, cuts=tuple(daily), misfortune=misfortune) for life, daily in zip(lives, cuts, strict=True)
    ]
    struck = troubled[0]
    loss = _loss(misfortune, special, chance)
    troubled[0] = replace(struck, cuts=tuple(_clear(struck.cuts, special)) + tuple(special), loss=loss)
    return replace(place, devices=tuple(troubled))


def _swapped(device: Device, at: int, misfortune: Misfortune, fleet: Fleet, chance: random.Random) -> list[Device]:
    if misfortune not in (Misfortune.SWAPPED_FOUND, Misfortune.SWAPPED_LOST):
        return [device]
    removed = midnight(day_of(at)) + 11 * HOUR
    later = removed + chance.randint(20, 45) * DAY
    is_found = misfortune is Misfortune.SWAPPED_FOUND
    old = replace(device, removed=removed, found=later if is_found else None, declared=None if is_found else later)
    installed = removed + chance.choice((2 * HOUR, DAY, 3 * DAY))
    return [old, Device(fleet.name(device.estate), device.estate, installed, None, device.hours)]


def _special(misfortune: Misfortune, at: int, chance: random.Random) -> list[Cut]:
    def cut(fault: Fault, days: float) -> Cut:
        return Cut(fault, at, at + int(days * DAY) + chance.randint(0, 5) * HOUR)

    match misfortune:
        case Misfortune.BACKLOG_9_DAYS:
            return [cut(Fault.NETWORK, 9)]
        case Misfortune.BACKLOG_30_DAYS:
            return [cut(Fault.NETWORK, 30)]
        case Misfortune.DEAD_10_DAYS:
            return [cut(Fault.POWER, 10)]
        case Misfortune.READER_WEEK:
            return [cut(Fault.READER, 7)]
        case Misfortune.CLOCK_WEEK:
            reboot = Cut(Fault.POWER, at, at + 40 * MINUTE)
            return [reboot, *(replace(cut(fault, 6), begin=reboot.end) for fault in (Fault.CLOCK, Fault.NETWORK))]
        case Misfortune.DISK_TORN | Misfortune.DISK_DEAD:
            return [cut(Fault.NETWORK, 4)]
        case Misfortune.SWAPPED_FOUND | Misfortune.SWAPPED_LOST:
            removed = midnight(day_of(at)) + 11 * HOUR
            return [Cut(Fault.NETWORK, removed - HIDDEN, removed)]
        case _:
            return []


def _loss(misfortune: Misfortune, special: Sequence[Cut], chance: random.Random) -> Loss | None:
    if misfortune not in (Misfortune.DISK_TORN, Misfortune.DISK_DEAD):
        return None
    at = special[0].end - HOUR
    return Loss(at, misfortune is Misfortune.DISK_TORN, at + chance.randint(3, 20) * DAY)


def _clear(daily: Sequence[Cut], special: Sequence[Cut]) -> Iterator[Cut]:
    """The daily cuts that do not touch what befalls the machine, so that each is seen by itself."""
    for cut in daily:
        if cut.is_routine or not any(
            overlap((cut.begin, cut.end), (each.begin - HOUR, each.end + HOUR)) for each in special
        ):
            yield cut


def _daily(device: Device, end: int, chance: random.Random) -> list[Cut]:
    """0.025 power cuts a day of 1.4 h, as many of the network that are longer, seldom a reader that hangs."""
    days = max(0, (end - device.installed) // DAY)
    cuts = [_cut(Fault.POWER, device, end, chance, 1.4) for _ in range(_how_many(0.025 * days, chance))]
    cuts += [_cut(Fault.NETWORK, device, end, chance, 9.0) for _ in range(_how_many(0.03 * days, chance))]
    cuts += [_cut(Fault.READER, device, end, chance, 30.0) for _ in range(_how_many(0.006 * days, chance))]
    cuts += [
        clock
        for cut in cuts
        if cut.fault is Fault.POWER and chance.random() < 0.3
        for clock in _no_time(cut, end, chance)
    ]
    if device.hours and chance.random() < 0.4:
        cuts += _nights(device, end)
    return [cut for cut in cuts if cut.begin < cut.end]


def _how_many(expected: float, chance: random.Random) -> int:
    return int(expected) + (chance.random() < expected % 1)


def _cut(fault: Fault, device: Device, end: int, chance: random.Random, hours: float) -> Cut:
    begin = chance.randint(device.installed + HOUR, max(device.installed + HOUR, end - HOUR))
    return Cut(fault, begin, min(end, begin + int(chance.expovariate(1 / hours) * HOUR) + 5 * MINUTE))


def _no_time(power: Cut, end: int, chance: random.Random) -> Iterator[Cut]:
    """The power came back before the network: for some hours nobody tells the machine the time."""
    last = min(end, power.end + chance.randint(1, 12) * HOUR)
    yield Cut(Fault.NETWORK, power.end, last)
    yield Cut(Fault.CLOCK, power.end, last)


def _nights(device: Device, end: int) -> Iterator[Cut]:
    """A clerk who switches off when leaving and on when coming."""
    for day in range(day_of(device.installed), day_of(end) + 1):
        leaves = midnight(day) + (13 if weekday(day) == 5 else 17) * HOUR
        comes = midnight(day + (2 if weekday(day) == 5 else 1)) + 7 * HOUR + 40 * MINUTE
        if weekday(day) != 6 and leaves > device.installed:
            yield Cut(Fault.POWER, min(leaves, end), min(comes, end), is_routine=True)
