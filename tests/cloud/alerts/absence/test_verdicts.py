"""Rule 5: satisfied, missed or void."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import pytest

from cloud import days
from cloud.alerts.absence import verdicts
from cloud.alerts.absence.periods import Period
from cloud.alerts.absence.verdicts import Judged, Tap, Verdict
from cloud.alerts.policy import Absence, Policy
from cloud.days import Card, EstateDay, Household, Reason, Tenancy

FIRST = date(2026, 3, 1)
PERIOD = Period(4, FIRST, FIRST + timedelta(days=13), Policy())
LONG_AGO = date(2025, 1, 1)
FAMILY = Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO),))


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def estate_day(on: date, **more: object) -> EstateDay:
    as_usual = {"able": Fraction(480), "service": Fraction(480), "is_live": True, "in_calendar": False}
    return EstateDay(**({"estate": "DMG", "day": on, "disturbed": None} | as_usual | more))


def estate(**odd: dict[str, object]) -> dict[date, EstateDay]:
    """The days of the period; *odd* by number, such as d3=..."""
    return {day(number): estate_day(day(number), **odd.get(f"d{number}", {})) for number in range(14)}


def broken(*numbers: int) -> dict[str, dict[str, object]]:
    return {f"d{number}": {"disturbed": Reason.MACHINE} for number in numbers}


def judge(household: Household = FAMILY, taps: Sequence[Tap] = (), period: Period = PERIOD, **odd: object) -> Judged:
    return verdicts.judge(period, household, estate(**odd), taps)


# ---- satisfied -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tap", "verdict"),
    [
        pytest.param(Tap.on(day(0)), Verdict.SATISFIED, id="on its first day"),
        pytest.param(Tap.on(day(13)), Verdict.SATISFIED, id="on its last day"),
        pytest.param(Tap.on(day(-1)), Verdict.MISSED, id="on the day before"),
        pytest.param(Tap.on(day(14)), Verdict.MISSED, id="on the day after"),
        pytest.param(Tap(day(16), day(13), day(19)), Verdict.SATISFIED, id="uncertain: its earliest day is the last"),
        pytest.param(Tap(day(17), day(14), day(20)), Verdict.MISSED, id="uncertain, but not that much"),
        pytest.param(Tap(day(-3), day(-6), day(0)), Verdict.SATISFIED, id="uncertain: its latest day is the first"),
        pytest.param(
            Tap(day(7), day(-8), day(-7)), Verdict.MISSED, id="on record in it, but the card was not valid then"
        ),
    ],
)
def test_a_tap_satisfies_the_periods_it_may_lie_in(tap: Tap, verdict: Verdict) -> None:
    assert judge(taps=[tap]).verdict is verdict


@pytest.mark.parametrize(
    ("hour", "minute", "number"),
    [pytest.param(23, 59, 13, id="23.59 WIB"), pytest.param(24, 0, 14, id="midnight WIB")],
)
def test_the_last_minute_of_the_last_day_belongs_to_the_period(hour: int, minute: int, number: int) -> None:
    at = days.day_of(days.starts(day(13)) + hour * days.HOUR + minute * days.MINUTE)
    assert at == day(number)
    assert (judge(taps=[Tap.on(at)]).verdict is Verdict.SATISFIED) == (number == 13)


def test_a_tap_satisfies_on_a_day_that_does_not_count_too() -> None:
    assert judge(taps=[Tap.on(day(3))], **broken(*range(14))).verdict is Verdict.SATISFIED


# ---- missed or void --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "policy", "counted", "verdict"),
    [
        pytest.param({}, Absence(), 14, Verdict.MISSED, id="every day counts"),
        pytest.param(broken(0, 1, 2, 3), Absence(), 10, Verdict.MISSED, id="ten days are enough"),
        pytest.param(broken(0, 1, 2, 3, 4), Absence(), 9, Verdict.VOID, id="nine of fourteen are less than 0.7"),
        pytest.param(broken(*range(14)), Absence(), 0, Verdict.VOID, id="none"),
        pytest.param(
            broken(*range(14)), Absence(min_counted_days=0), 0, Verdict.VOID, id="none, though none is demanded"
        ),
        pytest.param(
            broken(*range(13)), Absence(min_counted_days=0), 1, Verdict.MISSED, id="one is, if none is demanded"
        ),
        pytest.param(
            {f"d{n}": {"service": Fraction(0), "disturbed": Reason.CLOSED} for n in range(4)},
            Absence(),
            10,
            Verdict.MISSED,
            id="ten with service, all counted",
        ),
        pytest.param(
            {f"d{n}": {"service": Fraction(0), "disturbed": Reason.CLOSED} for n in range(4)} | broken(4, 5, 6),
            Absence(),
            7,
            Verdict.MISSED,
            id="seven of ten with service is exactly 0.7",
        ),
        pytest.param(
            {f"d{n}": {"service": Fraction(0), "disturbed": Reason.CLOSED} for n in range(4)} | broken(4, 5, 6, 7),
            Absence(),
            6,
            Verdict.VOID,
            id="six of ten with service",
        ),
        pytest.param(
            {f"d{n}": {"in_calendar": True} for n in range(5)}, Absence(), 9, Verdict.VOID, id="five days of Lebaran"
        ),
    ],
)
def test_enough_counted_days_without_a_tap_are_a_missed_period(
    odd: dict[str, dict[str, object]], policy: Absence, counted: int, verdict: Verdict
) -> None:
    found = judge(period=Period(4, FIRST, PERIOD.last, Policy(absence=policy)), **odd)
    assert (found.counted, found.verdict) == (counted, verdict)


@pytest.mark.parametrize(
    ("household", "reasons"),
    [
        pytest.param(Household(), {Reason.NO_TENANCY: 14}, id="nobody lives there"),
        pytest.param(Household((Tenancy(LONG_AGO),)), {Reason.NO_CARD: 14}, id="without cards"),
        pytest.param(
            Household((Tenancy(LONG_AGO),), (Card(False, LONG_AGO),)), {Reason.NO_CARD: 14}, id="nobody is obliged"
        ),
        pytest.param(
            Household((Tenancy(day(-20)),), (Card(True, LONG_AGO),)), {Reason.NEW_TENANT: 10}, id="tenant of 20 days"
        ),
        pytest.param(
            Household((Tenancy(LONG_AGO, day(5)), Tenancy(day(8))), (Card(True, LONG_AGO),)),
            {Reason.NO_TENANCY: 3, Reason.NEW_TENANT: 6},
            id="a tenancy ends and another begins within it",
        ),
        pytest.param(
            Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO),), ((day(2), day(5)),)), {Reason.LEAVE: 4}, id="leave"
        ),
        pytest.param(
            Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO, known_from_ms=days.starts(day(3))),)),
            {Reason.NO_CARD: 4},
            id="a card known from the instant day 3 begins counts from day 4",
        ),
        pytest.param(
            Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO, known_from_ms=days.starts(day(3)) - 1),)),
            {Reason.NO_CARD: 3},
            id="a card known just before day 3 begins",
        ),
        pytest.param(
            Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO, day(6)), Card(True, day(8)))),
            {Reason.NO_CARD: 1},
            id="replaced, with a day between",
        ),
    ],
)
def test_each_day_that_does_not_count_says_why(household: Household, reasons: dict[Reason, int]) -> None:
    found = judge(household)
    assert found.not_counted == reasons
    assert found.counted == 14 - sum(reasons.values())


@pytest.mark.parametrize(
    ("household", "is_plain"),
    [
        pytest.param(FAMILY, True, id="long there, one card"),
        pytest.param(Household((Tenancy(day(-30)),), FAMILY.cards), True, id="there for 30 days"),
        pytest.param(Household((Tenancy(day(-29)),), FAMILY.cards), False, id="there for 29 days"),
        pytest.param(Household((Tenancy(LONG_AGO, day(14)),), FAMILY.cards), True, id="gone the day after"),
        pytest.param(Household((Tenancy(LONG_AGO, day(13)),), FAMILY.cards), False, id="gone on the last day"),
        pytest.param(Household((Tenancy(LONG_AGO), Tenancy(day(13))), FAMILY.cards), False, id="the next on the last"),
        pytest.param(Household((Tenancy(LONG_AGO), Tenancy(day(14))), FAMILY.cards), True, id="the next begins later"),
        pytest.param(Household(FAMILY.tenancies, (Card(True, day(1)),)), False, id="card valid from the second day"),
        pytest.param(Household(FAMILY.tenancies, (Card(True, LONG_AGO, day(12)),)), False, id="card ends before it"),
        pytest.param(
            Household(FAMILY.tenancies, (Card(True, LONG_AGO, known_from_ms=days.starts(FIRST)),)), False,
            id="card known when it begins",
        ),
        pytest.param(Household(FAMILY.tenancies, FAMILY.cards, ((day(13), day(20)),)), False, id="leave on its last"),
        pytest.param(Household(FAMILY.tenancies, FAMILY.cards, ((day(14), day(20)),)), True, id="leave after it"),
    ],
)  # fmt: skip
def test_a_household_of_which_nothing_is_known_is_judged_like_all_such(household: Household, is_plain: bool) -> None:
    assert verdicts.is_plain(household, PERIOD) == is_plain
    alike = [reason is None for reason in judge(household).reasons]
    assert all(alike) or not is_plain


def test_a_tap_on_record_counts_as_dated_only_if_the_card_was_valid_then() -> None:
    assert Tap(day(3), day(1), day(5)).day == day(3)
    assert Tap(day(3), day(1), day(2)).day is None
