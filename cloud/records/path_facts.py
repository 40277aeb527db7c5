"""What the path rules ask of SQL beside signs of life: last reads, self-tests, complete records, machines nobody knows.

A few queries for all machines at once, each bounded by time or by the number of machines.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection, func, or_, select

from cloud import days
from cloud.days import DaySpan, ServiceHours, Stay
from cloud.records import completeness, facts, registry
from cloud.records.facts import Window
from cloud.records.registry import Installation
from cloud.records.schema import arrivals, declared_lost, device_events, heard, hour_counts, sightings, streams
from contract.messages import Happening

TESTS_BACK_MS: Final = 30 * days.DAY
"""How far back self-tests are looked for."""

# ---- readers ---------------------------------------------------------------------------------------------------------


def last_reads(connection: Connection, devices: Collection[str]) -> dict[str, int]:
    """When each of these machines last read a card that is still remembered, a test card included."""
    latest = (
        select(func.max(sightings.c.at_ms))
        .where(sightings.c.device == heard.c.device)
        .correlate(heard)
        .scalar_subquery()
    )
    query = select(heard.c.device, latest.label("at_ms")).where(heard.c.device.in_(sorted(devices)))
    return {row.device: row.at_ms for row in connection.execute(query) if row.at_ms is not None}


def counted(
    connection: Connection, devices: Collection[str], *, spans: Sequence[days.Span]
) -> dict[str, dict[int, int]]:
    """Taps by machine and start of the hour, within *spans*; an hour that is missing = none."""
    at = hour_counts.c.hour_ms
    query = select(hour_counts.c.device, at, (hour_counts.c.known + hour_counts.c.unknown).label("n")).where(
        hour_counts.c.device.in_(sorted(devices)), or_(*((at >= begin) & (at < end) for begin, end in spans))
    )
    found: dict[str, dict[int, int]] = {}
    for device, hour_ms, taps in connection.execute(query):
        found.setdefault(device, {})[hour_ms] = taps
    return found


def able_minutes(connection: Connection, devices: Collection[str], span: days.Span) -> dict[str, dict[int, int]]:
    """By machine and start of the hour, the minutes in which it could take a tap, on the days of *span*."""
    return facts.able_minutes(connection, devices, within=Window(days.day_of(span[0]), days.day_of(span[1])))


def free_days(connection: Connection, estates: Iterable[str]) -> dict[str, list[DaySpan]]:
    """By estate, its rows of the calendar."""
    return {estate: facts.holidays(connection, estate) for estate in estates}


def last_tests(connection: Connection, *, now_ms: int) -> dict[str, tuple[int, bool]]:
    """By machine, when it last reported a self-test, and whether that went well. (A machine need not say `ok`.)"""
    query = (
        select(device_events.c.device, device_events.c.at_ms, device_events.c.detail)
        .where(device_events.c.event == Happening.SELF_TEST.value, device_events.c.at_ms > now_ms - TESTS_BACK_MS)
        .order_by(device_events.c.at_ms)
    )
    return {row.device: (row.at_ms, json.loads(row.detail).get("ok") is not False) for row in connection.execute(query)}


# ---- records ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """How far a machine's record is complete, and where it has stood."""

    machine: days.Machine
    """With its stays at all estates, and the days given up."""
    estate: str
    """Where it stands, or last stood."""
    complete_ms: int | None


def kept(connection: Connection) -> Iterator[Kept]:
    """Every machine that was ever installed."""
    places = _by_device(registry.all_installations(connection))
    evidence = completeness.evidence(connection, places)
    lost = _given_up(connection)
    for device, those in places.items():
        found, given_up = evidence[device], tuple(lost.get(device, ()))
        complete_ms = days.complete(found.outboxes, found.proofs, found.base_ms, declared_lost=given_up)
        stays = tuple(Stay(p.installed_ms, p.removed_ms, ServiceHours.parse(p.service_hours)) for p in those)
        yield Kept(days.Machine(device, stays, declared_lost=given_up), those[-1].estate, complete_ms)


def _by_device(places: Iterable[Installation]) -> dict[str, list[Installation]]:
    found: dict[str, list[Installation]] = {}
    for place in places:
        found.setdefault(place.device, []).append(place)
    return found


def _given_up(connection: Connection) -> dict[str, list[tuple[date, date]]]:
    found: dict[str, list[tuple[date, date]]] = {}
    for row in connection.execute(select(declared_lost).order_by(declared_lost.c.from_day)):
        found.setdefault(row.device, []).append((row.from_day, row.to_day))
    return found


# ---- strangers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stranger:
    """A machine that speaks and is installed nowhere."""

    device: str
    heard_ms: int
    """When anything last arrived from it."""
    stood_at: str = ""
    """The estate it was last taken away from; empty = it was never installed."""
    removed_ms: int | None = None


def strangers(connection: Connection, *, now_ms: int) -> list[Stranger]:
    """Every machine that was ever heard of and is installed nowhere, by name."""
    places = _by_device(registry.all_installations(connection))
    standing = {device for device, those in places.items() if any(place.covers(now_ms) for place in those)}
    found = dict(_ever_heard(connection, but=standing))
    return [_stranger(device, heard_ms, places.get(device, [])) for device, heard_ms in sorted(found.items())]


def _stranger(device: str, heard_ms: int, places: Sequence[Installation]) -> Stranger:
    left = [place for place in places if place.removed_ms is not None]
    return Stranger(device, heard_ms, left[-1].estate, left[-1].removed_ms) if left else Stranger(device, heard_ms)


def _ever_heard(connection: Connection, *, but: set[str]) -> Iterator[tuple[str, int]]:
    latest = {row.device: row.arrived_ms for row in connection.execute(select(heard.c.device, heard.c.arrived_ms))}
    sent = set(connection.scalars(select(streams.c.device).distinct()))
    for device in (latest.keys() | sent) - but:
        query = (
            select(func.max(arrivals.c.arrived_ms))
            .join(streams, streams.c.id == arrivals.c.stream)
            .where(streams.c.device == device)
        )
        yield device, max(latest.get(device, 0), connection.scalar(query) or 0)
