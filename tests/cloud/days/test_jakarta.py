from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud import days
from cloud.days import jakarta


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-05-12T16:59:59.999+00:00", date(2026, 5, 12)),
        ("2026-05-12T17:00:00+00:00", date(2026, 5, 13)),
        ("2026-05-12T00:00:00+07:00", date(2026, 5, 12)),
        ("2026-01-01T00:00:00+07:00", date(2026, 1, 1)),
        ("2025-12-31T23:59:59+07:00", date(2025, 12, 31)),
        ("1970-01-01T00:00:00+00:00", date(1970, 1, 1)),
    ],
)
def test_a_day_begins_at_midnight_in_jakarta(instant: str, day: date) -> None:
    assert days.day_of(ms(instant)) == day


@given(st.dates(date(1970, 1, 1), date(2200, 1, 1)))
def test_a_day_begins_and_ends_where_its_neighbours_do(day: date) -> None:
    begin, end = days.span_of(day)
    assert (days.day_of(begin), days.day_of(end - 1)) == (day, day)
    assert end == days.starts(day + timedelta(days=1))
    assert len(days.hours_of(day)) == 24


@given(st.integers(days.DAY, 80_000 * days.DAY))
def test_every_instant_lies_in_its_day(at_ms: int) -> None:
    begin, end = days.span_of(days.day_of(at_ms))
    assert begin <= at_ms < end


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_merged_spans_hold_the_same_instants_apart(spans: list[tuple[int, int]]) -> None:
    merged = jakarta.merged(spans)
    assert {at for begin, end in merged for at in range(begin, end)} == {
        at for begin, end in spans for at in range(begin, end)
    }
    assert all(begin < end for begin, end in merged)
    assert all(one[1] < other[0] for one, other in pairwise(merged))
