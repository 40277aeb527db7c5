"""The power goes: every tap that had shown TERSIMPAN is in the outbox, whatever the disk made of what was not synced.

A machine runs under strace without network. Its disk is then rebuilt as it may have been at hundreds of moments, and
an outbox, for some of them the whole program, is started from each.
"""

import contextlib
import json
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.chaos import recording
from bench.chaos.book import Book, Laid, card_of
from bench.chaos.lone import DEVICE, lone_machine
from bench.chaos.machine import now_ms
from bench.chaos.recording import Disk, Fate, Operation, Shown
from bench.chaos.score import Score
from bench.chaos.stage import CannotRun, Stage
from contract.cards import Keyring, SealedCard, UnreadableCard
from contract.messages import Clock, Tap
from edge.dating import Stamp
from edge.outbox import Limits, open_outbox, rows
from edge.signals import Signal

TAILS: Final = ("", "-wal")
LEAST_TAPS: Final = 350
"""Enough for SQLite to move its log into the file once: that too must survive."""
MOST_TAPS: Final = 2_000
MOST_IMAGES: Final = 3_000
WHOLE_PROGRAM_EVERY: Final = 40
STRANGER: Final = 1_000_000_000
"""The card that is laid on a revived machine."""
_KEPT: Final = (Signal.STORED.value, Signal.STORED_OFFLINE.value)


@dataclass(frozen=True)
class Evidence:
    """A recording, and what a person before the machine knows of it."""

    operations: Sequence[Operation]
    path: Path
    outbox: str
    book: Book
    keyring: Keyring
    tap_of: Mapping[int, Laid]
    """By the number that the screen showed."""


@dataclass
class Damage:
    """Seqs that some image lacked, had otherwise, or had twice."""

    lost: set[int] = field(default_factory=set)
    wrong: set[int] = field(default_factory=set)
    doubled: set[int] = field(default_factory=set)


def power_cut(stage: Stage) -> Score:
    """As many images of the disk as taps were asked for, up to `MOST_IMAGES`."""
    evidence = _record(stage)
    damage, images = Damage(), 0
    for disk, shown in _moments(evidence, stage):
        images += 1
        with tempfile.TemporaryDirectory(dir=_memory()) as folder:
            path = _lay_out(disk, evidence.path, list(Fate)[images % len(Fate)], stage, Path(folder))
            if images % WHOLE_PROGRAM_EVERY == 0:
                _start_program(stage, path)
            else:
                _start_outbox(path)
            found = _taps(path, evidence.outbox)
        for seq in shown:
            _compare(evidence, seq, found.get(seq, []), damage)
        stage.tell(f"{images} images of the disk")
    made = len(evidence.book.made)
    lost, wrong, doubled = len(damage.lost), len(damage.wrong), len(damage.doubled)
    return Score(made, made - lost, lost, wrong, doubled, note=f"{images} images of the disk")


def _record(stage: Stage) -> Evidence:
    if shutil.which("strace") is None:
        raise CannotRun("strace is not installed: get it with `sudo apt-get install strace`")
    machine, keyring = lone_machine(stage.folder / "machine")
    trace = stage.folder / "trace"
    machine.prefix = (*recording.STRACE, "-o", str(trace))
    machine.start()
    book = Book()
    for _ in range(min(max(stage.taps, LEAST_TAPS), MOST_TAPS)):
        machine.lay(book.next_card(), book)
    ((outbox,),) = machine.ask("SELECT value FROM note WHERE name = 'outbox'")
    machine.kill()  # strace ends after it, with everything written down
    tap_of = {laid.seq: laid for laid in book.made if laid.seq is not None}
    with trace.open() as lines:
        return Evidence(recording.read(lines), machine.outbox, str(outbox), book, keyring, tap_of)


def _moments(evidence: Evidence, stage: Stage) -> Iterator[tuple[Disk, list[int]]]:
    """The disk at as many moments as wanted, half of them right after the screen spoke; and what it had shown."""
    operations, disk = evidence.operations, Disk()
    after_words = [number for number, one in enumerate(operations) if isinstance(one, Shown)]
    half = max(1, min(stage.taps, MOST_IMAGES) // 2)
    cuts = dict.fromkeys(range(len(operations)), 0)
    for number in stage.chance.choices(after_words, k=half) + stage.chance.choices(range(len(operations)), k=half):
        cuts[number] += 1
    shown: list[int] = []
    for number, one in enumerate(operations):
        disk.take(number, one)
        if isinstance(one, Shown):
            shown.extend(_numbers(one.line))
        for _ in range(cuts[number]):
            yield disk, shown


def _numbers(line: bytes) -> Iterator[int]:
    said = json.loads(line)
    if said["signal"] in _KEPT:
        yield int(said["seq"])


def _lay_out(disk: Disk, outbox: Path, fate: Fate, stage: Stage, folder: Path) -> Path:
    paths = [outbox.with_name(outbox.name + tail) for tail in TAILS]
    for path, content in disk.after_power_cut(paths, fate, stage.chance).items():
        (folder / path.name).write_bytes(content)
    return folder / outbox.name


def _start_outbox(path: Path) -> None:
    """Open the outbox as the program does, and keep one more record."""
    stamp = Stamp(now_ms(), 0, str(uuid.uuid4()), Clock.TRUSTED)
    outbox = open_outbox(path, Limits(reserve_bytes=0), stamp)
    try:
        outbox.keep(rows.event(stamp, "self_test"))
    finally:
        outbox.close()


def _start_program(stage: Stage, path: Path) -> None:
    """Start the whole program with this outbox, and lay one more card on."""
    with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
        machine, _ = lone_machine(Path(folder))
        machine.environment["HADIR_OUTBOX"] = str(path)
        machine.start()
        try:
            machine.lay(STRANGER, Book())
        finally:
            machine.kill()


def _taps(path: Path, outbox: str) -> dict[int, list[Tap]]:
    """The taps that the file holds under that outbox id, by seq."""
    found: dict[int, list[Tap]] = {}
    with contextlib.closing(sqlite3.connect(path)) as db:
        for (body,) in db.execute("SELECT body FROM row WHERE outbox = ?", (outbox,)):
            record = rows.record_of(body)
            if isinstance(record, Tap):
                found.setdefault(record.seq, []).append(record)
    return found


def _compare(evidence: Evidence, seq: int, found: Sequence[Tap], damage: Damage) -> None:
    laid = evidence.tap_of[seq]
    if not found:
        damage.lost.add(seq)
    elif len(found) > 1:
        damage.doubled.add(seq)
    elif (card := _card(found[0], evidence)) is None:
        damage.lost.add(seq)
    elif card != laid.card or not laid.from_ms - 5 <= found[0].at <= laid.to_ms + 5:
        damage.wrong.add(seq)


def _card(tap: Tap, evidence: Evidence) -> int | None:
    """Which card it is of; None if it was sealed by another program: then its seq was given a second time."""
    try:
        return card_of(evidence.keyring.open(SealedCard.parse(tap.card), DEVICE))
    except UnreadableCard:
        return None


def _memory() -> str | None:
    """Images are many and short-lived: in memory where there is such a folder."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
