"""How long one machine was expected to work on a day, was able to, and was heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from cloud import days
from cloud.ingest.points import NS
from contract import series
from contract.series import Point


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """One machine on one day at one estate."""

    machine: days.Machine
    """Its installations at this estate, and its able minutes."""
    online: Mapping[int, int]
    """Minutes in which it was online, by start of the hour (0-60)."""
    taps: int
    """Known and unknown, of this day at this estate."""
    restarts: int
    """Boots of this day."""


def machine_day(facts: MachineFacts, day: date, *, estate: str, until_ms: int) -> Point:
    """Its row for *day*; of a day that is not over, the hours up to *until_ms* alone are expected of it."""
    service = _so_far(facts.machine.service(day), until_ms)
    tags = {"device": facts.machine.device, "estate": estate}
    fields = {
        "minutes_able": _total(days.within_service(facts.machine.able, service)),
        "minutes_expected": _total(service),
        "minutes_online": _total(days.within_service(facts.online, service)),
        "taps": facts.taps,
        "restarts": facts.restarts,
    }
    return series.MACHINE_DAY.point(days.starts(day) * NS, tags, fields)


def _so_far(service: Mapping[int, Fraction], until_ms: int) -> dict[int, Fraction]:
    """Whole hours: able and online minutes of an hour are known when it is over."""
    return {hour: minutes for hour, minutes in service.items() if hour + days.HOUR <= until_ms}


def _total(minutes: Mapping[int, Fraction]) -> float:
    return float(sum(minutes.values()))
