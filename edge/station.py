"""Where a card becomes a tap: read, sealed, kept, and only then shown. And where the answer to it lights the screen."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from contract.cards import SealingKey, UnusableUid
from contract.messages import Happening, Tap
from edge.machine import Machine
from edge.outbox import Kept, NotKept, OutboxUnavailable
from edge.readers import CardRead, Reader, ReaderFault, ReaderOk, Reading, TryAgain, Unusable
from edge.signals import Signal, Signals
from edge.taps import Answer, RecentCards, Shown, answer_signal, kept_signal

_log = logging.getLogger(__name__)

POLL_S: Final = 0.5
SHOWN_MS: Final = 8_000
"""How long the screen keeps what it says before it is ready for the next resident."""
FAULT_NOTE: Final = "reader_fault"


class Station:
    """A reader and a screen. `handle` and `idle` belong to the reader's thread; `answered` comes from the sender's."""

    def __init__(
        self,
        machine: Machine,
        key: SealingKey,
        *,
        signals: Signals,
        same_card_s: float,
        is_online: Callable[[], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._machine = machine
        self._key = key
        self._signals = signals
        self._recent = RecentCards(round(same_card_s * 1000))
        self._is_online = is_online
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._shown: Shown | None = None
        self._ready_at_ms = 0
        self._ready: Signal | None = None
        self._fault: str | None = "the reader has not been heard of yet"

    @property
    def is_reader_ok(self) -> bool:
        """Whether a card laid on now would be read."""
        return self._fault is None

    def run(self, reader: Reader, is_over: Callable[[], bool], beat: Callable[[], None]) -> None:
        """Serve *reader* until *is_over*."""
        while not is_over():
            beat()
            reading = reader.read(POLL_S)
            if reading is None:
                self.idle()
            else:
                self.handle(reading)

    def handle(self, reading: Reading) -> None:
        """Do what *reading* asks for."""
        match reading:
            case CardRead(uid):
                self._tapped(uid)
            case TryAgain():
                self._show(Signal.TRY_AGAIN)
            case Unusable():
                self._show(Signal.UNUSABLE_CARD)
            case ReaderFault(reason):
                self._failed(reason)
            case ReaderOk():
                self._recovered()

    def idle(self) -> None:
        """Nobody is here: once the last words were shown long enough, say that the next one may come."""
        with self._lock:
            ready = self._resting_signal()
            if self._now() >= self._ready_at_ms and ready is not self._ready:
                self._ready = ready
                self._signals.show(ready)

    def answered(self, answer: Answer) -> None:
        """The centre answered a record: if its resident still stands here, say so."""
        with self._lock:
            signal = answer_signal(answer, self._shown, self._now())
            if signal is not None:
                self._shown = None
                self._say(signal, answer.seq)

    def _tapped(self, uid: bytes) -> None:
        now = self._now()
        if self._recent.is_repeated(uid, now):
            self._show(Signal.ALREADY_READ, forget=False)
            return
        with self._lock:  # an answer must not overtake the words it belongs to
            try:
                kept = self._keep(uid)
            except UnusableUid:
                self._say(Signal.UNUSABLE_CARD)
            except NotKept:
                self._shown = None
                self._say(Signal.REFUSED)
            else:
                self._recent.take(uid, now)
                self._shown = Shown(kept.outbox, kept.seq, self._now())
                self._say(kept_signal(self._is_online()), kept.seq)
        self._machine.wake()

    def _keep(self, uid: bytes) -> Kept:
        sealed = str(self._key.seal(uid, self._machine.device))
        now = self._machine.dating.now()
        return self._machine.outbox.keep(
            Tap(seq=1, at=now.at, mono=now.mono, boot=now.boot, clock=now.clock, card=sealed)
        )

    def _failed(self, reason: str) -> None:
        self._fault = reason
        _log.error("The card reader fails: %s", reason, extra={"action": "reader_fault"})
        self._show(Signal.FAULT)
        self._note_fault("1")  # first: an end without a beginning does less harm than a fault that never ends
        self._machine.report(Happening.READER_FAULT, reason=reason[:200])

    def _recovered(self) -> None:
        self._fault = None
        if self._is_fault_noted():
            _log.info("The card reader works again", extra={"action": "reader_ok"})
            self._machine.report(Happening.READER_OK)
            self._note_fault("0")
        with self._lock:
            self._ready_at_ms = 0
        self.idle()

    def _is_fault_noted(self) -> bool:
        try:
            return self._machine.outbox.recall(FAULT_NOTE) == "1"
        except OutboxUnavailable:
            return True  # say it once too often rather than never

    def _note_fault(self, value: str) -> None:
        """So that a fault which ends after a restart still gets its end."""
        with contextlib.suppress(OutboxUnavailable):
            self._machine.outbox.note(FAULT_NOTE, value)

    def _resting_signal(self) -> Signal:
        if self._fault is not None:
            return Signal.FAULT
        return Signal.READY if self._is_online() else Signal.READY_OFFLINE

    def _show(self, signal: Signal, *, forget: bool = True) -> None:
        """Say what is about no tap in the outbox; *forget*: the tap shown before is over."""
        with self._lock:
            if forget:
                self._shown = None
            self._say(signal)

    def _say(self, signal: Signal, seq: int | None = None) -> None:
        self._ready = signal if signal is Signal.FAULT else None
        self._ready_at_ms = self._now() + SHOWN_MS
        self._signals.show(signal, seq=seq)

    def _now(self) -> int:
        return int(self._monotonic() * 1000)
