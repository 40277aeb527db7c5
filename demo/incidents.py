"""What goes wrong during the show: one machine loses its network for a while, one starts without knowing the year.

Times here are real seconds, for whoever watches; what happens is done to cables and clocks, never to a program.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contract.topics import DeviceId
from demo.clocks import Clocks
from demo.network import Cable
from demo.residents import Plan

Tell = Callable[[str, bool], None]
"""Put a line on the screen; true = it is trouble."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The two machines that have a cable of their own."""

    cut_off: DeviceId
    forgetful: DeviceId


@dataclass(frozen=True, slots=True)
class Times:
    """When, in real seconds after the screen opened."""

    cut_s: float
    mend_s: float
    found_s: float
    again_s: float
    """From one cut to the next, in a long run."""


LONG_RUN: Final = Times(cut_s=14, mend_s=30, found_s=12, again_s=120)


def times(for_s: float | None) -> Times:
    """Everything happens early enough to be over before a short run ends."""
    if for_s is None or for_s >= 2 * LONG_RUN.mend_s:
        return LONG_RUN
    share = for_s / (2 * LONG_RUN.mend_s)
    return Times(LONG_RUN.cut_s * share, LONG_RUN.mend_s * share, LONG_RUN.found_s * share, LONG_RUN.again_s)


def cast(plan: Plan, machines: Sequence[DeviceId], *, opening: datetime, when: Times, speed: float) -> Cast:
    """For each trouble the machine that is busiest meanwhile: something must happen at it."""

    def busiest(among: Sequence[DeviceId], begin_s: float, end_s: float) -> DeviceId:
        begin, end = (opening + timedelta(seconds=seconds * speed) for seconds in (begin_s, end_s))
        counts = Counter(tap.machine for tap in plan.between(begin, end))
        return max(among, key=lambda machine: counts[machine])

    cut_off = busiest(machines, when.cut_s, when.mend_s)
    return Cast(cut_off, busiest([machine for machine in machines if machine != cut_off], 0, when.found_s))


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


async def find_time(machine: DeviceId, cable: Cable, clocks: Clocks, *, when: Times, tell: Tell) -> None:
    """The machine that woke up in 1970 has no network at first; then it asks the cloud; later NTP sets its clock."""
    tell(f"Mesin {machine} menyala tanpa jaringan; jamnya menunjukkan 1 Januari 1970", True)
    await asyncio.sleep(when.found_s)
    await cable.mend()
    tell(f"Mesin {machine}: jaringan tersambung, jam yang benar dimintakan ke pusat", False)
    await asyncio.sleep(when.mend_s - when.found_s)
    clocks.find(machine)
    tell(f"Mesin {machine}: jamnya sudah disetel oleh NTP", False)
