"""Rule 6: runs, thresholds, and how a flag ends."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from cloud.alerts.absence import evidence, run
from cloud.alerts.absence.periods import Period
from cloud.alerts.absence.run import Case, Conclusion
from cloud.alerts.absence.verdicts import Judged, Tap, Verdict
from cloud.alerts.findings import Stands
from cloud.alerts.kinds import Ending, Kind, Level
from cloud.alerts.policy import Absence, Policy
from cloud.days import Card, Household, Reason, Tenancy

GO_LIVE = date(2026, 1, 1)
LONG_AGO = date(2025, 1, 1)
FAMILY = Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO),))
TWO_CARDS = Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO), Card(False, LONG_AGO)))
DEFAULT = Absence()
VERDICTS = {"m": Verdict.MISSED, "v": Verdict.VOID, "s": Verdict.SATISFIED}
WATCH, OPEN, REMIND, CASE = Level


def day(number: int) -> date:
    return GO_LIVE + timedelta(days=number)


def judged(verdicts: str, absence: Absence | Sequence[Absence] = DEFAULT) -> list[Judged]:
    """Periods from go_live on: m missed, v void, s satisfied."""
    found: list[Judged] = []
    for number, letter in enumerate(verdicts):
        by = absence if isinstance(absence, Absence) else absence[number]
        period = Period(number, day(14 * number), day(14 * number + 13), Policy(absence=by))
        reason = None if letter == "m" else Reason.MACHINE
        found.append(Judged(period, VERDICTS[letter], () if letter == "s" else (reason,) * 14))
    return found


def case(
    verdicts: str,
    taps: Sequence[Tap] = (),
    *,
    household: Household = FAMILY,
    judgeable: int | None = None,
    today: date | None = None,
    absence: Absence | Sequence[Absence] = DEFAULT,
    told: Sequence[str] = (),
) -> Case:
    upto = len(verdicts) if judgeable is None else judgeable
    on = today or day(14 * len(verdicts))
    return Case(household, on, judged(verdicts, absence), upto, taps, frozenset(told))


def flag(level: Level = OPEN, *, began: int = 0, upto: int = 3, is_held: bool = False) -> Stands:
    """A flag whose run began with period *began*, judged by the periods before *upto*."""
    periods = [{"to": day(14 * upto - 1).isoformat()}]
    return Stands(
        Kind.UNIT_NO_TAPS, "DMG/1", "DMG", level, day(14 * began).isoformat(), 0, is_held,
        is_open=level >= OPEN and not is_held, evidence={"periods": periods},
    )  # fmt: skip


def due(conclusion: Conclusion) -> tuple[Level, int] | None:
    """Level and number of the first missed period."""
    if conclusion.due is None:
        return None
    return conclusion.due.level, conclusion.due.run.judged[0].period.number


# ---- runs and thresholds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        pytest.param("", None, id="nothing judged yet"),
        pytest.param("m", None, id="one missed"),
        pytest.param("mm", (WATCH, 0), id="two are watched"),
        pytest.param("mmm", (OPEN, 0), id="three open"),
        pytest.param("mmmm", (REMIND, 0), id="four remind"),
        pytest.param("mmmmm", (REMIND, 0), id="five"),
        pytest.param("mmmmmm", (CASE, 0), id="six are a case"),
        pytest.param("mvm", (WATCH, 0), id="a void is skipped"),
        pytest.param("vmvvmvm", (OPEN, 1), id="voids before, between"),
        pytest.param("mmvvvv", (WATCH, 0), id="voids after change nothing"),
        pytest.param("mms", None, id="satisfied resets"),
        pytest.param("mmsm", None, id="one after the reset"),
        pytest.param("mmmsmm", (WATCH, 4), id="two after the reset"),
        pytest.param("svmm", (WATCH, 2), id="the run begins with a missed one"),
    ],
)
def test_a_run_goes_as_far_as_its_missed_periods(verdicts: str, expected: tuple[Level, int] | None) -> None:
    assert due(run.conclude(case(verdicts))) == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        pytest.param(0, (REMIND, 0), id="a tenancy as old as the estate"),
        pytest.param(13, (REMIND, 0), id="it began on the last day of the first period"),
        pytest.param(14, (OPEN, 1), id="the first period ended as it began"),
        pytest.param(27, (OPEN, 1), id="within the second"),
        pytest.param(28, (WATCH, 2), id="with the third"),
        pytest.param(42, None, id="with the fourth"),
    ],
)
def test_a_run_begins_anew_with_each_tenancy(start: int, expected: tuple[Level, int] | None) -> None:
    household = Household((Tenancy(LONG_AGO, day(start)), Tenancy(day(start))), FAMILY.cards)
    assert due(run.conclude(case("mmmm", household=household))) == expected


@pytest.mark.parametrize(
    ("household", "one_card", "verdicts", "expected"),
    [
        pytest.param(FAMILY, None, "mmm", OPEN, id="no such key"),
        pytest.param(FAMILY, 4, "mmm", WATCH, id="one card waits for a fourth"),
        pytest.param(FAMILY, 4, "mmmm", REMIND, id="and is reminded at once, that being due too"),
        pytest.param(FAMILY, 5, "mmmm", WATCH, id="nobody is reminded of what was not opened"),
        pytest.param(FAMILY, 5, "mmmmm", REMIND, id="opened and reminded together"),
        pytest.param(TWO_CARDS, 4, "mmm", OPEN, id="two cards do not wait"),
        pytest.param(
            Household(FAMILY.tenancies, (Card(True, LONG_AGO), Card(False, day(41)))), 4, "mmm", OPEN,
            id="the second valid from the last missed period's last day",
        ),
        pytest.param(
            Household(FAMILY.tenancies, (Card(True, LONG_AGO), Card(False, day(42)))), 4, "mmm", WATCH,
            id="the second valid from the day after",
        ),
        pytest.param(
            Household(FAMILY.tenancies, (Card(True, LONG_AGO), Card(False, LONG_AGO, day(40)))), 4, "mmm", WATCH,
            id="the second ended the day before",
        ),
        pytest.param(
            Household(FAMILY.tenancies, (Card(True, LONG_AGO, day(40)),)), 4, "mmm", OPEN, id="none is not one"
        ),
        pytest.param(
            Household(FAMILY.tenancies, (Card(True, LONG_AGO), Card(False, LONG_AGO))), 4, "mmvv", WATCH, id="voids"
        ),
    ],
)  # fmt: skip
def test_a_unit_with_one_card_may_open_later(
    household: Household, one_card: int | None, verdicts: str, expected: Level
) -> None:
    found = due(run.conclude(case(verdicts, household=household, absence=Absence(open_one_card=one_card))))
    assert found == (expected, 0)


def test_each_threshold_is_that_of_the_policy_of_its_period() -> None:
    strict, lax = Absence(), Absence(open=5, remind=5)
    assert due(run.conclude(case("mmm", absence=[lax, lax, strict]))) == (OPEN, 0)
    assert due(run.conclude(case("mmm", absence=[strict, strict, lax]))) == (WATCH, 0)
    assert due(run.conclude(case("mmmm", absence=[strict, strict, strict, lax]))) == (OPEN, 0)


# ---- opening ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taps", "expected"),
    [
        pytest.param([Tap.on(day(41))], OPEN, id="on the last missed period's last day: not after it"),
        pytest.param([Tap.on(day(42))], WATCH, id="the day after"),
        pytest.param([Tap.on(day(200))], WATCH, id="long after"),
        pytest.param([Tap(day(50), day(30), day(70))], WATCH, id="uncertain: its recorded day decides"),
        pytest.param([Tap(day(41), day(21), day(61))], OPEN, id="uncertain, recorded before"),
        pytest.param([Tap(day(50), day(20), day(49))], OPEN, id="recorded on a day on which the card was not valid"),
    ],
)
def test_nothing_opens_when_a_tap_after_the_last_missed_period_has_arrived(taps: list[Tap], expected: Level) -> None:
    assert due(run.conclude(case("mmm", taps))) == (expected, 0)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        pytest.param(None, OPEN, id="it goes on"),
        pytest.param(day(43), OPEN, id="it ends tomorrow"),
        pytest.param(day(42), WATCH, id="it ended as today began"),
    ],
)
def test_nothing_opens_after_the_tenancy(end: date | None, expected: Level) -> None:
    household = Household((Tenancy(LONG_AGO, end),), FAMILY.cards)
    assert due(run.conclude(case("mmm", household=household, today=day(42)))) == (expected, 0)


def test_a_unit_that_was_never_let_has_no_run() -> None:
    assert run.conclude(case("mmm", household=Household((), FAMILY.cards))) == Conclusion()


def test_a_tenancy_that_is_yet_to_begin_has_no_run() -> None:
    household = Household((Tenancy(day(43)),), FAMILY.cards)
    assert run.conclude(case("mmm", household=household, today=day(42))) == Conclusion()


def test_a_run_whose_flag_has_ended_is_not_watched_again_but_opens_when_it_is_due_again() -> None:
    told = [day(0).isoformat()]
    assert run.conclude(case("mm", told=told)) == Conclusion()
    assert run.conclude(case("mmm", [Tap.on(day(42))], told=told)) == Conclusion()
    assert due(run.conclude(case("mmm", told=told))) == (OPEN, 0)
    assert due(run.conclude(case("mmsmm", told=told))) == (WATCH, 3)


# ---- a flag that stands ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "taps", "household", "over"),
    [
        pytest.param("mmm", [], FAMILY, None, id="nothing happened"),
        pytest.param("mmmvv", [], FAMILY, None, id="voids"),
        pytest.param("mmmm", [], FAMILY, None, id="another missed"),
        pytest.param("mmm", [Tap.on(day(42))], FAMILY, Ending.CLOSED, id="a tap, judgeable or not"),
        pytest.param("mmms", [Tap.on(day(45))], FAMILY, Ending.CLOSED, id="a tap whose period is judged already"),
        pytest.param("mmmsm", [Tap.on(day(45))], FAMILY, Ending.CLOSED, id="and the next one too"),
        pytest.param("mmms", [Tap(day(90), day(45), day(80))], FAMILY, Ending.CLOSED, id="an uncertain one"),
        pytest.param("smm", [Tap.on(day(2))], FAMILY, Ending.RETRACTED, id="a late tap in its first period"),
        pytest.param("msm", [Tap.on(day(20))], FAMILY, Ending.RETRACTED, id="a late tap in the middle"),
        pytest.param("mms", [Tap.on(day(30))], FAMILY, Ending.RETRACTED, id="a late tap in its last period"),
        pytest.param("mmv", [], FAMILY, Ending.RETRACTED, id="a calendar row known late"),
        pytest.param("msm", [Tap.on(day(20)), Tap.on(day(45))], FAMILY, Ending.RETRACTED, id="a late tap, one after"),
        pytest.param("vmmm", [], FAMILY, None, id="its first period became void, but another was missed"),
        pytest.param(
            "mmm", [], Household((Tenancy(LONG_AGO, day(42)),), FAMILY.cards), Ending.CLOSED, id="the tenancy ended"
        ),
        pytest.param(
            "mmm", [], Household((Tenancy(LONG_AGO, day(42)), Tenancy(day(42))), FAMILY.cards), Ending.CLOSED,
            id="another tenancy began",
        ),
        pytest.param("mmm", [], Household((), FAMILY.cards), Ending.RETRACTED, id="there never was a tenancy"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_held", [False, True], ids=["open", "held"])
def test_a_tap_or_the_tenancy_s_end_closes_and_a_changed_verdict_retracts(
    verdicts: str, taps: list[Tap], household: Household, over: Ending | None, is_held: bool
) -> None:
    found = run.conclude(case(verdicts, taps, household=household), flag(is_held=is_held))
    assert found.over is over
    assert (found.due is not None and found.due.name == day(0).isoformat()) == (over is None)


def test_a_flag_that_was_right_when_it_opened_is_closed_though_late_facts_split_its_run() -> None:
    long = flag(CASE, upto=7)
    assert run.conclude(case("mmmsmmm", [Tap.on(day(45))]), long).over is None
    assert run.conclude(case("mmmmsmm", [Tap.on(day(60))]), long).over is Ending.CLOSED
    assert run.conclude(case("mmsmmsm", [Tap.on(day(30)), Tap.on(day(72))]), long).over is Ending.RETRACTED


def test_after_a_closing_a_new_run_opens_a_new_flag() -> None:
    found = run.conclude(case("mmmsmmm", [Tap.on(day(45))]), flag())
    assert (found.over, due(found)) == (Ending.CLOSED, (OPEN, 4))
    assert found.due is not None
    assert found.due.name == day(56).isoformat()


def test_a_run_that_late_facts_lengthen_backwards_keeps_its_name() -> None:
    found = run.conclude(case("mmmmm"), flag(began=1, upto=4))
    assert due(found) == (REMIND, 0)
    assert found.due is not None
    assert found.due.name == day(14).isoformat()


@pytest.mark.parametrize(
    ("verdicts", "over"),
    [
        pytest.param("mmm", None, id="its verdicts stand"),
        pytest.param("mmmm", None, id="more may have been missed"),
        pytest.param("mms", Ending.RETRACTED, id="one changed"),
    ],
)
def test_a_flag_is_not_retracted_because_a_period_stopped_being_judgeable(verdicts: str, over: Ending | None) -> None:
    found = run.conclude(case(verdicts, judgeable=1), flag())
    assert found.over is over
    assert over is not None or due(found) == (OPEN, 0)


def test_what_cannot_be_judged_now_takes_no_flag_further() -> None:
    assert due(run.conclude(case("mmmm", judgeable=3), flag())) == (OPEN, 0)
    assert due(run.conclude(case("mmmm", judgeable=4), flag())) == (REMIND, 0)


@pytest.mark.parametrize(
    ("verdicts", "judgeable", "taps", "expected"),
    [
        pytest.param("mm", 2, [], (WATCH, 0), id="still watched"),
        pytest.param("mm", 0, [], (WATCH, 0), id="not judgeable any more"),
        pytest.param("mm", 2, [Tap.on(day(30))], (WATCH, 0), id="a tap in the period that goes on"),
        pytest.param("mmm", 3, [], (OPEN, 0), id="it opens"),
        pytest.param("mmm", 3, [Tap.on(day(45))], (WATCH, 0), id="it would, but for a tap"),
        pytest.param("mms", 3, [], None, id="satisfied"),
        pytest.param("mv", 2, [], None, id="a calendar row known late"),
        pytest.param("mmsmm", 5, [], (WATCH, 3), id="the next run"),
    ],
)
def test_what_is_watched(verdicts: str, judgeable: int, taps: list[Tap], expected: tuple[Level, int] | None) -> None:
    found = run.conclude(case(verdicts, taps, judgeable=judgeable), flag(WATCH, upto=2))
    assert due(found) == expected
    assert found.over is (None if expected else Ending.CLOSED)


# ---- evidence --------------------------------------------------------------------------------------------------------


def test_evidence_lets_everybody_recount() -> None:
    found = run.conclude(case("smvmm", [Tap.on(day(3))]))
    assert found.due is not None
    said = evidence.of_run(found.due.run, taps=[Tap.on(day(3))], elsewhere=["PSK-01"])
    listed = said.pop("days")
    assert said == {
        "missed_periods": 3,
        "periods": [
            {"from": "2026-01-15", "to": "2026-01-28", "counted": 14, "verdict": "missed"},
            {"from": "2026-01-29", "to": "2026-02-11", "counted": 0, "verdict": "void"},
            {"from": "2026-02-12", "to": "2026-02-25", "counted": 14, "verdict": "missed"},
            {"from": "2026-02-26", "to": "2026-03-11", "counted": 14, "verdict": "missed"},
        ],
        "days_counted": 42,
        "days_not_counted": {"machine": 14},
        "last_tap": "2026-01-04",
        "machines_elsewhere_incomplete": ["PSK-01"],
        "rule": "absence/1",
        "policy": "default",
    }
    assert isinstance(listed, list)
    assert len(listed) == 56
    assert listed[0] == ["2026-01-15", "absent"]
    assert listed[14] == ["2026-01-29", "machine"]
