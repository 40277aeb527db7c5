"""Rolling up: the facts of dirty (estate, day) pairs from SQL to points. Reads; the rules are in `rollups`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cloud import days
from cloud.days import Household
from cloud.ingest import rollups
from cloud.ingest.rollups import Counted, DayFacts, DayFigures, MachineFacts, Pattern
from cloud.records import Connection, completeness, facts, registry, tallies
from cloud.records.facts import Window
from cloud.records.registry import Installation
from cloud.records.tallies import Taps
from contract.series import Point

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class _Estate:
    """All that is known of one estate for the days in question."""

    code: str
    estate: days.Estate
    places: Mapping[str, Sequence[Installation]]
    households: Mapping[Household, frozenset[str]]
    taps: Mapping[str, Mapping[int, Taps]]
    present: Mapping[str, list[date]]
    online: Mapping[str, Mapping[int, int]]
    boots: Mapping[tuple[str, date], int]
    completed: Mapping[date, int]

    def home_taps(self, device: str, hour: int) -> Taps:
        """Taps of one hour that belong to this estate."""
        counted = self.taps.get(device, {}).get(hour)
        if counted is None or tallies.home(self.places[device], hour, hour + days.HOUR) != self.code:
            return tallies.NOTHING
        return counted

    def taps_of(self, day: date, devices: Collection[str]) -> Taps:
        """Taps of one day at this estate."""
        return sum((self.home_taps(device, hour) for device in devices for hour in days.hours_of(day)), tallies.NOTHING)


def points_of(connection: Connection, code: str, those: Collection[date], *, now_ms: int) -> list[Point]:
    """Every roll-up of estate *code* that *those* days change: the days themselves, and their months."""
    today = days.day_of(now_ms)
    wanted = sorted(day for day in those if day <= today)
    if not wanted:
        return []
    months = [_month(day, until=today) for day in sorted({day.replace(day=1) for day in wanted})]
    window = Window(min(months[0][0], wanted[0]), max(months[-1][-1], wanted[-1]))
    found = _read(connection, code, window)
    if found is None:
        return []
    points = [point for day in wanted for point in _day_points(found, day, now_ms=now_ms)]
    points += _quarters(connection, found, wanted, now_ms=now_ms)
    return points + _attendance(found, wanted, months)


def _attendance(found: _Estate, wanted: Sequence[date], months: Sequence[list[date]]) -> list[Point]:
    """Of days and months since the estate went live; before, nobody was expected to tap."""
    live = [[day for day in month if day >= found.estate.go_live] for month in months]
    figures = {day: _figures(found, day) for month in live for day in month}
    of_days = [rollups.attendance_day(figures[day]) for day in wanted if day in figures]
    return of_days + [rollups.attendance_month([figures[day] for day in month]) for month in live if month]


def newly_complete(connection: Connection, code: str, *, now_ms: int, back: int) -> list[date]:
    """Of the last *back* days of estate *code* since it is live, those complete by now and not noted as such yet."""
    today, go_live = days.day_of(now_ms), facts.go_live(connection, code)
    if go_live is None or go_live >= today:
        return []
    window = Window(max(go_live, today - timedelta(days=back)), today - timedelta(days=1))
    noted = tallies.completed(connection, code, within=window)
    machines = facts.machines(connection, code, able=Window(window.last, window.last))
    evidence = completeness.evidence(connection, [machine.device for machine in machines])
    reached = {
        machine.device: days.complete(
            evidence[machine.device].outboxes,
            evidence[machine.device].proofs,
            evidence[machine.device].base_ms,
            declared_lost=machine.declared_lost,
        )
        for machine in machines
    }
    return [
        day
        for day in window.days
        if day not in noted and all(days.is_settled(each, reached[each.device], (day, day)) for each in machines)
    ]


def _read(connection: Connection, code: str, window: Window) -> _Estate | None:
    estate = facts.estate(connection, code, able=Window(window.first - days.LIKE_WEEKS * WEEK, window.last))
    if estate is None:
        return None
    devices = [machine.device for machine in estate.machines]
    return _Estate(
        code,
        estate,
        registry.installations_of(connection, devices),
        rollups.alike(facts.households(connection, code)),
        tallies.by_hour(connection, devices, within=window),
        tallies.present_days(connection, code, within=window),
        tallies.online_minutes(connection, devices, within=window),
        facts.boots(connection, devices, within=window),
        tallies.completed(connection, code, within=window),
    )


def _figures(found: _Estate, day: date) -> DayFigures:
    taps = found.taps_of(day, list(found.places))
    return rollups.figures(
        DayFacts(
            days.estate_day(found.estate, day),
            found.households,
            tallies.last_taps(found.present, day),
            taps.known,
            taps.unknown,
            taps.late,
            found.completed.get(day),
        )
    )


def _day_points(found: _Estate, day: date, *, now_ms: int) -> list[Point]:
    by_hour = {hour: _sum(found.home_taps(device, hour) for device in found.places) for hour in days.hours_of(day)}
    points = rollups.tap_hour(by_hour, day, estate=found.code, until_ms=now_ms)
    for machine in found.estate.machines:
        if machine.is_there(day):
            taps = found.taps_of(day, [machine.device])
            of_day = MachineFacts(
                machine,
                found.online.get(machine.device, {}),
                taps.known + taps.unknown,
                found.boots.get((machine.device, day), 0),
            )
            points.append(rollups.machine_day(of_day, day, estate=found.code, until_ms=now_ms))
    return points


def _quarters(connection: Connection, found: _Estate, wanted: Sequence[date], *, now_ms: int) -> list[Point]:
    like = {day - week * WEEK for day in wanted for week in range(days.LIKE_WEEKS + 1)}
    counted = tallies.by_quarter(connection, list(found.places), on=like)
    points: list[Point] = []
    for machine in found.estate.machines:
        taps = {at: Counted(each.known, each.unknown) for at, each in counted.get(machine.device, {}).items()}
        pattern = Pattern(machine, taps, found.estate.calendar)
        for day in wanted:
            points += rollups.tap_15m(pattern, day, estate=found.code, until_ms=now_ms)
    return points


def _sum(several: Iterable[Taps]) -> int:
    return sum(each.known + each.unknown for each in several)


def _month(first: date, *, until: date) -> list[date]:
    following = (first + timedelta(days=32)).replace(day=1)
    return [
        first + timedelta(days=number) for number in range((min(following, until + timedelta(days=1)) - first).days)
    ]
