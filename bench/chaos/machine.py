"""One machine: the real `hadir-edge run` as a process, a finger that lays cards on it, and what its screen says."""

import contextlib
import json
import os
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from bench.chaos.book import Book, Laid, uid_of
from contract.topics import DeviceId
from demo.servers.process import ServerFailed, wait_for
from edge.readers.simulated import Finger, NotAnswered, NotTaken
from edge.signals import Signal

COMMAND: Final = (sys.executable, "-m", "edge", "run")
KEPT: Final = frozenset({Signal.STORED, Signal.STORED_OFFLINE})
VERDICTS: Final = KEPT | {Signal.REFUSED, Signal.ALREADY_READ, Signal.UNUSABLE_CARD, Signal.TRY_AGAIN}
PATIENCE_S: Final = 30.0
START_PATIENCE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Said:
    """One signal."""

    signal: Signal
    seq: int | None


@dataclass
class Machine:
    """A machine in *folder*. `environment` may be changed between two starts; `prefix` stands before its command."""

    device: DeviceId
    folder: Path
    environment: dict[str, str]
    prefix: Sequence[str] = ()
    starts: int = 0
    _process: "subprocess.Popen[bytes] | None" = None
    _said: "queue.SimpleQueue[Said | None]" = field(default_factory=queue.SimpleQueue)
    _has_spoken: threading.Event = field(default_factory=threading.Event)

    @property
    def outbox(self) -> Path:
        """Its outbox file."""
        return Path(self.environment["HADIR_OUTBOX"])

    @property
    def log(self) -> Path:
        """What it logged since it was first started."""
        return self.folder / "log"

    @property
    def finger(self) -> Finger:
        """What lays cards on its reader."""
        return Finger(self.folder / "reader", patience_s=PATIENCE_S)

    @property
    def pid(self) -> int:
        """The id of its process, which may be that of a tracer."""
        assert self._process is not None
        return self._process.pid

    @property
    def program(self) -> int:
        """The id of the program itself."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        found = children.read_text().split() if children.exists() else []
        return int(found[0]) if found else self.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and return when its reader takes cards."""
        self.launch()
        wait_for(lambda: not self.is_running or self.is_serving(), f"{self.device}'s start", patience=START_PATIENCE)
        if not self.is_running:
            raise ServerFailed(f"{self.device} ended at its start:\n{self.log.read_text()[-2000:]}")

    def launch(self) -> None:
        """Start it, and do not wait."""
        self.starts += 1
        self._said, self._has_spoken = queue.SimpleQueue(), threading.Event()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.prefix, *COMMAND],
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        threading.Thread(target=_listen, args=(self._process, self._said, self._has_spoken), daemon=True).start()

    def is_serving(self) -> bool:
        """Whether it runs and its screen has said something: then its reader takes cards."""
        return self.is_running and self._has_spoken.is_set()

    def lay(self, card: int, book: Book) -> Said | None:
        """Lay *card* on and enter into *book* what came of it; None when the machine ended before it said anything.

        Raises `NotTaken` when it was down already: the card was not laid on.
        """
        said = self._said
        if not _forget(said):
            raise NotTaken(f"{self.device} has ended")
        before = now_ms()
        with contextlib.suppress(NotAnswered):
            self.finger.lay(uid_of(card))
        answer = _verdict(said)
        self._note(card, before, answer, book)
        return answer

    def lay_in_turn(self, cards: Sequence[int], book: Book) -> Sequence[int]:
        """Lay *cards* on, each as soon as the one before was answered; those that were not, as the machine ended."""
        said, before, done = self._said, now_ms(), 0
        if not _forget(said):
            return cards
        with contextlib.suppress(NotTaken):
            try:
                for _ in self.finger.lay_in_turn([uid_of(card) for card in cards]):
                    self._note(cards[done], before, _verdict(said), book)
                    done += 1
            except NotAnswered:
                self._note(cards[done], before, _verdict(said), book)
                done += 1
        return cards[done:]

    def _note(self, card: int, before: int, answer: Said | None, book: Book) -> None:
        _enter(Laid(card, self.device, before, now_ms(), answer.seq if answer else None), answer, book)

    def next_of(self, wanted: Collection[Signal], *, patience_s: float) -> Said | None:
        """The next of these signals, or None when it does not come in time or the machine has ended."""
        give_up = time.monotonic() + patience_s
        with contextlib.suppress(queue.Empty):
            while (said := self._said.get(timeout=max(0.001, give_up - time.monotonic()))) is not None:
                if said.signal in wanted:
                    return said
        return None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and self.is_running:
            os.kill(self.program, signal.SIGKILL)
            self._process.wait()

    def wait(self) -> int:
        """Wait until it has ended by itself; its exit code."""
        assert self._process is not None
        return self._process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Let it say goodbye and end; its exit code."""
        assert self._process is not None
        if self.is_running:
            os.kill(self.program, signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()

    def waiting(self) -> int:
        """How many rows of its outbox are not answered."""
        return int(self.ask("SELECT count(*) FROM row WHERE state = 'waiting'")[0][0])

    def ask(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:  # Any: whatever a column holds
        """What its outbox says; the machine may run meanwhile."""
        with contextlib.closing(sqlite3.connect(f"file:{self.outbox}?mode=ro", uri=True, timeout=10)) as db:
            return db.execute(query, arguments).fetchall()

    def logged(self, action: str) -> int:
        """How many lines of its log contain *action*."""
        return self.log.read_text().count(action) if self.log.exists() else 0


def now_ms() -> int:
    """True time: this computer's."""
    return time.time_ns() // 1_000_000


def _listen(
    process: "subprocess.Popen[bytes]", said: "queue.SimpleQueue[Said | None]", spoken: threading.Event
) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            with contextlib.suppress(ValueError):  # a line that a kill cut short was not shown
                words: Mapping[str, object] = json.loads(line)
                seq = words["seq"]
                said.put(Said(Signal(words["signal"]), seq if isinstance(seq, int) else None))
                spoken.set()
    said.put(None)


def _forget(said: "queue.SimpleQueue[Said | None]") -> bool:
    """Leave out what was said until now, it is about others; False when the machine has ended."""
    with contextlib.suppress(queue.Empty):
        while True:
            if said.get_nowait() is None:
                said.put(None)
                return False
    return True


def _verdict(said: "queue.SimpleQueue[Said | None]") -> Said | None:
    """The next signal that is about a card, or None when there is none any more."""
    while (signal := said.get(timeout=PATIENCE_S)) is not None:
        if signal.signal in VERDICTS:
            return signal
    said.put(None)
    return None


def _enter(laid: Laid, answer: Said | None, book: Book) -> None:
    if answer is None:
        book.doubtful.append(laid)
    elif answer.signal in KEPT:
        book.made.append(laid)
    else:
        book.refused.append(laid)
