import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud import days
from cloud.days import Machine, Stay
from cloud.ingest import rollups
from cloud.ingest.points import QUARTER
from cloud.ingest.rollups import Counted, Pattern
from contract.series import Point

DAY = date(2026, 5, 12)  # a Tuesday
BEGIN = days.starts(DAY)
END = BEGIN + days.DAY
NINE = BEGIN + 9 * days.HOUR
WEEK = 7 * days.DAY


def fields(point: Point) -> dict[str, int | float | str]:
    return dict(point.fields)


def always_able(weeks: int = 9) -> dict[int, int]:
    return dict.fromkeys(range(BEGIN - weeks * WEEK, END, days.HOUR), 60)


def pattern(
    quarters: dict[int, Counted],
    *,
    able: dict[int, int] | None = None,
    stays: tuple[Stay, ...] = (Stay(0),),
    **more: object,
) -> Pattern:
    able = always_able() if able is None else able
    return Pattern(Machine("DMG-01", stays, able), quarters, **more)  # type: ignore[arg-type]


def weeks_ago(*taps: int) -> dict[int, Counted]:
    """Taps at nine, this many one, two, ... weeks ago."""
    return {NINE - number * WEEK: Counted(count, 0) for number, count in enumerate(taps, start=1)}


def day_long(subject: Pattern, until_ms: int = END) -> list[Point]:
    return rollups.tap_15m(subject, DAY, estate="DMG", until_ms=until_ms)


def test_a_day_has_its_96_quarters_with_zeros_where_nobody_came() -> None:
    points = day_long(pattern({NINE: Counted(3, 2)}))
    assert [point.time_ns for point in points] == [(BEGIN + number * QUARTER) * 10**6 for number in range(96)]
    assert {dict(point.tags)["device"] for point in points} == {"DMG-01"}
    at_nine = points[36]
    assert fields(at_nine) == {"known": 3, "unknown": 2, "expected": 0.0}
    assert sum(int(fields(point)["known"]) for point in points) == 3


@pytest.mark.parametrize(("until", "quarters"), [(BEGIN, 0), (BEGIN + 1, 1), (NINE, 36), (NINE + 1, 37), (END + 5, 96)])
def test_of_a_day_that_is_not_over_only_what_has_begun_is_written(until: int, quarters: int) -> None:
    assert len(day_long(pattern({}), until)) == quarters


def test_a_machine_has_quarters_only_where_it_stands() -> None:
    moved = pattern({}, stays=(Stay(0, NINE), Stay(NINE + days.HOUR)))
    assert len(day_long(moved)) == 92


@pytest.mark.parametrize(
    ("subject", "value"),
    [
        (pattern(weeks_ago(8)), 1.0),
        (pattern(weeks_ago(1, 2, 3, 4, 5, 6, 7, 8)), 4.5),
        (pattern(weeks_ago(1, 2, 3, 4, 5, 6, 7, 8, 1000)), 4.5),
        (pattern({NINE - WEEK: Counted(1, 3)}), 0.5),
        (pattern({NINE: Counted(9), NINE - days.DAY: Counted(9), NINE - WEEK - QUARTER: Counted(9)}), 0.0),
        (pattern(weeks_ago(6, 4), able={NINE - WEEK: 60, NINE - 2 * WEEK: 60}), 5.0),
        (pattern(weeks_ago(6, 4), able={NINE - WEEK: 60, NINE - 2 * WEEK: 60, NINE - 3 * WEEK: 0}), 5.0),
        (pattern(weeks_ago(6, 4), able={NINE - WEEK: 60, NINE - 2 * WEEK: 60, NINE - 3 * WEEK: 1}), 10 / 3),
        (pattern(weeks_ago(6, 4), able={NINE - WEEK: 60}), None),
        (pattern(weeks_ago(6, 4), able={}), None),
        (pattern(weeks_ago(6, 4), stays=(Stay(BEGIN - 2 * WEEK),)), 5.0),
        (pattern(weeks_ago(6, 4), stays=(Stay(BEGIN - WEEK),)), None),
        (pattern(weeks_ago(0, 8), holidays=((DAY - timedelta(days=7), DAY - timedelta(days=7)),)), 8 / 7),
        (pattern(weeks_ago(0, 8), holidays=((DAY - timedelta(days=70), DAY - timedelta(days=8)),)), None),
    ],
    ids=[
        "weeks-without-a-tap-are-zeros",
        "the-mean-of-eight-weeks",
        "a-ninth-week-is-not-looked-at",
        "unknown-cards-count-too",
        "other-days-and-quarters-do-not",
        "two-weeks-are-enough",
        "a-week-it-could-not-take-taps-is-left-out",
        "any-able-minute-makes-its-hour-able",
        "one-week-is-not-enough",
        "nothing-known-of-it",
        "installed-two-weeks-ago",
        "installed-one-week-ago",
        "a-holiday-is-left-out",
        "too-many-holidays",
    ],
)
def test_what_is_expected_of_a_quarter(subject: Pattern, value: float | None) -> None:
    at_nine = fields(day_long(subject)[36])
    assert at_nine.get("expected") == (value if value is None else pytest.approx(value))


def test_where_nothing_can_be_expected_the_field_is_left_out() -> None:
    assert "expected" not in fields(day_long(pattern({}, able={}))[36])


@pytest.mark.parametrize("rate", [5, 28, 430])
def test_the_day_s_expectation_is_the_true_daily_rate(rate: int) -> None:
    """Summed over 40 machines, within what chance allows: quarters without a tap are neither forgotten nor doubled."""
    chance = random.Random(rate)
    office = [hour for hour in range(24) if 8 <= hour < 16]
    total = 0.0
    for _ in range(40):
        counted: dict[int, Counted] = {}
        for week in range(1, 9):
            for _ in range(_poisson(chance, rate)):
                at = BEGIN - week * WEEK + chance.choice(office) * days.HOUR + chance.randrange(4) * QUARTER
                taps = counted.get(at, Counted())
                counted[at] = Counted(taps.known + 1, taps.unknown)
        total += sum(float(fields(point)["expected"]) for point in day_long(pattern(counted)))
    assert total / 40 == pytest.approx(rate, rel=3.5 / (40 * 8 * rate) ** 0.5)


def _poisson(chance: random.Random, rate: int) -> int:
    arrivals, at = 0, chance.expovariate(rate)
    while at < 1:
        arrivals, at = arrivals + 1, at + chance.expovariate(rate)
    return arrivals


# ---- hours of an estate ----------------------------------------------------------------------------------------------


def hours(counts: Sequence[int], until: int = END) -> list[tuple[object, object]]:
    """What is published of a day with these counts."""
    taps = {BEGIN + number * days.HOUR: count for number, count in enumerate(counts)}
    points = rollups.tap_hour(taps, DAY, estate="DMG", until_ms=until)
    return [(fields(point)["n"], fields(point)["withheld"]) for point in points]


@pytest.mark.parametrize(("taps", "n", "withheld"), [(0, 0, 0), (1, 0, 1), (4, 0, 1), (5, 5, 0), (110, 110, 0)])
def test_small_counts_of_an_hour_are_withheld_and_those_of_its_pair(taps: int, n: int, withheld: int) -> None:
    assert hours([0] * 8 + [60, taps])[8:] == [(0 if withheld else 60, withheld), (n, withheld)] + [(0, 0)] * 14
    assert hours([0] * 8 + [taps, 60])[8:10] == [(n, withheld), (0 if withheld else 60, withheld)]


FEW = st.integers(0, 12)


@settings(deadline=None)
@given(st.one_of(st.lists(FEW, min_size=24, max_size=24), st.permutations([*range(12), *[0] * 12])))
def test_no_hour_that_is_withheld_follows_from_the_rest_of_its_day(counts: list[int]) -> None:
    """Whoever knows the rule, the day's total and all hours that are shown: another day looks just the same to him."""
    published = hours(counts)
    for hour, (_, withheld) in enumerate(published):
        if withheld:
            assert any(hours(other) == published for other in others(counts, hour)), (hour, counts)


def others(counts: Sequence[int], hour: int) -> Iterator[list[int]]:
    """Days of as many taps with another count in this hour, the rest of the two in that of its pair."""
    pair, both = hour // 2 * 2, counts[hour] + counts[hour ^ 1]
    for one in (counts[hour ^ 1], *range(both + 1)):
        if one != counts[hour]:
            two = [one, both - one] if hour == pair else [both - one, one]
            yield [*counts[:pair], *two, *counts[pair + 2 :]]


def test_the_second_hour_of_a_pair_is_not_written_before_it_has_begun() -> None:
    assert hours([0] * 8 + [3], until=NINE) == [(0, 0)] * 8 + [(0, 1)]


def test_an_hour_is_named_as_jakarta_names_it() -> None:
    points = rollups.tap_hour({}, DAY, estate="DMG", until_ms=END)
    assert [dict(point.tags)["hour"] for point in points] == [f"{hour:02}" for hour in range(24)]
    assert [point.time_ns for point in points] == [hour * 10**6 for hour in days.hours_of(DAY)]
    assert all(fields(point) == {"n": 0, "withheld": 0} for point in points)


@pytest.mark.parametrize(("until", "hours"), [(BEGIN, 0), (BEGIN + 1, 1), (NINE, 9), (END, 24), (END + WEEK, 24)])
def test_hours_that_have_not_begun_are_not_written(until: int, hours: int) -> None:
    assert len(rollups.tap_hour({}, DAY, estate="DMG", until_ms=until)) == hours
