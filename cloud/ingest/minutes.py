"""Minute rows: which are due, and of whom, so that no machine is called silent while nobody listened. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cloud.days import MINUTE
from cloud.ingest.points import STALE_AFTER_MS, Registered

SETTLE_MS: Final = 15_000
"""A minute is written this long after it began: what was heard before it is stored by then."""
LONGEST_CATCH_UP: Final = 24 * 60
"""Minutes; an older past stays unwritten."""


@dataclass(frozen=True, slots=True)
class Listening:
    """From when to when some ingester heard the broker without a break."""

    since_ms: int
    until_ms: int

    def heard_all(self, at_ms: int) -> bool:
        """Whether a machine that was not heard by *at_ms* was silent: somebody had listened for its whole patience."""
        return self.since_ms <= at_ms - STALE_AFTER_MS and at_ms <= self.until_ms


def heard_on(listening: Listening, now_ms: int, *, break_ms: int) -> Listening:
    """As of now, when somebody listens: the same stretch, or a new one after a break or a step of the clock."""
    if abs(now_ms - listening.until_ms) > break_ms or now_ms < listening.since_ms:
        return Listening(now_ms, now_ms)
    return Listening(listening.since_ms, max(now_ms, listening.until_ms))


def due(written_ms: int, listening: Listening, now_ms: int) -> range:
    """The minutes to be written now, by their beginnings. What was written of the future was a clock's mistake."""
    last = (now_ms - SETTLE_MS) // MINUTE * MINUTE
    following = written_ms + MINUTE if written_ms <= now_ms else 0
    first = max(following, last - (LONGEST_CATCH_UP - 1) * MINUTE, _next_minute(listening.since_ms))
    return range(first, min(last, listening.until_ms) + 1, MINUTE)


def certain(registered: Sequence[Registered], at_ms: int, listening: Listening, *, late_ms: int) -> list[Registered]:
    """Those of whom it can be said whether they were online at *at_ms*.

    One heard more than *late_ms* after it may have been silent at the time: only the last that was heard is known.
    """
    known = [each for each in registered if each.heard_ms is None or each.heard_ms <= at_ms + late_ms]
    if listening.heard_all(at_ms):
        return known
    return [each for each in known if each.is_online(at_ms)]


def _next_minute(ms: int) -> int:
    return -(-ms // MINUTE) * MINUTE
