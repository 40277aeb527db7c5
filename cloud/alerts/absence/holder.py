"""The household taps, but never the one who is obliged to: asked about in shadow mode alone. Pure.

Judged over as many missable periods as open a flag, by sightings, so no further back than these are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from cloud import days
from cloud.alerts.absence import evidence, run, verdicts
from cloud.alerts.absence.periods import Period
from cloud.alerts.absence.verdicts import Judged, Tap, Verdict
from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind
from cloud.days import Household

KEPT: Final = timedelta(days=88)
"""For so long sightings are surely kept: 90 days, and a purge that runs now and then."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A unit with cards besides the obliged ones, as far as its periods can be judged."""

    unit: str
    estate: str
    household: Household
    taps: Sequence[Tap]
    """Of any card."""
    last_own: date | None
    """The last day on which an obliged card may have been tapped, of those still on record."""


def absent(
    holder: Holder, judgeable: Sequence[Period], untapped: Callable[[Period], Judged], today: date
) -> Finding | None:
    """The finding, if the holder's own card was absent while the household tapped in every period that asked for it.

    *untapped* = what a period says of the household had nobody tapped: void ones are skipped.
    """
    tenancy = holder.household.tenancy(today)
    asked: list[Judged] = []
    for period in reversed(judgeable):
        if tenancy is None or period.last < tenancy.start or period.first < today - KEPT:
            return None
        if holder.last_own is not None and holder.last_own >= period.first:
            return None
        judged = untapped(period)
        if judged.verdict is Verdict.VOID:
            continue
        if not verdicts.is_satisfied(period, holder.taps):
            return None
        asked.insert(0, judged)
        if len(asked) >= run.opens_at(judgeable[-1], holder.household):
            return _finding(holder, asked)
    return None


def _finding(holder: Holder, asked: Sequence[Judged]) -> Finding:
    return Finding(
        Kind.HOLDER_ABSENT,
        holder.unit,
        holder.estate,
        since_ms=days.starts(asked[0].period.first),
        evidence={
            "periods": [
                {"from": each.period.first.isoformat(), "to": each.period.last.isoformat(), "counted": each.counted}
                for each in asked
            ],
            "days_counted": sum(each.counted for each in asked),
            "last_tap_of_holder": holder.last_own.isoformat() if holder.last_own is not None else None,
            "rule": evidence.RULE,
            "policy": asked[-1].period.policy.version,
        },
    )
