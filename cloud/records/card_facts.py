"""What the card rules ask of SQL: pairs of taps far apart, taps of ended cards, hours of unknown cards, taps in crowds.

Set-based, each query bounded by when something arrived or was made. A card is its pseudonym, and that stays here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, exists, func, or_, select

from cloud import days
from cloud.records.facts import Window
from cloud.records.schema import arrivals, calendar, cards, hour_counts, installations, presence, sightings, units
from cloud.records.verdicts import Outcome

NEAR_MS: Final = 2 * days.HOUR
"""Taps further apart than this are within anybody's reach in one city."""
_LOST: Final = ("lost", "stolen")
_WIB_MS: Final = 7 * days.HOUR


@dataclass(frozen=True, slots=True)
class Pair:
    """Two taps of one card at two estates, the earlier first."""

    card: str = field(repr=False)
    home: str
    """The estate of its unit."""
    estates: tuple[str, str]
    at_ms: tuple[int, int]


def pairs(connection: Connection, *, arrived_after_ms: int) -> list[Pair]:
    """Taps of known cards that have arrived since then, each with those of the same card elsewhere at about the time.

    Where the clock could not be trusted nothing is said.
    """
    fresh, other = sightings.alias("fresh"), sightings.alias("other")
    apart_ms = func.abs(other.c.at_ms - fresh.c.at_ms)
    query = (
        select(fresh.c.pseudonym, units.c.estate.label("home"), *_where(fresh, "one"), *_where(other, "two"))
        .join(arrivals, and_(arrivals.c.stream == fresh.c.stream, arrivals.c.seq == fresh.c.seq))
        .join(other, and_(other.c.pseudonym == fresh.c.pseudonym, other.c.estate != fresh.c.estate))
        .join(units, units.c.unit == fresh.c.unit)
        .where(arrivals.c.arrived_ms > arrived_after_ms, apart_ms <= NEAR_MS, _is_sure(fresh), _is_sure(other))
    )
    return sorted({_pair(*row) for row in connection.execute(query)}, key=lambda pair: (pair.card, pair.at_ms))


def _where(taps: FromClause, name: str) -> list[ColumnElement[Any]]:
    return [taps.c.at_ms.label(f"{name}_ms"), taps.c.estate.label(f"{name}_estate")]


def _is_sure(taps: FromClause) -> ColumnElement[bool]:
    return and_(taps.c.outcome == Outcome.KNOWN.value, taps.c.uncertainty_ms == 0)


def _pair(card: str, home: str, one_ms: int, one_estate: str, two_ms: int, two_estate: str) -> Pair:
    first, second = sorted([(one_ms, one_estate), (two_ms, two_estate)])
    return Pair(card, home, (first[1], second[1]), (first[0], second[0]))


@dataclass(frozen=True, slots=True)
class Revoked:
    """A tap of a card that had been lost or stolen before, and stands for no unit any more."""

    card: str = field(repr=False)
    estate: str
    """Where it was tapped."""
    at_ms: int
    valid_to: date
    because: str


def revoked(connection: Connection, *, arrived_after_ms: int) -> list[Revoked]:
    """Taps that have arrived since then, of cards whose every registration has ended, the last as lost or stolen."""
    query = (
        select(sightings.c.pseudonym, sightings.c.estate, sightings.c.at_ms, cards.c.valid_to, cards.c.ended_because)
        .join(arrivals, and_(arrivals.c.stream == sightings.c.stream, arrivals.c.seq == sightings.c.seq))
        .join(cards, cards.c.pseudonym == sightings.c.pseudonym)
        .where(arrivals.c.arrived_ms > arrived_after_ms, sightings.c.uncertainty_ms == 0)
        .where(sightings.c.outcome == Outcome.UNKNOWN.value, cards.c.ended_because.in_(_LOST))
        .where(cards.c.valid_to.is_not(None))
        .order_by(sightings.c.pseudonym, sightings.c.at_ms)
    )
    return [Revoked(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Crowd:
    """An hour with many unknown cards at one machine."""

    device: str
    hour_ms: int
    unknown: int


def unknown_hours(connection: Connection, *, since_ms: int, over: int) -> list[Crowd]:
    """Hours since then in which a machine saw more than *over* taps of unknown cards, by machine and time."""
    standing = select(installations.c.device).where(installations.c.removed_ms.is_(None))
    query = (
        select(hour_counts.c.device, hour_counts.c.hour_ms, hour_counts.c.unknown)
        .where(hour_counts.c.device.in_(standing), hour_counts.c.hour_ms >= since_ms, hour_counts.c.unknown > over)
        .order_by(hour_counts.c.device, hour_counts.c.hour_ms)
    )
    return [Crowd(*row) for row in connection.execute(query)]


def lebaran(connection: Connection) -> list[tuple[str, date, date]]:
    """Scope, first and last day of every Lebaran in the calendar."""
    query = select(calendar.c.scope, calendar.c.from_day, calendar.c.to_day).where(calendar.c.kind == "lebaran")
    return [(row.scope, row.from_day, row.to_day) for row in connection.execute(query)]


# ---- units that tap elsewhere ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stray:
    """A unit that tapped at other estates alone."""

    unit: str
    home: str
    days: tuple[date, ...]


def strays(connection: Connection, *, within: Window, least: int) -> list[Stray]:
    """Units with taps elsewhere on at least *least* days of *within*, and with none at home, by unit.

    A machine that ever stood at home counts as home.
    """
    is_within = presence.c.day.between(within.first, within.last) & (presence.c.taps > 0)
    is_home = exists().where(installations.c.device == presence.c.device, installations.c.estate == units.c.estate)
    at_home = func.max(case((is_home, 1), else_=0))
    some = (
        select(presence.c.unit)
        .join(units, units.c.unit == presence.c.unit)
        .where(is_within)
        .group_by(presence.c.unit)
        .having(and_(at_home == 0, func.count(presence.c.day.distinct()) >= least))
    )
    query = (
        select(presence.c.unit, units.c.estate, presence.c.day)
        .distinct()
        .join(units, units.c.unit == presence.c.unit)
        .where(is_within, presence.c.unit.in_(some))
        .order_by(presence.c.unit, presence.c.day)
    )
    found: dict[tuple[str, str], list[date]] = {}
    for unit, home, day in connection.execute(query):
        found.setdefault((unit, home), []).append(day)
    return [Stray(unit, home, tuple(those)) for (unit, home), those in found.items()]


# ---- cards that are never alone --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Company:
    """What being together means: so many taps at one machine within so long; and on how many days."""

    cards: int
    within_ms: int
    days: int


@dataclass(frozen=True, slots=True)
class Together:
    """A card of which every tap was made in company."""

    card: str = field(repr=False)
    unit: str = field(repr=False)
    estate: str
    """Where it was tapped last."""
    taps: tuple[tuple[str, int, int], ...]
    """(machine, number of the day, instant of the first tap there on that day), in order of the days."""


def never_alone(connection: Connection, company: Company, *, since_ms: int) -> list[Together]:
    """Cards that tapped since then on enough days, and never but in *company*, by card."""
    taps = _with_company(company, since_ms).cte()  # asked twice, made once
    day = _day_number(taps.c.at_ms)
    always = (
        select(taps.c.pseudonym)
        .group_by(taps.c.pseudonym)
        .having(and_(func.min(taps.c.in_company) == 1, func.count(day.distinct()) >= company.days))
    )
    query = (
        select(taps.c.pseudonym, taps.c.unit, taps.c.estate, taps.c.device, day, func.min(taps.c.at_ms))
        .where(taps.c.pseudonym.in_(always))
        .group_by(taps.c.pseudonym, taps.c.unit, taps.c.estate, taps.c.device, day)
        .order_by(taps.c.pseudonym, taps.c.unit, day, taps.c.device)
    )
    found: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    last: dict[tuple[str, str], str] = {}
    for card, unit, estate, device, number, at_ms in connection.execute(query):
        found.setdefault((card, unit), []).append((device, int(number), at_ms))
        last[card, unit] = estate
    return [Together(card, unit, last[card, unit], tuple(those)) for (card, unit), those in found.items()]


def _with_company(company: Company, since_ms: int) -> Select[tuple[object, ...]]:
    """Known taps since then, each with whether it is one of enough taps within the time at its machine."""
    near = or_(*(_span_ms(company.cards - 1 - ahead, ahead) <= company.within_ms for ahead in range(company.cards)))
    return select(
        sightings.c.pseudonym,
        sightings.c.unit,
        sightings.c.estate,
        sightings.c.device,
        sightings.c.at_ms,
        case((near, 1), else_=0).label("in_company"),
    ).where(
        sightings.c.at_ms >= since_ms,
        sightings.c.outcome == Outcome.KNOWN.value,
        sightings.c.uncertainty_ms == 0,
    )


def _span_ms(back: int, ahead: int) -> ColumnElement[int]:
    """From the tap so many places *back* at the same machine to the one so many *ahead*; NULL if there is none."""
    at, machine = sightings.c.at_ms, sightings.c.device
    first = func.lag(at, back).over(partition_by=machine, order_by=at) if back else at
    last = func.lead(at, ahead).over(partition_by=machine, order_by=at) if ahead else at
    return last - first


def _day_number(at_ms: ColumnElement[int]) -> ColumnElement[int]:
    """The number of its local day since 1970."""
    return (at_ms + _WIB_MS) // days.DAY
