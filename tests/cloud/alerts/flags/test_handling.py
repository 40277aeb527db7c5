"""What people may do about a flag, and when not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloud.alerts.flags import handling
from cloud.alerts.flags.flag import Condition, Flag, Gate, Handling, Outcome
from cloud.alerts.flags.handling import NotNow
from cloud.alerts.kinds import Kind, Severity

PENDING = Flag(Kind.UNIT_NO_TAPS, "DMG/B/03/12", "DMG", "r", 1, 1, Severity.P3)
OPEN = replace(PENDING, condition=Condition.OPEN, opened_ms=2, number="FLG-26-00001")
ENDED = replace(OPEN, condition=Condition.CLOSED, ended_ms=3)
HELD = replace(PENDING, gate=Gate.HELD)


def take(flag: Flag) -> Flag:
    return handling.acknowledge(flag, "budi", until_ms=99)


def give(flag: Flag) -> Flag:
    return handling.assign(flag, "siti")


def decide(flag: Flag) -> Flag:
    return handling.decide(flag, Outcome.INHABITED, now_ms=50)


def test_whoever_takes_a_flag_has_it_until_then() -> None:
    taken = take(OPEN)
    assert (taken.handling, taken.owner, taken.acknowledged_until_ms) == (Handling.ACKNOWLEDGED, "budi", 99)


def test_whom_it_is_given_to_has_it_without_an_end() -> None:
    given = give(take(OPEN))
    assert (given.handling, given.owner, given.acknowledged_until_ms) == (Handling.ASSIGNED, "siti", None)


def test_a_decision_ends_nothing_and_does_nothing_to_anybody() -> None:
    decided = decide(OPEN)
    assert (decided.condition, decided.outcome, decided.decided_ms) == (Condition.OPEN, "inhabited", 50)
    assert decide(ENDED).handling is Handling.DECIDED


@pytest.mark.parametrize(
    ("act", "flag"),
    [
        pytest.param(take, PENDING, id="nobody takes what is only watched"),
        pytest.param(take, ENDED, id="nobody takes what is over"),
        pytest.param(take, decide(OPEN), id="nobody takes what is decided"),
        pytest.param(give, ENDED, id="nobody is given what is over"),
        pytest.param(decide, PENDING, id="nothing is decided of what never opened"),
        pytest.param(handling.release, PENDING, id="only what is held is released"),
        pytest.param(handling.release, replace(HELD, condition=Condition.CLOSED, ended_ms=3), id="not what is over"),
        pytest.param(handling.dismiss, OPEN, id="only what is held is dismissed"),
    ],
)
def test_what_cannot_be_done_is_said(act: Callable[[Flag], Flag], flag: Flag) -> None:
    with pytest.raises(NotNow):
        act(flag)


def test_a_human_lets_through_the_gate_or_shuts_it() -> None:
    assert handling.release(HELD).gate is Gate.RELEASED
    assert handling.dismiss(HELD).gate is Gate.DISMISSED
