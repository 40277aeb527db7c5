"""A small world for whole stories: machines that beat and keep records, broker, ingester, alert worker, readers.

Nothing sleeps: `until` moves the clock step by step, and at each step everything runs as it does live, through ingest's
own store, ear and sweep, all rules of the live system, the telling and the senders. What is said is written down.
"""

import io
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cloud.alerts import evaluating, running, sending
from cloud.alerts.acting import Desk
from cloud.alerts.channels import Channel, Traits
from cloud.alerts.channels.console import ConsoleChannel
from cloud.alerts.evaluating import Circumstances
from cloud.alerts.flags.changes import Change
from cloud.alerts.policy import Policies
from cloud.alerts.sending import Post
from cloud.alerts.service import Duties
from cloud.alerts.texts import wording
from cloud.days import HOUR, MINUTE, day_of, starts
from cloud.ingest.requests import Incoming
from cloud.ingest.store import Store
from cloud.ingest.sweep import Sweep
from cloud.records import Records, marks, people, registrar
from cloud.records.heard import Beat
from cloud.records.people import Address, Duty, Person, Role
from cloud.replay.ingesting import Nowhere, Plain
from contract import codec, messages
from contract.codec import Batch, Received
from contract.messages import Clock, Envelope, Stored
from contract.topics import DeviceId

CONSOLE = "https://hadir.example"
ALWAYS = "Mon-Sun 00:00-24:00"
OFFICE = "Mon-Sun 08:00-16:00"
LONG_AGO = date(2015, 1, 1)
Y2000_MS = 946_684_800_000
MORNING = ("06:00", "07:30", "08:00")
WIDTH = 72
"""Of a message on a console."""
MANY = 5
"""More subjects than this with the same change are counted, not listed."""


def at(day: date, clock: str = "00:00") -> int:
    """The instant at which a clock in Jakarta shows this."""
    hour, minute = clock.split(":")
    return starts(day) + int(hour) * HOUR + int(minute) * MINUTE


def named(device: str, what: str) -> str:
    """The UUID of a machine's boot or outbox."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{device}/{what}"))


class Mail(ConsoleChannel):
    """A mail as text: unlike a chat, it may name a unit."""

    traits = Traits(max_chars=100_000, is_chat=False)


@dataclass
class Machine:
    """One machine: keeps hours and taps under a seq while it has power, sends what it holds while it has a network."""

    device: DeviceId
    world: "World"
    has_power: bool = True
    has_network: bool = True
    boots: int = 1
    born_ms: int = 0
    seq: int = 0
    confirmed: int = 0
    waiting: list[Received] = field(default_factory=list)
    reader: str = "ok"
    free_pct: float = 60.0
    clock_ms: int | None = None
    """By how much its clock is wrong; None = it is synchronised."""
    hour_ms: int = 0
    able_ms: int = 0
    """In the hour that has begun."""
    place: dict[str, Any] = field(default_factory=dict)
    """Its row in the registry."""

    # ---- what befalls it ---------------------------------------------------------------------------------------------

    def loses_power(self) -> None:
        self.close_hour()
        self.has_power = False

    def gets_power(self, *, clock_at_ms: int | None = None) -> None:
        """It boots; *clock_at_ms*: what its clock shows, if that is wrong."""
        self.has_power, self.boots, self.born_ms = True, self.boots + 1, self.world.now_ms
        self.clock_ms = None if clock_at_ms is None else clock_at_ms - self.world.now_ms
        self.hour_ms, self.able_ms = self.world.now_ms // HOUR * HOUR, 0
        self.keeps("event", event="boot")

    def tap(self, card: str) -> None:
        assert self.has_power
        self.keeps("tap", card=card)

    # ---- what it does ------------------------------------------------------------------------------------------------

    @property
    def boot(self) -> str:
        return named(self.device, f"boot {self.boots}")

    @property
    def outbox(self) -> str:
        return named(self.device, "outbox")

    @property
    def shown_ms(self) -> int:
        """What its clock shows."""
        return self.world.now_ms + (self.clock_ms or 0)

    def passes(self, until_ms: int) -> None:
        """Time passes: each hour that ends becomes a record."""
        while self.has_power and self.hour_ms + HOUR <= until_ms:
            self.able_ms += self.hour_ms + HOUR - max(self.world.now_ms, self.hour_ms)
            self.close_hour()
        if self.has_power and self.reader == "ok":
            self.able_ms += until_ms - max(self.world.now_ms, self.hour_ms)

    def close_hour(self) -> None:
        if self.clock_ms is None:  # the minutes of a machine that does not know the time count for nobody
            able = min(60, self.able_ms // MINUTE) if self.reader == "ok" else 0
            self.keeps("hours", hour=self.hour_ms, able_min=able)
        self.hour_ms, self.able_ms = self.hour_ms + HOUR, 0

    def keeps(self, kind: str, **more: Any) -> None:
        self.seq += 1
        clock = Clock.TRUSTED if self.clock_ms is None else Clock.UNTRUSTED
        stamp = {"seq": self.seq, "at": self.shown_ms, "mono": self.world.now_ms - self.born_ms, "boot": self.boot}
        record = KINDS[kind](**stamp, clock=clock, **more)
        text = codec.body(record)
        self.waiting.append(Received(record, text, codec.digest(text)))

    def heartbeat(self) -> Beat:
        beat = messages.Heartbeat(
            device=self.device,
            at=self.shown_ms,
            boot=self.boot,
            session=self.boots,
            uptime_s=(self.world.now_ms - self.born_ms) // 1000,
            outbox=self.outbox,
            last_seq=self.seq,
            confirmed=self.confirmed,
            backlog=len(self.waiting),
            oldest_unsent=self.waiting[0].record.at if self.waiting else None,
            reader=self.reader,
            clock="trusted" if self.clock_ms is None else "untrusted",
            disk_free_pct=self.free_pct,
            version="1",
        )
        return Beat(beat, codec.encode(beat).decode(), self.world.now_ms)

    def batches(self) -> Iterator[Incoming]:
        """What it holds, a hundred records at a time."""
        envelope = Envelope(device=self.device, outbox=self.outbox, confirmed=self.confirmed)
        for first in range(0, len(self.waiting), 100):
            records = tuple(self.waiting[first : first + 100])
            yield Incoming(self.device, Batch(envelope, records, ()), self.world.now_ms)

    def hears(self, answer: Stored) -> None:
        self.confirmed = max(self.confirmed, answer.upto)
        self.waiting = [each for each in self.waiting if each.record.seq > answer.upto]


KINDS = {"tap": messages.Tap, "hours": messages.Hours, "event": messages.Event}


@dataclass
class Canary:
    """The alert worker's: heard back while the broker is up."""

    since_ms: int | None = None
    heard_ms: int | None = None


class World:
    """Everything, at one instant."""

    def __init__(self, records: Records, policies: Policies) -> None:
        self.records, self.policies = records, policies
        self.now_ms = 0
        self.machines: dict[str, Machine] = {}
        self.staff: dict[str, Person] = {}
        self.changes: list[Change] = []
        """All that were ever made; `said` is only what happened since the story began."""
        self.said = io.StringIO()
        self.told_of = 0
        self.out = io.StringIO()
        self.channels: dict[str, Channel] = {
            "telegram": ConsoleChannel(self.out),
            "whatsapp": ConsoleChannel(self.out),
            "surel": Mail(self.out),
            "smtp": Mail(self.out),
        }
        self.is_broker_up = self.is_worker_up = True
        self.store = Store(records, Nowhere(), opener=Plain(), now=self.clock)
        self.sweep = Sweep(self.store)
        self.row = 0
        self.starts_worker()

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)

    # ---- what there is -----------------------------------------------------------------------------------------------

    def begins(self, day: date, clock: str = "00:00") -> None:
        self.now_ms = at(day, clock)
        self.canary.since_ms = self.now_ms
        self.write(marks.put, marks.LISTENING_SINCE, self.now_ms)

    def write(self, work: Callable[..., Any], *values: Any, **more: Any) -> Any:
        return self.records.write(lambda connection: work(connection, *values, **more))

    def register(self, table: str, *, is_new: bool = True, **row: Any) -> int:
        """A row of the registry; the row's number."""
        self.row += 1
        own = {} if table in ("estates", "units") else {"id": self.row}
        rows = [(table, own | row, is_new)]
        self.write(registrar.write, rows, touched=[], now_ms=self.now_ms)
        return self.row

    def estate(self, code: str, name: str, *devices: str, go_live: date | None = None, hours: str = ALWAYS) -> None:
        live = go_live or day_of(self.now_ms)
        self.register("estates", estate=code, name=name, lat=None, lon=None, go_live=live)
        for device in devices:
            self.install(device, code, hours)

    def install(self, device: str, code: str, hours: str = ALWAYS) -> Machine:
        place = {"device": device, "estate": code, "installed_ms": self.now_ms, "removed_ms": None}
        number = self.register("installations", **place, service_hours=hours, known_from_ms=self.now_ms)
        made = Machine(DeviceId(device), self, born_ms=self.now_ms, hour_ms=self.now_ms // HOUR * HOUR)
        made.place = {"id": number, **place, "service_hours": hours, "known_from_ms": self.now_ms}
        self.machines[device] = made
        return made

    def remove(self, device: str) -> None:
        """It is taken away from its estate; it may still send what it holds."""
        place = {**self.machines[device].place, "removed_ms": self.now_ms}
        self.register("installations", is_new=False, **place)

    def units(self, code: str, count: int = 1, *, first: int = 1) -> list[str]:
        """Dwellings, each with one card that bears its name."""
        names = [f"{code}/A/{number // 10:02}/{number % 10:02}" for number in range(first, first + count)]
        rows: list[tuple[str, dict[str, Any], bool]] = []
        for unit in names:
            self.row += 1
            own = {"id": self.row, "unit": unit, "known_from_ms": 0}
            card = {"pseudonym": unit, "role": "holder", "obliged": True, "valid_from": LONG_AGO, "valid_to": None}
            rows.append(("units", {"unit": unit, "estate": code}, True))
            rows.append(("tenancies", own | {"start": LONG_AGO, "end": None}, True))
            rows.append(("cards", own | card | {"ended_because": ""}, True))
        self.write(registrar.write, rows, touched=[], now_ms=self.now_ms)
        return names

    def calendar(self, first: date, last: date, kind: str, **more: Any) -> int:
        """Days that count for nobody; *id* and `is_new=False` move those of a row that is there."""
        row = {"scope": "*", "from_day": first, "to_day": last, "kind": kind, "reason": kind}
        return self.register("calendar", **row | {"known_from_ms": self.now_ms} | more)

    def employ(self, *everybody: Person) -> None:
        self.staff = {each.person: each for each in everybody}
        self.write(people.replace_all, everybody)

    def starts_worker(self) -> None:
        """A new alert worker: it remembers nothing."""
        self.is_worker_up = True
        self.canary = Canary(since_ms=self.now_ms)
        self.asked_ms: dict[Any, int] = {}
        self.duties: Duties = running.duties(lambda connection, now_ms: self._path(connection, now_ms))

    def _path(self, connection: Any, now_ms: int) -> Any:
        return running.path_facts(self.canary, None, connection, now_ms)

    # ---- time --------------------------------------------------------------------------------------------------------

    async def until(self, day: date, clock: str = "00:00", *, every: int = MINUTE) -> None:
        """Let time pass, and everybody do their work at each step."""
        end_ms = at(day, clock)
        while self.now_ms < end_ms:
            self.passes(min(self.now_ms + every, end_ms))
            await self.work()

    def passes(self, until_ms: int) -> None:
        """Time passes, in which machines take taps and what has become due is sent; nothing arrives or is judged."""
        for stop_ms in (*_due_between(self.now_ms, until_ms), until_ms):
            for machine in self.machines.values():
                machine.passes(stop_ms)
            self.now_ms = stop_ms
            if stop_ms < until_ms and self.is_worker_up:
                self.write(self.duties.digest, stop_ms)
                self.send()
                self._write_down()

    async def unread(self, until: date) -> None:
        """Days of which what is said fills no page of the story."""
        self._write_down()
        kept = self.said.getvalue()
        await self.weeks(until)
        self.said = io.StringIO()
        self.said.write(kept)
        self.note("yang diberitakan selama hari-hari ini tidak ditampilkan")

    async def weeks(self, until: date, *, daily: Callable[[date], None] = lambda day: None) -> None:
        """Days of no interest but for what *daily* does at their noon; a look each week, and at the end at 01.00."""
        day = day_of(self.now_ms)
        while day < until:
            if at(day, "12:00") > self.now_ms:
                self.passes(at(day, "12:00"))
                daily(day)
            day += timedelta(days=1)
            self.passes(at(day, "01:00"))
            if day == until or day.weekday() == 0:
                await self.work()

    async def work(self) -> None:
        """What everybody does now."""
        if self.is_broker_up:
            await self._listen()
        await self.sweep.run()
        if self.is_worker_up:
            self.judge()
            self.send()
        self._write_down()

    async def _listen(self) -> None:
        speaking = [each for each in self.machines.values() if each.has_power and each.has_network]
        for machine in speaking:
            for batch in list(machine.batches()):
                for answer in await self.store.take([batch]):
                    if isinstance(answer, Stored):
                        machine.hears(answer)
        await self.store.take_beats([machine.heartbeat() for machine in speaking])
        self.write(marks.put, marks.LISTENING_UNTIL, self.now_ms)
        self.canary.heard_ms = self.now_ms

    def judge(self) -> None:
        """One cycle of the worker, as `Service` does it."""
        due = [
            kind for kind, every in self.duties.every_ms.items() if self.now_ms - self.asked_ms.get(kind, 0) >= every
        ]
        judges = (*self.duties.judges, *([self.duties.seldom(due)] if due else []))
        evaluating.evaluate(
            self.records, self.policies, now_ms=self.now_ms, circumstances=Circumstances(judges, self._tell)
        )
        self.asked_ms |= dict.fromkeys(due, self.now_ms)
        self.write(self.duties.digest, self.now_ms)

    def _tell(self, connection: Any, policies: Policies, /, *, now_ms: int, changes: Sequence[Change]) -> None:
        self.changes += changes
        self.duties.tell(connection, policies, now_ms=now_ms, changes=changes)

    def send(self) -> None:
        post = Post(self.records, self.channels, "sender", self.policies.at(day_of(self.now_ms)).notify, CONSOLE)
        while sending.send_one(post, lambda: self.now_ms):
            pass

    def desk(self, by: str = "teknisi") -> Desk:
        return Desk(self.records, by, self.now_ms)

    # ---- what is written down ----------------------------------------------------------------------------------------

    def story(self) -> None:
        """What is of interest begins here; what was said until now is forgotten."""
        self._write_down()
        self.said = io.StringIO()
        self.told_of = len(self.changes)

    def note(self, words: str) -> None:
        """Something that happens in the world, for whoever reads the story."""
        self.said.write(f"{self._instant()}  ({words})\n\n")

    def _instant(self) -> str:
        return f"{wording.weekday(day_of(self.now_ms))}, {wording.instant(self.now_ms).rsplit(' ', 2)[1]} WIB"

    def _write_down(self) -> None:
        lines = list(_lines(self.changes[self.told_of :]))
        letters = list(_letters(self.out.getvalue()))
        self.told_of = len(self.changes)
        self.out.seek(0)
        self.out.truncate()
        if lines or letters:
            shown = "\n".join([*(f"  {line}" for line in lines), *letters])
            self.said.write(f"{self._instant()}\n{shown}\n\n")

    @property
    def spoken(self) -> list[str]:
        """The first lines of the messages of the story."""
        return [line[4:] for line in self.said.getvalue().splitlines() if line.startswith("  │ [")]

    def whats(self, kind: str, subject: str | None = None) -> list[str]:
        """What has ever happened to flags of *kind*."""
        found = [each for each in self.changes if each.kind == kind]
        return [each.what.value for each in found if subject is None or each.subject == subject]


def _lines(changes: Sequence[Change]) -> Iterator[str]:
    """One line a change; many alike are counted."""
    alike = Counter((each.kind, each.what) for each in changes)
    counted = set()
    for each in changes:
        key = (each.kind, each.what)
        hush = "" if each.speaks else f"  [tidak diberitakan: {', '.join(map(str, each.hushed)) or 'belum pernah'}]"
        if alike[key] <= MANY:
            number = f" {each.flag}" if each.flag else ""
            yield f"{each.kind} {each.subject} {each.what} {each.severity}{number}{hush}"
        elif key not in counted:
            counted.add(key)
            yield f"{each.kind} {each.what} {each.severity}: {alike[key]} x{hush}"


def _letters(out: str) -> Iterator[str]:
    """The messages of *out* in their order; one that several people get is shown once."""
    readers: dict[str, list[str]] = {}
    for block in filter(None, out.split(f"{'─' * WIDTH}\n")):
        title, text = block.split("\n", 1)
        readers.setdefault(text, []).append(title.strip("─ ").removeprefix("kepada "))
    for text, those in readers.items():
        shown = "\n".join(f"  │ {line}".rstrip() for line in text.strip().splitlines())
        yield f"  ┌ kepada {', '.join(those)}\n{shown}"


def _due_between(begin_ms: int, end_ms: int) -> Iterator[int]:
    """When what waited for the morning is due: after the night, with the digests, when offices open."""
    day = day_of(begin_ms)
    while starts(day) < end_ms:
        yield from (each for each in (at(day, clock) for clock in MORNING) if begin_ms < each < end_ms)
        day += timedelta(days=1)


def person(name: str, role: Role, *channels: str, scope: str = "*") -> Person:
    addresses = tuple(Address(channel, f"{name} ({channel})") for channel in channels)
    return Person(name, f"Nama {name}", frozenset({Duty(role, scope)}), addresses)


def everybody(scope: str = "*", *, uprs: tuple[str, ...] = ("whatsapp", "smtp")) -> list[Person]:
    """Those who are told things: the NOC, and one of each for the estate *scope*."""
    return [
        person("noc", Role.NOC, "telegram"),
        person("teknisi", Role.TECHNICIAN, "whatsapp", scope=scope),
        person("pengawas", Role.SUPERVISOR, "whatsapp", "smtp"),
        person("uprs", Role.UPRS, *uprs, scope=scope),
        person("kepala-uprs", Role.UPRS_HEAD, "whatsapp", "smtp", scope=scope),
    ]
