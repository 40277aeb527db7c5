"""How the machine is, said every half minute; what happened to it, kept as records: able hours, boots, clock steps."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Final

from contract import codec, topics
from contract.messages import Clock, Happening, Heartbeat, Hours
from edge import able
from edge.dating import Stamp
from edge.machine import Machine
from edge.outbox import OutboxUnavailable
from edge.sender import Line

_log = logging.getLogger(__name__)

STEP_MS: Final = 5_000
"""A wall clock that moves so far against the monotonic one was set."""
STANDSTILL_S: Final = 90.0
PRUNE_S: Final = 3600.0
MAX_NAP_S: Final = 5.0
LOOK_S: Final = 1.0
"""The end of a minute is not looked for more often, however fast a simulated clock runs."""
BOOT_NOTE: Final = "boot"


@dataclass(frozen=True, slots=True)
class Condition:
    """What only others know: asked anew for each heartbeat."""

    is_reader_ok: bool
    parked: int


def clock_jump(before: Stamp, after: Stamp) -> int:
    """By how many ms the wall clock was set between two readings of one boot; 0 for less than counts."""
    jump = (after.at - before.at) - (after.mono - before.mono)
    return jump if before.boot == after.boot and abs(jump) >= STEP_MS else 0


def program_version() -> str:
    """The installed version of this program."""
    try:
        return metadata.version("hadir")
    except metadata.PackageNotFoundError:
        return "unknown"


class Health:
    """Driven by one thread, which calls `turn` every few seconds."""

    def __init__(
        self,
        machine: Machine,
        line: Line,
        *,
        heartbeat_s: float,
        condition: Callable[[], Condition],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._machine = machine
        self._line = line
        self._heartbeat_s = heartbeat_s
        self._condition = condition
        self._monotonic = monotonic
        self._version = program_version()
        self._reading = machine.dating.reading()
        self._looked_at = monotonic()
        self._was_able = False
        self._heartbeat_due = self._looked_at
        self._prune_due = self._looked_at

    def begin(self) -> None:
        """Say that the machine, or only its program, has started; and close the hours a crash left open."""
        try:
            self._begin()
        except OutboxUnavailable as error:  # the machine must start all the same
            _log.warning("The start could not be recorded: %s", error, extra={"action": "outbox_unavailable"})

    def _begin(self) -> None:
        boot = self._machine.clock.boot
        session = self._machine.session
        if self._machine.outbox.recall(BOOT_NOTE) != boot:
            self._machine.report(Happening.BOOT, session=session, version=self._version)
            self._machine.outbox.note(BOOT_NOTE, boot)
        else:
            self._machine.report("program_started", session=session, version=self._version)
        self.close_hours(every=True)

    def run(self, wait: Callable[[float], bool], beat: Callable[[], None]) -> None:
        """Serve until *wait* says it is over."""
        while True:
            beat()
            try:
                self.turn()
            except OutboxUnavailable as error:
                _log.warning("Health could not be recorded: %s", error, extra={"action": "outbox_unavailable"})
            if wait(self._nap_s()):
                return

    def turn(self) -> None:
        """Do whatever is due."""
        now = self._monotonic()
        self._look(now)
        if now >= self._heartbeat_due:
            self._heartbeat_due = now + self._heartbeat_s
            if self._line.is_connected:
                self._line.publish(topics.heartbeat(self._machine.device), codec.encode(self.heartbeat()))
        if now >= self._prune_due:
            self._prune_due = now + PRUNE_S
            self._prune()

    def end(self) -> None:
        """The program ends in good order: what is known of the current hour is kept as a record."""
        self._look(self._monotonic())
        self.close_hours(every=True)

    def heartbeat(self) -> Heartbeat:
        """The sign of life as of now."""
        machine, outbox = self._machine, self._machine.outbox
        now, position, condition = machine.dating.now(), outbox.position(), self._condition()
        waiting, oldest = outbox.backlog()
        return Heartbeat(
            device=machine.device,
            at=now.at,
            boot=now.boot,
            session=machine.session,
            uptime_s=now.mono // 1000,
            outbox=position.outbox,
            last_seq=position.last_seq,
            confirmed=position.confirmed,
            backlog=waiting,
            oldest_unsent=oldest,
            rejected=outbox.rejected,
            refused=outbox.refused,
            parked=condition.parked,
            reader="ok" if condition.is_reader_ok else "fault",
            clock="untrusted" if now.clock is Clock.UNTRUSTED else "trusted",
            clock_offset_ms=machine.dating.offset_ms,
            disk_free_pct=outbox.free_share(),
            version=self._version,
        )

    def close_hours(self, *, every: bool = False) -> None:
        """Keep a record for each hour that is over, or for *every* one that has a minute."""
        now, boot = self._machine.dating.now(), self._machine.clock.boot

        def record(hour: able.Hour) -> Hours | None:
            return hours_record(hour, now, every=every)

        if self._machine.outbox.close_hours(record, (boot, self._machine.dating.base())):
            self._machine.wake()

    def _look(self, now: float) -> None:
        """Compare the clock with itself, and count the minutes that ended since the last look."""
        before, after = self._reading, self._machine.dating.reading()
        self._reading = after
        jump = clock_jump(before, after)
        if jump:
            self._machine.report(Happening.CLOCK_STEP, jump_ms=jump)
        if self._machine.outbox.report_refusals(self._machine.dating.now()):
            self._machine.wake()
        is_able = self._condition().is_reader_ok and self._machine.outbox.can_keep()
        if is_able and self._was_able and before.boot == after.boot and now - self._looked_at <= STANDSTILL_S:
            self._count(before, after)
        self._was_able, self._looked_at = is_able, now

    def _count(self, before: Stamp, after: Stamp) -> None:
        ended = able.minutes_passed(before.mono, after.mono)
        if not ended:
            return
        is_dated = after.clock is not Clock.UNTRUSTED
        zero = after.at - after.mono
        minutes = [
            able.Minute(after.boot, minute, (zero + minute * able.MINUTE_MS) // able.MINUTE_MS, is_dated)
            for minute in ended
        ]
        self._machine.outbox.note_minutes(minutes)
        self.close_hours()

    def _prune(self) -> None:
        now = self._machine.dating.now()
        gone = self._machine.outbox.prune(None if now.clock is Clock.UNTRUSTED else now.at)
        if gone:
            _log.info("%d confirmed records were let go", gone, extra={"action": "pruned", "rows": gone})

    def _nap_s(self) -> float:
        """Until the next heartbeat or the end of this minute, whichever comes first."""
        mono = self._machine.clock.mono_ms()
        minute_s = self._machine.clock.real_seconds(able.MINUTE_MS - mono % able.MINUTE_MS)
        due_s = self._heartbeat_due - self._monotonic()
        return min(max(min(due_s, max(minute_s, LOOK_S)), 0.02), MAX_NAP_S)


def hours_record(hour: able.Hour, now: Stamp, *, every: bool) -> Hours | None:
    """The record of *hour* if due: over, or *every*. Undated minutes of another boot are told as they were seen."""
    minute = hour.minutes[-1]
    is_dated = all(one.is_dated for one in hour.minutes)
    if not is_dated and minute.boot == now.boot:
        return None  # this boot may yet learn what time it was
    if is_dated and not every and not able.is_over(hour, now.at):
        return None
    stamp = now if is_dated and now.clock is not Clock.UNTRUSTED else _stamp_of(minute)
    return Hours(
        seq=1, at=stamp.at, mono=stamp.mono, boot=stamp.boot, clock=stamp.clock,
        hour=hour.hour_ms, able_min=hour.able_min,
    )  # fmt: skip


def _stamp_of(minute: able.Minute) -> Stamp:
    """What the clock showed in that minute: where now is no better, or it was the clock of another boot."""
    trust = Clock.TRUSTED if minute.is_dated else Clock.UNTRUSTED
    return Stamp(minute.wall_min * able.MINUTE_MS, minute.mono_min * able.MINUTE_MS, minute.boot, trust)
