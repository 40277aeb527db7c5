"""Rule 1, by table: minutes in which a machine, and an estate, could take a tap."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud import days
from cloud.days import HourRecord, Machine, ServiceHours, Stay

DAY = date(2026, 5, 12)  # a Tuesday
BEGIN = days.starts(DAY)
OFFICE = ServiceHours.parse("Mon-Fri 08:00-16:00")
HALF = ServiceHours.parse("Mon-Fri 08:30-09:30")


def hour(number: int) -> int:
    return BEGIN + number * days.HOUR


def record(number: int, able_min: int, *, seq: int = 1, outbox: str = "o", trusted: bool = True) -> HourRecord:
    return HourRecord(outbox, seq, hour(number), able_min, trusted)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], {}),
        ([record(8, 45)], {8: 45}),
        ([record(8, 20, seq=1), record(8, 25, seq=2)], {8: 45}),
        ([record(8, 40, seq=1), record(8, 40, seq=2)], {8: 60}),
        ([record(8, 40, seq=1), record(8, 40, seq=1)], {8: 40}),
        ([record(8, 20, seq=1), record(8, 25, seq=1, outbox="p")], {8: 45}),
        ([record(8, 45, trusted=False)], {}),
        ([record(8, 45, seq=1, trusted=False), record(8, 10, seq=2)], {8: 10}),
        ([record(8, 0), record(9, 60, seq=2)], {8: 0, 9: 60}),
    ],
    ids=[
        "no-record",
        "one",
        "two-records-add-up",
        "at-most-60",
        "a-duplicate-adds-nothing",
        "another-outbox-is-another-record",
        "untrusted-is-nothing",
        "trusted-beside-untrusted",
        "two-hours",
    ],
)
def test_able_minutes_of_an_hour(records: list[HourRecord], expected: dict[int, int]) -> None:
    assert days.able_by_hour(records) == {hour(number): minutes for number, minutes in expected.items()}


@given(st.permutations([record(number % 3, 13 * number % 61, seq=number) for number in range(12)]))
def test_the_order_of_the_records_does_not_matter(records: list[HourRecord]) -> None:
    assert days.able_by_hour(records) == days.able_by_hour(sorted(records, key=lambda each: each.seq))


def machine(
    able: dict[int, int],
    *,
    service: ServiceHours = OFFICE,
    since: int = 0,
    until: int | None = None,
    name: str = "DMG-01",
) -> Machine:
    return Machine(name, (Stay(since, until, service),), {hour(number): minutes for number, minutes in able.items()})


ALL_DAY = dict.fromkeys(range(24), 60)


@pytest.mark.parametrize(
    ("machines", "able", "service"),
    [
        ([machine(ALL_DAY)], 480, 480),
        ([machine(ALL_DAY, service=days.ALWAYS)], 1440, 1440),
        ([machine({8: 60, 9: 30})], 90, 480),
        ([machine({8: 60, 9: 60}, service=HALF)], 60, 60),
        ([machine({8: 45}, service=HALF)], Fraction(45, 2), 60),
        ([machine({8: 1}, service=ServiceHours.parse("Tue 08:00-08:20"))], Fraction(1, 3), 20),
        ([machine({7: 60, 16: 60})], 0, 480),
        ([machine({})], 0, 480),
        ([machine({8: 20}), machine({8: 50, 9: 10}, name="DMG-02")], 60, 480),
        ([machine({8: 60}, service=HALF), machine({8: 40}, name="DMG-02")], 40, 480),
        ([machine(ALL_DAY, since=hour(12))], 0, 0),
        ([machine(ALL_DAY, until=hour(12))], 0, 0),
        ([machine(ALL_DAY, since=BEGIN)], 480, 480),
        ([machine(ALL_DAY, until=BEGIN + days.DAY)], 480, 480),
        ([machine(ALL_DAY, since=BEGIN + 1)], 0, 0),
        ([machine(ALL_DAY, until=BEGIN + days.DAY - 1)], 0, 0),
        ([machine(ALL_DAY, since=hour(12)), machine({9: 30}, name="DMG-02")], 30, 480),
        ([], 0, 0),
    ],
    ids=[
        "office-hours",
        "always",
        "part-of-the-day",
        "half-hours-at-both-ends",
        "pro-rata-is-exact",
        "a-third-of-a-minute",
        "outside-service-counts-nothing",
        "no-record-is-nothing",
        "per-hour-the-better-machine",
        "the-better-machine-after-the-cut",
        "installed-mid-day-does-not-count",
        "removed-mid-day-does-not-count",
        "installed-at-midnight-counts",
        "removed-at-midnight-counts",
        "installed-just-after-midnight",
        "removed-just-before-midnight",
        "the-one-that-was-there-all-day",
        "no-machine",
    ],
)
def test_able_and_service_of_an_estate(machines: list[Machine], able: Fraction, service: Fraction) -> None:
    of = days.estate_day(days.Estate("DMG", date(2020, 1, 1), tuple(machines)), DAY)
    assert (of.able, of.service) == (able, service)


def test_service_hours_changed_at_noon_are_each_taken_while_they_held() -> None:
    stays = (Stay(0, hour(12), OFFICE), Stay(hour(12), None, ServiceHours.parse("Mon-Sun 13:00-14:00")))
    of = days.estate_day(days.Estate("DMG", date(2020, 1, 1), (Machine("DMG-01", stays, {}),)), DAY)
    assert of.service == 4 * 60 + 60


def test_a_machine_that_was_away_for_an_hour_was_not_there_the_whole_day() -> None:
    away = Machine("DMG-01", (Stay(0, hour(12), OFFICE), Stay(hour(13), None, OFFICE)))
    assert away.is_there(DAY)
    assert not away.counts(DAY)


def test_a_machine_that_came_back_counts_from_then_on() -> None:
    back = Machine("DMG-01", (Stay(0, hour(-48)), Stay(hour(-24), None)))
    assert back.is_there(DAY)
    assert back.counts(DAY)


@pytest.mark.parametrize(
    ("stay", "there"),
    [
        (Stay(BEGIN + days.DAY - 1, None), True),
        (Stay(BEGIN + days.DAY, None), False),
        (Stay(0, BEGIN + 1), True),
        (Stay(0, BEGIN), False),
        (Stay(hour(3), hour(4)), True),
    ],
    ids=["from-the-last-ms", "from-the-next-day", "until-after-the-first-ms", "until-midnight", "for-an-hour"],
)
def test_a_machine_is_there_at_any_moment_of_a_day(stay: Stay, there: bool) -> None:
    assert Machine("DMG-01", (stay,)).is_there(DAY) is there


@pytest.mark.parametrize("offset", [-1, 1])
def test_other_days_know_nothing_of_it(offset: int) -> None:
    of = days.estate_day(days.Estate("DMG", date(2020, 1, 1), (machine(ALL_DAY),)), DAY + timedelta(days=offset))
    assert of.able == 0


@given(st.dictionaries(st.integers(0, 23), st.integers(0, 60)), st.integers(0, 23))
def test_lost_minutes_never_make_an_estate_abler(able: dict[int, int], lost: int) -> None:
    estate = days.Estate("DMG", date(2020, 1, 1), (machine(able),))
    less = days.Estate("DMG", date(2020, 1, 1), (machine({**able, lost: 0}),))
    assert days.estate_day(less, DAY).able <= days.estate_day(estate, DAY).able
