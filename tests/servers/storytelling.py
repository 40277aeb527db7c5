"""A small world for whole stories: machines that beat and keep records, broker, ingester, alert worker, readers.

Nothing sleeps: `until` moves the clock step by step, and at each step everything runs as it does live, through ingest's
own store, ear and sweep, all rules of the live system, the telling and the senders. What is said is written down.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import story_pages
from story_machine import Machine

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
from cloud.ingest.store import Store
from cloud.ingest.sweep import Sweep
from cloud.records import Records, marks, people, registrar
from cloud.records.people import Address, Duty, Person, Role
from cloud.replay.ingesting import Nowhere, Plain
from contract.messages import Stored
from contract.topics import DeviceId

CONSOLE = "https://hadir.example"
ALWAYS = "Mon-Sun 00:00-24:00"
OFFICE = "Mon-Sun 08:00-16:00"
LONG_AGO = date(2015, 1, 1)
Y2000_MS = 946_684_800_000
MORNING = ("06:00", "07:30", "08:00")


def at(day: date, clock: str = "00:00") -> int:
    """The instant at which a clock in Jakarta shows this."""
    hour, minute = clock.split(":")
    return starts(day) + int(hour) * HOUR + int(minute) * MINUTE


class Mail(ConsoleChannel):
    """A mail as text: unlike a chat, it may name a unit."""

    traits = Traits(max_chars=100_000, is_chat=False)


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
        lines = list(story_pages.lines(self.changes[self.told_of :]))
        letters = list(story_pages.letters(self.out.getvalue()))
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
