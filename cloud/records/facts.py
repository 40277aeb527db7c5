"""What the days' rules and the roll-ups ask of SQL, for one estate and a range of days: its machines, units and counts.

One read transaction serves all days of an estate; every query is bounded by the estate and the days.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, Select, Table, func, select

from cloud import days
from cloud.days import DaySpan, Household, Machine, Stay
from cloud.records import registry
from cloud.records.registry import Installation
from cloud.records.schema import (
    calendar,
    cards,
    declared_lost,
    device_events,
    device_hours,
    estates,
    leave,
    tenancies,
    units,
)
from contract.messages import Happening

LOOK_BACK: Final = timedelta(days=30)
"""How far back a unit's last tap is looked for."""


@dataclass(frozen=True, slots=True)
class Window:
    """Days *first* to *last*, both included."""

    first: date
    last: date

    @property
    def span(self) -> days.Span:
        """Its instants."""
        return days.starts(self.first), days.span_of(self.last)[1]

    @property
    def days(self) -> list[date]:
        """Each of its days."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


# ---- machines and estates --------------------------------------------------------------------------------------------


def estate(connection: Connection, code: str, *, able: Window) -> days.Estate | None:
    """Estate *code* as the registry knows it now, its machines with their able minutes of *able*; None = unknown."""
    since = go_live(connection, code)
    if since is None:
        return None
    return days.Estate(code, since, tuple(machines(connection, code, able=able)), tuple(holidays(connection, code)))


def bare_estate(connection: Connection, code: str) -> days.Estate:
    """Estate *code*, which must be registered, its machines without their minutes."""
    since = go_live(connection, code)
    if since is None:
        raise LookupError(f"estate {code} is not registered")
    machines_there = _machines(connection, code)
    return days.Estate(code, since, tuple(machines_there), tuple(holidays(connection, code)))


def go_live(connection: Connection, code: str) -> date | None:
    """The first day of estate *code*; None = unknown."""
    return connection.scalar(select(estates.c.go_live).where(estates.c.estate == code))


def machines(connection: Connection, code: str, *, able: Window) -> list[Machine]:
    """Every machine that was ever installed at estate *code*, by name, with its able minutes of *able*."""
    bare = _machines(connection, code)
    minutes = able_minutes(connection, [machine.device for machine in bare], within=able)
    return [replace(machine, able=minutes.get(machine.device, {})) for machine in bare]


def _machines(connection: Connection, code: str) -> list[Machine]:
    """Without their minutes."""
    everywhere = registry.installations_at(connection, code)
    given_up = _day_spans(connection, declared_lost, "device", everywhere)
    gone = _dropped(connection, everywhere)
    return [
        Machine(
            device,
            tuple(_stay(place) for place in places if place.estate == code),
            declared_lost=tuple(given_up.get(device, ())),
            dropped=tuple(gone.get(device, ())),
        )
        for device, places in sorted(everywhere.items())
    ]


def able_minutes(connection: Connection, devices: Iterable[str], *, within: Window) -> dict[str, dict[int, int]]:
    """By machine and start of the hour, the minutes in which it could take a tap, under a trusted clock."""
    begin, end = within.span
    query = (
        select(device_hours.c.device, device_hours.c.hour_ms, func.sum(device_hours.c.able_min).label("minutes"))
        .where(device_hours.c.device.in_(sorted(devices)), device_hours.c.dated)
        .where(device_hours.c.hour_ms >= begin, device_hours.c.hour_ms < end)
        .group_by(device_hours.c.device, device_hours.c.hour_ms)
    )
    found: dict[str, dict[int, int]] = {}
    for device, hour_ms, minutes in connection.execute(query).all():  # at once: a city has 100,000 in half a year
        found.setdefault(device, {})[hour_ms] = min(60, int(minutes))
    return found


def holidays(connection: Connection, code: str) -> list[DaySpan]:
    """Calendar rows for estate *code* and for all."""
    query = select(calendar.c.from_day, calendar.c.to_day).where(calendar.c.scope.in_([code, "*"]))
    return sorted((row.from_day, row.to_day) for row in connection.execute(query))


def boots(connection: Connection, devices: Iterable[str], *, within: Window) -> dict[tuple[str, date], int]:
    """How often each machine started on each day; a pair that is missing = not at all."""
    begin, end = within.span
    query = select(device_events.c.device, device_events.c.at_ms).where(
        device_events.c.device.in_(sorted(devices)),
        device_events.c.event == Happening.BOOT.value,
        device_events.c.at_ms >= begin,
        device_events.c.at_ms < end,
    )
    found: dict[tuple[str, date], int] = {}
    for row in connection.execute(query):
        pair = row.device, days.day_of(row.at_ms)
        found[pair] = found.get(pair, 0) + 1
    return found


def _stay(place: Installation) -> Stay:
    return Stay(place.installed_ms, place.removed_ms, days.ServiceHours.parse(place.service_hours))


def _dropped(connection: Connection, devices: Iterable[str]) -> dict[str, list[days.Span]]:
    query = select(device_events.c.device, device_events.c.detail).where(
        device_events.c.device.in_(sorted(devices)), device_events.c.event == Happening.RECORDS_DROPPED.value
    )
    found: dict[str, list[days.Span]] = {}
    for row in connection.execute(query.order_by(device_events.c.at_ms)):
        detail = json.loads(row.detail)
        found.setdefault(row.device, []).append((detail["from"], detail["to"]))
    return found


# ---- units -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Gathered:
    """A household in the making."""

    tenancies: list[days.Tenancy] = field(default_factory=list)
    cards: list[days.Card] = field(default_factory=list)
    leave: list[DaySpan] = field(default_factory=list)

    def done(self) -> Household:
        """In one order, so that units alike compare equal."""
        return Household(
            tuple(sorted(self.tenancies, key=lambda tenancy: tenancy.start)),
            tuple(sorted(self.cards, key=lambda card: (card.valid_from, card.known_from_ms, card.obliged))),
            tuple(sorted(self.leave)),
        )


def households(connection: Connection, code: str) -> dict[str, Household]:
    """Every unit of estate *code* with its tenancies, cards (never test cards) and leave."""
    gathered = {unit: _Gathered() for unit in connection.scalars(select(units.c.unit).where(units.c.estate == code))}
    for row in connection.execute(_of_units(tenancies, code)):
        gathered[row.unit].tenancies.append(days.Tenancy(row.start, row.end))
    for row in connection.execute(_of_units(cards, code)):
        card = days.Card(row.obliged, row.valid_from, row.valid_to, row.known_from_ms)
        gathered[row.unit].cards.append(card)
    for row in connection.execute(_of_units(leave, code)):
        gathered[row.unit].leave.append((row.from_day, row.to_day))
    return {unit: found.done() for unit, found in gathered.items()}


def _of_units(table: Table, code: str) -> Select[tuple[object, ...]]:
    return select(table).join(units, units.c.unit == table.c.unit).where(units.c.estate == code)


def _day_spans(
    connection: Connection, table: Table, subject: str, subjects: Collection[str]
) -> dict[str, list[DaySpan]]:
    query = select(table).where(table.c[subject].in_(sorted(subjects))).order_by(table.c.from_day, table.c.to_day)
    found: dict[str, list[DaySpan]] = {}
    for row in connection.execute(query):
        found.setdefault(getattr(row, subject), []).append((row.from_day, row.to_day))
    return found
