"""Reading the registry to resolve taps: where a machine stood, whose a card was, and the version all that was read at.

Whoever resolves reads the version first and holds it when storing (`marks.require`): if it moved, they resolve again.
What a change leaves to be resolved again is found by `changed_after`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, Connection, Row, Table, case, select

from cloud import days
from cloud.records import marks
from cloud.records.schema import cards, estates, installations, units
from cloud.records.schema import marks as marks_table
from cloud.records.upserts import insert_into

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Estate:
    """A rusun; its taps count from `go_live` on."""

    estate: str
    name: str
    lat: float | None
    lon: float | None
    go_live: date


@dataclass(frozen=True, slots=True)
class Installation:
    """A machine stood at an estate from `installed_ms` until just before `removed_ms`."""

    device: str
    estate: str
    installed_ms: int
    removed_ms: int | None
    service_hours: str = ""

    def covers(self, at_ms: int) -> bool:
        """Whether the machine stood there at that instant."""
        return self.installed_ms <= at_ms and (self.removed_ms is None or at_ms < self.removed_ms)


@dataclass(frozen=True, slots=True)
class Card:
    """A card was good for a unit from `valid_from` until `valid_to`, both days included; a test card for none."""

    pseudonym: str = field(repr=False)
    unit: str | None = field(repr=False)
    role: str
    obliged: bool
    valid_from: date
    valid_to: date | None

    def is_valid_on(self, day: date) -> bool:
        """Whether the card counts on that local day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Changed:
    """What the registry says anew since some version: whose sightings and held records must be resolved again."""

    version: int
    pseudonyms: frozenset[str] = field(repr=False)
    devices: frozenset[str]


def version(connection: Connection) -> int:
    """Rises with every change of the registry; 0 before the first."""
    return marks.read(connection, marks.REGISTRY_CHANGED)


def hold(connection: Connection) -> None:
    """Let no other change of the registry in until this transaction ends. (SQLite's writers are alone anyway.)"""
    mark = select(marks_table.c.value).where(marks_table.c.name == marks.REGISTRY_CHANGED)
    connection.execute(mark.with_for_update())


def raise_version(connection: Connection, *, now_ms: int) -> int:
    """Say that the registry changes in this transaction; the new version, which is about the present in ms."""
    statement = insert_into(connection, marks_table).values(name=marks.REGISTRY_CHANGED, value=now_ms)
    following, wanted = marks_table.c.value + 1, statement.excluded.value
    raised = statement.on_conflict_do_update(
        index_elements=["name"], set_={"value": case((following > wanted, following), else_=wanted)}
    )
    return int(connection.execute(raised.returning(marks_table.c.value)).scalar_one())


def all_estates(connection: Connection) -> list[Estate]:
    """Every estate, by code."""
    query = select(estates).order_by(estates.c.estate)
    return [Estate(row.estate, row.name, row.lat, row.lon, row.go_live) for row in connection.execute(query)]


def installations_of(connection: Connection, devices: Collection[str]) -> dict[str, list[Installation]]:
    """All installations of these machines, earliest first; a machine that was never installed is left out."""
    found: dict[str, list[Installation]] = {}
    for row in _rows(connection, installations, installations.c.device, devices):
        found.setdefault(row.device, []).append(_installation(row))
    return {device: sorted(places, key=lambda place: place.installed_ms) for device, places in found.items()}


def installations_at(connection: Connection, code: str) -> dict[str, list[Installation]]:
    """All installations, anywhere, of the machines that were ever installed at estate *code*."""
    devices = connection.scalars(select(installations.c.device).where(installations.c.estate == code).distinct())
    return installations_of(connection, devices.all())


def all_installations(connection: Connection) -> list[Installation]:
    """Every installation there ever was, by machine and time."""
    query = select(installations).order_by(installations.c.device, installations.c.installed_ms)
    return [_installation(row) for row in connection.execute(query)]


def cards_of(connection: Connection, pseudonyms: Collection[str]) -> dict[str, list[Card]]:
    """All registrations of these cards, earliest first; a card that was never registered is left out."""
    found: dict[str, list[Card]] = {}
    for row in _rows(connection, cards, cards.c.pseudonym, pseudonyms):
        card = Card(row.pseudonym, row.unit, row.role, row.obliged, row.valid_from, row.valid_to)
        found.setdefault(card.pseudonym, []).append(card)
    return {name: sorted(validities, key=lambda card: card.valid_from) for name, validities in found.items()}


def estates_of(connection: Connection, names: Collection[str]) -> dict[str, str]:
    """The estate of each of these units."""
    return {row.unit: row.estate for row in _rows(connection, units, units.c.unit, names)}


def changed_after(connection: Connection, after: int) -> Changed:
    """The cards and machines whose rows were written by a version later than *after*."""
    now = version(connection)
    pseudonyms = connection.scalars(select(cards.c.pseudonym).where(cards.c.changed > after).distinct())
    devices = connection.scalars(select(installations.c.device).where(installations.c.changed > after).distinct())
    return Changed(now, frozenset(pseudonyms), frozenset(devices))


def are_service_hours(text: str) -> bool:
    """Whether the days' rules can read *text* as service hours."""
    try:
        days.ServiceHours.parse(text)
    except days.BadServiceHours:
        return False
    return True


def _installation(row: Row[tuple[object, ...]]) -> Installation:
    return Installation(row.device, row.estate, row.installed_ms, row.removed_ms, row.service_hours)


def _rows(
    connection: Connection, table: Table, column: ColumnElement[str], values: Collection[str]
) -> Iterator[Row[tuple[object, ...]]]:
    """The rows whose *column* is one of *values*, however many these are."""
    wanted: Sequence[str] = sorted(set(values))
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(select(table).where(column.in_(wanted[start : start + CHUNK])))
