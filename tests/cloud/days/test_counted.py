"""Rule 3, by table: whether a day counts for a unit, and the first reason why not."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud import days
from cloud.days import Card, Estate, Household, Machine, Policy, Reason, ServiceHours, Stay, Tenancy
from contract import series

DAY = date(2026, 5, 12)  # a Tuesday
BEGIN = days.starts(DAY)
OFFICE = ServiceHours.parse("Mon-Fri 08:00-16:00")
LONG_AGO = date(2020, 1, 1)


def ago(number: int) -> date:
    return DAY - timedelta(days=number)


def able(minutes: int) -> dict[int, int]:
    """This many able minutes from 08.00 on."""
    return {BEGIN + (8 + number) * days.HOUR: max(0, min(60, minutes - 60 * number)) for number in range(8)}


def machine(minutes: int = 480, **more: object) -> Machine:
    given: dict[str, object] = {"stays": (Stay(0, None, OFFICE),), "able": able(minutes), **more}
    return Machine("DMG-01", **given)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    expected: Reason | None
    machines: tuple[Machine, ...] = (machine(),)
    go_live: date = LONG_AGO
    calendar: tuple[days.DaySpan, ...] = ()
    tenancies: tuple[Tenancy, ...] = (Tenancy(LONG_AGO),)
    cards: tuple[Card, ...] = (Card(True, LONG_AGO),)
    leave: tuple[days.DaySpan, ...] = ()
    policy: Policy = field(default_factory=Policy)


HALF_LOST = Machine("DMG-02", (Stay(0, None, OFFICE),), declared_lost=((DAY, DAY),))

CASES = {
    "an-ordinary-day": Case(None),
    "before-go-live": Case(Reason.NOT_LIVE, go_live=DAY + timedelta(days=1)),
    "the-day-of-go-live": Case(None, go_live=DAY),
    "not-let": Case(Reason.NO_TENANCY, tenancies=()),
    "let-from-tomorrow": Case(Reason.NO_TENANCY, tenancies=(Tenancy(DAY + timedelta(days=1)),)),
    "the-day-a-tenancy-ends-is-not-in-it": Case(Reason.NO_TENANCY, tenancies=(Tenancy(LONG_AGO, DAY),)),
    "its-last-day": Case(None, tenancies=(Tenancy(LONG_AGO, DAY + timedelta(days=1)),)),
    "moved-in-today": Case(Reason.NEW_TENANT, tenancies=(Tenancy(DAY),)),
    "moved-in-29-days-ago": Case(Reason.NEW_TENANT, tenancies=(Tenancy(ago(29)),)),
    "moved-in-30-days-ago": Case(None, tenancies=(Tenancy(ago(30)),)),
    "another-tenant-before": Case(Reason.NEW_TENANT, tenancies=(Tenancy(LONG_AGO, ago(3)), Tenancy(ago(3)))),
    "two-tenancies-at-once-the-newer-speaks": Case(Reason.NEW_TENANT, tenancies=(Tenancy(ago(3)), Tenancy(LONG_AGO))),
    "no-grace-by-policy": Case(None, tenancies=(Tenancy(DAY),), policy=Policy(tenancy_grace_days=0)),
    "no-card": Case(Reason.NO_CARD, cards=()),
    "only-a-member's-card": Case(Reason.NO_CARD, cards=(Card(False, LONG_AGO),)),
    "the-card-begins-tomorrow": Case(Reason.NO_CARD, cards=(Card(True, DAY + timedelta(days=1)),)),
    "the-card-begins-today": Case(None, cards=(Card(True, DAY),)),
    "the-card-ended-yesterday": Case(Reason.NO_CARD, cards=(Card(True, LONG_AGO, ago(1)),)),
    "the-card's-last-day": Case(None, cards=(Card(True, LONG_AGO, DAY),)),
    "known-since-the-day-began": Case(Reason.NO_CARD, cards=(Card(True, LONG_AGO, known_from_ms=BEGIN),)),
    "known-just-before": Case(None, cards=(Card(True, LONG_AGO, known_from_ms=BEGIN - 1),)),
    "one-of-two-cards-will-do": Case(None, cards=(Card(True, LONG_AGO, ago(1)), Card(True, ago(1)))),
    "calendar": Case(Reason.CALENDAR, calendar=((DAY, DAY),)),
    "the-last-day-of-a-calendar-row": Case(Reason.CALENDAR, calendar=((ago(5), DAY),)),
    "the-day-after-a-calendar-row": Case(None, calendar=((ago(5), ago(1)),)),
    "leave": Case(Reason.LEAVE, leave=((ago(1), DAY + timedelta(days=1)),)),
    "leave-is-over": Case(None, leave=((ago(9), ago(1)),)),
    "declared-lost": Case(Reason.LOST, machines=(machine(declared_lost=((DAY, DAY),)),)),
    "one-of-two-machines-lost": Case(Reason.LOST, machines=(machine(), HALF_LOST)),
    "lost-another-day": Case(None, machines=(machine(declared_lost=((ago(2), ago(1)),)),)),
    "records-dropped": Case(Reason.LOST, machines=(machine(dropped=((BEGIN + 5, BEGIN + 6),)),)),
    "dropped-into-the-day's-first-ms": Case(Reason.LOST, machines=(machine(dropped=((BEGIN - 99, BEGIN),)),)),
    "dropped-until-the-day-before": Case(None, machines=(machine(dropped=((BEGIN - 99, BEGIN - 1),)),)),
    "dropped-from-the-next-day": Case(None, machines=(machine(dropped=((BEGIN + days.DAY, BEGIN + days.DAY),)),)),
    "lost-at-a-machine-that-left-at-noon": Case(
        Reason.LOST, machines=(machine(), replace(HALF_LOST, stays=(Stay(0, BEGIN + 12 * days.HOUR, OFFICE),)))
    ),
    "lost-at-a-machine-that-left-the-day-before": Case(
        None, machines=(machine(), replace(HALF_LOST, stays=(Stay(0, BEGIN, OFFICE),)))
    ),
    "no-machine": Case(Reason.NO_MACHINE, machines=()),
    "installed-at-noon": Case(
        Reason.NO_MACHINE, machines=(machine(stays=(Stay(BEGIN + 12 * days.HOUR, None, OFFICE),)),)
    ),
    "closed-that-weekday": Case(
        Reason.CLOSED, machines=(machine(stays=(Stay(0, None, ServiceHours.parse("Sat-Sun 08:00-12:00")),)),)
    ),
    "just-enough": Case(None, machines=(machine(240),)),
    "a-minute-short": Case(Reason.MACHINE, machines=(machine(239),)),
    "nothing-heard-of-it": Case(Reason.MACHINE, machines=(machine(able={}),)),
    "a-short-day-asks-for-its-share": Case(
        None, machines=(machine(192, stays=(Stay(0, None, ServiceHours.parse("Tue 08:00-12:00")),)),)
    ),
    "a-short-day-a-minute-short": Case(
        Reason.MACHINE, machines=(machine(191, stays=(Stay(0, None, ServiceHours.parse("Tue 08:00-12:00")),)),)
    ),
    "a-long-day-asks-for-half": Case(
        Reason.MACHINE, machines=(machine(479, stays=(Stay(0, None, ServiceHours.parse("Tue 08:00-24:00")),)),)
    ),
    "by-policy": Case(None, machines=(machine(60),), policy=Policy(Fraction(60), Fraction(1), Fraction(1, 8))),
}


def reason(case: Case) -> Reason | None:
    of = days.estate_day(Estate("DMG", case.go_live, case.machines, case.calendar), DAY, case.policy)
    return days.reason(Household(case.tenancies, case.cards, case.leave), of, case.policy)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_day_counts_unless(case: Case) -> None:
    assert reason(case) is case.expected


# Each of these alone gives its reason; the more that hold, the earlier one must be named.
FAULTS: dict[Reason, dict[str, object]] = {
    Reason.NOT_LIVE: {"go_live": DAY + timedelta(days=1)},
    Reason.NO_TENANCY: {"tenancies": ()},
    Reason.NEW_TENANT: {"tenancies": (Tenancy(DAY),)},
    Reason.NO_CARD: {"cards": ()},
    Reason.CALENDAR: {"calendar": ((DAY, DAY),)},
    Reason.LEAVE: {"leave": ((DAY, DAY),)},
    Reason.LOST: {"machines": (machine(0, declared_lost=((DAY, DAY),)),)},
    Reason.NO_MACHINE: {"machines": ()},
    Reason.CLOSED: {"machines": (machine(0, stays=(Stay(0, None, ServiceHours.parse("Sat 08:00-09:00")),)),)},
    Reason.MACHINE: {"machines": (machine(0),)},
}


@pytest.mark.parametrize("first", Reason)
@pytest.mark.parametrize("second", Reason)
def test_of_two_reasons_the_first_in_order_is_named(first: Reason, second: Reason) -> None:
    order = list(Reason)
    early, late = sorted((first, second), key=order.index)
    assert reason(Case(None, **{**FAULTS[late], **FAULTS[early]})) is early  # type: ignore[arg-type]


def test_the_series_name_the_same_reasons() -> None:
    assert tuple(Reason) == series.NOT_COUNTED


@given(st.integers(0, 480), st.integers(0, 480))
def test_lost_able_minutes_never_make_a_day_count(minutes: int, lost: int) -> None:
    if reason(Case(None, machines=(machine(minutes),))) is not None:
        assert reason(Case(None, machines=(machine(max(0, minutes - lost)),))) is not None


def test_a_household_is_obliged_by_a_tenancy_and_an_obliged_card() -> None:
    both = Household((Tenancy(LONG_AGO),), (Card(True, DAY, DAY), Card(False, LONG_AGO)))
    assert both.is_obliged(DAY)
    assert not both.is_obliged(ago(1))
    assert both.is_registered(ago(1))
    assert not replace(both, tenancies=()).is_obliged(DAY)
    assert not replace(both, tenancies=()).is_registered(DAY)
    assert not replace(both, cards=()).is_registered(DAY)


def test_a_policy_is_read_exactly_and_keeps_its_defaults() -> None:
    assert Policy.read({}) == Policy(Fraction(240), Fraction(4, 5), Fraction(1, 2), 30)
    read = Policy.read({"min_able_cap": 0.7, "min_able_share": 0.1, "min_able_min": 120, "tenancy_grace_days": 7})
    assert read == Policy(Fraction(120), Fraction(7, 10), Fraction(1, 10), 7)
