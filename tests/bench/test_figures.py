"""The table of a run."""

import json

import pytest

from bench import figures
from bench.figures import Figure


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 100)], ids=["least", "median", "p99", "most"]
)
def test_a_percentile_is_one_of_the_values(share: float, expected: int) -> None:
    assert figures.percentile(list(range(100, 0, -1)), share) == expected


def test_a_missed_aim_is_said() -> None:
    table = figures.markdown([Figure("drain", "10/s", "raw 100/s", 0.1, "≥ 0.3 ×", False, "one core")])
    assert "| drain | 10/s | raw 100/s | 0.10 | ≥ 0.3 × | not met |" in table
    assert "- **drain**: one core" in table


def test_what_is_kept_is_read_back() -> None:
    kept = [Figure("a", "1 ms", is_met=True, ratio=1.1), Figure("b", "2 MB")]
    assert figures.from_json(json.loads(json.dumps(figures.as_json(kept, 0.5)))) == kept


def test_this_machine_has_a_name() -> None:
    assert "Python 3" in figures.machine()
