"""The small Jakarta: 23 estates, 32 machines, and flats with a card each. Pure: the same seed builds the same city.

Names, places and unit counts come from data/rusun.csv. ASSUMED, because no source says it: which estate has how many
machines (`spread`), how many units the nine estates without a count have, the service hours, who is registered.
"""

import csv
import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contract.topics import DeviceId

MACHINES: Final = 32
UNITS: Final = 13_731
REGISTERED: Final = 0.689
SUBLET: Final = 0.02
"""Of the registered flats: the lease holder lives elsewhere and nobody ever taps."""
SERVICE_HOURS: Final = "Mon-Fri 08:00-16:00; Sat 08:00-12:00"
_UNITS_A_FLOOR: Final = 20
_FLOORS: Final = 5


@dataclass(frozen=True, slots=True)
class Estate:
    """One rusun."""

    code: str
    name: str
    lat: float
    lon: float
    units: int
    machines: tuple[DeviceId, ...]


@dataclass(frozen=True, slots=True)
class Flat:
    """One dwelling unit and the card of its lease holder."""

    unit: str
    estate: str
    machine: DeviceId
    uid: bytes = field(repr=False)
    is_registered: bool
    is_sublet: bool


@dataclass(frozen=True, slots=True)
class City:
    """Who lives where, and where the machines stand."""

    estates: tuple[Estate, ...]
    flats: tuple[Flat, ...]

    @property
    def machines(self) -> tuple[DeviceId, ...]:
        """Every machine, estate by estate."""
        return tuple(machine for estate in self.estates for machine in estate.machines)

    def estate_of(self, machine: DeviceId) -> Estate:
        """Where *machine* stands."""
        return next(estate for estate in self.estates if machine in estate.machines)


@dataclass(frozen=True, slots=True)
class Site:
    """A row of data/rusun.csv; `units` is None where no source gives it."""

    code: str
    name: str
    lat: float
    lon: float
    units: int | None


def read_sites(text: str) -> tuple[Site, ...]:
    """The estates of rusun.csv, in its order."""
    return tuple(_site(row) for row in csv.DictReader(text.splitlines()))


def _site(row: Mapping[str, str]) -> Site:
    units = int(row["units"]) if row["units"] else None
    return Site(row["code"], row["name"], float(row["lat"]), float(row["lon"]), units)


def build(sites: Sequence[Site], *, seed: int, share: float = 1.0, machines: int = MACHINES) -> City:
    """The city with *share* of its flats; with fewer *machines* than estates, only the largest estates have one."""
    units = estimated_units(sites)
    counts = spread(units, machines)
    estates = tuple(
        Estate(site.code, site.name, site.lat, site.lon, max(1, round(units[site.code] * share)), _ids(site, counts))
        for site in sites
        if counts[site.code]
    )
    return City(estates, tuple(flat for estate in estates for flat in _flats(estate, seed)))


def estimated_units(sites: Sequence[Site]) -> dict[str, int]:
    """Units per estate; what is missing to the city's known total is dealt evenly to the estates without a count."""
    known = {site.code: site.units for site in sites if site.units is not None}
    unknown = [site.code for site in sites if site.units is None]
    if not unknown:
        return known
    each, left = divmod(max(0, UNITS - sum(known.values())), len(unknown))
    dealt = {code: each + (place < left) for place, code in enumerate(unknown)}
    return {site.code: known.get(site.code, dealt.get(site.code, 0)) for site in sites}


def spread(units: dict[str, int], machines: int) -> dict[str, int]:
    """How many machines each estate gets: one each as far as they go, then one more where most units share one."""
    largest = sorted(units, key=lambda code: (-units[code], code))
    counts = {code: int(place < machines) for place, code in enumerate(largest)}
    for _ in range(machines - len(largest)):
        crowded = max(largest, key=lambda code: units[code] / (counts[code] + 1))
        counts[crowded] += 1
    return counts


def _ids(site: Site, counts: dict[str, int]) -> tuple[DeviceId, ...]:
    return tuple(DeviceId(f"{site.code}-{number:02}") for number in range(1, counts[site.code] + 1))


def _flats(estate: Estate, seed: int) -> list[Flat]:
    return [_flat(estate, number, seed) for number in range(estate.units)]


def _flat(estate: Estate, number: int, seed: int) -> Flat:
    unit = _address(estate.code, number)
    chance = random.Random(f"{seed}|flat|{unit}")
    is_registered = chance.random() < REGISTERED
    return Flat(
        unit=unit,
        estate=estate.code,
        machine=estate.machines[number % len(estate.machines)],
        uid=_uid(unit, seed),
        is_registered=is_registered,
        is_sublet=is_registered and chance.random() < SUBLET,
    )


def _address(code: str, number: int) -> str:
    """Estate, block, floor, door: five floors of twenty doors in a block."""
    floors, door = divmod(number, _UNITS_A_FLOOR)
    block, floor = divmod(floors, _FLOORS)
    return f"{code}/{_letters(block)}/{floor + 1:02}/{door + 1:02}"


def _letters(number: int) -> str:
    prefix = _letters(number // 26 - 1) if number >= 26 else ""
    return prefix + chr(ord("A") + number % 26)


def _uid(unit: str, seed: int) -> bytes:
    """A 7-byte number as cards of this kind have; invented, so no real card is meant."""
    return b"\x04" + hashlib.blake2b(f"{seed}|card|{unit}".encode(), digest_size=6).digest()
