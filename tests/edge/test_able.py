"""Able minutes and the hours they make."""

from hypothesis import given
from hypothesis import strategies as st

from edge.able import Hour, Minute, dated, hours, is_over, minutes_passed

HOUR_MS = 3_600_000


def minute(wall: int, *, mono: int = 0, boot: str = "b", is_dated: bool = True) -> Minute:
    return Minute(boot, mono, wall, is_dated)


def test_only_minutes_that_ended_count() -> None:
    assert list(minutes_passed(59_999, 60_000)) == [0]
    assert list(minutes_passed(60_000, 119_999)) == []
    assert list(minutes_passed(0, 180_000)) == [0, 1, 2]


def test_an_undated_minute_finds_its_place_once_the_time_is_known() -> None:
    assert dated(minute(0, mono=3, is_dated=False), 60_000 * 100) == minute(103, mono=3)
    assert dated(minute(0, is_dated=False), None) == minute(0, is_dated=False)
    assert dated(minute(7), 99) == minute(7)


def test_minutes_are_grouped_by_their_hour() -> None:
    found = hours([minute(59), minute(60), minute(61, mono=1)])
    assert [(hour.hour_ms, hour.able_min) for hour in found] == [(0, 1), (HOUR_MS, 2)]


def test_a_minute_shown_twice_counts_once() -> None:
    assert hours([minute(5, mono=1), minute(5, mono=2)])[0].able_min == 1


def test_what_a_wrong_clock_showed_is_not_mixed_with_the_truth() -> None:
    assert [hour.able_min for hour in hours([minute(5), minute(6, boot="x", is_dated=False)])] == [1, 1]


def test_an_hour_is_over_when_the_next_begins() -> None:
    assert not is_over(Hour(0, 1, ()), HOUR_MS - 1)
    assert is_over(Hour(0, 1, ()), HOUR_MS)


@given(st.lists(st.integers(0, 10_000)))
def test_no_hour_has_more_than_sixty_minutes_and_none_is_lost(walls) -> None:
    found = hours([minute(wall, mono=number) for number, wall in enumerate(walls)])
    assert all(1 <= hour.able_min <= 60 for hour in found)
    assert sum(len(hour.minutes) for hour in found) == len(walls)
