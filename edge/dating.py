"""When something happened, as far as this machine can tell: the stamp of a record, and what makes a wrong clock right.

Monotonic time of one boot is the ruler; the *base* (true time minus monotonic time) is learnt from a synchronised wall
clock, or from the server time in an answer whose journey is known to have been short.
"""

import threading
from dataclasses import dataclass
from typing import Final

from contract.messages import MAX_MS, Clock
from edge import clock as clocks

MAX_JOURNEY_S: Final = 10.0
"""An answer that took longer says too little about what time it is."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The time of one record."""

    at: int
    mono: int
    boot: str
    clock: Clock

    @property
    def minute(self) -> int:
        """The minute since 1970 it falls into."""
        return self.at // 60_000


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a server said the time was, and the monotonic times between which it must have said so."""

    server_ms: int
    sent_mono: int
    received_mono: int

    @property
    def base(self) -> int:
        """True time at monotonic zero; wrong by at most half the journey."""
        return self.server_ms - (self.sent_mono + self.received_mono) // 2


def stamp(reading: Stamp, base: int | None) -> Stamp:
    """*reading* as it should be recorded: corrected when the wall clock is wrong and *base* is known."""
    if reading.clock is Clock.UNTRUSTED and base is not None:
        return Stamp(bounded(base + reading.mono), reading.mono, reading.boot, Clock.REDATED)
    return reading


def bounded(ms: int) -> int:
    """The nearest instant that a record may carry."""
    return min(max(ms, 0), MAX_MS)


class Dating:
    """The machine's clock with what was learnt about it in this boot. May be asked from any thread."""

    def __init__(self, clock: clocks.Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._learnt: tuple[str, int] | None = None
        self._offset_ms: int | None = None

    def now(self) -> Stamp:
        """The stamp of what happens now."""
        return stamp(self.reading(), self.base())

    def reading(self) -> Stamp:
        """What the clock shows, uncorrected."""
        trust = Clock.TRUSTED if self._clock.is_trusted() else Clock.UNTRUSTED
        return Stamp(bounded(self._clock.wall_ms()), self._clock.mono_ms(), self._clock.boot, trust)

    def base(self) -> int | None:
        """True time at monotonic zero of this boot; None until somebody who knows has said so."""
        if self._clock.is_trusted():
            return self._clock.wall_ms() - self._clock.mono_ms()
        with self._lock:
            learnt = self._learnt
        return learnt[1] if learnt is not None and learnt[0] == self._clock.boot else None

    def learn(self, server_ms: int, *, journey_s: float) -> None:
        """A server answered, *journey_s* real seconds after it was asked, that the time was *server_ms*."""
        if not 0 <= journey_s <= MAX_JOURNEY_S:
            return
        wall, mono, boot = self._clock.wall_ms(), self._clock.mono_ms(), self._clock.boot
        journey_ms = round(journey_s * 1000 / self._clock.real_seconds(1000))
        opinion = Opinion(server_ms, mono - journey_ms, mono)
        with self._lock:
            self._offset_ms = min(max(wall - mono - opinion.base, -MAX_MS), MAX_MS)
            if self._learnt is None or self._learnt[0] != boot:
                self._learnt = (boot, opinion.base)

    @property
    def offset_ms(self) -> int | None:
        """How far the wall clock is ahead of the centre's, as last compared."""
        with self._lock:
            return self._offset_ms
