"""All that is known of one estate at one instant, for the rules about its units; and what its periods say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from cloud.alerts.absence import verdicts
from cloud.alerts.absence.estate_days import EstateDays
from cloud.alerts.absence.judgeable import Elsewhere
from cloud.alerts.absence.periods import Period
from cloud.alerts.absence.verdicts import Judged, Tap, Verdict
from cloud.days import Household

HORIZON: Final = timedelta(days=398)
"""Days further back are not recounted: the machines' minutes are kept for 400."""


@dataclass(frozen=True, slots=True)
class Known:
    """One estate: what holds for all its units."""

    code: str
    today: date
    ended: Sequence[Period]
    judgeable: int
    """How many of its periods can be judged as far as its own machines go."""
    elsewhere: Elsewhere
    days: EstateDays
    told: Mapping[str, frozenset[str]]
    plain: dict[int, Judged] = field(default_factory=dict)
    """By period, what it says of a household of which nothing is known against counting its days."""

    def judgeable_for(self, taps: Sequence[Tap]) -> int:
        """How many periods, from the first on, can be judged for a household that made *taps*."""
        return self.elsewhere.frontier(self.ended, self.judgeable, taps)

    def judged(self, household: Household, taps: Sequence[Tap], begin: int, end: int) -> list[Judged]:
        """Periods *begin* to *end* (not included) for one household."""
        return [self._judge(period, household, taps) for period in self.ended[begin:end]]

    def _judge(self, period: Period, household: Household, taps: Sequence[Tap]) -> Judged:
        if verdicts.is_satisfied(period, taps):
            return Judged(period, Verdict.SATISFIED)
        return self.untapped(period, household)

    def untapped(self, period: Period, household: Household) -> Judged:
        """What *period* says of *household* had nobody tapped."""
        if not verdicts.is_plain(household, period):
            return verdicts.untapped(period, household, self.days.of(period))
        if period.number not in self.plain:
            self.plain[period.number] = verdicts.untapped(period, household, self.days.of(period))
        return self.plain[period.number]
