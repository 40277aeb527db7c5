"""What one ingester at a time does, beside taking records: minute rows, roll-ups, sweeps, forgetting. A lease says who.

Everything here may be repeated, and is: a chore that fails is tried again at its next turn. All times are by the given
clock, so that a demo may run it faster.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from cloud import days
from cloud.ingest import faults, minutes, observed, points, rolling
from cloud.ingest.minute_rows import MinuteRows, listening
from cloud.ingest.points import Stage
from cloud.ingest.store import Store
from cloud.ingest.sweep import Sweep
from cloud.records import (
    Connection,
    RecordsUnavailable,
    completeness,
    dirty,
    leases,
    marks,
    registry,
    standing,
    tallies,
)
from cloud.records.dirty import DirtyDay
from cloud.records.marks import StaleFacts
from cloud.records.purge import purge
from contract.series import Point

log = logging.getLogger(__name__)

LEASE: Final = "chores"
TICK_S: Final = 1.0
LEASE_MS: Final = 30_000
BREAK_MS: Final = 30_000
"""Nobody listened for longer than this: silence before it proves nothing."""
SWEEP_MS: Final = 5_000
ROLL_MS: Final = 20_000
ROLL_REST: Final = 9
"""After a roll-up, so many times as long is left to storing: a month of backlog touches hundreds of days at once."""
LONGEST_REST_MS: Final = 600_000
"""However long the history kept a roll-up waiting."""
WATCH_MS: Final = 600_000
"""How often it is looked whether days have become complete."""
COMPLETE_BACK: Final = 60
DAYS_AT_ONCE: Final = 5000


class Ears(Protocol):
    """What the feed tells of itself."""

    @property
    def is_listening(self) -> bool:
        """Whether every sign of life would arrive now."""
        ...

    @property
    def backlog(self) -> int:
        """Messages that wait to be stored."""
        ...

    @property
    def broker_says(self) -> dict[str, str]:
        """What the broker says under `$SYS/broker/`."""
        ...


@dataclass(slots=True)
class _Turns:
    """When each chore was last done."""

    done: dict[str, int] = field(default_factory=dict)

    def is_due(self, name: str, now_ms: int, *, every_ms: int) -> bool:
        """Whether it is time for chore *name*; it then counts as done."""
        last = self.done.get(name)
        if last is not None and 0 <= now_ms - last < every_ms:
            return False
        self.done[name] = now_ms
        return True


class Chores:
    """The chores of one ingester. *pace*: how much faster than real time its clock runs."""

    def __init__(self, store: Store, ears: Ears, *, instance: str, pace: float = 1.0) -> None:
        self._store = store
        self._ears = ears
        self._instance = instance
        self._pace = pace
        self._sweep = Sweep(store)
        self._minute_rows = MinuteRows(store, self._write, pace=pace)
        self._turns = _Turns()
        self._failing: set[str] = set()
        self._is_ours = False
        self._rolling_ms = 0

    async def run(self) -> None:
        """Do what is due, every second, until cancelled. A chore that waits for the history costs nobody the lease."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_every_second(self.attend))
            tasks.create_task(_every_second(self.work))

    async def turn(self) -> None:
        """Do what is due now."""
        await self.attend()
        await self.work()

    async def attend(self) -> None:
        """Note that somebody listens; take the lease or keep it."""
        await self._try("listening", self._listen)
        self._is_ours = await self._try("lease", self._take_lease)

    async def work(self) -> None:
        """Do the chores that are due. One that fails is said once, and tried again."""
        now_ms = self._store.now_ms()
        if self._turns.is_due("pipeline", now_ms // days.MINUTE * days.MINUTE, every_ms=days.MINUTE):
            await self._try("pipeline", self.report)
        for name, chore, every_ms in self._plan():
            if self._is_ours and self._turns.is_due(name, now_ms, every_ms=every_ms):
                await self._try(name, chore)

    async def give_back(self) -> None:
        """Let another ingester take over at once."""
        await self._try("lease", self._give_back)

    async def can_store(self) -> bool:
        """Whether the records answer and the history does not wait."""
        try:
            await asyncio.to_thread(self._store.records.read, registry.version)
        except RecordsUnavailable:
            return False
        return self._store.history.trouble is None

    def _plan(self) -> list[tuple[str, Callable[[], Awaitable[object]], int]]:
        return [
            ("sweep", self._sweep.run, SWEEP_MS),
            ("minutes", self._minute_rows.write_due, SWEEP_MS),
            ("new_hour", self._touch_today, days.HOUR),
            ("complete", self.note_complete, WATCH_MS),
            ("rollups", self.roll_up, min(max(ROLL_MS, ROLL_REST * self._rolling_ms), LONGEST_REST_MS)),
            ("purge", self._purge, days.DAY),
        ]

    async def _try(self, name: str, chore: Callable[[], Awaitable[object]]) -> bool:
        try:
            done = await chore()
        except (RecordsUnavailable, StaleFacts) as error:
            self._say(name, str(error), logging.WARNING)
            return False
        except Exception as error:  # noqa: BLE001  # the top of a service loop
            self._say(name, faults.told(error), logging.ERROR)
            return False
        self._failing.discard(name)
        return done is not False

    def _say(self, name: str, why: str, level: int) -> None:
        if name not in self._failing:
            self._failing.add(name)
            log.log(level, "The chore %s waits: %s", name, why, extra={"action": "chore_failed"})

    # ---- who, and since when -----------------------------------------------------------------------------------------

    async def _take_lease(self) -> bool:
        now_ms = self._store.now_ms()
        until_ms = now_ms + round(LEASE_MS * self._pace)

        def take(connection: Connection) -> bool:
            return leases.take(connection, LEASE, holder=self._instance, now_ms=now_ms, until_ms=until_ms)

        return await asyncio.to_thread(self._store.records.write, take)

    async def _give_back(self) -> None:
        await asyncio.to_thread(
            self._store.records.write, lambda connection: leases.give_back(connection, LEASE, holder=self._instance)
        )

    async def _listen(self) -> None:
        if not self._ears.is_listening:
            return
        now_ms, break_ms = self._store.now_ms(), round(BREAK_MS * self._pace)

        def note(connection: Connection) -> None:
            heard = minutes.heard_on(listening(connection), now_ms, break_ms=break_ms)
            marks.put(connection, marks.LISTENING_SINCE, heard.since_ms)
            marks.put(connection, marks.LISTENING_UNTIL, heard.until_ms)

        await asyncio.to_thread(self._store.records.write, note)

    # ---- roll-ups ----------------------------------------------------------------------------------------------------

    async def roll_up(self) -> int:
        """Rewrite the roll-ups of the days that wait; how many days."""
        began_ms = self._store.now_ms()
        waiting = await asyncio.to_thread(
            self._store.records.read,
            lambda connection: dirty.waiting(connection, until=days.day_of(began_ms), limit=DAYS_AT_ONCE),
        )
        for code in sorted({each.estate for each in waiting}):
            await self._roll_up_estate(code, [each for each in waiting if each.estate == code])
        self._rolling_ms = self._store.now_ms() - began_ms
        return len(waiting)

    async def _roll_up_estate(self, code: str, waiting: Sequence[DirtyDay]) -> None:
        now_ms, those = self._store.now_ms(), {each.day for each in waiting}
        rows = await asyncio.to_thread(
            self._store.records.read, lambda connection: rolling.points_of(connection, code, those, now_ms=now_ms)
        )
        await self._write(rows)
        await asyncio.to_thread(
            self._store.records.write, lambda connection: dirty.clear(connection, waiting, now_ms=now_ms)
        )

    async def note_complete(self) -> None:
        """Note the days of which every record has arrived by now, and have them rolled up again."""
        now_ms = self._store.now_ms()
        for estate in await asyncio.to_thread(self._store.records.read, registry.all_estates):
            code = estate.estate
            found = await asyncio.to_thread(
                self._store.records.read,
                lambda connection, code=code: rolling.newly_complete(
                    connection, code, now_ms=now_ms, back=COMPLETE_BACK
                ),
            )
            if found:
                await asyncio.to_thread(self._store.records.write, _noting(code, found, now_ms))

    async def _touch_today(self) -> None:
        """A day without taps is rolled up too: at each full hour, today and yesterday."""
        now_ms = self._store.now_ms()

        def touch(connection: Connection) -> None:
            pairs = [
                (estate.estate, days.day_of(now_ms - back))
                for estate in registry.all_estates(connection)
                for back in (0, days.DAY)
            ]
            dirty.touch(connection, pairs, now_ms=now_ms)

        await asyncio.to_thread(self._store.records.write, touch)

    # ---- the rest ----------------------------------------------------------------------------------------------------

    async def report(self) -> None:
        """Write how this ingester and the broker are doing."""
        minute_ms = self._store.now_ms() // days.MINUTE * days.MINUTE
        tally = self._store.tally
        lags = tuple(tally.lags_ms)
        tally.lags_ms.clear()
        waiting = await asyncio.to_thread(self._store.records.read, standing.count_held)
        stages = [
            Stage("mqtt", tally.messages, backlog=self._ears.backlog),
            Stage(
                "store",
                tally.records,
                errors_total=tally.failures,
                dlq_total=tally.letters,
                duplicates_total=tally.duplicates,
                held=waiting,
                lags_ms=lags,
            ),
        ]
        rows = points.pipeline(stages, instance=self._instance, minute_ms=minute_ms)
        broker = points.broker(self._ears.broker_says, instance="broker", minute_ms=minute_ms)
        await self._write([*rows, *([broker] if broker else [])])

    async def _purge(self) -> None:
        await asyncio.to_thread(purge, self._store.records, now_ms=self._store.now_ms())
        await asyncio.to_thread(self._store.records.write, completeness.forget_proofs)

    async def _write(self, rows: Sequence[Point]) -> None:
        refused = await self._store.history.write(rows)
        await self._store.file([observed.refusal(each, now_ms=self._store.now_ms()) for each in refused])


async def _every_second(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
        await asyncio.sleep(TICK_S)


def _noting(code: str, found: Sequence[date], now_ms: int) -> Callable[[Connection], None]:
    def note(connection: Connection) -> None:
        tallies.note_completed(connection, code, found, now_ms=now_ms)
        dirty.touch(connection, [(code, day) for day in found], now_ms=now_ms)

    return note
