"""When a replay is judged."""

import pytest

from cloud.days import DAY, HOUR, MINUTE
from cloud.replay import instants
from cloud.replay.instants import BadInstant

SPAN = (1_772_384_400_000, 1_772_384_400_000 + 7 * DAY)  # 2 to 9 March 2026, 00.00 WIB


@pytest.mark.parametrize(("text", "ms"), [("1d", DAY), ("6h", 6 * HOUR), ("30m", 30 * MINUTE), ("14d", 14 * DAY)])
def test_intervals(text: str, ms: int) -> None:
    assert instants.every(text) == ms


@pytest.mark.parametrize("text", ["", "1", "0d", "-1d", "1.5h", "1w", "d", "1 d", "9999999d"])
def test_what_is_no_interval(text: str) -> None:
    with pytest.raises(BadInstant, match="is no interval"):
        instants.every(text)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-03-04", SPAN[0] + 2 * DAY),
        ("2026-03-04T00:00:00+07:00", SPAN[0] + 2 * DAY),
        ("2026-03-03T18:00:00Z", SPAN[0] + 2 * DAY + HOUR),
        ("2026-03-02", SPAN[0]),
        ("2026-03-09", SPAN[1]),
    ],
)
def test_the_end_is_an_instant_or_the_start_of_a_date(text: str, ms: int) -> None:
    assert instants.until(text, SPAN) == ms


@pytest.mark.parametrize("text", ["soon", "2026-03-04T00:00:00", "2026-13-01", "2026-03-01", "2026-03-10"])
def test_an_end_that_is_none_or_lies_outside_is_refused(text: str) -> None:
    with pytest.raises(BadInstant):
        instants.until(text, SPAN)


def test_it_is_judged_at_the_start_every_so_often_and_at_the_end() -> None:
    start, end = SPAN
    assert list(instants.between(SPAN, DAY)) == [start + number * DAY for number in range(8)]
    assert list(instants.between(SPAN, 3 * DAY)) == [start, start + 3 * DAY, start + 6 * DAY, end]
    assert list(instants.between((start, start), DAY)) == [start]


@pytest.mark.parametrize(("ms", "text"), [(SPAN[0], "2026-03-02T00:00:00+07:00"), (1, "1970-01-01T07:00:00.001+07:00")])
def test_instants_are_written_in_jakarta(ms: int, text: str) -> None:
    assert instants.written(ms) == text
