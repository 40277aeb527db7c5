"""Attendance of one estate by day and by month: how many units, never which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from cloud import days
from cloud.ingest.points import NS
from contract import series
from contract.series import Point

SILENT_DAYS: Final = (7, 14, 30)


@dataclass(frozen=True, slots=True)
class DayFacts:
    """One day of one estate, as it is known now."""

    estate_day: days.EstateDay
    households: Mapping[days.Household, frozenset[str]] = field(repr=False)
    """Every unit of the estate, those alike together (`alike`)."""
    last_tap: Mapping[str, date] = field(repr=False)
    """By unit, the latest day up to this one with a tap by any valid card, at any estate, if within 30 days."""
    known: int = 0
    """Taps of the day at the estate's machines, by known cards."""
    unknown: int = 0
    late: int = 0
    """Of known and unknown together: those that arrived more than 15 minutes after the day had ended."""
    completed_ms: int | None = None
    """When it was first seen that every record of the day had arrived; None = not yet."""


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What a day comes to. Units are kept apart only so that a month can count each once; they are never written."""

    estate: str
    day: date
    present: frozenset[str] = field(repr=False)
    obliged: frozenset[str] = field(repr=False)
    registered: frozenset[str] = field(repr=False)
    total_units: int
    silent: tuple[int, ...]
    """Obliged units without a tap in the last `SILENT_DAYS` days, this one included."""
    not_counted: Mapping[days.Reason, int]
    known: int
    unknown: int
    late: int
    able: Fraction
    service: Fraction
    completed_ms: int | None

    @property
    def counted(self) -> int:
        """Units for which the day counts."""
        return self.total_units - sum(self.not_counted.values())


DEFAULT: Final = days.Policy()


def alike(households: Mapping[str, days.Household]) -> dict[days.Household, frozenset[str]]:
    """Units by what is known of them, so that each sort is judged once; the same for all days of an estate."""
    units: dict[days.Household, set[str]] = {}
    for unit, household in households.items():
        units.setdefault(household, set()).add(unit)
    return {household: frozenset(group) for household, group in units.items()}


def figures(facts: DayFacts, policy: days.Policy = DEFAULT) -> DayFigures:
    """What the day comes to."""
    of = facts.estate_day
    obliged = _those(facts, lambda household: household.is_obliged(of.day))
    everyone = _those(facts, lambda household: True)
    return DayFigures(
        of.estate,
        of.day,
        present=frozenset(unit for unit in everyone if facts.last_tap.get(unit) == of.day),
        obliged=obliged,
        registered=_those(facts, lambda household: household.is_registered(of.day)),
        total_units=len(everyone),
        silent=tuple(_silent(facts, obliged, length) for length in SILENT_DAYS),
        not_counted=_not_counted(facts, policy),
        known=facts.known,
        unknown=facts.unknown,
        late=facts.late,
        able=of.able,
        service=of.service,
        completed_ms=facts.completed_ms,
    )


def _those(facts: DayFacts, holds: Callable[[days.Household], bool]) -> frozenset[str]:
    return frozenset[str]().union(*(units for household, units in facts.households.items() if holds(household)))


def _silent(facts: DayFacts, obliged: frozenset[str], length: int) -> int:
    first = facts.estate_day.day - timedelta(days=length - 1)
    return sum(facts.last_tap.get(unit, date.min) < first for unit in obliged)


def _not_counted(facts: DayFacts, policy: days.Policy) -> dict[days.Reason, int]:
    reasons: Counter[days.Reason] = Counter()
    for household, units in facts.households.items():
        reason = days.reason(household, facts.estate_day, policy)
        if reason is not None:
            reasons[reason] += len(units)
    return dict(reasons)


def attendance_day(day: DayFigures) -> Point:
    """The estate's row for one day."""
    fields: dict[str, series.Value | None] = {
        **_units(day.present, day.obliged, day.registered),
        **_taps([day]),
        "total_units": day.total_units,
        "completed_at": day.completed_ms,
        **{f"silent_units_{length}d": units for length, units in zip(SILENT_DAYS, day.silent, strict=True)},
        "counted_units": day.counted,
        **{f"uncounted_{reason}": day.not_counted.get(reason, 0) for reason in days.Reason},
    }
    return series.ATTENDANCE_DAY.point(days.starts(day.day) * NS, {"estate": day.estate}, fields)


def attendance_month(month: Sequence[DayFigures]) -> Point:
    """The estate's row for one month, from its days so far: at least one, all of one estate and month, in order."""
    last = month[-1]
    completed = [day.completed_ms for day in month if day.completed_ms is not None]
    fields: dict[str, series.Value | None] = {
        **_units(
            frozenset[str]().union(*(day.present for day in month)),
            frozenset[str]().union(*(day.obliged for day in month)),
            frozenset[str]().union(*(day.registered for day in month)),
        ),
        **_taps(month),
        "total_units": last.total_units,
        "completed_at": max(completed) if len(completed) == len(month) and _is_over(last.day) else None,
        "days": len(month),
        "present_unit_days": sum(len(day.present) for day in month),
        "obliged_unit_days": sum(len(day.obliged) for day in month),
        "counted_unit_days": sum(day.counted for day in month),
    }
    first = last.day.replace(day=1)
    return series.ATTENDANCE_MONTH.point(days.starts(first) * NS, {"estate": last.estate}, fields)


def _units(present: frozenset[str], obliged: frozenset[str], registered: frozenset[str]) -> dict[str, int]:
    return {"present_units": len(present), "obliged_units": len(obliged), "registered_units": len(registered)}


def _taps(window: Sequence[DayFigures]) -> dict[str, int | float | None]:
    able = sum((day.able for day in window), Fraction())
    service = sum((day.service for day in window), Fraction())
    return {
        "taps": sum(day.known + day.unknown for day in window),
        "unknown_taps": sum(day.unknown for day in window),
        "late_taps": sum(day.late for day in window),
        "able_min": float(able),
        "service_min": float(service),
        "complete_pct": float(100 * able / service) if service else None,
    }


def _is_over(last: date) -> bool:
    return (last + timedelta(days=1)).day == 1
