"""A store on either engine with a small registry, a history in memory, and machines that make records."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cloud.history import Refused
from cloud.ingest.opening import Opener
from cloud.ingest.requests import Incoming
from cloud.ingest.store import Store
from cloud.ingest.sweep import Sweep
from cloud.records import Connection, Records, migrate, open_records, registry
from cloud.records.pseudonyms import Pepper
from cloud.records.schema import cards, estates, installations, units
from contract import codec
from contract.cards import Keyring, OpeningKey, SealingKey
from contract.codec import Batch, Received
from contract.messages import Clock, Envelope, Event, Hours, Record, Tap
from contract.series import Point
from contract.topics import DeviceId

KEY = OpeningKey.generate("k1")
PEPPER = Pepper(b"p" * 32)
BOOT = "11111111-1111-4111-8111-111111111111"
OUTBOX = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
DEVICE = DeviceId("DMG-01")
NOON = datetime(2026, 3, 3, 5, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
HOUR = 3_600_000
KNOWN, STRANGER, TEST = b"\x04abc", b"\x04xyz", b"\x04tst"


class Crash(Exception):
    """The process is gone."""


@dataclass
class MemoryHistory:
    """The history as a list; refuses points that *refuse* names."""

    points: dict[tuple[object, ...], Point] = field(default_factory=dict)
    refuse: tuple[str, ...] = ()
    trouble: str | None = None
    crash: bool = False

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        bad = [point for point in points if point.measurement in self.refuse]
        for point in points:
            if point not in bad:
                self.points[point.measurement, point.tags, point.time_ns] = point
        if self.crash:
            raise Crash("killed after the history was written")
        return [Refused(point, "too old") for point in bad]

    def named(self, measurement: str) -> list[Point]:
        return [point for point in self.points.values() if point.measurement == measurement]


@dataclass
class Time:
    """A clock that is set by hand."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Machine:
    """Makes records as a machine does."""

    device: DeviceId = DEVICE
    outbox: str = OUTBOX
    key: SealingKey = field(default_factory=KEY.public)

    def tap(self, seq: int, uid: bytes = KNOWN, at: int = NOON_MS - HOUR, **more: object) -> Tap:
        mono = max(0, at - NOON_MS + 10 * HOUR)
        made = {"seq": seq, "at": at, "mono": mono, "boot": BOOT, "clock": Clock.TRUSTED}
        return Tap(**(made | {"card": str(self.key.seal(uid, self.device))} | more))

    def hours(self, seq: int, hour: int = NOON_MS - HOUR, able: int = 60, **more: object) -> Hours:
        return Hours(**({"seq": seq, "at": hour + HOUR, "mono": 5, "boot": BOOT, "clock": Clock.TRUSTED,
                         "hour": hour, "able_min": able} | more))  # fmt: skip

    def event(self, seq: int, event: str, at: int = NOON_MS - HOUR, **detail: object) -> Event:
        made = {"seq": seq, "at": at, "mono": 5, "boot": BOOT, "clock": Clock.TRUSTED}
        return Event(**made, event=event, detail=detail)

    def batch(self, *records: Record | Received, confirmed: int = 0, arrived_ms: int = NOON_MS) -> Incoming:
        envelope = Envelope(device=self.device, outbox=self.outbox, confirmed=confirmed)
        read = tuple(each if isinstance(each, Received) else received(each) for each in records)
        return Incoming(self.device, Batch(envelope, read, ()), arrived_ms)


def received(record: Record) -> Received:
    text = codec.body(record)
    return Received(record, text, codec.digest(text))


def install(connection: Connection, device: str, estate: str = "DMG", since: int = 0, until: int | None = None) -> None:
    version = registry.raise_version(connection, now_ms=NOON_MS)
    row = {"device": device, "estate": estate, "installed_ms": since, "removed_ms": until, "known_from_ms": 0}
    connection.execute(installations.insert().values(**row, service_hours="", changed=version))


def register(connection: Connection, uid: bytes, unit: str | None, role: str = "holder") -> None:
    version = registry.raise_version(connection, now_ms=NOON_MS)
    row = {"pseudonym": PEPPER.pseudonym(uid), "unit": unit, "role": role, "obliged": role == "holder"}
    connection.execute(cards.insert().values(**row, valid_from=date(2020, 1, 1), known_from_ms=0, changed=version))


def populate(connection: Connection) -> None:
    for code in ("DMG", "PSK"):
        connection.execute(estates.insert().values(estate=code, name=code, go_live=date(2020, 1, 1)))
        connection.execute(units.insert().values(unit=f"{code}/A/01/01", estate=code))
    install(connection, "DMG-01", since=NOON_MS - 100 * 24 * HOUR)
    install(connection, "DMG-02", since=NOON_MS - 100 * 24 * HOUR)
    register(connection, KNOWN, "DMG/A/01/01")
    register(connection, TEST, None, role="test")


class World:
    """Everything around one store."""

    DEVICE, OUTBOX, OTHER, BOOT = DEVICE, OUTBOX, OTHER, BOOT
    NOON, HOUR, DAY = NOON_MS, HOUR, 24 * HOUR
    KNOWN, STRANGER, TEST = KNOWN, STRANGER, TEST
    UNIT = "DMG/A/01/01"
    received = staticmethod(received)
    populate = staticmethod(populate)
    Machine, MemoryHistory, Time, Crash = Machine, MemoryHistory, Time, Crash

    def __init__(self, records: Records) -> None:
        self.records = records
        self.history = MemoryHistory()
        self.time = Time()
        self.machine = Machine()
        self.opener = Opener(Keyring({"k1": KEY}), PEPPER)
        self.store = self.another_store()
        self.sweep = Sweep(self.store)

    def another_store(self) -> Store:
        """A second ingester on the same databases."""
        return Store(self.records, self.history, opener=self.opener, now=self.time)

    def run(self, sql: str) -> None:
        self.records.write(lambda connection: connection.exec_driver_sql(sql))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What a query finds, in order."""
        return self.records.read(lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql)])

    def register(self, uid: bytes, unit: str | None, role: str = "holder") -> None:
        self.records.write(lambda connection: register(connection, uid, unit, role))

    def install(self, device: str, estate: str = "DMG", since: int = 0, until: int | None = None) -> None:
        self.records.write(lambda connection: install(connection, device, estate, since, until))

    def change(self, sql: str, table: str = "installations") -> None:
        """Correct the registry behind a new version."""

        def work(connection: Connection) -> None:
            connection.exec_driver_sql(f"{sql.replace('$V', str(registry.raise_version(connection, now_ms=NOON_MS)))}")

        self.records.write(work)

    def contents(self) -> dict[str, list[tuple[object, ...]]]:
        """All that must not depend on how the records arrived."""
        return {
            "arrivals": self.rows(
                "SELECT device, outbox, seq, digest, kind, state FROM arrivals "
                "JOIN streams ON id = stream ORDER BY 1, 2, 3"
            ),
            "sightings": self.rows(
                "SELECT s.device, outbox, seq, at_ms, uncertainty_ms, outcome, unit, estate FROM sightings s "
                "JOIN streams ON id = stream ORDER BY 1, 2, 3"
            ),
            "streams": self.rows("SELECT device, outbox, answered, dropped, closed_at_seq FROM streams ORDER BY 1, 2"),
            "presence": self.rows("SELECT unit, day, device, taps FROM presence ORDER BY 1, 2, 3"),
            "spans": self.rows("SELECT unit, day, device, first_day, last_day, taps FROM presence_spans ORDER BY 1, 2"),
            "hours": self.rows("SELECT device, hour_ms, known, unknown FROM hour_counts ORDER BY 1, 2"),
            "quarters": self.rows("SELECT device, quarter_ms, known, unknown FROM quarter_counts ORDER BY 1, 2"),
            "able": self.rows("SELECT device, hour_ms, able_min FROM device_hours ORDER BY 1, 2, 3"),
            "dirty": self.rows("SELECT estate, day FROM dirty_days ORDER BY 1, 2"),
        }


@pytest.fixture
def world(records: Records) -> World:
    records.write(populate)
    return World(records)


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[World]:
    """On SQLite alone, for what does not depend on the engine."""
    url = f"sqlite:///{tmp_path}/small.db"
    migrate.upgrade(url)
    with open_records(url) as opened:
        opened.write(populate)
        yield World(opened)
