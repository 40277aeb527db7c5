"""How a flag moves: each case is what stood, what was found, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from cloud.alerts import policy
from cloud.alerts.findings import Ended, Finding, Findings
from cloud.alerts.flags.flag import Condition, Flag, Gate, Handling, Hush
from cloud.alerts.flags.hushes import Quietly, Silence
from cloud.alerts.flags.stepping import Moment, Step, step
from cloud.alerts.kinds import Ending, Kind, Level, Severity
from cloud.alerts.policy import Policies
from cloud.days import DAY, MINUTE

NOW = 1_780_000_000_000
UNIT = "DMG/B/03/12"
DEVICE = "DMG-01"
LIVE = policy.parse('[shadow]\nkinds = ["HOLDER_ABSENT"]')


def missed(level: Level = Level.OPEN, *, is_held: bool = False, run: str = "r1") -> Finding:
    return Finding(
        Kind.UNIT_NO_TAPS, UNIT, "DMG", NOW - DAY, {"missed_periods": 3}, level=level, run=run, is_held=is_held
    )


def offline(severity: Severity | None = None) -> Finding:
    return Finding(Kind.DEVICE_OFFLINE, DEVICE, "DMG", NOW - DAY, {"heard_ms": 1}, severity)


def of_kind(kind: Kind, subject: str = DEVICE, estate: str = "DMG") -> Finding:
    return Finding(kind, subject, estate, NOW - DAY)


def ended(how: Ending, kind: Kind = Kind.UNIT_NO_TAPS, subject: str = UNIT) -> Ended:
    return Ended(kind, subject, how, {"reason": "tap"})


JUDGED = frozenset({(Kind.DEVICE_OFFLINE, ""), (Kind.ESTATE_OFFLINE, ""), (Kind.UNIT_NO_TAPS, "DMG")})


@dataclass
class Course:
    """Steps one after another, as the evaluator makes them."""

    quietly: Quietly = field(default_factory=lambda: Quietly(LIVE))
    is_replay: bool = False
    flags: dict[int, Flag] = field(default_factory=dict)

    def step(
        self,
        *standing: Finding,
        ended: Sequence[Ended] = (),
        minutes: float = 0,
        complete: frozenset[tuple[Kind, str]] = frozenset(),
        kinds: frozenset[Kind] = frozenset(Kind),
    ) -> list[Step]:
        now_ms = NOW + round(minutes * MINUTE)
        moment = Moment(now_ms, self.quietly, self.is_replay, kinds)
        steps = step(list(self.flags.values()), Findings(standing, tuple(ended), complete), moment)
        for each in steps:
            flag_id = each.flag.flag_id or len(self.flags) + 1
            number = each.flag.number or (f"FLG-26-{flag_id:05}" if each.flag.opened_ms is not None else None)
            self.flags[flag_id] = replace(each.flag, flag_id=flag_id, number=number)
        return steps

    def said(self, *standing: Finding, **more: object) -> list[str]:
        return [str(what) for each in self.step(*standing, **more) for what in each.changes]  # type: ignore[arg-type]

    @property
    def last(self) -> Flag:
        return self.flags[max(self.flags)]


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


# ---- hushed ----------------------------------------------------------------------------------------------------------

SILENCE = Silence(NOW, NOW + 60 * MINUTE, "maintenance", "budi", kind=Kind.DEVICE_OFFLINE, estate="DMG")


def test_a_silenced_flag_opens_unheard_and_its_end_is_unheard() -> None:
    course = Course(Quietly(LIVE, (SILENCE,)))
    (opened,) = course.step(offline())
    assert (opened.changes, opened.speaks, opened.flag.is_told) == (("opened",), False, False)
    course.step(complete=JUDGED, minutes=1)
    (over,) = course.step(complete=JUDGED, minutes=11)
    assert (over.changes, over.speaks) == (("closed",), False)


def test_a_flag_that_outlasts_its_silence_is_told_then() -> None:
    course = Course(Quietly(LIVE, (SILENCE,)))
    course.step(offline())
    (told,) = course.step(offline(), minutes=60)
    assert (told.changes, told.speaks, told.flag.is_told) == (("spoken",), True, True)


@pytest.mark.parametrize(
    "silence",
    [
        pytest.param(replace(SILENCE, kind=Kind.READER_FAULT), id="another kind"),
        pytest.param(replace(SILENCE, estate="PSK"), id="another estate"),
        pytest.param(replace(SILENCE, subject="DMG-02"), id="another machine"),
        pytest.param(replace(SILENCE, until_ms=NOW), id="over"),
        pytest.param(replace(SILENCE, from_ms=NOW + 1), id="not begun"),
    ],
)
def test_a_silence_covers_what_it_names_and_no_more(silence: Silence) -> None:
    (opened,) = Course(Quietly(LIVE, (silence,))).step(offline())
    assert opened.speaks


def test_a_rule_in_shadow_mode_decides_and_tells_nobody_ever() -> None:
    course = Course(Quietly(policy.parse('[shadow]\nkinds = ["UNIT_NO_TAPS"]')))
    (opened,) = course.step(missed())
    assert (opened.changes, opened.speaks) == (("watch", "opened"), False)
    course.quietly = Quietly(LIVE)  # the rule leaves shadow mode: what opened in it stays so
    assert [each.speaks for each in course.step(missed(Level.REMIND), minutes=1)] == [False]
    assert [each.speaks for each in course.step(ended=[ended(Ending.CLOSED)], minutes=2)] == [False]


def test_an_estates_first_periods_tell_nobody_about_people() -> None:
    quietly = Quietly(LIVE, spoken_from={"DMG": NOW + 1})
    assert [each.speaks for each in Course(quietly).step(missed())] == [False]
    assert [each.speaks for each in Course(quietly).step(offline())] == [True]
    assert [each.speaks for each in Course(Quietly(LIVE, spoken_from={"DMG": NOW})).step(missed())] == [True]


@pytest.mark.parametrize(("days_ago", "speaks"), [(0, False), (89, False), (90, True)])
def test_a_unit_found_inhabited_is_left_alone_for_a_while(days_ago: int, speaks: bool) -> None:
    course = Course(Quietly(LIVE, inhabited={UNIT: NOW - days_ago * DAY}))
    assert [each.speaks for each in course.step(missed())] == [speaks]


def test_in_a_replay_nothing_but_cause_and_gate_hushes() -> None:
    shadow = Quietly(
        policy.parse('[shadow]\nkinds = ["UNIT_NO_TAPS"]'), (replace(SILENCE, kind=""),), {"DMG": NOW + DAY}
    )
    (opened,) = Course(shadow, is_replay=True).step(missed())
    assert (opened.speaks, opened.flag.hushed) == (True, {})


# ---- worse speaks again ----------------------------------------------------------------------------------------------


def acknowledged(course: Course, *, until: float) -> None:
    flag = course.last
    course.flags[flag.flag_id] = replace(
        flag, handling=Handling.ACKNOWLEDGED, owner="budi", acknowledged_until_ms=NOW + round(until * MINUTE)
    )


def test_what_became_worse_speaks_again_and_is_nobodys_any_more() -> None:
    course = Course()
    course.step(offline(Severity.P2))
    acknowledged(course, until=1000)
    (worse,) = course.step(offline(Severity.P1), minutes=1)
    assert (worse.changes, worse.speaks, worse.flag.handling) == (("worsened",), True, Handling.NEW)
    assert worse.notes == ("ack_overtaken",)


def test_what_became_better_does_not_speak() -> None:
    course = Course()
    course.step(offline(Severity.P1))
    (better,) = course.step(offline(Severity.P2), minutes=1)
    assert (better.changes, better.flag.severity) == ((), Severity.P2)


def test_what_became_worse_in_silence_is_told_after_it() -> None:
    course = Course()
    course.step(offline(Severity.P2))
    course.quietly = Quietly(LIVE, (SILENCE,))
    assert course.said(offline(Severity.P1), minutes=1) == []
    assert course.said(offline(Severity.P1), minutes=60) == ["worsened"]


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
