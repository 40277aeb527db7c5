"""Coming and going: how often is too often, and when it is over."""

import pytest

from cloud.alerts.outages import flapping
from cloud.records.signs import Lapse, Signs

START = 15 - 1_780_000_000_000 / 60_000 % 15
"""The first minute at which a quarter-hour begins."""


def coming_and_going(hand, quarters, *, minutes=5.0):
    """A lapse within each of these quarter-hours, counted back from the one that begins at START."""
    begins = sorted(START - 15 * number + 1 for number in quarters)
    return Signs(lapses=tuple(Lapse(hand.at(begin), hand.at(begin + minutes)) for begin in begins))


@pytest.mark.parametrize(
    ("quarters", "flapping_now", "goes_on"),
    [
        pytest.param(range(6), True, True, id="6 of 20: high"),
        pytest.param(range(5), False, True, id="5 of 20: not low yet"),
        pytest.param(range(4), False, False, id="4 of 20: low"),
        pytest.param(range(14, 20), True, True, id="the first six of the last twenty"),
        pytest.param(range(15, 21), False, True, id="one of the six is too long ago"),
        pytest.param(range(30, 50), False, False, id="long ago"),
    ],
)
def test_a_machine_flaps_by_the_share_of_quarter_hours_with_a_change(hand, quarters, flapping_now, goes_on):
    machine = hand.machine("DMG-01", START + 14, signs=coming_and_going(hand, quarters))
    assert bool(list(flapping.device_flapping(hand.situation(START + 14, machine)))) is flapping_now
    wild = hand.machine("DMG-01", START, signs=coming_and_going(hand, range(1, 15)))
    standing = hand.stands(*flapping.device_flapping(hand.situation(START, wild)))
    again = hand.situation(START + 14, machine, standing=standing)
    assert bool(list(flapping.device_flapping(again))) is goes_on


def test_a_lapse_shorter_than_would_be_shown_is_no_change(hand):
    machine = hand.machine("DMG-01", START, signs=coming_and_going(hand, range(10), minutes=3))
    assert not list(flapping.device_flapping(hand.situation(START, machine)))


def test_a_machine_that_stays_silent_is_offline_instead(hand):
    machine = hand.machine("DMG-01", START, signs=coming_and_going(hand, range(1, 15)))
    assert list(flapping.device_flapping(hand.situation(START + 60, machine)))
    assert not list(flapping.device_flapping(hand.situation(START + 60.1, machine)))


def test_what_nobody_was_there_to_hear_is_no_change(hand):
    machine = hand.machine("DMG-01", START, signs=coming_and_going(hand, range(1, 15)))
    assert list(flapping.device_flapping(hand.situation(START, machine)))
    opened_late = hand.situation(START, machine, listening=(START - 15, START))
    assert not list(flapping.device_flapping(opened_late))
