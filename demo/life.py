"""Residents at the machines: planned taps are laid on the readers, and what the machines say goes into the ledger."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from contract.topics import DeviceId
from demo import ledger as ledgers
from demo import past
from demo.backlog import KeptTap
from demo.city import City
from demo.fleet import Machine, Said
from demo.ledger import Ledger, Made
from demo.residents import PlannedTap
from edge.clock.simulated import SimulatedClock
from edge.readers.simulated import NotAnswered, NotTaken
from edge.signals import Signal

PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class OnReader:
    """A card on a reader: what it will be known by, since when, and whether the machine has spoken."""

    pseudonym: str = field(repr=False)
    laid_ms: int
    answered: asyncio.Event


class Residents:
    """Everybody of the city, until they are sent home. One card at a time lies on each reader."""

    def __init__(
        self,
        city: City,
        clock: SimulatedClock,
        ledger: Ledger,
        *,
        pseudonym: Callable[[bytes], str],
        told: Callable[[DeviceId, Said], None],
    ) -> None:
        self._city = city
        self._clock = clock
        self._ledger = ledger
        self._pseudonym = pseudonym
        self._told = told
        self._on_reader: dict[DeviceId, OnReader] = {}
        self._is_over = asyncio.Event()
        self.late_s: list[float] = []
        """Per tap, how many real seconds after its time the card was laid."""

    def go_home(self) -> None:
        """No further card is laid."""
        self._is_over.set()

    def remember(self, machine: DeviceId, taps: Iterable[KeptTap]) -> None:
        """Taps that *machine* kept before the show: it had said TERSIMPAN."""
        for tap in taps:
            made = Made(self._pseudonym(tap.uid), tap.at_ms, tap.at_ms, time.monotonic(), is_online=False)
            self._ledger.keep((machine, tap.seq), made)

    def hear(self, machine: Machine, said: Said) -> None:
        """A machine said something."""
        device = machine.device
        if said.signal in ledgers.LIT and said.seq is not None:
            self._ledger.light((device, said.seq), said.real_s)
        elif said.signal in ledgers.KEPT or said.signal in ledgers.TURNED_AWAY:
            self._answered(device, said)
        self._told(device, said)

    def _answered(self, device: DeviceId, said: Said) -> None:
        card = self._on_reader.pop(device, None)
        if card is None:
            return  # its resident gave up waiting, and is counted as unanswered
        card.answered.set()
        if said.signal in ledgers.KEPT and said.seq is not None:
            is_online = said.signal is Signal.STORED
            tap = Made(card.pseudonym, card.laid_ms, self._clock.wall_ms(), said.real_s, is_online=is_online)
            self._ledger.keep((device, said.seq), tap)
        else:
            self._ledger.turned_away[said.signal.value] += 1

    async def visit(self, machine: Machine, taps: Iterable[PlannedTap]) -> None:
        """Come to *machine* for each of *taps* (in order) that still lies ahead, until everybody is sent home."""
        opening_ms = self._clock.wall_ms()
        for tap in taps:
            at_ms = past.milliseconds(tap.at)
            if at_ms >= opening_ms and await self._is_time(at_ms):
                await self._tap(machine, tap)

    async def _is_time(self, at_ms: int) -> bool:
        """Wait for that time; False when everybody is sent home before."""
        left_s = self._clock.real_seconds(max(0, at_ms - self._clock.wall_ms()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._is_over.wait()
        return not self._is_over.is_set()

    async def _tap(self, machine: Machine, tap: PlannedTap) -> None:
        laid_ms, uid = self._clock.wall_ms(), self._city.flats[tap.flat].uid
        self.late_s.append(self._clock.real_seconds(laid_ms - past.milliseconds(tap.at)))
        card = self._on_reader[machine.device] = OnReader(self._pseudonym(uid), laid_ms, asyncio.Event())
        try:
            await machine.lay(uid)
            async with asyncio.timeout(PATIENCE_S):
                await card.answered.wait()
        except NotTaken:
            self._ledger.turned_away["not_taken"] += 1
        except (NotAnswered, TimeoutError):
            self._ledger.unanswered += 1
        finally:
            self._on_reader.pop(machine.device, None)
