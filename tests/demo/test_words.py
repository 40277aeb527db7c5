"""Times and numbers as Indonesian readers know them."""

from datetime import UTC, datetime

import pytest

from demo import words

INSTANT = datetime(2026, 11, 16, 17, 5, tzinfo=UTC)


def test_times_are_those_of_jakarta() -> None:
    assert words.clock(INSTANT) == "00.05 WIB"
    assert words.day(INSTANT) == "Selasa, 17 November 2026"


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (999, "999"), (13_731, "13.731"), (1_000_000, "1.000.000")])
def test_thousands_are_parted_by_dots(value: int, text: str) -> None:
    assert words.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.305, "0,30 detik"), (12.0, "12,00 detik")])
def test_seconds_have_a_comma(value: float | None, text: str) -> None:
    assert words.seconds(value) == text
