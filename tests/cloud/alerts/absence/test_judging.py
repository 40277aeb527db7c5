"""The absence clock over SQL: what it reads, and that it says what its rules say."""

from datetime import date, timedelta

from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Level

DAY_0 = date(2026, 1, 1)
UNIT = "DMG/B/03/12"


def day(number: int) -> date:
    return DAY_0 + timedelta(days=number)


def level(found: object) -> Level:
    assert isinstance(found, Finding)
    return found.level


def test_a_unit_is_watched_opened_reminded_and_made_a_case_as_its_periods_are_missed(town) -> None:
    town.unit(UNIT)
    said = {}
    for number in range(90):
        found = town.evaluate(day(number)).get(UNIT)
        if found is not None and level(found) not in said:
            said[level(found)] = number
    assert said == {Level.WATCH: 28, Level.OPEN: 42, Level.REMIND: 56, Level.CASE: 84}
