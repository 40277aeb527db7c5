"""Broker and ingest, the revocation list, our own voice: tables of cases."""

import pytest

from cloud.alerts.kinds import Severity
from cloud.alerts.outages import path
from cloud.alerts.outages.situation import Failing, Listening, PathFacts, Situation

DAY_MIN = 24 * 60


@pytest.mark.parametrize(
    ("until", "facts", "now", "down"),
    [
        pytest.param(0, {}, 5, None, id="exactly the patience"),
        pytest.param(0, {}, 5.01, {"listening": 0}, id="nobody has listened for longer"),
        pytest.param(10, {"watching": 0, "canary": 10}, 10, None, id="all is well"),
        pytest.param(10, {"watching": 0, "canary": 4}, 10, {"canary": 4}, id="listening, but nothing comes through"),
        pytest.param(10, {"watching": 5, "canary": None}, 10, None, id="the worker has just started"),
        pytest.param(10, {"watching": 4, "canary": None}, 10, {"canary": 4}, id="never heard since it started"),
        pytest.param(10, {"watching": 6, "canary": 1}, 10, None, id="its connection is newer than the last canary"),
        pytest.param(0, {"watching": 0, "canary": 2}, 10, {"listening": 0, "canary": 2}, id="both"),
        pytest.param(20, {"watching": 20, "canary": 20}, 10, None, id="the clock was set back"),
    ],
)
def test_ingest_is_down_when_nobody_listens_or_the_canary_is_not_heard(hand, until, facts, now, down):
    given = {name: None if minute is None else hand.at(minute) for name, minute in facts.items()}
    known = PathFacts(given.get("watching"), given.get("canary"))
    found = list(path.ingest_down(hand.situation(now, listening=(-100, until)), known))
    expected = None if down is None else {name: hand.at(minute) for name, minute in down.items()}
    assert [finding.evidence["unheard_since_ms"] for finding in found] == ([expected] if expected else [])
    assert [finding.since_ms for finding in found] == ([min(expected.values())] if expected else [])


def test_where_the_clock_runs_fast_a_late_note_means_nothing(hand):
    late = hand.situation(9, listening=(-100, 0), slack_ms=8 * 60_000)
    assert late.is_listening
    assert not list(path.ingest_down(late, PathFacts(slack_ms=4 * 60_000)))
    assert list(path.ingest_down(late, PathFacts(slack_ms=4 * 60_000 - 1)))


def test_where_nobody_ever_listened_it_is_down_since_we_watch(hand):
    never = Situation(hand.at(6), (), Listening(0, 0))
    (found,) = path.ingest_down(never, PathFacts(watching_since_ms=hand.at(0), canary_ms=hand.at(6)))
    assert found.since_ms == hand.at(0)


@pytest.mark.parametrize(
    ("left_min", "severity"),
    [
        pytest.param(None, None, id="not known"),
        pytest.param(10 * DAY_MIN, None, id="ten days left, exactly"),
        pytest.param(10 * DAY_MIN - 1, Severity.P2, id="less than ten days"),
        pytest.param(DAY_MIN, Severity.P2, id="one day left, exactly"),
        pytest.param(DAY_MIN - 1, Severity.P1, id="less than a day"),
        pytest.param(-5, Severity.P1, id="expired"),
    ],
)
def test_a_revocation_list_near_its_end_is_told_of(hand, left_min, severity):
    facts = PathFacts(crl_expires_ms=None if left_min is None else hand.at(left_min))
    found = list(path.crl_expiring(hand.situation(0), facts))
    assert [finding.urgency for finding in found] == ([severity] if severity else [])


def test_messages_that_reach_nobody_are_told_of(hand):
    (found,) = path.notify_failing(hand.situation(9), PathFacts(failing=Failing(hand.at(3), 7, ("telegram",))))
    assert (found.since_ms, found.evidence) == (hand.at(3), {"waiting": 7, "channels": ["telegram"]})
    assert not list(path.notify_failing(hand.situation(9), PathFacts()))
