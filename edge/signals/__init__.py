"""The port for what a resident sees and hears, and the one place that holds its words (formal Indonesian).

A signal names no card and no person. A signal that cannot be given is logged and never breaks a tap.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

_log = logging.getLogger(__name__)


class Signal(Enum):
    """Everything a machine can say. The value is the stable name used by machine-readable output."""

    READY = "ready"
    READY_OFFLINE = "ready_offline"
    STORED = "stored"
    STORED_OFFLINE = "stored_offline"
    ALREADY_READ = "already_read"
    CONFIRMED = "confirmed"
    UNKNOWN_CARD = "unknown_card"
    TRY_AGAIN = "try_again"
    UNUSABLE_CARD = "unusable_card"
    REFUSED = "refused"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Wording:
    """What happened, in capitals, and what to do about it (may be empty)."""

    headline: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.headline} — {self.advice}" if self.advice else self.headline


WORDINGS: Final[dict[Signal, Wording]] = {
    Signal.READY: Wording("SIAP", "tempelkan kartu Anda"),
    Signal.READY_OFFLINE: Wording("SIAP", "jaringan terputus, kehadiran tetap disimpan"),
    Signal.STORED: Wording("TERSIMPAN"),
    Signal.STORED_OFFLINE: Wording("TERSIMPAN", "akan dikirim saat jaringan pulih"),
    Signal.ALREADY_READ: Wording("SUDAH TERBACA", "kartu tidak perlu ditempelkan lagi"),
    Signal.CONFIRMED: Wording("VALIDASI BERHASIL"),
    Signal.UNKNOWN_CARD: Wording("KARTU BELUM TERDAFTAR", "hubungi petugas UPRS"),
    Signal.TRY_AGAIN: Wording("ULANGI", "tempelkan kembali kartu Anda"),
    Signal.UNUSABLE_CARD: Wording("KARTU TIDAK DAPAT DIGUNAKAN", "hubungi petugas UPRS"),
    Signal.REFUSED: Wording("TIDAK TERSIMPAN", "hubungi petugas UPRS"),
    Signal.FAULT: Wording("MESIN TERGANGGU"),
}


class BadSignalAddress(ValueError):
    """The configured signals cannot be opened as written; the message says what to write instead."""


class SignalFailed(Exception):
    """A signal could not be given; the resident was told nothing by this output. The tap itself is untouched."""


class Signals(Protocol):
    """One output, or several at once. `show` returns at once and may be called from any thread."""

    def show(self, signal: Signal, *, seq: int | None = None) -> None:
        """Say *signal*; *seq* is the outbox number of the tap it is about. An adapter raises SignalFailed only."""
        ...

    def close(self) -> None: ...


class Chorus:
    """Several outputs as one, each shielded from the others: this one never raises."""

    def __init__(self, voices: Iterable[Signals]) -> None:
        self._voices = tuple(voices)
        self._silent: set[int] = set()

    def show(self, signal: Signal, *, seq: int | None = None) -> None:
        for number, voice in enumerate(self._voices):
            try:
                voice.show(signal, seq=seq)
            except Exception as error:  # noqa: BLE001 - whatever breaks in a lamp, the tap goes on
                self._report_once(number, error)
            else:
                self._silent.discard(number)

    def close(self) -> None:
        for voice in self._voices:
            voice.close()

    def _report_once(self, number: int, error: Exception) -> None:
        if number not in self._silent:
            self._silent.add(number)
            _log.warning("A signal could not be given: %s", error, extra={"action": "signal_failed"})


def open_signals(addresses: str) -> Signals:
    """All outputs of a comma-separated list of `console:`, `console:json`, `acr122:` and `acr122:NAME`."""
    return Chorus([_open_one(address.strip()) for address in addresses.split(",") if address.strip()])


def _open_one(address: str) -> Signals:
    kind, colon, rest = address.partition(":")
    match kind if colon else "", rest:
        case "console", "" | "text" | "json":
            from edge.signals.console import ConsoleSignals

            return ConsoleSignals(as_json=rest == "json")
        case "acr122", name:
            return _open_acr122(name)
    raise BadSignalAddress(f"{address!r} names no signal: use console:, console:json, acr122: or acr122:NAME")


def _open_acr122(name: str) -> Signals:
    try:
        from edge.signals.acr122 import open_acr122
    except ImportError as error:
        raise BadSignalAddress("acr122: needs pyscard, which is not installed: install 'hadir[edge,pcsc]'") from error
    return open_acr122(name)
