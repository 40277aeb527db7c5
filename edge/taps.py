"""What is a tap, and what its resident is told of it. Pure. A card is remembered as a keyed hash, in memory alone."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final, Literal

from edge.signals import Signal

LIT_MS: Final = 10_000
"""How long after a tap its answer may still light the screen: later its resident has left."""


class RecentCards:
    """The cards read within the last moments. The same card again within *window_ms* belongs to the same tap.

    The window runs from the reading that was taken, not from the last one: a card left lying is one tap per window.
    """

    def __init__(self, window_ms: int, *, key: bytes | None = None) -> None:
        self._window_ms = window_ms
        self._key = secrets.token_bytes(32) if key is None else key
        self._taken: dict[bytes, int] = {}

    def is_repeated(self, uid: bytes, now_ms: int) -> bool:
        """Whether this card was taken within the window."""
        self._taken = {card: at for card, at in self._taken.items() if 0 <= now_ms - at <= self._window_ms}
        return self._mark(uid) in self._taken

    def take(self, uid: bytes, now_ms: int) -> None:
        """A tap of this card was kept."""
        self._taken[self._mark(uid)] = now_ms

    def _mark(self, uid: bytes) -> bytes:
        return hashlib.blake2b(uid, key=self._key, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Shown:
    """The tap on the screen: its place in the outbox and when it was shown."""

    outbox: str
    seq: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the centre made of one record. `outcome` is for taps alone; held and rejected ones have none."""

    outbox: str
    seq: int
    verdict: Literal["stored", "held", "rejected"]
    outcome: Literal["known", "unknown"] | None = None
    reason: str = field(default="")


def kept_signal(is_online: bool) -> Signal:
    """What is said once a tap is on the disk."""
    return Signal.STORED if is_online else Signal.STORED_OFFLINE


def answer_signal(answer: Answer, shown: Shown | None, now_ms: int) -> Signal | None:
    """What the screen turns to when *answer* arrives; None when it is about nobody who stands there now."""
    if shown is None or (shown.outbox, shown.seq) != (answer.outbox, answer.seq):
        return None
    if now_ms - shown.at_ms > LIT_MS or answer.verdict != "stored":
        return None
    return {"known": Signal.CONFIRMED, "unknown": Signal.UNKNOWN_CARD, None: None}[answer.outcome]
