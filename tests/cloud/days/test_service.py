from datetime import date, timedelta
from fractions import Fraction

import pytest

from cloud import days
from cloud.days import BadServiceHours, ServiceHours

MONDAY = date(2026, 5, 11)


def minutes(text: str) -> list[int]:
    """Minutes of service, Monday to Sunday."""
    hours = ServiceHours.parse(text)
    week = [MONDAY + timedelta(days=number) for number in range(7)]
    return [sum(end - begin for begin, end in hours.windows(day)) // days.MINUTE for day in week]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [1440] * 7),
        ("  ", [1440] * 7),
        ("Mon-Fri 08:00-16:00; Sat 08:00-12:00", [480] * 5 + [240, 0]),
        ("Mon 08:30-09:15", [45, 0, 0, 0, 0, 0, 0]),
        ("mon-sun 00:00-24:00", [1440] * 7),
        ("Mon,Wed 08:00-09:00", [60, 0, 60, 0, 0, 0, 0]),
        ("Sat-Mon 08:00-09:00", [60, 0, 0, 0, 0, 60, 60]),
        ("Fri 08:00-11:30,13:00-16:00;", [0, 0, 0, 0, 390, 0, 0]),
        ("Fri 08:00-11:30, 13:00-16:00", [0, 0, 0, 0, 390, 0, 0]),
        ("Mon 08:00-12:00; Mon 10:00-14:00", [360, 0, 0, 0, 0, 0, 0]),
        ("Sun 22:00-02:00", [120, 0, 0, 0, 0, 0, 120]),
        ("Mon 22:00-00:00", [120, 0, 0, 0, 0, 0, 0]),
        ("Mon 08:59-09:59", [60, 0, 0, 0, 0, 0, 0]),
    ],
    ids=[
        "empty-is-always",
        "blank-is-always",
        "office",
        "half-hours",
        "whole-days",
        "listed-days",
        "over-sunday",
        "two-windows",
        "two-windows-spaced",
        "overlapping",
        "past-midnight",
        "until-midnight",
        "to-the-last-minute",
    ],
)
def test_service_hours_are_read(text: str, expected: list[int]) -> None:
    assert minutes(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "08:00-16:00",
        "Mon",
        "Mon 8-16",
        "Mon 08:00",
        "Senin 08:00-16:00",
        "Mon- 08:00-16:00",
        "Mon 08:60-10:00",
        "Mon 08:00-09:60",
        "Mon 24:00-08:00",
        "Mon 24:00-24:00",
        "Mon 08:00-25:00",
        "Mon 08:00-24:01",
        "Mon 08:00-08:00",
        "Mon-Fri 08:00-16:00 Sat",
        "x" * 500,
    ],
)
def test_what_is_no_service_hours_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadServiceHours, match="Mon-Fri 08:00-16:00") as refused:
        ServiceHours.parse(text)
    assert len(str(refused.value)) < 300


def test_a_part_of_an_hour_is_a_part_of_its_minutes() -> None:
    machine = days.Machine("DMG-01", (days.Stay(0, None, ServiceHours.parse("Mon 08:30-10:10")),))
    service = machine.service(MONDAY)
    eight = days.starts(MONDAY) + 8 * days.HOUR
    assert [service[eight + number * days.HOUR] for number in range(-1, 4)] == [0, 30, 60, 10, 0]
    assert all(isinstance(share, Fraction) for share in service.values())
