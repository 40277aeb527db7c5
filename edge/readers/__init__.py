"""The port for card readers: what a reader can report, and how one is opened by its address.

An adapter turns its hardware into *readings*. It knows nothing of taps: the same card twice is two readings.
A UID exists here in memory only; no `repr`, no log line and no exception may show it.
"""

from dataclasses import dataclass, field
from typing import Protocol

from contract import cards


class BadReaderAddress(ValueError):
    """The configured reader cannot be opened as written; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class CardRead:
    """A card with a usable UID was laid on the reader just now (bytes in the order the reader gave them)."""

    uid: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TryAgain:
    """A card was there but could not be read; laying it on again may help. Not a fault."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """A card was read whose UID cannot stand for anybody; laying it on again will not help."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReaderFault:
    """From now on no card can be read. Said once when it begins, and again only when the reason changes."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReaderOk:
    """From now on cards can be read."""


Reading = CardRead | TryAgain | Unusable | ReaderFault | ReaderOk


class Reader(Protocol):
    """One source of readings, driven by one thread; only `close` may come from another, once `read` has returned.

    The first reading says how the reader is (`ReaderOk` or `ReaderFault`). No hardware trouble raises.
    """

    def read(self, timeout_s: float) -> Reading | None:
        """The next reading, at once when there is one, else None after about *timeout_s* real seconds.

        Overstaying by far means the hardware hangs: beat the watchdog between two calls.
        """
        ...

    def close(self) -> None: ...


def judge(uid: bytes) -> CardRead | TryAgain | Unusable:
    """What a UID as received is worth."""
    if len(uid) < min(cards.UID_LENGTHS):
        return TryAgain("the card's answer was cut short")
    if len(uid) not in cards.UID_LENGTHS:
        return Unusable(f"a card number of {len(uid)} bytes is of no known kind")
    if cards.is_random(uid):
        return Unusable("the card shows a random number at each contact")
    return CardRead(uid)


def open_reader(address: str) -> Reader:
    """The reader behind `pcsc:`, `pcsc:NAME`, `sim:PATH` or `stdin:`; raises BadReaderAddress."""
    kind, colon, rest = address.partition(":")
    match kind if colon else "":
        case "pcsc":
            return _open_pcsc(rest)
        case "sim" if rest:
            from edge.readers.simulated import SimulatedReader

            return SimulatedReader(rest)
        case "stdin" if not rest:
            from edge.readers.stdin import StdinReader

            return StdinReader()
    raise BadReaderAddress(f"{address!r} names no card reader: use pcsc:, pcsc:NAME, sim:PATH or stdin:")


def _open_pcsc(name: str) -> Reader:
    try:
        from edge.readers.pcsc import PcscReader
    except ImportError as error:
        raise BadReaderAddress(
            "the reader address is pcsc:, but pyscard is not installed: install 'hadir[edge,pcsc]' "
            "(needs a C compiler, swig and libpcsclite-dev)"
        ) from error
    return PcscReader(name)
