"""How long the absence clock takes over a city of 14,000, 100,000 and 1,000,000 units with half a year behind it.

The city is made inside the database, so that a million units are there in minutes: `python -m bench.sweeping`.
"""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from bench import figures
from bench.figures import COLUMNS, Figure
from cloud import days
from cloud.alerts import absence, findings
from cloud.alerts.absence import Memory
from cloud.alerts.findings import Findings, Standing, Stands
from cloud.alerts.kinds import Level
from cloud.alerts.policy import Policies
from cloud.records import Connection, Records, marks, migrate, open_records
from demo.servers.postgres import Postgres

FIRST: Final = date(2026, 1, 1)
DAYS: Final = 180
SIZES: Final = (14_000, 100_000)
MILLION: Final = 1_000_000
A_ESTATE: Final = 609
"""Units of an estate: 14,000 in 23."""
AIM_S: Final = 2.0
LONG_AIM_S: Final = 120.0
CHUNK: Final = 200
"""Estates that are made in one transaction."""


@dataclass(slots=True)
class Town:
    """A city in a database, and the flags that stand in it."""

    records: Records
    units: int
    policies: Policies = field(default_factory=Policies)
    standing: Standing = field(default_factory=dict)

    @property
    def estates(self) -> int:
        """How many estates the units make."""
        return max(1, self.units // A_ESTATE)

    def sweep(self, number: int, memory: Memory | None = None) -> tuple[float, Findings]:
        """One evaluation at the beginning of day *number*; how many seconds it took."""
        now_ms = days.starts(FIRST + timedelta(days=number)) + days.HOUR
        began = time.perf_counter()
        found = self.records.read(
            lambda c: absence.judge(c, self.policies, now_ms=now_ms, standing=self.standing, memory=memory)
        )
        return time.perf_counter() - began, found

    def keep(self, found: Findings) -> None:
        """What was found stands."""
        self.standing = findings.standing(
            Stands(
                each.kind, each.subject, each.estate, each.level, each.run, each.since_ms, each.is_held,
                each.level >= Level.OPEN and not each.is_held, evidence=each.evidence,
            )
            for each in found.standing
        )  # fmt: skip

    def build(self) -> None:
        """Make everything, as registry and ingest would have left it."""
        for first in range(0, self.estates, CHUNK):
            last = min(first + CHUNK, self.estates) - 1
            for statement in _statements(self.records.dialect, first, last):
                self.records.write(partial(_run, statement=statement))
        for mark in (marks.REGISTRY_CHANGED, marks.SWEEP_FINISHED):
            self.records.write(partial(marks.put, name=mark, value=1))
        if self.records.dialect == "postgresql":
            self.records.write(partial(_run, statement="ANALYZE"))


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%") if connection.dialect.name == "postgresql" else statement)


@dataclass(frozen=True, slots=True)
class _Makers:
    """Pieces of SQL that number estates *first* to *last*, their machines, units, days and hours."""

    dialect: str
    first: int
    last: int

    def day(self, number: str) -> str:
        """The date so many days after the first."""
        if self.dialect == "postgresql":
            return f"(DATE '{FIRST}' + CAST({number} AS INTEGER))"
        return f"date('{FIRST}', ({number}) || ' days')"

    @property
    def estates(self) -> str:
        """`e(n)`."""
        return f"WITH RECURSIVE e(n) AS (SELECT {self.first} UNION ALL SELECT n + 1 FROM e WHERE n < {self.last})"

    @property
    def machines(self) -> str:
        """`m(n, k)`: two estates in five have a second one."""
        return f"{self.estates}, m(n, k) AS (SELECT n, 1 FROM e UNION ALL SELECT n, 2 FROM e WHERE n % 5 < 2)"


def _up_to(name: str, count: int) -> str:
    return f"{name}(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM {name} WHERE n < {count - 1})"


_CODE: Final = "'E' || e.n"
_UNIT: Final = "'E' || e.n || '/' || u.n"
_OWN: Final = f"(CAST(e.n AS BIGINT) * {A_ESTATE} + u.n)"
_DEVICE: Final = "'E' || e.n || '-0' || e.k"
_STREAM: Final = "e.n * 2 + e.k"
_U: Final = _up_to("u", A_ESTATE)
_D: Final = _up_to("d", DAYS)
_H: Final = _up_to("h", DAYS * 24)


def _statements(dialect: str, first: int, last: int) -> Iterator[str]:
    """The rows of estates number *first* to *last*."""
    makers = _Makers(dialect, first, last)
    yield from _registry(makers)
    yield from _arrived(makers)


def _registry(makers: _Makers) -> Iterator[str]:
    """Who lives where: three in ten units have no card."""
    estates, machines, day = makers.estates, makers.machines, makers.day
    yield f"{estates} INSERT INTO estates SELECT {_CODE}, {_CODE}, NULL, NULL, {day('0')} FROM e"
    yield f"{estates}, {_U} INSERT INTO units SELECT {_UNIT}, {_CODE} FROM e, u"
    yield (
        f'{estates}, {_U} INSERT INTO tenancies (unit, start, "end", known_from_ms) '
        f"SELECT {_UNIT}, {day('-100 - u.n % 300')}, NULL, u.n FROM e, u"
    )
    yield (
        f"{estates}, {_U} INSERT INTO cards "
        "(pseudonym, unit, role, obliged, valid_from, ended_because, known_from_ms, changed) "
        f"SELECT {_UNIT}, {_UNIT}, 'holder', true, {day('-90 - u.n % 200')}, '', u.n, 1 FROM e, u "
        f"WHERE {_OWN} % 10 >= 3"
    )
    yield (
        f"{machines} INSERT INTO installations (device, estate, installed_ms, service_hours, known_from_ms, changed) "
        f"SELECT {_DEVICE}, {_CODE}, {days.starts(FIRST)}, 'Mon-Sat 07:00-21:00', 0, 1 FROM m AS e"
    )


def _arrived(makers: _Makers) -> Iterator[str]:
    """What the machines told: every hour of every day, and the taps."""
    estates, machines, day, start = makers.estates, makers.machines, makers.day, days.starts(FIRST)
    hour = f"{start} + h.n * CAST({days.HOUR} AS BIGINT)"
    tapped = f"({_OWN} * 7919 + d.n * 104729 + {_OWN} * d.n * 31337) % 1000 < 80 + {_OWN} % 3 * 40"
    yield (
        f"{machines} INSERT INTO streams "
        "(id, device, outbox, answered, dropped, conflicts, highest_told, confirmed_told, first_ms) "
        f"SELECT {_STREAM}, {_DEVICE}, '', '[[1,{DAYS * 24}]]', '[]', '[]', 1, 1, {start} FROM m AS e"
    )
    yield f"{machines} INSERT INTO boots SELECT {_DEVICE}, 'b', {start}, {start} FROM m AS e"
    yield f"{machines} INSERT INTO proofs SELECT {_DEVICE}, '', 1, 'b', {DAYS * 86_400 + 7200} FROM m AS e"
    yield (
        f"{machines}, {_H} INSERT INTO arrivals (stream, seq, digest, kind, state, arrived_ms) "
        f"SELECT {_STREAM}, h.n + 1, '', 'hours', 'stored', {start} FROM m AS e, h"
    )
    yield (
        f"{machines}, {_H} INSERT INTO device_hours "
        f"SELECT {_STREAM}, h.n + 1, {_DEVICE}, {hour}, 60 - h.n % 7, true FROM m AS e, h"
    )
    yield f"{machines}, {_H} INSERT INTO hour_counts SELECT {_DEVICE}, {hour}, h.n % 9, 0, 0 FROM m AS e, h"
    yield f"{estates}, {_D} INSERT INTO day_changes SELECT {_CODE}, {day('d.n')}, 1 FROM e, d"
    yield (
        f"{estates}, {_U}, {_D} INSERT INTO presence SELECT {_UNIT}, {day('d.n')}, 'E' || e.n || '-01', 1 "
        f"FROM e, u, d WHERE {_OWN} % 10 >= 3 AND {_OWN} % 50 <> 7 AND {tapped}"
    )


@contextmanager
def town(units: int, url: str) -> Iterator[Town]:
    """A city of *units* in the empty database at *url*."""
    migrate.upgrade(url)
    with open_records(url) as records:
        built = Town(records, units)
        built.build()
        yield built


@dataclass(frozen=True, slots=True)
class Swept:
    """How long sweeps of one city took, in seconds."""

    units: int
    cold_s: float
    next_day_s: float
    """With a memory, on the following day."""
    again_s: float
    """With a memory, when nothing has changed."""
    findings: int
    memory_mb: float


def swept(units: int, url: str) -> Swept:
    """Sweep a city of *units* at *url*."""
    with town(units, url) as city:
        _, found = city.sweep(DAYS - 1)
        city.keep(found)
        before = _memory_mb()
        cold, found = city.sweep(DAYS - 1)
        grown = _memory_mb() - before
        memory = Memory()
        city.sweep(DAYS - 1, memory)
        following, _ = city.sweep(DAYS, memory)
        again, _ = city.sweep(DAYS, memory)
        return Swept(units, cold, following, again, len(found.standing), grown)


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(sizes: Sequence[int] = SIZES) -> list[Figure]:
    """Cities of each size on SQLite, the first one against the aim, the others against the first."""
    rows: list[Figure] = []
    least: Swept | None = None
    for units in sizes:
        with tempfile.TemporaryDirectory(prefix="hadir-bench-") as folder:
            found = swept(units, f"sqlite:///{Path(folder) / 'records.db'}")
        least = least or found
        linear = least.cold_s * units / least.units
        aim, limit_s = (f"≤ {AIM_S:.0f} s", AIM_S) if found is least else ("linear (≤ 1.25 ×)", 1.25 * linear)
        rows.append(_figure(found, "SQLite", aim, limit_s, found.cold_s / linear))
    return rows


def measure_long(units: int = MILLION) -> list[Figure]:
    """A million units on PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="hadir-bench-"))
    folder.chmod(0o755)
    try:
        with Postgres(folder / "cluster", fsync=False) as server:
            found = swept(units, server.create_database("sweeping"))
    finally:
        shutil.rmtree(folder)
    return [_figure(found, "PostgreSQL", f"≤ {LONG_AIM_S:.0f} s", LONG_AIM_S, None)]


def _figure(found: Swept, engine: str, aim: str, limit_s: float, ratio: float | None) -> Figure:
    return Figure(
        f"sweep of {found.units:,} units × {DAYS} days, {engine}", figures.millis(found.cold_s),
        f"next day {figures.millis(found.next_day_s)}, unchanged {figures.millis(found.again_s)}; "
        f"{found.findings:,} findings, + {found.memory_mb:.0f} MB",
        ratio, aim, found.cold_s <= limit_s,
    )  # fmt: skip


@click.command()
@click.option("--units", multiple=True, type=int, help="Cities of so many units on SQLite.")
@click.option("--long", "is_long", is_flag=True, help="A million units on PostgreSQL; building it takes longest.")
def main(units: tuple[int, ...], is_long: bool) -> None:
    """Sweep cities of several sizes and print how long it took."""
    table = Table()
    for column in COLUMNS:
        table.add_column(column)
    for figure in measure_long(*units) if is_long else measure(units or SIZES):
        table.add_row(*figure.cells())
    Console(width=170).print(table)


if __name__ == "__main__":
    main()
