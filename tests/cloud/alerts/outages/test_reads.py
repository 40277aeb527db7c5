"""How many reads are to be expected: by like weekdays, while able, on no holiday."""

import pytest

from cloud import days
from cloud.alerts.outages import reads
from cloud.alerts.outages.reads import Past

HOUR = days.HOUR
NOW = days.starts(days.day_of(1_780_000_000_000)) + 12 * HOUR
WEEKS = range(1, reads.LIKE_WEEKS + 1)


def past(*, since_weeks=20, weeks=WEEKS, able=60, hours=range(1, 6)):
    """Ten taps in each of the last five hours of like weekdays; able in all of those hours today."""
    counted = {NOW - hour * HOUR - week * reads.WEEK: 10 for hour in hours for week in weeks}
    return Past(NOW - since_weeks * reads.WEEK, counted, {NOW - hour * HOUR: able for hour in hours})


def none_free(day):
    return False


@pytest.mark.parametrize(
    ("known", "quiet_h", "amount"),
    [
        pytest.param(past(), 5, 50.0, id="five hours of ten"),
        pytest.param(past(), 2.5, 20.0, id="only whole hours count"),
        pytest.param(past(able=30), 5, 25.0, id="able for half of each hour"),
        pytest.param(past(able=0), 5, 0.0, id="not able"),
        pytest.param(past(weeks=range(1, 5)), 5, 25.0, id="in four of the eight weeks nobody came"),
        pytest.param(past(since_weeks=3), 5, 50.0, id="here for two like weekdays"),
        pytest.param(past(since_weeks=2), 5, 0.0, id="here for one: nothing is known yet"),
    ],
)
def test_what_is_expected_is_the_mean_of_like_hours_while_able(known, quiet_h, amount):
    begin = NOW - round(quiet_h * HOUR)
    assert reads.expected(known, begin, NOW, is_free=none_free) == pytest.approx(amount)


def test_nothing_is_expected_on_a_holiday_and_a_holiday_says_nothing_of_other_days():
    today = days.day_of(NOW)
    assert reads.expected(past(), NOW - 5 * HOUR, NOW, is_free=lambda day: day == today) == 0
    last_week = days.day_of(NOW - reads.WEEK)
    quiet_week = past(weeks=range(2, 9))
    free = reads.expected(quiet_week, NOW - 5 * HOUR, NOW, is_free=lambda day: day == last_week)
    assert free == pytest.approx(50)
