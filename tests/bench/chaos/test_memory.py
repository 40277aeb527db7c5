"""What may be said of a program's memory after a run."""

import pytest

from bench.chaos import memory


def grown(*sizes: float) -> list[tuple[float, float]]:
    """A hundred samples that pass through *sizes*, evenly."""
    steps = len(sizes) - 1
    found = []
    for number in range(100):
        step, part = divmod(number * steps / 100, 1)
        before, after = sizes[int(step)], sizes[int(step) + 1]
        found.append((5.0 * number, before + part * (after - before)))
    return found


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(grown(100, 100), True, id="always the same"),
        pytest.param(grown(20, 100, 100, 100, 100, 100), True, id="it only needed to warm up"),
        pytest.param(grown(100, 130, 100, 130, 100, 110), True, id="up and down"),
        pytest.param(grown(100, 200), False, id="a leak"),
        pytest.param(grown(100, 100, 100, 100, 150, 150), False, id="a jump that stays"),
        pytest.param(grown(100, 100)[:5], False, id="too little is known"),
    ],
)
def test_memory_is_flat_when_it_no_longer_grows_once_warm(samples, expected) -> None:
    assert memory.is_flat(samples) is expected


def test_who_cannot_be_seen_at_the_moment_leaves_a_gap_and_no_fault() -> None:
    seen = iter([1.0, None, 3.0])
    with memory.watched({"one": lambda: next(seen)}, every_s=0.01) as samples:
        while not samples["one"] or samples["one"][-1][1] != 3.0:
            pass
    assert [size for _, size in samples["one"]] == [1.0, 3.0]
