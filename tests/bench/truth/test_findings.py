"""What lines and truth make of each other, on lines written by hand."""

from bench.truth import findings, replaying
from bench.truth.findings import Opening
from bench.truth.recount import calendar
from bench.truth.recount.calendar import NEVER, begins
from bench.truth.recount.running import Line
from bench.truth.replaying import Said

DAY = calendar.day("2026-01-05")
UNIT = "DMG/A/01/01"


def periods(*first: int, counted: int = 14) -> list[dict[str, object]]:
    return [
        {
            "from": calendar.text_of(DAY + day),
            "to": calendar.text_of(DAY + day + 13),
            "counted": counted,
            "verdict": "missed",
        }
        for day in first
    ]


def said(day: int, change: str, *first: int, kind: str = "UNIT_NO_TAPS") -> Said:
    return Said(begins(DAY + day), kind, UNIT, change, {"periods": periods(*first)})


def opening(day: int, first: int, *, until: int = NEVER) -> Opening:
    return Opening(UNIT, begins(DAY + day), DAY + first, DAY + first + 41, until)


def test_an_opening_knows_its_run_and_its_end() -> None:
    told = [said(43, "opened", 0, 14, 28), said(50, "closed"), said(99, "opened", 56, 70, 84)]
    assert findings.openings(told) == [opening(43, 0, until=begins(DAY + 50)), opening(99, 56)]
    assert findings.openings([said(43, "opened", 0, kind="HOLDER_ABSENT")]) == []


def test_an_opening_is_explained_by_one_that_came_no_later_for_the_same_run() -> None:
    one = opening(43, 0)
    assert findings.unexplained([one], [one]) == []
    assert findings.unexplained([one], [opening(30, -14)]) == []
    assert findings.unexplained([one], []) == [one]
    assert findings.unexplained([one], [opening(44, 0)]) == [one], "advanced by a day"
    assert findings.unexplained([one], [opening(30, -14, until=begins(DAY - 3))]) == [one], "another run, over before"


def test_taps_lie_in_a_run_by_their_day() -> None:
    one = opening(43, 0)
    assert findings.with_taps([one], {UNIT: [begins(DAY + 42) - 1]}) == [one]
    assert findings.with_taps([one], {UNIT: [begins(DAY + 42)], "other": [begins(DAY)]}) == []


def test_a_line_lacks_when_instant_change_or_evidence_differ() -> None:
    rise = {"missed_periods": 2, "periods": periods(0, 14), "days_counted": 28, "days_not_counted": {}}
    line = Line(begins(DAY + 29), UNIT, "watch", rise)
    same = Said(line.at, "UNIT_NO_TAPS", UNIT, "watch", rise | {"policy": "2026-1"})
    assert replaying.lacking([line], [same]) == []
    less = Said(line.at, "UNIT_NO_TAPS", UNIT, "watch", rise | {"days_counted": 27})
    assert replaying.lacking([line], [less]) == [line]
    end = Line(begins(DAY + 50), UNIT, "closed", {})
    assert replaying.lacking([end], [said(50, "closed", 0)]) == [], "an end is an end"
    assert replaying.lacking([end], [said(50, "retracted"), said(51, "closed")]) == [end]


def test_a_period_that_counts_more_days_than_it_has_outside_lebaran_counts_lebaran() -> None:
    start = calendar.day("2026-03-25") - DAY  # 25 March to 7 April: nine days of Lebaran, five after it
    fine = Said(0, "UNIT_NO_TAPS", UNIT, "watch", {"periods": periods(start, counted=5)})
    bad = Said(0, "UNIT_NO_TAPS", UNIT, "watch", {"periods": periods(start, counted=7)})
    assert (findings.lebaran([], [fine]), findings.lebaran([], [bad])) == (0, 2)
    counted = Line(0, UNIT, "watch", {}, (calendar.day("2026-03-20"), DAY))
    assert findings.lebaran([counted], []) == 1
