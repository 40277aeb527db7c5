"""How a flag moves: each case is what stood, what was found, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flagged import DEVICE, JUDGED, LIVE, NOW, SILENCE, Course, acknowledged, ended, missed, of_kind, offline

from cloud.alerts import policy
from cloud.alerts.findings import Finding, Findings
from cloud.alerts.flags.flag import Condition, Gate, Handling, Hush
from cloud.alerts.flags.hushes import Quietly
from cloud.alerts.flags.stepping import Moment, step
from cloud.alerts.kinds import Ending, Kind, Level
from cloud.alerts.policy import Policies
from cloud.days import MINUTE

# ---- thresholds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        pytest.param(None, Level.WATCH, ["watch"], id="watched first"),
        pytest.param(None, Level.OPEN, ["watch", "opened"], id="each threshold, lowest first"),
        pytest.param(None, Level.CASE, ["watch", "opened", "reminded", "case"], id="all four at once"),
        pytest.param(Level.WATCH, Level.OPEN, ["opened"], id="only what is new"),
        pytest.param(Level.WATCH, Level.CASE, ["opened", "reminded", "case"], id="no case without an opening"),
        pytest.param(Level.OPEN, Level.OPEN, [], id="the same again is no news"),
        pytest.param(Level.CASE, Level.REMIND, [], id="what was said is not taken back"),
    ],
)
def test_each_threshold_is_said_once(before: Level | None, now: Level, said: list[str]) -> None:
    course = Course()
    if before is not None:
        course.step(missed(before))
    assert course.said(missed(now), minutes=1) == said


def test_only_the_absence_clock_watches() -> None:
    assert Course().said(offline()) == ["opened"]


def test_evidence_is_that_of_the_last_change() -> None:
    course = Course()
    course.step(missed())
    later = replace(missed(), evidence={"missed_periods": 9})
    course.step(later, minutes=1)
    assert course.last.evidence["missed_periods"] == 3
    course.step(replace(later, level=Level.REMIND), minutes=2)
    assert course.last.evidence["missed_periods"] == 9


def test_a_flag_names_the_versions_it_was_judged_by() -> None:
    course = Course(Quietly(policy.parse('version = "2026-7"')))
    course.step(missed())
    assert (course.last.evidence["rule"], course.last.evidence["policy"]) == ("1", "2026-7")


# ---- ends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", list(Ending))
def test_an_open_flag_ends_as_its_rule_says(how: Ending) -> None:
    course = Course()
    course.step(missed())
    assert course.said(ended=[ended(how)], minutes=1) == [str(how)]
    assert course.last.evidence["reason"] == "tap"


def test_a_watch_that_ends_says_nothing() -> None:
    course = Course()
    course.step(missed(Level.WATCH))
    (over,) = course.step(ended=[ended(Ending.CLOSED)], minutes=1)
    assert (over.changes, over.flag.condition) == ((), Condition.CLOSED)


def test_what_nobody_judged_does_not_end_by_silence() -> None:
    course = Course()
    course.step(missed())
    assert course.step(minutes=1) == []


def test_an_end_that_is_not_newer_than_the_opening_is_not_believed() -> None:
    course = Course()
    course.step(missed())
    assert course.said(ended=[ended(Ending.CLOSED)], minutes=0) == []
    assert course.said(ended=[ended(Ending.CLOSED)], minutes=-5) == []
    assert course.last.condition is Condition.OPEN


def test_an_end_without_a_flag_is_no_news() -> None:
    assert Course().step(ended=[ended(Ending.CLOSED)]) == []


def test_another_episode_is_another_flag() -> None:
    course = Course()
    course.step(missed())
    assert course.said(missed(run="r2"), minutes=1) == ["closed", "watch", "opened"]
    assert len(course.flags) == 2


# ---- recovery --------------------------------------------------------------------------------------------------------


def test_a_recovery_is_believed_when_it_has_lasted() -> None:
    course = Course()
    course.step(offline())
    assert course.said(complete=JUDGED, minutes=1) == []
    assert course.last.condition is Condition.RECOVERING
    assert course.said(complete=JUDGED, minutes=10.9) == []
    assert course.said(complete=JUDGED, minutes=11) == ["closed"]


def test_where_heartbeats_are_seldom_a_recovery_lasts_as_long_as_three_of_them() -> None:
    seldom = policy.parse("[device]\nheartbeat_s = 1800\nrecover_heartbeats = 3")
    course = Course(Quietly(seldom))
    course.step(offline())
    course.step(complete=JUDGED, minutes=1)
    assert course.step(complete=JUDGED, minutes=90) == []
    assert [str(change) for change in course.step(complete=JUDGED, minutes=91)[0].changes] == ["closed"]


def test_a_relapse_within_the_time_of_settling_is_the_same_flag_and_no_news() -> None:
    course = Course()
    course.step(offline())
    course.step(complete=JUDGED, minutes=1)
    (back,) = course.step(offline(), minutes=5)
    assert (back.changes, back.notes, back.flag.condition) == ((), ("relapsed",), Condition.OPEN)
    course.step(complete=JUDGED, minutes=6)
    assert course.said(complete=JUDGED, minutes=15) == []  # it settles anew
    course.step(offline(), minutes=15.5)
    assert course.said(complete=JUDGED, minutes=30) == []  # however long ago it had first recovered


def test_what_its_return_shows_stands_in_the_end() -> None:
    course = Course()
    course.step(offline())
    course.step(complete=JUDGED, minutes=1)
    found = Findings((), (), JUDGED, {(Kind.DEVICE_OFFLINE, DEVICE): {"cause": "listrik"}})
    (over,) = step([course.last], found, Moment(NOW + 11 * MINUTE, course.quietly))
    assert over.flag.evidence["cause"] == "listrik"


def test_kinds_that_are_not_judged_stay_as_they_are() -> None:
    course = Course()
    course.step(offline())
    others = frozenset(Kind) - {Kind.DEVICE_OFFLINE}
    assert course.step(complete=JUDGED, minutes=1, kinds=others) == []


# ---- one cause, one flag ---------------------------------------------------------------------------------------------

ESTATE = of_kind(Kind.ESTATE_OFFLINE, "DMG")
INGEST = of_kind(Kind.INGEST_DOWN, "*", "")


@pytest.mark.parametrize(
    ("root", "child"),
    [
        pytest.param(INGEST, ESTATE, id="path above estate"),
        pytest.param(ESTATE, offline(), id="estate above machine"),
        pytest.param(offline(), of_kind(Kind.READER_FAULT), id="machine above reader"),
        pytest.param(INGEST, of_kind(Kind.READER_FAULT), id="path above reader"),
    ],
)
def test_a_root_explains_what_is_below_it_and_the_reason_is_kept(root: Finding, child: Finding) -> None:
    course = Course()
    steps = course.step(child, root)
    assert [(each.flag.kind, each.changes) for each in steps if each.changes] == [(root.kind, ("opened",))]
    (below,) = [each.flag for each in steps if each.flag.kind is child.kind]
    assert below.hushed == {Hush.INHIBITED: f"{root.kind} {root.subject}"}
    assert below.number is None


def test_the_root_of_another_place_explains_nothing() -> None:
    assert Course().said(of_kind(Kind.ESTATE_OFFLINE, "PSK", "PSK"), offline()) == ["opened", "opened"]


def test_a_machine_of_another_kind_of_trouble_is_not_explained() -> None:
    assert Course().said(INGEST, missed()) == ["opened", "watch", "opened"]


def test_a_child_speaks_when_its_root_is_settled_and_not_before() -> None:
    course = Course()
    course.step(ESTATE, offline())
    course.step(offline(), complete=JUDGED, minutes=5)  # the estate is back, one machine is not
    assert course.said(offline(), complete=JUDGED, minutes=14.9) == []
    assert course.said(offline(), complete=JUDGED, minutes=15) == ["opened", "closed"]


def test_a_root_that_is_said_to_be_over_settles_too() -> None:
    course = Course()
    course.step(ESTATE, offline())
    over = [ended(Ending.SUPERSEDED, Kind.ESTATE_OFFLINE, "DMG")]
    assert course.said(offline(), ended=over, minutes=5) == ["superseded"]
    assert course.flags[1].hushed == {Hush.INHIBITED: "settling: ESTATE_OFFLINE DMG"}
    assert course.said(offline(), minutes=14.9) == []
    assert course.said(offline(), minutes=15) == ["opened"]


def test_a_child_that_returns_with_its_root_never_speaks() -> None:
    course = Course()
    course.step(ESTATE, offline())
    course.step(complete=JUDGED, minutes=5)
    assert course.said(complete=JUDGED, minutes=20) == ["closed"]
    assert course.said(complete=JUDGED, minutes=40) == []


def test_what_appears_just_after_its_root_must_be_found_for_a_minute() -> None:
    course = Course()
    course.step(ESTATE)
    over = [ended(Ending.CLOSED, Kind.ESTATE_OFFLINE, "DMG")]
    course.step(ended=over, minutes=1)
    assert course.said(offline(), minutes=11.5) == []
    assert course.said(offline(), minutes=12.4) == []
    assert course.said(offline(), minutes=12.5) == ["opened"]


def test_a_child_told_before_its_root_came_has_its_end_told() -> None:
    course = Course()
    course.step(offline())
    course.step(ESTATE, offline(), minutes=1)
    assert course.flags[1].hushed == {Hush.INHIBITED: "ESTATE_OFFLINE DMG"}
    course.step(ESTATE, complete=JUDGED, minutes=2)
    (over,) = [each for each in course.step(ESTATE, complete=JUDGED, minutes=13) if each.changes]
    assert (over.changes, over.speaks) == (("closed",), True)


# ---- the mass gate ---------------------------------------------------------------------------------------------------


def test_what_the_gate_holds_is_watched_and_held_and_does_not_open() -> None:
    course = Course()
    assert course.said(missed(is_held=True)) == ["watch", "held"]
    assert course.last.hushed == {Hush.MASS_GATE: "the mass gate: held"}
    assert course.said(missed(is_held=True), minutes=1) == []


def test_what_is_held_stays_held_until_a_human_lets_it_through() -> None:
    course = Course()
    course.step(missed(is_held=True))
    assert course.said(missed(), minutes=1) == []
    course.flags[1] = replace(course.flags[1], gate=Gate.RELEASED)
    assert course.said(missed(Level.REMIND, is_held=True), minutes=2) == ["opened", "reminded"]


@pytest.mark.parametrize("how", [Ending.CLOSED, Ending.RETRACTED])
def test_the_end_of_what_was_held_is_said(how: Ending) -> None:
    course = Course()
    course.step(missed(is_held=True))
    (over,) = course.step(ended=[ended(how)], minutes=1)
    assert (over.changes, over.flag.number, over.speaks) == ((str(how),), None, False)


def test_what_was_dismissed_neither_opens_nor_ends_aloud_and_counts_as_dealt_with() -> None:
    course = Course()
    course.step(missed(is_held=True))
    course.flags[1] = replace(course.flags[1], gate=Gate.DISMISSED)
    assert course.said(missed(Level.CASE), minutes=1) == []
    assert course.last.stands().is_open and not course.last.stands().is_held
    assert course.said(ended=[ended(Ending.CLOSED)], minutes=2) == []


def test_the_gate_does_not_close_behind_what_is_open() -> None:
    course = Course()
    course.step(missed())
    assert course.said(missed(Level.REMIND, is_held=True), minutes=1) == ["reminded"]


def test_an_acknowledgement_runs_out() -> None:
    course = Course()
    course.step(offline())
    acknowledged(course, until=60)
    assert course.step(offline(), minutes=59) == []
    (lapsed,) = course.step(offline(), minutes=60)
    assert (lapsed.notes, lapsed.flag.handling) == (("ack_expired",), Handling.NEW)


def test_the_same_again_moves_nothing() -> None:
    course = Course(Quietly(LIVE, (SILENCE,)))
    found = (missed(is_held=True), offline(), ESTATE, of_kind(Kind.READER_FAULT))
    course.step(*found)
    assert course.step(*found) == [] == course.step(*found, minutes=3)


def test_steps_come_in_the_order_of_kind_and_subject() -> None:
    steps = Course().step(missed(), offline(), INGEST, of_kind(Kind.STORAGE_LOW, "PSK-01", "PSK"))
    assert [each.flag.key for each in steps] == sorted(each.flag.key for each in steps)


def test_policies_without_a_policy_for_an_estate_use_the_citys() -> None:
    assert Moment(NOW, Quietly(Policies())).policy("XYZ").flap.settle_min == 10


def test_an_episode_that_opens_again_is_not_said_to_be_watched_again() -> None:
    course = Course(is_replay=True)
    again = replace(missed(), was_watched=True)
    (first,) = course.step(missed())
    assert [str(each) for each in first.changes] == ["watch", "opened"]
    course.step(ended=[ended(Ending.RETRACTED)], minutes=1)
    (second,) = course.step(again, minutes=2)
    assert [str(each) for each in second.changes] == ["opened"]
