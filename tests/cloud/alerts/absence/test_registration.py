"""Which estates and units are behind with registration."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from cloud.alerts.absence import registration
from cloud.alerts.absence.registration import Bare, Registered
from cloud.alerts.findings import Ended, Finding, Stands
from cloud.alerts.kinds import Ending, Kind, Level
from cloud.alerts.policy import Policy

GO_LIVE = date(2026, 1, 1)
LONG_AGO = date(2025, 1, 1)
POLICY = Policy()


def day(number: int) -> date:
    return GO_LIVE + timedelta(days=number)


def estate(let: int, *bare: Bare) -> Registered:
    return Registered("DMG", GO_LIVE, let, bare)


def some(count: int) -> list[Bare]:
    return [Bare(f"DMG/{number}", LONG_AGO) for number in range(count)]


def judge(known: Registered, today: date = GO_LIVE, flags: Sequence[Stands] = ()) -> list[Finding]:
    return list(registration.judge(known, POLICY, today, flags).standing)


@pytest.mark.parametrize(
    ("let", "bare", "is_low"),
    [
        pytest.param(0, 0, False, id="nobody lives there"),
        pytest.param(10, 5, False, id="exactly half"),
        pytest.param(10, 6, True, id="less than half"),
        pytest.param(1, 1, True, id="none of one"),
    ],
)
def test_an_estate_is_behind_when_less_than_half_is_registered(let: int, bare: int, is_low: bool) -> None:
    found = judge(estate(let, *some(bare)))
    assert [each.kind for each in found] == [Kind.LOW_REGISTRATION] * is_low


@pytest.mark.parametrize(
    ("bare", "today", "is_late"),
    [
        pytest.param(Bare("u", LONG_AGO), day(59), False, id="59 days after go_live"),
        pytest.param(Bare("u", LONG_AGO), day(60), True, id="60 days after go_live"),
        pytest.param(Bare("u", day(10)), day(69), False, id="59 days after it was let"),
        pytest.param(Bare("u", day(10)), day(70), True, id="60 days after it was let"),
        pytest.param(Bare("u", LONG_AGO, day(29)), day(89), False, id="59 days without a card"),
        pytest.param(Bare("u", LONG_AGO, day(29)), day(90), True, id="60 days without a card"),
        pytest.param(Bare("u", day(40), day(29)), day(90), False, id="the card was that of former tenants"),
    ],
)
def test_a_unit_is_told_of_after_60_days_without_a_card(bare: Bare, today: date, is_late: bool) -> None:
    assert [each.subject for each in judge(estate(10, bare), today)] == ["u"] * is_late


def test_before_it_goes_live_nothing_is_asked_of_an_estate() -> None:
    assert judge(estate(10, *some(10)), day(-1)) == []


def test_where_the_estate_is_behind_that_is_said_and_not_of_each_unit() -> None:
    flag = Stands(Kind.UNIT_UNREGISTERED, "DMG/0", "DMG", Level.OPEN, "", 0, is_held=False, is_open=True)
    found = registration.judge(estate(10, *some(10)), POLICY, day(100), [flag])
    assert [each.kind for each in found.standing] == [Kind.LOW_REGISTRATION]
    assert found.ended == (Ended(Kind.UNIT_UNREGISTERED, "DMG/0", Ending.SUPERSEDED),)


def test_both_kinds_are_judged_in_full_so_that_silence_ends_them() -> None:
    complete = registration.judge(estate(10), POLICY, day(100), ()).complete
    assert complete == {(Kind.LOW_REGISTRATION, "DMG"), (Kind.UNIT_UNREGISTERED, "DMG")}


def test_over_sql_a_unit_without_a_valid_card_is_found(any_town) -> None:
    any_town.unit("DMG/1")
    any_town.unit("DMG/5")
    any_town.unit("DMG/2", cards=0)
    any_town.card(any_town.unit("DMG/3", cards=0), "ended", valid_to=day(29))
    any_town.unit("DMG/4", cards=0, end=day(50))
    any_town.unit("PSK/1", cards=0)
    found = any_town.evaluate(day(89))
    unregistered = {name for name, each in found.items() if each.kind is Kind.UNIT_UNREGISTERED}
    assert unregistered == {"DMG/2"}
    assert found["PSK"].kind is Kind.LOW_REGISTRATION
    assert {"DMG/2", "DMG/3"} <= any_town.evaluate(day(90)).keys()
