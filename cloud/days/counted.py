"""Rule 3: whether a day counts for a unit, and if not, why. What is disturbed or unknown is held against nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from cloud.days.able import Machine
from cloud.days.jakarta import HOUR, MINUTE, DaySpan, covers, hours_of, starts


class Reason(StrEnum):
    """Why a day does not count; the first that holds, in this order."""

    NOT_LIVE = "not_live"
    NO_TENANCY = "no_tenancy"
    NEW_TENANT = "new_tenant"
    NO_CARD = "no_card"
    CALENDAR = "calendar"
    LEAVE = "leave"
    LOST = "lost"
    NO_MACHINE = "no_machine"
    CLOSED = "closed"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Policy:
    """What rule 3 leaves to the policy, as exact fractions."""

    min_able_min: Fraction = Fraction(240)
    min_able_cap: Fraction = Fraction(8, 10)
    min_able_share: Fraction = Fraction(5, 10)
    tenancy_grace_days: int = 30

    @classmethod
    def read(cls, absence: Mapping[str, object]) -> Policy:
        """From the keys of `[absence]`; what is missing keeps its default, 0.8 is exactly 8/10."""
        shares = {
            key: Fraction(str(absence[key]))
            for key in ("min_able_min", "min_able_cap", "min_able_share")
            if key in absence
        }
        return cls(**shares, tenancy_grace_days=int(str(absence.get("tenancy_grace_days", 30))))


DEFAULT: Final = Policy()


@dataclass(frozen=True, slots=True)
class Estate:
    """One estate as it is known at the instant judged by."""

    estate: str
    go_live: date
    machines: tuple[Machine, ...]
    """Every machine that was ever installed here."""
    calendar: tuple[DaySpan, ...] = ()
    """Rows for this estate and for all."""


@dataclass(frozen=True, slots=True)
class EstateDay:
    """One day of an estate: exact minutes, and what there is against counting it for any of its units."""

    estate: str
    day: date
    able: Fraction
    service: Fraction
    is_live: bool
    in_calendar: bool
    disturbed: Reason | None
    """`lost`, `no_machine`, `closed` or `machine`, the first that holds."""


def estate_day(estate: Estate, day: date, policy: Policy = DEFAULT) -> EstateDay:
    """What *day* was like at *estate*: per hour the most any machine offered, summed."""
    able, service = _offered([machine for machine in estate.machines if machine.counts(day)], day)
    return EstateDay(
        estate.estate,
        day,
        able,
        service,
        is_live=day >= estate.go_live,
        in_calendar=covers(estate.calendar, day),
        disturbed=_disturbed(estate, day, able, service, policy),
    )


def _offered(counting: Sequence[Machine], day: date) -> tuple[Fraction, Fraction]:
    """Able and service minutes: per hour the most any of these machines offers, summed. Whole numbers until the end."""
    service_ms, able = [0] * 24, [0] * 24  # able: minutes times ms of service, of an hour's ms
    for machine in counting:
        for number, (hour, ms) in enumerate(zip(hours_of(day), machine.service_ms(day), strict=True)):
            service_ms[number] = max(service_ms[number], ms)
            able[number] = max(able[number], machine.able.get(hour, 0) * ms)
    return Fraction(sum(able), HOUR), Fraction(sum(service_ms), MINUTE)


def _disturbed(estate: Estate, day: date, able: Fraction, service: Fraction, policy: Policy) -> Reason | None:
    if any(machine.is_there(day) and machine.is_lost(day) for machine in estate.machines):
        return Reason.LOST
    if not any(machine.counts(day) for machine in estate.machines):
        return Reason.NO_MACHINE
    if service == 0:
        return Reason.CLOSED
    enough = max(min(policy.min_able_min, policy.min_able_cap * service), policy.min_able_share * service)
    return Reason.MACHINE if able < enough else None


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A time a unit is let; `end` is the first day after it."""

    start: date
    end: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the unit is let on *day*."""
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class Card:
    """A registration of a card to a unit, without the card. A test card is never given here."""

    obliged: bool
    valid_from: date
    valid_to: date | None = None
    """This day included."""
    known_from_ms: int = 0

    def is_valid(self, day: date) -> bool:
        """Whether the card may stand for its unit on *day*."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Household:
    """What is known of a unit, without its name: units alike in all of this are judged once."""

    tenancies: tuple[Tenancy, ...] = ()
    cards: tuple[Card, ...] = ()
    leave: tuple[DaySpan, ...] = ()

    def tenancy(self, day: date) -> Tenancy | None:
        """The tenancy of *day*; of several the latest begun."""
        latest: Tenancy | None = None
        for each in self.tenancies:  # a plain loop: a city asks this a million times a night
            if each.covers(day) and (latest is None or each.start > latest.start):
                latest = each
        return latest

    def is_registered(self, day: date) -> bool:
        """Whether the unit is let and any card stands for it."""
        return self.tenancy(day) is not None and any(card.is_valid(day) for card in self.cards)

    def is_obliged(self, day: date) -> bool:
        """Whether the unit is let and an obliged card stands for it."""
        return self.tenancy(day) is not None and any(card.obliged and card.is_valid(day) for card in self.cards)


def reason(household: Household, of: EstateDay, policy: Policy = DEFAULT) -> Reason | None:
    """Why the day does not count for *household*; None when it counts."""
    if not of.is_live:
        return Reason.NOT_LIVE
    tenancy = household.tenancy(of.day)
    if tenancy is None:
        return Reason.NO_TENANCY
    if (of.day - tenancy.start).days < policy.tenancy_grace_days:
        return Reason.NEW_TENANT
    if not _has_known_card(household, of.day):
        return Reason.NO_CARD
    if of.in_calendar:
        return Reason.CALENDAR
    return Reason.LEAVE if covers(household.leave, of.day) else of.disturbed


def _has_known_card(household: Household, day: date) -> bool:
    begins = starts(day)
    return any(card.obliged and card.is_valid(day) and card.known_from_ms < begins for card in household.cards)
