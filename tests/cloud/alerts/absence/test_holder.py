"""A household that taps while its holder's own card does not."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from cloud.alerts.absence import holder
from cloud.alerts.absence.holder import Holder
from cloud.alerts.absence.periods import Period
from cloud.alerts.absence.verdicts import Judged, Tap, Verdict
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Absence, Policy
from cloud.days import Card, Household, Reason, Tenancy

FIRST = date(2026, 1, 1)
LONG_AGO = date(2025, 1, 1)
FAMILY = Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO), Card(False, LONG_AGO)))


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def every(count: int, absence: Absence | None = None) -> list[Period]:
    policy = Policy(absence=absence or Absence())
    return [Period(number, day(14 * number), day(14 * number + 13), policy) for number in range(count)]


def taps(*numbers: int) -> list[Tap]:
    return [Tap.on(day(number)) for number in numbers]


def found(
    made: Sequence[Tap],
    last_own: date | None = None,
    *,
    household: Household = FAMILY,
    void: Sequence[int] = (),
    periods: int = 3,
    today: date | None = None,
) -> list[str] | None:
    """The first days of the periods that speak against the holder; None if nothing does."""

    def untapped(period: Period) -> Judged:
        is_void = period.number in void
        reasons = ((Reason.MACHINE,) if is_void else (None,)) * 14
        return Judged(period, Verdict.VOID if is_void else Verdict.MISSED, reasons)

    about = Holder("DMG/1", "DMG", household, made, last_own)
    finding = holder.absent(about, every(periods), untapped, today or day(14 * periods))
    if finding is None:
        return None
    assert finding.kind is Kind.HOLDER_ABSENT
    listed = finding.evidence["periods"]
    assert isinstance(listed, list)
    return [each["from"][5:] for each in listed]


THREE = ["01-01", "01-15", "01-29"]


@pytest.mark.parametrize(
    ("made", "last_own", "expected"),
    [
        pytest.param(taps(3, 20, 30), None, THREE, id="the others tapped in all three"),
        pytest.param(taps(3, 20, 30), day(-1), THREE, id="the holder did before"),
        pytest.param(taps(3, 20, 30), day(0), None, id="the holder did in the first"),
        pytest.param(taps(3, 20, 30), day(41), None, id="the holder did in the last"),
        pytest.param(taps(3, 20, 30), day(45), None, id="the holder did since"),
        pytest.param(taps(3, 20), None, None, id="nobody tapped in the last: another rule's business"),
        pytest.param(taps(3, 30), None, None, id="nobody tapped in the second"),
    ],
)
def test_three_periods_in_which_others_tapped_and_the_holder_did_not(
    made: list[Tap], last_own: date | None, expected: list[str] | None
) -> None:
    assert found(made, last_own) == expected


def test_too_few_periods_say_nothing() -> None:
    assert found(taps(3, 20), periods=2) is None


def test_a_void_period_is_skipped() -> None:
    assert found(taps(3, 20, 44), void=[2], periods=4) == ["01-01", "01-15", "02-12"]


def test_periods_before_sightings_are_kept_say_nothing() -> None:
    assert found(taps(3, 20, 30), today=day(88)) == THREE
    assert found(taps(3, 20, 30), today=day(89)) is None


@pytest.mark.parametrize(
    ("tenancy", "expected"),
    [
        pytest.param(Tenancy(day(13)), THREE, id="began on the first one's last day"),
        pytest.param(Tenancy(day(14)), None, id="began with the second"),
        pytest.param(Tenancy(LONG_AGO, day(42)), None, id="is over"),
    ],
)
def test_only_the_tenancy_of_today_is_looked_at(tenancy: Tenancy, expected: list[str] | None) -> None:
    assert found(taps(3, 20, 30), household=Household((tenancy,), FAMILY.cards)) == expected


def test_over_sql_the_holder_s_own_sightings_decide(any_town) -> None:
    unit, other, lone = (any_town.unit(f"DMG/{number}", cards=2) for number in range(3))
    single = any_town.unit("DMG/9")
    for each in (unit, other, lone, single):
        for number in (3, 20, 30):
            any_town.tap(each, "DMG-01", day(number))
    any_town.sighting(f"{other}#0", other, "DMG-01", day(30))
    any_town.sighting(f"{lone}#1", lone, "DMG-01", day(30))
    found = any_town.evaluate(day(42))
    assert {name for name, each in found.items() if each.kind is Kind.HOLDER_ABSENT} == {unit, lone}
