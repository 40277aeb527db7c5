"""A town in SQL: estates with a machine each that is complete up to now and able all day, and units that tap or not."""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, update

from cloud import days
from cloud.alerts import absence, findings
from cloud.alerts.absence import Memory
from cloud.alerts.findings import Ended, Finding, Findings, Stands
from cloud.alerts.kinds import Kind, Level
from cloud.alerts.policy import Policies
from cloud.records import Records, counts, dirty, marks, migrate, open_records, registry
from cloud.records import schema as tables
from cloud.records.counts import Deltas
from cloud.records.verdicts import Outcome, Sighting

GO_LIVE = date(2026, 1, 1)
HOURS_OPEN = range(10, 13)
SERVICE = "Mon-Sun 10:00-13:00"
DAYS = 130


def day(number: int) -> date:
    """Day *number* of the town, the first being 0."""
    return GO_LIVE + timedelta(days=number)


@dataclass
class Town:
    """Writes what ingest and the registry would write."""

    records: Records
    policies: Policies = field(default_factory=Policies)
    standing: dict[tuple[Kind, str], Stands] = field(default_factory=dict)
    made: int = 0
    """The last seq."""
    units: list[str] = field(default_factory=list)

    def put(self, table: Table, *rows: dict[str, Any]) -> None:
        self.records.write(lambda c: c.execute(insert(table), list(rows)))

    def registered(self) -> None:
        """The registry changed, and was swept."""

        def work(connection: Any) -> None:
            version = registry.raise_version(connection, now_ms=1)
            marks.put(connection, marks.SWEEP_FINISHED, version)

        self.records.write(work)

    def estate(self, code: str, *devices: str, go_live: date = GO_LIVE) -> None:
        self.put(tables.estates, {"estate": code, "name": code, "go_live": go_live})
        for device in devices:
            self.install(device, code)
        self.registered()

    def install(self, device: str, code: str, since: date = GO_LIVE, until: date | None = None) -> None:
        removed = None if until is None else days.starts(until)
        row = {"device": device, "estate": code, "installed_ms": days.starts(since), "removed_ms": removed}
        self.put(tables.installations, row | {"service_hours": SERVICE, "known_from_ms": 0})
        self.registered()

    def unit(self, unit: str, *, cards: int = 1, start: date = date(2025, 1, 1), end: date | None = None) -> str:
        self.put(tables.units, {"unit": unit, "estate": unit.split("/")[0]})
        self.put(tables.tenancies, {"unit": unit, "start": start, "end": end, "known_from_ms": 0})
        for number in range(cards):
            self.card(unit, f"{unit}#{number}", obliged=number == 0)
        self.registered()
        return unit

    def card(self, unit: str, name: str, *, obliged: bool = True, since: date = date(2025, 1, 1), **more: Any) -> None:
        role = "holder" if obliged else "member"
        row = {"pseudonym": name, "unit": unit, "role": role, "obliged": obliged, "valid_from": since}
        self.put(tables.cards, row | {"known_from_ms": 0} | more)
        self.registered()

    def calendar(self, first: date, last: date, scope: str = "*") -> None:
        row = {"scope": scope, "from_day": first, "to_day": last, "kind": "lebaran", "reason": "", "known_from_ms": 0}
        self.put(tables.calendar, row)
        self.registered()

    def leave(self, unit: str, first: date, last: date) -> None:
        self.put(tables.leave, {"unit": unit, "from_day": first, "to_day": last, "known_from_ms": 0})
        self.registered()

    def lost(self, device: str, first: date, last: date) -> None:
        row = {"device": device, "from_day": first, "to_day": last, "known_from_ms": 0}
        self.put(tables.declared_lost, row)
        self.registered()

    def able(self, device: str, those: Iterable[date], minutes: int = 60) -> None:
        """Hours of a machine; *minutes* of each hour of service it could take a tap."""
        stream = self.stream(device)
        rows, arrived, touched = [], [], set()
        for each in those:
            for number in HOURS_OPEN:
                hour = days.starts(each) + number * days.HOUR
                self.made += 1
                key = {"stream": stream, "seq": self.made}
                own = {"digest": "", "kind": "hours", "state": "stored", "arrived_ms": hour}
                arrived.append(key | own)
                rows.append(key | {"device": device, "hour_ms": hour, "able_min": minutes, "dated": True})
            touched |= {(code, each) for code in self.homes(device, each)}
        self.put(tables.arrivals, *arrived)
        self.put(tables.device_hours, *rows)
        self.records.write(lambda c: dirty.touch(c, touched, now_ms=1))

    def homes(self, device: str, on: date) -> set[str]:
        places = self.records.read(registry.all_installations)
        begin, end = days.span_of(on)
        return {
            place.estate
            for place in places
            if place.device == device and place.installed_ms < end and (place.removed_ms or 2**62) > begin
        }

    def stream(self, device: str) -> int:
        """The one outbox of a machine; all of its seqs have always arrived."""
        number = int.from_bytes(device[-5:].encode()) % 1_000_003
        row = {"id": number, "device": device, "outbox": "", "first_ms": 0, "answered": json.dumps([[1, 9]])}

        def work(connection: Any) -> None:
            if connection.execute(tables.streams.select().where(tables.streams.c.id == number)).first() is None:
                connection.execute(insert(tables.streams), row)

        self.records.write(work)
        return number

    def complete(self, device: str, upto_ms: int) -> None:
        """The machine's record is complete up to this instant, and no further."""
        self.stream(device)

        def work(connection: Any) -> None:
            connection.execute(delete(tables.boots).where(tables.boots.c.device == device))
            connection.execute(delete(tables.proofs).where(tables.proofs.c.device == device))
            boot = {"device": device, "boot": "b", "base_ms": upto_ms, "first_ms": 0}
            connection.execute(insert(tables.boots), boot)
            proof = {"device": device, "outbox": "", "last_seq": 1, "boot": "b", "uptime_s": 0}
            connection.execute(insert(tables.proofs), proof)

        self.records.write(work)

    def tap(self, unit: str, device: str, on: date, *, give_or_take: int = 0, code: str = "", **more: Any) -> None:
        """A tap at noon, *give_or_take* so many days."""
        doubt = timedelta(days=give_or_take)
        span = more.get("span", (on - doubt, on + doubt) if give_or_take else None)
        at_ms = days.starts(on) + 12 * days.HOUR
        estate = code or unit.split("/")[0]
        sighting = Sighting(at_ms, give_or_take * days.DAY, "", Outcome.KNOWN, unit, estate, span)
        deltas = Deltas()
        deltas.count(sighting, device=device, arrived_ms=at_ms)
        self.records.write(lambda c: counts.apply(c, deltas, now_ms=at_ms))

    def sighting(self, card: str, unit: str, device: str, on: date) -> None:
        """What is kept of a tap for a while: by which card."""
        self.made += 1
        at_ms = days.starts(on) + 12 * days.HOUR
        key = {"stream": self.stream(device), "seq": self.made}
        self.put(tables.arrivals, key | {"digest": "", "kind": "tap", "state": "stored", "arrived_ms": at_ms})
        own = {"device": device, "at_ms": at_ms, "pseudonym": card, "outcome": "known", "unit": unit}
        self.put(tables.sightings, key | own | {"estate": unit.split("/")[0], "arrived_ms": at_ms})

    def end_tenancy(self, unit: str, end: date) -> None:
        change = update(tables.tenancies).where(tables.tenancies.c.unit == unit).values(end=end)
        self.records.write(lambda c: c.execute(change))
        self.registered()

    def judge(self, now_ms: int, memory: Memory | None = None) -> Findings:
        return self.records.read(
            lambda c: absence.judge(c, self.policies, now_ms=now_ms, standing=self.standing, memory=memory)
        )

    def evaluate(self, on: date, memory: Memory | None = None) -> dict[str, Finding | Ended]:
        """What is found at the beginning of a day, by subject; what is found stands from then on."""
        return self.keep(self.judge(days.starts(on), memory))

    def keep(self, found: Findings) -> dict[str, Finding | Ended]:
        """Let what is found stand."""
        for ended in found.ended:
            self.standing.pop((ended.kind, ended.subject), None)
        for each in found.standing:
            was = self.standing.get((each.kind, each.subject))
            opened = each.level >= Level.OPEN and not each.is_held
            flag = Stands(
                each.kind, each.subject, each.estate, each.level, each.run, each.since_ms, each.is_held,
                opened or (was is not None and was.is_open), evidence=each.evidence,
            )  # fmt: skip
            self.standing |= findings.standing([flag])
        return {each.subject: each for each in (*found.ended, *found.standing)}


def built(records: Records) -> Town:
    """DMG with the machine DMG-01 and PSK with PSK-01, able and complete for the first 130 days."""
    town = Town(records)
    for code in ("DMG", "PSK"):
        device = f"{code}-01"
        town.estate(code, device)
        town.able(device, (day(number) for number in range(DAYS)))
        town.complete(device, days.starts(day(DAYS)))
    return town


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town on SQLite, made once and copied for each test."""
    path = tmp_path_factory.mktemp("town") / "records.db"
    migrate.upgrade(f"sqlite:///{path}")
    with open_records(f"sqlite:///{path}") as records:
        built(records)
    return path


@pytest.fixture
def town(_template: Path, tmp_path: Path) -> Iterator[Town]:
    """A town on SQLite."""
    path = shutil.copy(_template, tmp_path / "records.db")
    with open_records(f"sqlite:///{path}") as records:
        yield Town(records, made=DAYS * len(HOURS_OPEN) * 2)


@pytest.fixture
def any_town(records: Records) -> Town:
    """A town on either engine."""
    return built(records)
