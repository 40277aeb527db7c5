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
    """As of now, when somebody listens: the same stretch, or a new one if nobody did for *break_ms*."""
    is_new = now_ms - listening.until_ms > break_ms or now_ms < listening.since_ms
    return Listening(now_ms if is_new else listening.since_ms, max(now_ms, listening.until_ms))


def due(written_ms: int, listening: Listening, now_ms: int) -> range:
    """The minutes to be written now, by their beginnings."""
    last = (now_ms - SETTLE_MS) // MINUTE * MINUTE
    first = max(written_ms + MINUTE, last - (LONGEST_CATCH_UP - 1) * MINUTE, _next_minute(listening.since_ms))
    return range(first, min(last, listening.until_ms) + 1, MINUTE)


def certain(registered: Sequence[Registered], at_ms: int, listening: Listening) -> list[Registered]:
    """Those of whom it can be said at *at_ms* whether they were online."""
    if listening.heard_all(at_ms):
        return list(registered)
    return [each for each in registered if each.is_online(at_ms)]


def _next_minute(ms: int) -> int:
    return -(-ms // MINUTE) * MINUTE
