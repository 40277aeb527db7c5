from datetime import date

import pytest

from cloud import days
from cloud.days import Machine, ServiceHours, Stay
from cloud.ingest import rollups
from cloud.ingest.rollups import MachineFacts

DAY = date(2026, 5, 12)  # a Tuesday
BEGIN = days.starts(DAY)
END = BEGIN + days.DAY
OFFICE = ServiceHours.parse("Mon-Fri 08:30-16:00")


def minutes(able: dict[int, int], online: dict[int, int], *, stay: Stay, until_ms: int = END) -> list[float]:
    def hours(given: dict[int, int]) -> dict[int, int]:
        return {BEGIN + number * days.HOUR: count for number, count in given.items()}

    facts = MachineFacts(Machine("DMG-01", (stay,), hours(able)), hours(online), taps=28, restarts=2)
    point = rollups.machine_day(facts, DAY, estate="DMG", until_ms=until_ms)
    assert (point.time_ns, dict(point.tags)) == (BEGIN * 10**6, {"device": "DMG-01", "estate": "DMG"})
    told = dict(point.fields)
    assert (told["taps"], told["restarts"]) == (28, 2)
    return [float(told[name]) for name in ("minutes_expected", "minutes_able", "minutes_online")]


ALL = dict.fromkeys(range(24), 60)


@pytest.mark.parametrize(
    ("able", "online", "stay", "until_ms", "expected"),
    [
        (ALL, ALL, Stay(0, None), END, [1440, 1440, 1440]),
        (ALL, ALL, Stay(0, None, OFFICE), END, [450, 450, 450]),
        ({8: 30, 9: 60}, {9: 45}, Stay(0, None, OFFICE), END, [450, 75, 45]),
        ({}, {}, Stay(0, None, OFFICE), END, [450, 0, 0]),
        (ALL, ALL, Stay(BEGIN + 12 * days.HOUR, None, OFFICE), END, [240, 240, 240]),
        (ALL, ALL, Stay(0, BEGIN + 12 * days.HOUR, OFFICE), END, [210, 210, 210]),
        (ALL, ALL, Stay(0, None, OFFICE), BEGIN + 10 * days.HOUR, [90, 90, 90]),
        (ALL, ALL, Stay(0, None, OFFICE), BEGIN + 10 * days.HOUR + 59 * days.MINUTE, [90, 90, 90]),
        (ALL, ALL, Stay(0, None, ServiceHours.parse("Sat 08:00-09:00")), END, [0, 0, 0]),
    ],
    ids=[
        "always-in-service",
        "office-hours",
        "each-hour-pro-rata",
        "nothing-heard",
        "installed-at-noon",
        "removed-at-noon",
        "a-day-not-over",
        "an-hour-not-over",
        "closed",
    ],
)
def test_what_a_machine_was_expected_to_do_and_did(
    able: dict[int, int], online: dict[int, int], stay: Stay, until_ms: int, expected: list[float]
) -> None:
    assert minutes(able, online, stay=stay, until_ms=until_ms) == expected
