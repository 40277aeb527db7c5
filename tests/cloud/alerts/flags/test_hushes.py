"""An estate's first periods, each as long as the policy in force when it begins."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.alerts import policy
from cloud.alerts.flags import hushes
from cloud.days import day_of, starts

AMENDED = '\n[[amendment]]\nversion = "2"\neffective = 2026-01-20\n[amendment.absence]\nperiod_days = 7\n'
SHORTER = f"[absence]\nperiod_days = 14{AMENDED}"


@pytest.mark.parametrize(
    ("text", "end"),
    [
        pytest.param("", date(2026, 2, 12), id="three of fourteen days"),
        pytest.param(SHORTER, date(2026, 2, 5), id="one begun keeps its length, the next is shorter"),
        pytest.param("[after]\nshadow_periods = 0", date(2026, 1, 1), id="none"),
        pytest.param("[estate.DMG.absence]\nperiod_days = 10", date(2026, 1, 31), id="the estate's own"),
    ],
)
def test_an_estate_speaks_of_people_after_its_first_periods(text: str, end: date) -> None:
    end_ms = hushes.first_periods_end(policy.parse(text), "DMG", starts(date(2026, 1, 1)))
    assert (day_of(end_ms), end_ms) == (end, starts(end))
