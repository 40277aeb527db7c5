"""Rule 5: which days are period k, by the policy in force when it began."""

from datetime import date, timedelta

import pytest

from cloud import days
from cloud.alerts import policy
from cloud.alerts.absence import periods
from cloud.alerts.policy import Policies

GO_LIVE = date(2026, 1, 1)
MINUTE = days.MINUTE


def ended(policies: Policies, now_ms: int, go_live: date = GO_LIVE) -> list[tuple[str, str]]:
    return [
        (each.first.isoformat(), each.last.isoformat())
        for each in periods.ended("DMG", go_live, policies, now_ms=now_ms)
    ]


END_OF_FIRST = days.starts(date(2026, 1, 15))


@pytest.mark.parametrize(
    ("now_ms", "count"),
    [
        pytest.param(days.starts(GO_LIVE) - 1, 0, id="before go_live"),
        pytest.param(days.starts(GO_LIVE), 0, id="at go_live"),
        pytest.param(END_OF_FIRST - MINUTE, 0, id="23.59 WIB on its last day"),
        pytest.param(END_OF_FIRST, 1, id="midnight WIB after it"),
        pytest.param(END_OF_FIRST + 13 * days.DAY, 1, id="the last day of the second"),
        pytest.param(END_OF_FIRST + 14 * days.DAY, 2, id="the second is over"),
    ],
)
def test_a_period_is_over_when_its_last_day_is(now_ms: int, count: int) -> None:
    assert len(ended(Policies(), now_ms)) == count


def test_an_estate_that_is_yet_to_go_live_has_no_periods() -> None:
    assert ended(Policies(), days.starts(GO_LIVE), go_live=date(2026, 9, 1)) == []


def test_a_period_that_has_begun_keeps_its_length_and_the_next_begins_at_its_end() -> None:
    changed = policy.parse(
        '[absence]\nperiod_days = 14\n[[amendment]]\nversion = "b"\neffective = 2026-01-20\n'
        "[amendment.absence]\nperiod_days = 7"
    )
    found = periods.ended("DMG", GO_LIVE, changed, now_ms=days.starts(date(2026, 2, 12)))
    assert [(each.first.day, each.last.day, each.policy.version) for each in found] == [
        (1, 14, "default"),
        (15, 28, "default"),
        (29, 4, "b"),
        (5, 11, "b"),
    ]


def test_a_change_on_the_day_a_period_begins_holds_for_it() -> None:
    changed = policy.parse(
        '[absence]\nperiod_days = 14\n[[amendment]]\nversion = "b"\neffective = 2026-01-15\n'
        "[amendment.absence]\nperiod_days = 7"
    )
    assert ended(changed, days.starts(date(2026, 1, 22))) == [
        ("2026-01-01", "2026-01-14"),
        ("2026-01-15", "2026-01-21"),
    ]


def test_an_estate_may_have_periods_of_its_own() -> None:
    own = policy.parse("[estate.DMG.absence]\nperiod_days = 30")
    assert ended(own, days.starts(date(2026, 2, 1))) == [("2026-01-01", "2026-01-30")]


def test_the_six_periods_before_are_those_there_were() -> None:
    every = periods.ended("DMG", GO_LIVE, Policies(), now_ms=days.starts(GO_LIVE + timedelta(days=140)))
    assert [each.number for each in periods.before(every, 0)] == []
    assert [each.number for each in periods.before(every, 2)] == [0, 1]
    assert [each.number for each in periods.before(every, 9)] == [3, 4, 5, 6, 7, 8]
