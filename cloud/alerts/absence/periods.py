"""Rule 5, first half: the periods of an estate, each as long, and judged, as the policy in force when it began says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from cloud import days
from cloud.alerts.policy import Absence, Policies, Policy

ONE_DAY: Final = timedelta(days=1)
BEFORE: Final = 6
"""Taps in so many periods before one say at which machines elsewhere a household may tap."""


@dataclass(frozen=True)
class Period:
    """Period *number* of an estate: its days, both included."""

    number: int
    first: date
    last: date
    policy: Policy = field(repr=False)

    @property
    def absence(self) -> Absence:
        """The thresholds it is judged by."""
        return self.policy.absence

    @cached_property
    def days(self) -> list[date]:
        """Each of its days."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    @cached_property
    def end_ms(self) -> int:
        """The instant at which it is over."""
        return days.starts(self.last + ONE_DAY)

    def meets(self, first: date, last: date) -> bool:
        """Whether any of the days from *first* to *last* lies in it."""
        return self.first <= last and first <= self.last


def ended(estate: str, go_live: date, policies: Policies, *, now_ms: int) -> list[Period]:
    """The periods of *estate* that are over, in order. One that has begun keeps its length."""
    found: list[Period] = []
    first = go_live
    while True:
        policy = policies.at(first, estate)
        period = Period(len(found), first, first + timedelta(days=policy.absence.period_days - 1), policy)
        if period.end_ms > now_ms:
            return found
        found.append(period)
        first = period.last + ONE_DAY


def before(periods: Sequence[Period], number: int) -> Sequence[Period]:
    """The six periods before period *number*, or as many as there were."""
    return periods[max(0, number - BEFORE) : number]
