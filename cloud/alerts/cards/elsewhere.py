"""Units that tap at another estate again and again, and never at home though they could have. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final

from cloud import days
from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policy
from cloud.records.card_facts import Stray

PERIODS: Final = 2
"""Over so many periods it is looked at."""

CouldTap = Callable[[str, date], bool]
"""Whether on that day a tap at that estate was possible, and asked for."""


def foreign_estate(
    strays: Iterable[Stray], *, policy: Callable[[str], Policy], could_tap: CouldTap
) -> Iterator[Finding]:
    """Units that tapped elsewhere on several days on which their own machine stood ready, and never at home."""
    for stray in strays:
        counted = [day for day in stray.days if could_tap(stray.home, day)]
        if len(counted) >= policy(stray.home).cards.foreign_taps:
            evidence = {
                "days_elsewhere": len(stray.days),
                "days_counted": len(counted),
                "first_day": counted[0].isoformat(),
                "last_day": counted[-1].isoformat(),
            }
            yield Finding(Kind.FOREIGN_ESTATE, stray.unit, stray.home, days.starts(counted[0]), evidence)
