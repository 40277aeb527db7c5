"""When a flag says nothing, and when it speaks again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flagged import JUDGED, LIVE, NOW, SILENCE, UNIT, Course, acknowledged, ended, missed, offline

from cloud.alerts import policy
from cloud.alerts.flags.flag import Handling
from cloud.alerts.flags.hushes import Quietly, Silence
from cloud.alerts.kinds import Ending, Kind, Level, Severity
from cloud.days import DAY

# ---- hushed ----------------------------------------------------------------------------------------------------------


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
