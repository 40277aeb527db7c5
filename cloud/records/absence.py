"""What the absence clock asks of SQL, a few set-based queries per estate: who tapped last, who tapped where, who lives.

Taps come from presence, which outlives the sightings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select

from cloud import days
from cloud.days import DaySpan, Household
from cloud.records import tallies
from cloud.records.facts import Window
from cloud.records.flag_schema import flags
from cloud.records.registry import Installation
from cloud.records.schema import (
    cards,
    day_changes,
    declared_lost,
    hour_counts,
    leave,
    presence,
    presence_spans,
    sightings,
    tenancies,
    units,
)

CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class LastTaps:
    """The last days on which taps of a unit are on record: of all, and up to the day asked for."""

    unit: str
    last: date | None
    upto: date | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Taps of a unit at a machine: the day on record, and the days on which they may have been made."""

    unit: str
    day: date
    device: str
    first: date
    last: date


def last_taps(connection: Connection, code: str, *, upto: date) -> list[LastTaps]:
    """Of each unit of estate *code* that ever had an obliged card. Two seeks a unit, however long its history."""
    own = select(func.max(presence.c.day)).where(presence.c.unit == units.c.unit)
    is_obliged = exists().where(cards.c.unit == units.c.unit, cards.c.obliged)
    query = (
        select(
            units.c.unit,
            own.scalar_subquery().label("last"),
            own.where(presence.c.day <= upto).scalar_subquery().label("upto"),
        )
        .where(units.c.estate == code, is_obliged)
        .order_by(units.c.unit)
    )
    return [LastTaps(*row) for row in connection.execute(query).all()]


def uncertain(connection: Connection, code: str) -> set[str]:
    """The units of estate *code* with taps that may have been made on other days than those on record."""
    own = select(presence_spans.c.unit).join(units, units.c.unit == presence_spans.c.unit)
    return set(connection.scalars(own.where(units.c.estate == code).distinct()))


def seen_at(connection: Connection, code: str, devices: Collection[str], *, since: date) -> set[str]:
    """The units of estate *code* with taps at any of these machines from *since* on."""
    found: set[str] = set()
    wanted = sorted(devices)
    for start in range(0, len(wanted), CHUNK):
        query = (
            select(presence.c.unit)
            .join(units, units.c.unit == presence.c.unit)
            .where(units.c.estate == code, presence.c.device.in_(wanted[start : start + CHUNK]))
            .where(presence.c.day >= since)
        )
        found.update(connection.scalars(query.distinct()))
    return found


def taps(connection: Connection, those: Collection[str]) -> dict[str, list[Seen]]:
    """Every tap of these units that is still on record, in order of days."""
    found: dict[str, list[Seen]] = {unit: [] for unit in those}
    uncertain_taps: dict[tuple[str, date, str], int] = {}
    for row in _chunks(connection, select(presence_spans), those):
        key = row.unit, row.day, row.device
        uncertain_taps[key] = uncertain_taps.get(key, 0) + row.taps
        found[row.unit].append(Seen(*key, row.first_day, row.last_day))
    for row in _chunks(connection, select(presence), those):
        key = row.unit, row.day, row.device
        if row.taps > uncertain_taps.get(key, 0):
            found[row.unit].append(Seen(*key, row.day, row.day))
    return {unit: sorted(seen, key=lambda each: (each.day, each.device, each.first)) for unit, seen in found.items()}


def households(connection: Connection, those: Collection[str]) -> dict[str, Household]:
    """Each of these units with its tenancies, cards (never test cards) and leave."""
    lets: dict[str, list[days.Tenancy]] = {}
    held: dict[str, list[days.Card]] = {}
    away: dict[str, list[DaySpan]] = {}
    for row in _chunks(connection, select(tenancies), those):
        lets.setdefault(row.unit, []).append(days.Tenancy(row.start, row.end))
    for row in _chunks(connection, select(cards), those):
        card = days.Card(row.obliged, row.valid_from, row.valid_to, row.known_from_ms)
        held.setdefault(row.unit, []).append(card)
    for row in _chunks(connection, select(leave), those):
        away.setdefault(row.unit, []).append((row.from_day, row.to_day))
    return {
        unit: Household(
            tuple(sorted(lets.get(unit, ()), key=lambda tenancy: tenancy.start)),
            tuple(sorted(held.get(unit, ()), key=lambda card: (card.valid_from, card.known_from_ms, card.obliged))),
            tuple(sorted(away.get(unit, ()))),
        )
        for unit in those
    }


def count_let(connection: Connection, code: str, day: date) -> int:
    """How many units of estate *code* have a tenancy on *day*."""
    query = (
        select(func.count(tenancies.c.unit.distinct()))
        .join(units, units.c.unit == tenancies.c.unit)
        .where(units.c.estate == code, _is_let(day))
    )
    return connection.scalar(query) or 0


def _is_let(day: date) -> ColumnElement[bool]:
    return and_(tenancies.c.start <= day, or_(tenancies.c.end.is_(None), tenancies.c.end > day))


def unregistered(connection: Connection, code: str, day: date) -> list[tuple[str, date, date | None]]:
    """Units of estate *code* that are let on *day* without a valid card: since when, and a card's last valid day."""
    is_valid = exists().where(
        cards.c.unit == units.c.unit,
        cards.c.valid_from <= day,
        or_(cards.c.valid_to.is_(None), cards.c.valid_to >= day),
    )
    last_valid = select(func.max(cards.c.valid_to)).where(cards.c.unit == units.c.unit, cards.c.valid_to < day)
    query = (
        select(units.c.unit, func.max(tenancies.c.start), last_valid.scalar_subquery())
        .join(tenancies, tenancies.c.unit == units.c.unit)
        .where(units.c.estate == code, _is_let(day), ~is_valid)
        .group_by(units.c.unit)
        .order_by(units.c.unit)
    )
    return [(unit, since, last) for unit, since, last in connection.execute(query).all()]


def last_own_taps(connection: Connection, code: str) -> dict[str, date | None]:
    """Of units of estate *code* with cards besides the obliged ones: the last day an obliged one may have been tapped.

    By sightings, so none from before these are kept.
    """
    other = cards.alias("other")
    at_ms = func.max(sightings.c.at_ms + sightings.c.uncertainty_ms)
    own = and_(sightings.c.pseudonym == cards.c.pseudonym, sightings.c.unit == cards.c.unit)
    query = (
        select(cards.c.unit, at_ms)
        .join(units, units.c.unit == cards.c.unit)
        .outerjoin(sightings, own)
        .where(units.c.estate == code, cards.c.obliged)
        .where(exists().where(other.c.unit == cards.c.unit, ~other.c.obliged))
        .group_by(cards.c.unit)
    )
    return {unit: None if last is None else days.day_of(last) for unit, last in connection.execute(query).all()}


def ended_runs(connection: Connection, code: str, kind: str, *, since_ms: int) -> dict[str, frozenset[str]]:
    """By unit of estate *code*, the runs whose flags of *kind* have ended since."""
    query = select(flags.c.subject, flags.c.run).where(
        flags.c.estate == code, flags.c.kind == kind, flags.c.ended_ms >= since_ms
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.subject, set()).add(row.run)
    return {unit: frozenset(runs) for unit, runs in found.items()}


def changes(connection: Connection, code: str) -> dict[date, int]:
    """How often each day of estate *code* has changed; a day that is missing, never."""
    query = select(day_changes.c.day, day_changes.c.changes).where(day_changes.c.estate == code)
    return {row.day: row.changes for row in connection.execute(query)}


def taps_by_day(
    connection: Connection, code: str, places: Mapping[str, Sequence[Installation]], *, within: Window
) -> dict[date, int]:
    """Taps at the machines of estate *code*, by known and unknown cards together; a day that is missing = none."""
    moved = {device for device, stays in places.items() if len(stays) > 1}
    found: dict[date, int] = {}
    for device, hours in tallies.by_hour(connection, moved, within=within).items():
        for hour, each in hours.items():
            if tallies.home(places[device], hour, hour + days.HOUR) == code:
                day = days.day_of(hour)
                found[day] = found.get(day, 0) + each.known + each.unknown
    begin, end = within.span
    number = (hour_counts.c.hour_ms - begin) // days.DAY
    query = (
        select(number, func.sum(hour_counts.c.known + hour_counts.c.unknown))
        .where(hour_counts.c.device.in_(sorted(places.keys() - moved)))
        .where(hour_counts.c.hour_ms >= begin, hour_counts.c.hour_ms < end)
        .group_by(number)
    )
    for at, taps in connection.execute(query):
        day = within.first + timedelta(days=int(at))
        found[day] = found.get(day, 0) + int(taps)
    return found


def lost_days(connection: Connection) -> dict[str, tuple[DaySpan, ...]]:
    """By machine, the days for which what it held was given up."""
    found: dict[str, list[DaySpan]] = {}
    for row in connection.execute(select(declared_lost).order_by(declared_lost.c.from_day, declared_lost.c.to_day)):
        found.setdefault(row.device, []).append((row.from_day, row.to_day))
    return {device: tuple(spans) for device, spans in found.items()}


def _chunks(
    connection: Connection, query: Select[tuple[object, ...]], those: Collection[str]
) -> Iterator[Row[tuple[object, ...]]]:
    """The rows of *query* whose unit is one of *those*, however many these are."""
    wanted = sorted(those)
    for start in range(0, len(wanted), CHUNK):
        yield from connection.execute(query.where(query.selected_columns.unit.in_(wanted[start : start + CHUNK]))).all()
