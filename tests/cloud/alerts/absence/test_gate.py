"""Rule 7: when many openings at once wait for a human."""

from fractions import Fraction

import pytest

from cloud.alerts.absence import gate
from cloud.alerts.absence.gate import Crowd, Inflow
from cloud.alerts.policy import Mass

MASS = Mass()
USUAL = Inflow(100, (100, 100, 100, 100))


@pytest.mark.parametrize(
    ("crowd", "holds", "stands"),
    [
        pytest.param(Crowd(0, 0, 600), False, False, id="nobody"),
        pytest.param(Crowd(5, 0, 100), False, False, id="as many as the floor"),
        pytest.param(Crowd(6, 0, 100), True, True, id="one more"),
        pytest.param(Crowd(12, 0, 600), False, False, id="exactly two of a hundred"),
        pytest.param(Crowd(13, 0, 600), True, True, id="more"),
        pytest.param(Crowd(13, 0, 650), False, False, id="of a larger estate"),
        pytest.param(Crowd(1, 12, 600), True, True, id="what is held counts"),
        pytest.param(Crowd(1, 3, 600), False, True, id="few enough to open, but some wait still"),
        pytest.param(Crowd(0, 1, 600), False, True, id="one waits still"),
        pytest.param(Crowd(6, 0, 0), True, True, id="nobody lives there, on record"),
    ],
)
def test_too_many_at_once_are_held(crowd: Crowd, holds: bool, stands: bool) -> None:
    ruling = gate.rule(crowd, USUAL, MASS)
    assert (ruling.holds, ruling.stands) == (holds, stands)


@pytest.mark.parametrize(
    ("taps", "holds"),
    [
        pytest.param([100, 100, 100, 100, 40], False, id="exactly two fifths"),
        pytest.param([100, 100, 100, 100, 39], True, id="less"),
        pytest.param([10, 100, 90, 110, 37], True, id="the middle of four is the mean of two"),
        pytest.param([10, 100, 90, 110, 38], False, id="exactly of 95"),
        pytest.param([500, 500, 100, 100, 100, 100, 40], False, id="older periods do not matter"),
        pytest.param([100, 100, 100, 10], False, id="too few to compare"),
        pytest.param([0, 0, 0, 0, 0], False, id="always empty"),
        pytest.param([], False, id="nothing judgeable"),
    ],
)
def test_far_fewer_taps_than_usual_hold_everything(taps: list[int], holds: bool) -> None:
    ruling = gate.rule(Crowd(1, 0, 600), Inflow.read(taps, MASS), MASS)
    assert ruling.holds == ruling.stands == holds


def test_the_median_is_exact() -> None:
    assert Inflow(0, (1, 2, 4, 4)).usual == 3
    assert Inflow(0, (1, 2, 3, 9)).usual == Fraction(5, 2)


def test_a_gate_that_is_off_holds_nothing_new_but_keeps_what_waits() -> None:
    off = Mass(enabled=False)
    assert not gate.rule(Crowd(100, 0, 100), Inflow(0, (100,) * 4), off).stands
    ruling = gate.rule(Crowd(100, 2, 100), None, off)
    assert (ruling.holds, ruling.stands) == (False, True)


def test_the_evidence_says_how_many_and_how_many_may_be() -> None:
    assert gate.rule(Crowd(13, 2, 600), USUAL, MASS).evidence == {
        "due": 13,
        "held": 2,
        "tenancies": 600,
        "most": 12.0,
        "taps": 100,
        "taps_before": [100, 100, 100, 100],
        "usual": 100.0,
    }
