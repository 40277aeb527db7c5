"""The story of the month in the words of the contract, put through the ingest service with its clock as an argument."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import month_broker
import month_story as story
from month_story import WIB, Kept, Message, Story
from month_worker import Worker

from cloud.feed import Arrived, Feed
from cloud.history import History
from cloud.ingest.chores import Chores
from cloud.ingest.opening import Opener
from cloud.ingest.service import Service
from cloud.ingest.store import Store
from cloud.records import Records
from cloud.records.pseudonyms import Pepper
from contract import codec, topics
from contract.cards import Keyring, OpeningKey
from contract.messages import Clock, Envelope, Event, Heartbeat, Hours, Record, Status, Tap
from contract.topics import DeviceId, Topic
from provisioning.registry import importing

KEY, PEPPER = OpeningKey.generate("k1"), Pepper(b"p" * 32)
SEALING = KEY.public()
AT_ONCE = 500
PACE = 4.0
"""The clock goes by whole minutes: what would be a break of the service at real pace is none here."""
SYS = {
    "clients_connected": "clients/connected",
    "subscribed": "subscriptions/count",
    "retained": "retained messages/count",
    "queued": "store/messages/count",
    "received_total": "messages/received",
    "sent_total": "messages/sent",
    "dropped_total": "publish/messages/dropped",
    "received_bytes_total": "bytes/received",
    "sent_bytes_total": "bytes/sent",
    "heap_bytes": "heap/current",
    "uptime_s": "uptime",
}
NEVER = date(9999, 1, 1)


# ---- messages --------------------------------------------------------------------------------------------------------


def message(told: Message) -> Arrived:
    """As the broker would hand it over."""
    device = DeviceId(told.device)
    topic, payload = _said(device, told)
    return Arrived(str(topic), payload, is_retained=False, arrived_ms=told.arrived)


def _said(device: DeviceId, told: Message) -> tuple[Topic, bytes]:
    match told.kind:
        case "records":
            return topics.records(device), _batch(device, told.records)
        case "heartbeat":
            beat = Heartbeat(device=device, outbox=story.outbox(device), **told.said)
            return topics.heartbeat(device), codec.encode(beat)
        case "status":
            own = {"outbox": story.outbox(device)} if told.said["reason"] != "will" else {}
            return topics.status(device), codec.encode(Status(device=device, **own, **told.said))
        case _:
            return topics.heartbeat(device), b"{"


def _batch(device: DeviceId, records: Sequence[Kept]) -> bytes:
    envelope = Envelope(device=device, outbox=story.outbox(device), confirmed=records[0].seq - 1)
    return codec.encode_batch(envelope, [codec.body(_record(device, each)) for each in records])


def _record(device: DeviceId, kept: Kept) -> Record:
    behind = 0 if kept.trusted else story.BEHIND
    mono = kept.made - story.boot_at(device, kept.made)[1]
    clock = Clock.TRUSTED if kept.trusted else Clock.UNTRUSTED
    stamp = {"seq": kept.seq, "at": kept.made - behind, "mono": max(0, mono), "boot": kept.boot, "clock": clock}
    match kept.kind:
        case "tap":
            return Tap(**stamp, card=_sealed(device, kept))
        case "garbage":
            return Tap(**stamp, card="k1.AAAA")
        case "hours":
            hour = kept.made // story.HOUR * story.HOUR - story.HOUR - behind
            return Hours(**stamp, hour=hour, able_min=kept.able)
        case _:
            return Event(**stamp, event=kept.kind, detail=kept.detail)


_seals: dict[tuple[str, int], str] = {}


def _sealed(device: DeviceId, kept: Kept) -> str:
    """The same text each time it is sent."""
    key = (device, kept.seq)
    if key not in _seals:
        _seals[key] = str(SEALING.seal(kept.uid, device))
    return _seals[key]


# ---- the registry ----------------------------------------------------------------------------------------------------

KNOWN = "2025-12-01T00:00:00+07:00"


def registry(*, is_replaced: bool) -> dict[str, str]:
    """Its files, before and after the machine was replaced."""
    cards = [[c.uid.hex(), c.unit, "holder" if c.obliged else "member", int(c.obliged), c.first, _day(c.last), KNOWN]
             for home in story.HOMES for c in home.cards]  # fmt: skip
    cards.append([story.TEST_CARD.hex(), "", "test", 0, date(2025, 6, 1), "", KNOWN])
    return {
        "estates.csv": _table(
            "estate,name,lat,lon,go_live",
            ([code, code, *story.PLACES[code], story.GO_LIVE[code]] for code in story.FLEET),
        ),
        "units.csv": _table("unit,estate", ([home.name, home.estate] for home in story.HOMES)),
        "tenancies.csv": _table(
            "unit,start,end,known_from",
            ([home.name, home.let_from, _day(home.let_until), KNOWN] for home in story.HOMES),
        ),
        "cards.csv": _table("card,unit,role,obliged,valid_from,valid_to,known_from", cards),
        "calendar.csv": _table(
            "scope,from,to,kind,reason,known_from", ([*row, "closure", "libur", KNOWN] for row in story.CLOSED)
        ),
        "leave.csv": _table(
            "unit,from,to,known_from", ([home.name, *home.leave, KNOWN] for home in story.HOMES if home.leave)
        ),
        "installations.csv": _table(
            "device,estate,installed,removed,service_hours,known_from",
            (_installation(device, is_replaced=is_replaced) for device in story.ESTATE_OF
             if is_replaced or device != "DMG-04"),
        ),
    }  # fmt: skip


def _installation(device: str, *, is_replaced: bool) -> list[Any]:
    since, until = story.STANDS[device]
    estate = story.ESTATE_OF[device]
    first, last = story.SERVICE.get(estate, (0, 24))
    open_ = f"Mon-Sun {first:02}:00-{last:02}:00" if estate in story.SERVICE else ""
    return [device, estate, _instant(since), _instant(until) if is_replaced and until < 2**60 else "", open_, KNOWN]


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, WIB).isoformat()


def _day(day: date) -> str:
    return "" if day == NEVER else day.isoformat()


def _table(columns: str, rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns.split(","), *rows])
    return text.getvalue()


# ---- the service -----------------------------------------------------------------------------------------------------


class Ears:
    """What the feed tells of itself; here also where answers go."""

    is_listening = True

    def __init__(self) -> None:
        self.now = 0
        self.answers: list[bytes] = []

    @property
    def backlog(self) -> int:
        return month_broker.waiting_at(self.now)

    @property
    def broker_says(self) -> dict[str, str]:
        told = month_broker.broker_at(self.now)
        return {
            topic: f"{told[name]} seconds" if name == "uptime_s" else str(told[name]) for name, topic in SYS.items()
        }

    async def next(self) -> Arrived:
        raise NotImplementedError

    async def next_sign(self) -> Arrived:
        raise NotImplementedError

    async def publish(self, topic: Topic, payload: bytes) -> bool:
        self.answers.append(payload)
        return True


class Ingester:
    """Store, service and chores over *records* and *history*; `start` makes them anew, as a restart of the program."""

    def __init__(self, records: Records, history: History) -> None:
        self.records, self.history, self.ears = records, history, Ears()
        self.start()

    def start(self) -> None:
        opener = Opener(Keyring({"k1": KEY}), PEPPER)
        self.store = Store(self.records, self.history, opener=opener, now=self.now)
        self.service = Service(self.ears, self.store)
        self.chores = Chores(self.store, self.ears, instance="ingest-1", pace=PACE)

    def listen_to(self, feed: Feed) -> None:
        """Take messages from a broker, and answer there."""
        self.service = Service(feed, self.store)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.ears.now / 1000, UTC)

    async def live(self, told: Story, folder: Path) -> None:
        """The whole month, step by step, with the alert worker beside it."""
        self.bring_in(registry(is_replaced=False), folder / "before", story.at(1, 31))
        worker, rounds = Worker(self.records, self.history), set(story.rounds())
        worker.silence()
        waiting = iter([*told.messages, None])
        following = next(waiting)
        steps = set(told.steps)
        for step in sorted(rounds | steps):
            self.ears.now = step
            batch: list[Arrived] = []
            while step in steps and following is not None and following.arrived <= step:
                batch.append(message(following))
                following = next(waiting)
            if step in steps:
                await self._step(step, batch, folder)
            if step in rounds:
                await worker.turn(step)

    async def _step(self, step: int, batch: list[Arrived], folder: Path) -> None:
        """What the ingester does at one instant."""
        if step == story.RESTARTED:
            self.start()
        if step // story.MINUTE == story.REPLACED_AT // story.MINUTE:
            self.bring_in(registry(is_replaced=True), folder / "after", step)
        for first in range(0, len(batch), AT_ONCE):
            await self.service.work(batch[first : first + AT_ONCE])
        await self.chores.turn()

    def bring_in(self, files: dict[str, str], folder: Path, now_ms: int) -> None:
        """Import the registry as an operator would."""
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        lines = importing.read_folder(folder, pepper=PEPPER)
        importing.carry_out(self.records, lines, now=datetime.fromtimestamp(now_ms / 1000, UTC), history=True)
