"""What goes wrong during the show: one machine loses its network for a while, one starts without knowing the year, one
has been without a network for days and brings what it kept.

Times here are real seconds, for whoever watches; what happens is done to cables and clocks, never to a program.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contract.topics import DeviceId
from demo.city import City, Estate
from demo.clocks import Clocks
from demo.network import Cable
from demo.residents import Plan

Tell = Callable[[str, bool], None]
"""Put a line on the screen; true = it is trouble."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The machines that have a cable of their own."""

    cut_off: DeviceId
    forgetful: DeviceId
    isolated: DeviceId
    """Has kept for days what nobody could fetch; a flat of its estate is sub-let."""


@dataclass(frozen=True, slots=True)
class Times:
    """When, in real seconds after the screen opened."""

    cut_s: float
    mend_s: float
    found_s: float
    back_s: float
    """When the isolated machine finds its network again."""
    again_s: float
    """From one cut to the next, in a long run."""


LONG_RUN: Final = Times(cut_s=12, mend_s=32, found_s=8, back_s=6, again_s=180)


def times(for_s: float | None) -> Times:
    """Everything happens early enough to be over before a short run ends."""
    if for_s is None or for_s >= 2 * LONG_RUN.mend_s:
        return LONG_RUN
    share = for_s / (2 * LONG_RUN.mend_s)
    long = LONG_RUN
    return Times(long.cut_s * share, long.mend_s * share, long.found_s * share, long.back_s * share, long.again_s)


def cast(plan: Plan, city: City, *, opening: datetime, when: Times, speed: float) -> Cast:
    """For each trouble the machine that is busiest meanwhile: something must happen at it."""

    def busiest(among: Sequence[DeviceId], begin_s: float, end_s: float) -> DeviceId:
        begin, end = (opening + timedelta(seconds=seconds * speed) for seconds in (begin_s, end_s))
        counts = Counter(tap.machine for tap in plan.between(begin, end))
        return max(among, key=lambda machine: counts[machine])

    isolated = _isolated(city)
    others = [machine for machine in city.machines if machine != isolated]
    cut_off = busiest(others, when.cut_s, when.mend_s)
    return Cast(cut_off, busiest([machine for machine in others if machine != cut_off], 0, when.found_s), isolated)


def _isolated(city: City) -> DeviceId:
    """A machine that is its estate's only one, where as few flats as possible, but one, are sub-let."""
    sublet = Counter(flat.estate for flat in city.flats if flat.is_sublet)

    def rank(estate: Estate) -> tuple[bool, int, int, str]:
        return not sublet[estate.code], len(estate.machines), sublet[estate.code], estate.code

    return min(city.estates, key=rank).machines[0]


async def lose_network(machine: DeviceId, cable: Cable, when: Times, tell: Tell) -> None:
    """Pull the cable, put it back, and again after a while."""
    await asyncio.sleep(when.cut_s)
    while True:
        cable.cut()
        tell(f"Mesin {machine}: kabel jaringan dicabut, tap tetap disimpan di mesin", True)
        await asyncio.sleep(when.mend_s - when.cut_s)
        await cable.mend()
        tell(f"Mesin {machine}: kabel jaringan dipasang lagi", False)
        await asyncio.sleep(when.again_s - when.mend_s + when.cut_s)


async def bring_backlog(machine: DeviceId, cable: Cable, when: Times, tell: Tell) -> None:
    """The machine nobody could reach for days is connected again."""
    tell(f"Mesin {machine} sudah berhari-hari tanpa jaringan; tap-nya tersimpan di mesin", True)
    await asyncio.sleep(when.back_s)
    await cable.mend()
    tell(f"Mesin {machine}: jaringan tersambung lagi, catatan berhari-hari dikirim", False)


async def find_time(machine: DeviceId, cable: Cable, clocks: Clocks, *, when: Times, tell: Tell) -> None:
    """The machine that woke up in 1970 has no network at first; then it asks the cloud; later NTP sets its clock."""
    tell(f"Mesin {machine} menyala tanpa jaringan; jamnya menunjukkan 1 Januari 1970", True)
    await asyncio.sleep(when.found_s)
    await cable.mend()
    tell(f"Mesin {machine}: jaringan tersambung, jam yang benar dimintakan ke pusat", False)
    await asyncio.sleep(when.found_s)
    clocks.find(machine)
    tell(f"Mesin {machine}: jamnya sudah disetel oleh NTP", False)
