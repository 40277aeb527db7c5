"""The truth, kept outside the system: which card was laid on which machine, when, and what the machine then showed.

Each card is laid once in a row, so a card names its tap. A tap is *made* when the machine had shown TERSIMPAN,
*refused* when it had said no; it is *doubtful* when the machine was ended before it said anything: it may be stored.
"""

import threading
from dataclasses import dataclass, field

from contract.topics import DeviceId

_FIRST_BYTE = b"\x04"


def uid_of(card: int) -> bytes:
    """The UID of card number *card*."""
    return _FIRST_BYTE + card.to_bytes(6, "big")


def card_of(uid: bytes) -> int:
    """The number of the card with that UID."""
    return int.from_bytes(uid[1:], "big")


@dataclass(frozen=True, slots=True)
class Laid:
    """A card was laid on between two instants of true time (ms); `seq` is what the machine showed for it."""

    card: int
    device: DeviceId
    from_ms: int
    to_ms: int
    seq: int | None = None


@dataclass
class Book:
    """Everything that was laid on in one row. May be written from several threads."""

    made: list[Laid] = field(default_factory=list)
    refused: list[Laid] = field(default_factory=list)
    doubtful: list[Laid] = field(default_factory=list)
    _next_card: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_card(self) -> int:
        """A card that was never laid before."""
        with self._lock:
            self._next_card += 1
            return self._next_card - 1
