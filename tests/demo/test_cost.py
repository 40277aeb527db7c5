"""The estimate of the top speed: where a core, or the computer, would be full."""

import os

import pytest

from demo import cost
from demo.cost import Use


def test_ingest_filling_one_core_is_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    top = cost.top_speed(Use(1, 1), Use(3, 5), real_s=10, speed=60)
    assert top == pytest.approx(60 * cost.USABLE / 0.2)


def test_everything_together_filling_the_computer_is_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    top = cost.top_speed(Use(0, 0), Use(1, 8), real_s=10, speed=60)
    assert top == pytest.approx(60 * cost.USABLE * 2 / 0.8)


@pytest.mark.parametrize(
    ("before", "after", "real_s"),
    [(None, Use(1, 1), 10), (Use(0, 0), None, 10), (Use(0, 0), Use(1, 1), 0), (Use(1, 1), Use(1, 1), 10)],
)
def test_what_was_not_measured_gives_no_estimate(before: Use | None, after: Use | None, real_s: float) -> None:
    assert cost.top_speed(before, after, real_s=real_s, speed=60) is None


def test_this_process_has_used_some_time() -> None:
    used = cost.use(os.getpid(), [os.getppid()])
    assert used is None or 0 < used.ingest_s <= used.all_s


def test_an_ended_process_gives_nothing() -> None:
    assert cost.use(2**22 + 1, []) is None


@pytest.mark.parametrize(
    ("late", "waits", "expected"),
    [
        ([0.1] * 100, [0.1] * 100, True),
        ([0.1] * 97 + [9.0] * 3, [0.1] * 100, True),
        ([0.1] * 90 + [9.0] * 10, [0.1] * 100, False),
        ([0.1] * 100, [0.1] * 90 + [9.0] * 10, False),
        ([], [], True),
    ],
    ids=["all at once", "a few were late", "many were late", "many waited", "nobody came"],
)
def test_machines_keep_up_when_95_per_cent_are_served_within_a_second(
    late: list[float], waits: list[float], expected: bool
) -> None:
    assert cost.keeps_up(late, waits) is expected
