"""Rules 1 and 3: how able an estate was on a day, and whether the day counts for a unit."""

from dataclasses import dataclass
from fractions import Fraction

from bench.truth.recount.calendar import HOUR, begins, open_times, shared, weekday
from bench.truth.recount.knowing import Known
from bench.truth.recount.reading import Installation


@dataclass(frozen=True, slots=True)
class EstateDay:
    """A day of an estate: minutes of service and of being able, and what disturbs it for every unit."""

    service: Fraction
    able: Fraction
    disturbed: str | None


def estate_day(known: Known, estate: str, day: int) -> EstateDay:
    """Rule 1, and the last four reasons of rule 3."""
    begin, end = begins(day), begins(day + 1)
    there = known.stood(estate, begin, end)
    counting = {row.device: [each for each in there if each.device == row.device] for row in there}
    counting = {device: rows for device, rows in counting.items() if _is_whole(rows, begin, end)}
    service = able = Fraction(0)
    for hour in range(begin, end, HOUR):
        parts = {device: _part(rows, day, hour) for device, rows in counting.items()}
        service += max((part * 60 for part in parts.values()), default=Fraction(0))
        able += max((part * _minutes(known, device, hour) for device, part in parts.items()), default=Fraction(0))
    return EstateDay(service, able, _disturbed(known, there, day, bool(counting), (service, able)))


def _is_whole(rows: list[Installation], begin: int, end: int) -> bool:
    """Whether a machine was installed from *begin* to *end* without a break."""
    for row in sorted(rows, key=lambda row: row.installed):
        if row.installed <= begin:
            begin = max(begin, row.removed)
    return begin >= end


def _part(rows: list[Installation], day: int, hour: int) -> Fraction:
    """Which part of an hour is service."""
    midnight = begins(day)
    served = sum(
        shared((midnight + begin, midnight + end), (max(hour, row.installed), min(hour + HOUR, row.removed)))
        for row in rows
        for begin, end in open_times(row.hours, weekday(day))
    )
    return Fraction(served, HOUR)


def _minutes(known: Known, device: str, hour: int) -> int:
    return min(60, known.heard[device].minutes.get(hour, 0)) if device in known.heard else 0


def _disturbed(
    known: Known, there: list[Installation], day: int, is_machine: bool, minutes: tuple[Fraction, Fraction]
) -> str | None:
    if any(known.is_lost(row.device, day) or _is_dropped(known, row.device, day) for row in there):
        return "lost"
    if not is_machine:
        return "no_machine"
    service, able = minutes
    if service == 0:
        return "closed"
    rule = known.all.absence
    too_little = able < min(rule["min_able_min"], rule["min_able_cap"] * service)
    return "machine" if too_little or able < rule["min_able_share"] * service else None


def _is_dropped(known: Known, device: str, day: int) -> bool:
    return device in known.heard and any(first <= day <= last for first, last in known.heard[device].gone)


def reason(known: Known, unit: str, day: int, of: EstateDay) -> str | None:
    """Rule 3: why a day does not count for a unit; None = it counts."""
    estate = known.all.estate_of[unit]
    if day < known.all.go_live[estate]:
        return "not_live"
    tenancy = known.tenancy(unit, day)
    if tenancy is None:
        return "no_tenancy"
    if day - tenancy.start < known.all.absence["tenancy_grace_days"]:
        return "new_tenant"
    if not any(card.obliged and card.is_valid(day) and card.known < begins(day) for card in known.cards[unit]):
        return "no_card"
    if any(row.of in ("*", estate) and row.has(day) for row in known.calendar):
        return "calendar"
    if any(row.has(day) for row in known.leave[unit]):
        return "leave"
    return of.disturbed
