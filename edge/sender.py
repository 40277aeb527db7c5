"""Brings rows to the centre and its answers back: the one thread that moves rows between the outbox and the link.

What goes when is decided by `pacing`, what an answer means by `outbox`; here both are carried out.
"""

import logging
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from contract import codec, topics
from contract.codec import BadMessage
from contract.messages import Envelope, Resume, Stored
from contract.topics import BadTopic, Kind, Topic
from edge.link import Arrived, Connected, Disconnected, Happening, Published
from edge.machine import Machine
from edge.outbox import Kept, OutboxUnavailable, Position
from edge.outbox.rows import Waiting
from edge.pacing import Batch, Pacer
from edge.taps import Answer

_log = logging.getLogger(__name__)

MAX_PAYLOAD: Final = codec.MAX_PAYLOAD - 1024
"""A broker ends the connection under a larger packet; some of it is the packet's own."""
MAX_REMEMBERED: Final = 1000
ASK_AGAIN_S: Final = 10.0
FRESH_S: Final = 60.0
"""Rows made within this time may use the slot of the newest."""
MAX_NAP_S: Final = 2.0
"""Also the time after which a row is seen that another process (`doctor`) put into the outbox."""


class Line(Protocol):
    """What the sender needs of a `Link`."""

    @property
    def is_connected(self) -> bool: ...

    def publish(self, topic: Topic, payload: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Woken:
    """A row was kept."""


Inbox = queue.SimpleQueue[Happening | Woken]


class Sender:
    """Driven by one thread: take what came in, send what is due, nap."""

    def __init__(
        self,
        machine: Machine,
        line: Line,
        *,
        pacer: Pacer,
        clock_wait_s: float,
        answered: Callable[[Answer], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._machine = machine
        self._line = line
        self._pacer = pacer
        self._clock_wait_s = clock_wait_s
        self._answered = answered
        self._monotonic = monotonic
        self._first = machine.outbox.position()
        self._sent_first: dict[int, int] = {}
        self._asked: Kept | None = None
        self._ask_due = 0
        self._owes_birth = False
        self._is_troubled = False
        self._refusal: str | None = None
        self._reported: str | None = None
        self._unreachable: str | None = None

    @property
    def is_online(self) -> bool:
        """Whether what is kept now is likely to reach the centre now."""
        return self._line.is_connected and self._refusal is None

    @property
    def refusal(self) -> str | None:
        """Why the broker passes nothing on."""
        return self._refusal

    @property
    def unreachable(self) -> str | None:
        """Why there is no connection."""
        return self._unreachable

    @property
    def parked(self) -> int:
        """Records that nobody answers though others are answered."""
        return self._pacer.parked

    def run(self, inbox: Inbox, is_over: Callable[[], bool], beat: Callable[[], None]) -> None:
        """Serve until *is_over*."""
        while not is_over():
            beat()
            try:
                self._take_in(inbox)
                self.turn()
                self._is_troubled = False
            except OutboxUnavailable as error:  # what could not be written down is sent, and answered, again
                self._is_troubled = True
                _log.warning("The outbox takes nothing now: %s", error, extra={"action": "outbox_unavailable"})

    def turn(self) -> None:
        """Correct dates where that became possible, and send what is due."""
        self._redate()
        if self._line.is_connected:
            if self._owes_birth:
                self._say_birth()
            self._ask_the_time()
            for batch in self._pacer.next_batches(self._now(), self._oldest(), self._fresh()):
                self._send(batch)

    def handle(self, happening: Happening | Woken) -> None:
        """Take in one thing that happened."""
        match happening:
            case Connected():
                self._connected()
            case Disconnected(reason):
                self._disconnected(reason)
            case Published(kind, refusal):
                if kind is Kind.RECORDS:
                    self._note_refusal(refusal)
            case Arrived(topic, payload):
                self._arrived(topic, payload)

    def _take_in(self, inbox: Inbox) -> None:
        """Nap until something comes in or is due, then take in all there is."""
        try:
            self.handle(inbox.get(timeout=self._nap_s()))
            while True:
                self.handle(inbox.get_nowait())
        except queue.Empty:
            return

    def _nap_s(self) -> float:
        """Until something is due; where nothing could be done about it, it is not waited for."""
        due = self._pacer.next_due_ms()
        if due is None or not self._line.is_connected or self._is_troubled:
            return MAX_NAP_S
        return min(max((due - self._now()) / 1000, 0.001), MAX_NAP_S)

    def _now(self) -> int:
        return int(self._monotonic() * 1000)

    # ---- up ----------------------------------------------------------------------------------------------------------

    def _oldest(self) -> list[Waiting]:
        return self._machine.outbox.oldest(
            self._pacer.wanted, boot=self._machine.clock.boot, patient_after=self._mono_before(self._clock_wait_s)
        )

    def _fresh(self) -> list[Waiting]:
        return self._machine.outbox.newest(
            codec.MAX_RECORDS,
            boot=self._machine.clock.boot,
            patient_after=self._mono_before(self._clock_wait_s),
            made_after=self._mono_before(FRESH_S),
        )

    def _mono_before(self, real_s: float) -> int:
        """The machine's monotonic time *real_s* real seconds ago."""
        clock = self._machine.clock
        return clock.mono_ms() - round(real_s * 1000 / clock.real_seconds(1000))

    def _send(self, batch: Batch) -> None:
        texts = self._machine.outbox.freeze(batch.outbox, batch.seqs)
        if not texts:
            self._pacer.forget(batch.outbox, batch.seqs)
            return
        confirmed = self._machine.outbox.confirmed(batch.outbox)
        envelope = Envelope(device=self._machine.device, outbox=batch.outbox, confirmed=confirmed)
        payload = codec.encode_batch(envelope, texts)
        if len(payload) > MAX_PAYLOAD:
            self._pacer.too_large(batch.outbox, batch.seqs, self._now())
            return
        self._line.publish(topics.records(self._machine.device), payload)
        _log.debug("%d records sent", len(texts), extra={"action": "sent", "rows": len(texts)})
        self._remember_first_sending(batch)

    def _remember_first_sending(self, batch: Batch) -> None:
        """Of records this program made: only their answer surely came after that, never out of an old session."""
        current = self._machine.outbox.position().outbox
        if current != self._first.outbox:  # begun since the start: whatever is in it was never sent before
            self._first, self._sent_first = Position(current, 0, 0), {}
        if batch.outbox == self._first.outbox and len(self._sent_first) < MAX_REMEMBERED:
            for seq in batch.seqs:
                if seq > self._first.last_seq:
                    self._sent_first.setdefault(seq, self._now())

    def _ask_the_time(self) -> None:
        """Under an untrusted clock, send a record that waits for nothing: its answer says what time it is."""
        if self._machine.dating.base() is not None or self._now() < self._ask_due:
            return
        if self._asked is None or not self._machine.outbox.is_waiting(self._asked):
            self._ask_due = self._now() + round(ASK_AGAIN_S * 1000)
            self._asked = self._machine.report("clock_asked", at_once=True)

    def _redate(self) -> None:
        base = self._machine.dating.base()
        if base is not None:
            redated = self._machine.outbox.redate(self._machine.clock.boot, base)
            if redated:
                _log.info("%d records got their right time", redated, extra={"action": "redated", "rows": redated})

    # ---- the line ----------------------------------------------------------------------------------------------------

    def _connected(self) -> None:
        self._unreachable = None
        self._refusal = None
        _log.info("Connected", extra={"action": "connected"})
        self._pacer.connected(self._now())
        self._owes_birth = True
        self._say_birth()

    def _say_birth(self) -> None:
        self._line.publish(topics.status(self._machine.device), codec.encode(self._machine.birth()))
        self._owes_birth = False

    def _disconnected(self, reason: str) -> None:
        if reason != self._unreachable:
            self._unreachable = reason
            _log.warning("No connection: %s; trying again", reason, extra={"action": "disconnected"})

    def _note_refusal(self, refusal: str | None) -> None:
        self._refusal = refusal
        if refusal == self._reported:
            return
        self._reported = refusal
        if refusal is None:
            self._machine.report("sending_accepted")
        else:
            _log.error("The broker passes nothing on: %s", refusal, extra={"action": "sending_refused"})
            self._machine.report("sending_refused", reason=refusal)

    # ---- down --------------------------------------------------------------------------------------------------------

    def _arrived(self, topic: str, payload: bytes) -> None:
        try:
            kind = topics.parse(topic).kind
            if kind is Kind.STORED:
                self._take_answer(codec.decode(payload, Stored, device=self._machine.device))
            elif kind is Kind.RESUME:
                self._take_resume(codec.decode(payload, Resume, device=self._machine.device))
        except (BadMessage, BadTopic) as bad:
            _log.warning("An unreadable message came: %s", bad, extra={"action": "bad_message"})

    def _take_answer(self, stored: Stored) -> None:
        settled = self._machine.outbox.settle(stored, self._machine.dating.now())
        seqs = [answer.seq for answer in settled.answers]
        self._learn_the_time(stored, seqs)
        if seqs:
            self._pacer.answered(stored.outbox, seqs, self._now())
            self._note_refusal(None)
        for answer in settled.answers:
            self._answered(answer)
            self._log_bad_news(answer)
        for outbox, seq in settled.moved:
            self._pacer.forget(outbox, [seq])
        if settled.moved:
            _log.error("%d records moved to a new outbox", len(settled.moved), extra={"action": "conflict"})

    def _learn_the_time(self, stored: Stored, seqs: list[int]) -> None:
        """From the youngest of the records this program sent: the answer was made since."""
        if stored.outbox == self._first.outbox:
            sent = max((self._sent_first.pop(seq) for seq in seqs if seq in self._sent_first), default=None)
            if sent is not None:
                self._machine.dating.learn(stored.at, journey_s=(self._now() - sent) / 1000)

    def _log_bad_news(self, answer: Answer) -> None:
        if answer.verdict != "stored":
            _log.warning(
                "Record %d was %s: %s", answer.seq, answer.verdict, answer.reason, extra={"action": answer.verdict}
            )

    def _take_resume(self, asked: Resume) -> None:
        gone = self._machine.outbox.resume(asked, self._machine.dating.now())
        self._pacer.asked(asked.outbox, asked.missing, self._now())
        _log.warning(
            "The centre asks for %d records again; %d of them are gone",
            len(asked.missing),
            len(gone),
            extra={"action": "resume", "asked": len(asked.missing), "gone": len(gone)},
        )
