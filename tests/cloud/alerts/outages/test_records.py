"""Records that do not come, and machines nobody knows: tables of cases, days after 1 July."""

from datetime import date, timedelta

import pytest

from cloud import days
from cloud.alerts.outages import records
from cloud.alerts.policy import Policy
from cloud.records.path_facts import Kept, Stranger

FIRST = date(2026, 7, 1)
START = days.starts(FIRST)
DAY, HOUR, MINUTE = days.DAY, days.HOUR, days.MINUTE


def kept(complete, *, removed=None, lost=()):
    stay = days.Stay(START, None if removed is None else START + removed * DAY)
    given_up = tuple((FIRST + timedelta(days=first), FIRST + timedelta(days=last)) for first, last in lost)
    machine = days.Machine("DMG-01", (stay,), declared_lost=given_up)
    return Kept(machine, "DMG", None if complete is None else START + round(complete * DAY))


@pytest.mark.parametrize(
    ("machine", "now", "waiting"),
    [
        pytest.param(kept(10), 17.9, 0, id="the first waiting day ended less than seven days ago"),
        pytest.param(kept(10), 18, 1, id="exactly seven days ago"),
        pytest.param(kept(10), 30, 13, id="long ago"),
        pytest.param(kept(29.9), 30, 0, id="complete until now"),
        pytest.param(kept(None), 10, 3, id="never complete since it was installed"),
        pytest.param(kept(None), 5, 0, id="installed five days ago"),
        pytest.param(kept(10, removed=10), 60, 0, id="complete until it was taken away"),
        pytest.param(kept(9, removed=10), 60, 1, id="taken away with a day it had not sent"),
        pytest.param(kept(9, removed=10, lost=[(9, 9)]), 60, 0, id="that day was given up"),
        pytest.param(kept(9, lost=[(9, 12)]), 30, 10, id="only some of the days were given up"),
        pytest.param(kept(11 - 0.001), 30, 13, id="complete until a moment before midnight: that day waits too"),
        pytest.param(kept(11 + 0.02), 30, 12, id="and half an hour after: it does not"),
    ],
)
def test_days_that_have_waited_for_a_record_for_a_week_are_told_of(machine, now, waiting):
    found = list(records.watermark_stuck([machine], START + round(now * DAY), policy=lambda _: Policy()))
    assert [each.evidence["days_waiting"] for each in found] == ([waiting] if waiting else [])


@pytest.mark.parametrize(
    ("stranger", "told"),
    [
        pytest.param(Stranger("DMG-09", START), True, id="heard just now"),
        pytest.param(Stranger("DMG-09", START - 24 * HOUR), True, id="heard a day ago, exactly"),
        pytest.param(Stranger("DMG-09", START - 25 * HOUR), False, id="heard longer ago"),
        pytest.param(Stranger("DMG-09", START, "DMG", START - 24 * HOUR), False, id="taken away a day ago"),
        pytest.param(Stranger("DMG-09", START, "DMG", START - 25 * HOUR), True, id="taken away, and still speaking"),
    ],
)
def test_a_machine_that_speaks_and_stands_nowhere_is_told_of(stranger, told):
    found = list(records.device_unknown([stranger], START, policy=Policy()))
    assert [each.subject for each in found] == (["DMG-09"] if told else [])
