"""What one program remembers of an evaluation for the next: what a day was like, and what was found of an estate.

Everything is kept under what it was made from, and made again when that is no longer so: an evaluation with a memory
finds what one without it finds. A memory belongs to one program, and to one policy at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from cloud.alerts.findings import Findings
from cloud.alerts.policy import Policies
from cloud.days import Estate, EstateDay


@dataclass(frozen=True, slots=True)
class Day:
    """A day of an estate, as it was after so many changes."""

    changes: int
    facts: EstateDay
    taps: int
    """At its machines, by any card but test cards."""


@dataclass(slots=True)
class OfEstate:
    """What is remembered of one estate."""

    bare: Estate | None = None
    """Its machines (without minutes) and calendar, as the days were judged by."""
    days: dict[date, Day] = field(default_factory=dict)
    cause: object = None
    """All that the findings depend on."""
    findings: Findings = field(default_factory=Findings)

    def of(self, bare: Estate, changes: Mapping[date, int]) -> dict[date, Day]:
        """The days that are still as remembered."""
        if self.bare != bare:
            self.bare, self.days = bare, {}
        stale = [day for day, was in self.days.items() if was.changes != changes.get(day, 0)]
        for day in stale:
            del self.days[day]
        return self.days


class Memory:
    """By estate."""

    def __init__(self) -> None:
        self._policies: Policies | None = None
        self._estates: dict[str, OfEstate] = {}

    def estate(self, code: str, policies: Policies) -> OfEstate:
        """What is remembered of estate *code* under *policies*."""
        if self._policies is not policies:
            self._policies, self._estates = policies, {}
        return self._estates.setdefault(code, OfEstate())

    def forget(self) -> None:
        """Start anew."""
        self._estates.clear()
