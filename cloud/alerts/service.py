"""The worker: judges every minute, tells the history, and calls a dead man's switch after each full cycle.

Any number may run: the one with the lease judges, the others wait for it to run out. All of them send. A cycle that
fails is tried again; whatever it had written by then stands, and the next one finds out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cloud import days
from cloud.alerts import evaluating, points
from cloud.alerts.evaluating import Circumstances, Judge, Tell, TooBusy
from cloud.alerts.kinds import Kind
from cloud.alerts.points import Work
from cloud.alerts.policy import Policies
from cloud.history import History
from cloud.records import Connection, Records, RecordsUnavailable, leases
from contract.series import Point

log = logging.getLogger(__name__)

LEASE: Final = "alerts"
EVERY_MS: Final = days.MINUTE
LEASE_MS: Final = 3 * EVERY_MS


class Read(Protocol):
    """What the history is told of the records at a minute."""

    def __call__(self, connection: Connection, policies: Policies, /, *, minute_ms: int) -> list[Point]: ...


@dataclass(frozen=True, slots=True)
class Duties:
    """What a cycle does: which rules are asked how often, and what is written of what they say."""

    judges: Sequence[Judge]
    """Asked in each cycle."""
    seldom: Callable[[Collection[Kind]], Judge] | None = None
    """Asked for the kinds whose time has come: they cost more, and may wait."""
    every_ms: Mapping[Kind, int] = field(default_factory=dict)
    """How long each of those may wait."""
    tell: Tell | None = None
    digest: Callable[[Connection, int], None] | None = None
    """Writes the digests whose time has come."""
    waiting: Callable[[Connection, int], int] = lambda connection, now_ms: 0
    """How many people something waits for."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What lies outside the records."""

    history: History
    now_ms: Callable[[], int]
    ping: Callable[[], None] = lambda: None
    """Calls the dead man's switch; blocks for a while, raises what it likes."""
    shown: Callable[[bool], None] = lambda is_ready: None
    """Shows whether the last cycle ended well."""
    elapsed_s: Callable[[], float] = time.monotonic
    """Tells how long a cycle took: a clock that nobody sets."""


@dataclass(slots=True)
class Tally:
    """What this worker has done since its start."""

    cycles: int = 0
    failures: int = 0
    lags_ms: deque[float] = field(default_factory=lambda: deque(maxlen=1000))


class Service:
    """One worker's cycles."""

    def __init__(
        self, records: Records, policies: Policies, duties: Duties, *, outside: Outside, read: Read, instance: str
    ) -> None:
        self._records, self._policies, self._duties = records, policies, duties
        self._outside, self._read, self._instance = outside, read, instance
        self._asked_ms: dict[Kind, int] = {}
        self._is_failing = False
        self.tally = Tally()

    async def run(self, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Cycle until cancelled."""
        while True:
            began = self._outside.elapsed_s()
            await self.try_cycle()
            await pause(max(0.0, EVERY_MS / 1000 - (self._outside.elapsed_s() - began)))

    async def try_cycle(self) -> bool:
        """One cycle; whether it ended well. What went wrong is said once, until a cycle ends well again."""
        try:
            await self.cycle()
        except (RecordsUnavailable, TooBusy) as error:
            return self._failed(str(error), logging.WARNING)
        except Exception as error:  # noqa: BLE001  # the top of a service loop
            return self._failed(f"{type(error).__name__} in the cycle", logging.ERROR, error)
        self._is_failing = False
        self._outside.shown(True)
        return True

    async def cycle(self) -> bool:
        """Judge, tell the history, call the switch; False if another worker does it."""
        now_ms = self._outside.now_ms()
        if not await asyncio.to_thread(self._records.write, self._take):
            return False
        began = self._outside.elapsed_s()
        await asyncio.to_thread(self._judge, now_ms)
        self.tally.cycles += 1
        self.tally.lags_ms.append((self._outside.elapsed_s() - began) * 1000)
        await self._report(now_ms)
        await self._ping()
        return True

    async def give_back(self) -> None:
        """Let another worker go on at once."""
        await asyncio.to_thread(
            self._records.write, lambda connection: leases.give_back(connection, LEASE, holder=self._instance)
        )
        self._outside.shown(False)

    def _take(self, connection: Connection) -> bool:
        now_ms = self._outside.now_ms()
        until_ms = now_ms + LEASE_MS
        return leases.take(connection, LEASE, holder=self._instance, now_ms=now_ms, until_ms=until_ms)

    def _judge(self, now_ms: int) -> None:
        seldom, due = self._duties.seldom, self._due(now_ms)
        judges = (*self._duties.judges, *([seldom(due)] if seldom is not None and due else []))
        around = Circumstances(judges, self._duties.tell)
        evaluating.evaluate(self._records, self._policies, now_ms=now_ms, circumstances=around)
        self._asked_ms |= dict.fromkeys(due, now_ms)
        digest = self._duties.digest
        if digest is not None:
            self._records.write(lambda connection: digest(connection, now_ms))

    def _due(self, now_ms: int) -> list[Kind]:
        """The kinds that have waited long enough; a clock that was set back makes none wait for ever."""
        asked = self._asked_ms
        return [
            kind for kind, every in self._duties.every_ms.items() if not 0 <= now_ms - asked.get(kind, -every) < every
        ]

    async def _report(self, now_ms: int) -> None:
        minute_ms = now_ms // days.MINUTE * days.MINUTE

        def read(connection: Connection) -> tuple[list[Point], int]:
            rows = self._read(connection, self._policies, minute_ms=minute_ms)
            return rows, self._duties.waiting(connection, now_ms)

        rows, waiting = await asyncio.to_thread(self._records.read, read)
        work = Work(self.tally.cycles, self.tally.failures, waiting, tuple(self.tally.lags_ms))
        self.tally.lags_ms.clear()
        stage = points.stage(work, instance=self._instance, minute_ms=minute_ms)
        refused = await self._outside.history.write([*rows, stage])
        for each in refused:
            log.warning("The history refuses a point: %s", each.reason, extra={"action": "point_refused"})

    async def _ping(self) -> None:
        try:
            await asyncio.to_thread(self._outside.ping)
        except Exception as error:  # noqa: BLE001  # its silence is what it is for; the URL must not be logged
            log.warning(
                "The dead man's switch did not answer (%s); the cycle itself is done",
                type(error).__name__,
                extra={"action": "ping_failed"},
            )

    def _failed(self, why: str, level: int, error: Exception | None = None) -> bool:
        self.tally.failures += 1
        self._outside.shown(False)
        if not self._is_failing:
            self._is_failing = True
            trace = error if error is not None and log.isEnabledFor(logging.DEBUG) else None
            log.log(level, "No flag was judged: %s", why, exc_info=trace, extra={"action": "cycle_failed"})
        return False
