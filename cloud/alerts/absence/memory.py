"""What one program remembers of an evaluation for the next: what a day was like, and what was found of an estate.

Everything is kept under what it was made from, and made again when that is no longer so: an evaluation with a memory
finds what one without it finds. A memory belongs to one program, and to one policy at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from cloud.alerts.findings import Findings
from cloud.alerts.policy import Policies
from cloud.days import Estate, EstateDay


@dataclass(slots=True)
class Remembered:
    """What is remembered of one estate."""

    bare: Estate | None = None
    """Its machines (without minutes) and calendar, as the days were judged by."""
    changes: dict[date, int] = field(default_factory=dict)
    """How often each day had changed when it was read."""
    days: dict[date, EstateDay] = field(default_factory=dict)
    taps: dict[date, int] = field(default_factory=dict)
    """At its machines, by any card but test cards."""
    found: dict[str, tuple[object, Findings]] = field(default_factory=dict)
    """By rule, all that its findings depend on, and they."""

    def recall(self, rule: str, cause: object, make: Callable[[], Findings]) -> Findings:
        """What *rule* finds: as before if *cause* is as it was, else anew."""
        was, findings = self.found.get(rule, (None, Findings()))
        if was != cause:
            findings = make()
            self.found[rule] = cause, findings
        return findings

    def renew(self, bare: Estate, changes: Mapping[date, int]) -> None:
        """Forget the days that are no longer as remembered."""
        if self.bare != bare:
            self.bare, self.days, self.taps = bare, {}, {}
        for day in [day for day in {*self.days, *self.taps} if self.changes.get(day, 0) != changes.get(day, 0)]:
            self.days.pop(day, None)
            self.taps.pop(day, None)
        self.changes = dict(changes)


class Memory:
    """By estate."""

    def __init__(self) -> None:
        self._policies: Policies | None = None
        self._estates: dict[str, Remembered] = {}

    def estate(self, code: str, policies: Policies) -> Remembered:
        """What is remembered of estate *code* under *policies*."""
        if self._policies is not policies:
            self._policies, self._estates = policies, {}
        return self._estates.setdefault(code, Remembered())

    def forget(self) -> None:
        """Start anew."""
        self._estates.clear()
