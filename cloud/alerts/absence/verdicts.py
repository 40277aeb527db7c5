"""Rule 5, second half: whether a household tapped in a period, missed it, or whether the period says nothing of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from cloud import days
from cloud.alerts.absence.periods import Period
from cloud.alerts.policy import Absence
from cloud.days import EstateDay, Household, Reason


class Verdict(StrEnum):
    """What a period says of a unit."""

    SATISFIED = "satisfied"
    MISSED = "missed"
    VOID = "void"


@dataclass(frozen=True, slots=True, order=True)
class Tap:
    """A tap by a card of the unit: the day on record, and the days on which it may have been made with the card valid.

    Under a trusted clock these are the same.
    """

    recorded: date
    first: date
    last: date
    device: str = ""

    @classmethod
    def on(cls, day: date, device: str = "") -> Tap:
        """A tap of *day*, beyond doubt."""
        return cls(day, day, day, device)

    @property
    def day(self) -> date | None:
        """The day on record, if the card was valid on it."""
        return self.recorded if self.first <= self.recorded <= self.last else None


@dataclass(frozen=True, slots=True)
class Judged:
    """A period and what it says of one unit."""

    period: Period
    verdict: Verdict
    reasons: tuple[Reason | None, ...] = ()
    """Day by day why it does not count, None when it does. Empty for one that is satisfied: nobody asks."""

    @property
    def counted(self) -> int:
        """How many of its days count."""
        return self.reasons.count(None)

    @property
    def not_counted(self) -> Counter[Reason]:
        """How many of its days do not count, by reason."""
        return Counter(reason for reason in self.reasons if reason is not None)


def is_satisfied(period: Period, taps: Iterable[Tap]) -> bool:
    """Whether any tap may have been made in *period*, counted day or not."""
    return any(period.meets(tap.first, tap.last) for tap in taps)


def judge(period: Period, household: Household, of: Mapping[date, EstateDay], taps: Iterable[Tap]) -> Judged:
    """What *period* says of *household*; *of* = what its days were like at the estate by the policy of the period."""
    if is_satisfied(period, taps):
        return Judged(period, Verdict.SATISFIED)
    return untapped(period, household, [of[day] for day in period.days])


def untapped(period: Period, household: Household, of: Sequence[EstateDay]) -> Judged:
    """What *period* says of a household without a tap in it."""
    policy = period.absence.days()
    reasons = tuple(days.reason(household, each, policy) for each in of)
    with_service = sum(each.service > 0 for each in of)
    is_missed = are_enough(reasons.count(None), with_service, period.absence)
    return Judged(period, Verdict.MISSED if is_missed else Verdict.VOID, reasons)


def is_plain(household: Household, period: Period) -> bool:
    """Whether nothing known of *household* speaks against counting any day of *period*: such households are alike."""
    settled = period.first - timedelta(days=period.absence.tenancy_grace_days)
    lets = [each for each in household.tenancies if each.start <= period.last]
    latest = max(lets, key=lambda each: each.start, default=None)
    return (
        latest is not None
        and latest.start <= settled
        and latest.covers(period.last)
        and any(_is_good(card, period) for card in household.cards)
        and not any(period.meets(first, last) for first, last in household.leave)
    )


def _is_good(card: days.Card, period: Period) -> bool:
    """Whether the card obliges its unit on every day of *period*."""
    is_known = card.known_from_ms < days.starts(period.first)
    return card.obliged and card.is_valid(period.first) and card.is_valid(period.last) and is_known


def are_enough(counted: int, with_service: int, absence: Absence) -> bool:
    """Whether so many counted days, of so many with service, make a period without a tap a missed one."""
    return counted >= 1 and counted >= min(Fraction(absence.min_counted_days), absence.min_counted_share * with_service)
