"""The lamp and buzzer of an ACR122U, by its own LED command: as an escape if the driver allows it, else beside a card.

The command blocks the reader while it blinks, so patterns last well under a second and a thread of its own gives them.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from smartcard import scard

from edge.signals import Signal, SignalFailed

_log = logging.getLogger(__name__)

DEFAULT_NAME: Final = "ACR122"
BACKLOG: Final = 4
ESCAPES: Final = (scard.SCARD_CTL_CODE(1), scard.SCARD_CTL_CODE(3500))  # libccid's number, and the one acsccid adds
RED, GREEN = 0b01, 0b10


@dataclass(frozen=True, slots=True)
class Pattern:
    """Blink *times* times in *blinking*, *tenths* of a second each, with or without sound, then stay at *final*."""

    final: int
    blinking: int = 0
    times: int = 0
    tenths: int = 1
    has_sound: bool = False

    def command(self) -> bytes:
        """FF 00 40 P2 04 T1 T2 repetitions buzzer; P2, two bits each: final state, its mask, first blink, its mask."""
        state = self.final | (RED | GREEN) << 2 | self.blinking << 4 | self.blinking << 6
        timing = bytes([self.tenths, 1, self.times, int(self.has_sound)]) if self.times else bytes(4)
        return bytes([0xFF, 0x00, 0x40, state, len(timing)]) + timing


PATTERNS: Final[dict[Signal, Pattern]] = {
    Signal.READY: Pattern(GREEN),
    Signal.READY_OFFLINE: Pattern(GREEN | RED),
    Signal.STORED: Pattern(GREEN, GREEN, times=1, has_sound=True),
    Signal.STORED_OFFLINE: Pattern(GREEN | RED, GREEN, times=1, has_sound=True),
    Signal.ALREADY_READ: Pattern(GREEN, GREEN, times=1, has_sound=True),
    Signal.CONFIRMED: Pattern(GREEN, GREEN, times=2),
    Signal.UNKNOWN_CARD: Pattern(RED, RED, times=1, tenths=4, has_sound=True),
    Signal.TRY_AGAIN: Pattern(RED, RED, times=2, has_sound=True),
    Signal.UNUSABLE_CARD: Pattern(RED, RED, times=1, tenths=4, has_sound=True),
    Signal.REFUSED: Pattern(RED, RED, times=3, has_sound=True),
    Signal.FAULT: Pattern(RED, RED, times=3, has_sound=True),
}


class Acr122Signals:
    """Signals on a lamp that may be slow or hang: `show` only queues, the newest few win."""

    def __init__(self, command: Callable[[bytes], None]) -> None:
        self._command = command
        self._waiting: deque[Signal] = deque(maxlen=BACKLOG)
        self._changed = threading.Condition()
        self._is_closing = False
        self._is_dark = False
        self._thread = threading.Thread(target=self._serve, name="signals-acr122", daemon=True)
        self._thread.start()

    def show(self, signal: Signal, *, seq: int | None = None) -> None:
        with self._changed:
            self._waiting.append(signal)
            self._changed.notify()

    def close(self) -> None:
        """Give what is queued, for two seconds at most."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(timeout=2)

    def _serve(self) -> None:
        while (signal := self._next()) is not None:
            try:
                self._command(PATTERNS[signal].command())
                self._is_dark = False
            except SignalFailed as failure:
                self._report_once(failure)

    def _next(self) -> Signal | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            return self._waiting.popleft() if self._waiting else None

    def _report_once(self, failure: SignalFailed) -> None:
        if not self._is_dark:
            self._is_dark = True
            _log.warning("The reader's lamp and buzzer are silent: %s", failure, extra={"action": "lamp_silent"})


def open_acr122(name: str) -> Acr122Signals:
    """The lamp of the first reader whose name contains *name* (an ACR122 unless told otherwise)."""
    return Acr122Signals(lambda command: send(name or DEFAULT_NAME, command))


def send(name: str, command: bytes) -> None:
    """Give the reader one LED command over a connection of its own; raises SignalFailed."""
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code != scard.SCARD_S_SUCCESS:
        raise SignalFailed(f"pcscd does not answer ({scard.SCardGetErrorMessage(code)})")
    try:
        reader = _find(context, name)
        if not (_escape(context, reader, command) or _beside_card(context, reader, command)):
            raise SignalFailed(
                f"the reader {reader} takes no LED command without a card: allow escape commands in its driver "
                "(ifdDriverOptions 0x0001 in libccid's Info.plist) or leave acr122: out"
            )
    finally:
        scard.SCardReleaseContext(context)


def _find(context: int, name: str) -> str:
    _, readers = scard.SCardListReaders(context, [])
    for reader in readers:
        if name.casefold() in reader.casefold():
            return reader
    raise SignalFailed(f"no reader called {name} is plugged in")


def _escape(context: int, reader: str, command: bytes) -> bool:
    """To the reader itself, card or not; whether it obeyed."""
    code, card, _ = scard.SCardConnect(context, reader, scard.SCARD_SHARE_DIRECT, 0)
    if code != scard.SCARD_S_SUCCESS:
        return False
    try:
        return any(_obeyed(*scard.SCardControl(card, escape, list(command))) for escape in ESCAPES)
    finally:
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)


def _beside_card(context: int, reader: str, command: bytes) -> bool:
    """As a command that passes for one to the card; needs a card on the reader."""
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    code, card, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, protocols)
    if code != scard.SCARD_S_SUCCESS:
        return False
    try:
        return _obeyed(*scard.SCardTransmit(card, protocol, list(command)))
    finally:
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)


def _obeyed(code: int, answer: list[int]) -> bool:
    """90 and the state of the LEDs, not 90 00."""
    return code == scard.SCARD_S_SUCCESS and len(answer) >= 2 and answer[-2] == 0x90
