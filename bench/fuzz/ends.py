"""The laws of the two ends: a machine and its answers, an ingester and its messages. Each input meets a fresh copy."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Final

from bench.fuzz.drawing import Draw, Json, bent
from bench.fuzz.files import PEPPER, REGISTRY, scratch
from bench.fuzz.wire import DEVICE, KEY, KEYRING, UID, as_payload, sample
from cloud.feed import Arrived
from cloud.history import Refused
from cloud.ingest.opening import Opener
from cloud.ingest.service import Service
from cloud.ingest.store import Store
from cloud.records import migrate, open_records
from contract import codec, topics
from contract.codec import BadMessage
from contract.messages import Clock, Resume, Stored, Tap
from contract.series import Point
from contract.topics import Kind, Topic
from edge.dating import Stamp
from edge.outbox import answers, rows, schema
from provisioning.registry import importing, reading
from provisioning.registry.rows import KINDS

NOW_MS: Final = 1_800_000_000_000
STAMP: Final = Stamp(NOW_MS, 1000, "00000001-0000-4000-8000-000000000000", Clock.TRUSTED)
ROWS: Final = 12

# ---- the machine -----------------------------------------------------------------------------------------------------


def answer(data: bytes) -> None:
    """No answer makes a row go away whose very bytes it does not name; the same answer again changes nothing."""
    draw = Draw(data)
    db, outbox = _machine()
    message = _answer(draw, db, outbox)
    db.execute("BEGIN")
    try:
        match message:
            case Stored():
                _settle(db, message)
            case Resume():
                _resume(db, message)
    finally:
        db.execute("ROLLBACK")


def _settle(db: sqlite3.Connection, stored: Stored) -> None:
    before = _waiting(db)
    settled = answers.settle(db, stored, STAMP)
    for each in settled.answers:
        assert each.seq in stored.covered and stored.digests[each.seq] == before[each.outbox, each.seq]
    gone = {(each.outbox, each.seq) for each in settled.answers} | set(settled.moved)
    after = _waiting(db)
    assert before.keys() - after.keys() == gone & before.keys(), "a row stopped waiting and nobody said so"
    assert len(after.keys() - before.keys()) >= len(settled.moved), "a moved row did not arrive"
    assert not answers.settle(db, stored, STAMP).answers, "the same answer answers twice"


def _resume(db: sqlite3.Connection, asked: Resume) -> None:
    before = _waiting(db)
    gone = answers.resume(db, asked, STAMP)
    after = _waiting(db)
    assert before.items() <= after.items(), "a request for records made one go away"
    first = {seq for outbox, seq in after if outbox == asked.outbox and seq <= ROWS}
    assert not any(seq in gone for seq in first), "a row that is here is declared gone"


def _waiting(db: sqlite3.Connection) -> dict[tuple[str, int], str]:
    found = db.execute("SELECT outbox, seq, digest FROM row WHERE state = 'waiting'")
    return {(outbox, seq): digest for outbox, seq, digest in found}


def _answer(draw: Draw, db: sqlite3.Connection, outbox: str) -> Stored | Resume | None:
    """An answer about the machine's own rows, bent."""
    if draw.number(4) == 0:
        message = bent(draw, sample("resume") | {"outbox": outbox, "missing": [[1, 3], [9, 10 + draw.number(9)]]})
        model: type[Stored] | type[Resume] = Resume
    else:
        digests: dict[str, Json] = {str(seq): digest for (_, seq), digest in _waiting(db).items()}
        straight: dict[str, Json] = {
            "outbox": outbox,
            "upto": draw.number(16),
            "beyond": [[6, 6 + draw.number(9)]],
            "digests": digests,
        }
        told: dict[str, Json] = {"rejected": {"2": "unreadable"}, "held": {"3": "future"}, "conflicts": [[5, 5]]}
        message, model = bent(draw, sample("stored") | straight | told), Stored
    try:
        return codec.decode(as_payload(message), model, device=DEVICE)
    except BadMessage:
        return None


@cache
def _machine() -> tuple[sqlite3.Connection, str]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(schema.TABLES)
    for number in range(ROWS):
        card = str(KEY.public().seal(UID, DEVICE))
        tap = Tap(seq=1, at=NOW_MS + number, mono=number, boot=STAMP.boot, clock=Clock.TRUSTED, card=card)
        kept = rows.insert(db, tap)
    db.execute("UPDATE row SET state = 'stored', settled_at = 1 WHERE seq <= 1")
    return db, kept.outbox


# ---- the ingester ----------------------------------------------------------------------------------------------------


@dataclass
class Heard:
    """A feed that only listens to the answers."""

    said: list[tuple[Topic, bytes]] = field(default_factory=list)

    async def next(self) -> Arrived:
        raise NotImplementedError

    async def next_sign(self) -> Arrived:
        raise NotImplementedError

    async def publish(self, topic: Topic, payload: bytes) -> bool:
        self.said.append((topic, payload))
        return True


class Forgetful:
    """A history that takes everything and keeps nothing."""

    trouble: str | None = None

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        for point in points:
            point.line()
        return []


def ingest(data: bytes) -> None:
    """Any message under any topic, then the golden batch: no fault of the program, answers that a machine can read."""
    draw = Draw(data)
    asyncio.run(_serve([_arrived(draw) for _ in range(1 + draw.number(3))]))


async def _serve(messages: list[Arrived]) -> None:
    with scratch() as folder:
        shutil.copyfile(_empty_records(), folder / "hadir.db")
        with open_records(f"sqlite:///{folder / 'hadir.db'}") as records:
            feed = Heard()
            store = Store(records, Forgetful(), opener=Opener(KEYRING, PEPPER), now=_now)
            service = Service(feed, store)
            await service.work(messages)
            await service.work(messages[:1])
            assert store.tally.failures == 0, "a message broke the program"
            for topic, payload in feed.said:
                _readable(topic, payload)
            before = len(feed.said)
            await service.work([Arrived(str(topics.records(DEVICE)), as_payload(_taps()), False, NOW_MS)])
            assert len(feed.said) > before, "a good batch is not answered any more"


def _readable(topic: Topic, payload: bytes) -> None:
    assert len(payload) <= codec.MAX_PAYLOAD
    codec.decode(payload, Stored if topic.kind is Kind.STORED else Resume, device=topic.device)


def _now() -> datetime:
    return datetime.fromtimestamp(NOW_MS / 1000, UTC)


def _arrived(draw: Draw) -> Arrived:
    kind, straight = draw.pick(_MESSAGES)
    topic = str(topics.of(DEVICE, kind)) if draw.number(8) else draw.take(20).decode("latin-1")
    payload = as_payload(bent(draw, straight()))
    return Arrived(topic, payload, bool(draw.number(2)), NOW_MS)


def _taps() -> dict[str, Json]:
    """A batch of taps that this ingester can open, and events that speak of outboxes."""
    batch = sample("records")
    stamp: dict[str, Json] = {"at": NOW_MS - 1000, "mono": 5, "boot": STAMP.boot, "clock": "trusted"}
    taps: list[Json] = [{"kind": "tap", "seq": seq, "card": _card(), **stamp} for seq in (1, 2)]
    lost: dict[str, Json] = {"outbox": batch["outbox"], "from_seq": 5, "to_seq": 9, "from": 1, "to": NOW_MS}
    gone: Json = {"kind": "event", "seq": 3, "event": "records_dropped", "detail": lost, **stamp}
    ended: dict[str, Json] = {"outbox": STAMP.boot, "last_seq": 7}
    closed: Json = {"kind": "event", "seq": 4, "event": "outbox_closed", "detail": ended, **stamp}
    return batch | {"records": [*taps, gone, closed]}


@cache
def _card() -> str:
    return str(KEY.public().seal(UID, DEVICE))


_MESSAGES: Final[tuple[tuple[Kind, Callable[[], dict[str, Json]]], ...]] = (
    (Kind.RECORDS, _taps),
    (Kind.RECORDS, partial(sample, "records")),
    (Kind.HEARTBEAT, partial(sample, "heartbeat")),
    (Kind.STATUS, partial(sample, "status-birth")),
    (Kind.STATUS, partial(sample, "status-will")),
)


@cache
def _empty_records() -> Path:
    """A database with the registry of the seeds. It lies in memory until the program ends."""
    folder = _kept_folder()
    path = folder / "empty.db"
    with open_records(f"sqlite:///{path}") as records:
        migrate.upgrade_records(records)
        lines = {
            kind.table: reading.read(text, kind, pepper=PEPPER).lines
            for kind, text in zip(KINDS, REGISTRY, strict=True)
        }
        importing.carry_out(records, lines, now=_now(), history=True)
    return path


@cache
def _kept_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hadir-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def end_seeds() -> Iterator[bytes]:
    """A little of everything."""
    for number in range(12):
        yield bytes((number * 29 + step * 7) % 256 for step in range(20))
