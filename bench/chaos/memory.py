"""Resident memory over a run: looking at it, and what may be said of it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from statistics import median
from typing import Final

LOOK_S: Final = 5.0
WARM_UP: Final = 0.2
"""The part of a run in which a program still takes what it needs."""
LEAST: Final = 10
"""Samples of which something can be said."""
FLAT: Final = 1.15
"""By so much the end may exceed the beginning: what leaks at all, leaks more in half an hour of full load."""

Samples = dict[str, list[tuple[float, float]]]
"""(seconds, MB) by whose it is."""


@contextmanager
def watched(sizes: Mapping[str, Callable[[], float | None]], *, every_s: float = LOOK_S) -> Iterator[Samples]:
    """What each of *sizes* says, again and again for as long as the block lasts; None: nothing can be said now."""
    samples: Samples = {name: [] for name in sizes}
    stop, began = threading.Event(), time.monotonic()

    def look() -> None:
        while not stop.wait(every_s):
            for name, size in sizes.items():
                with suppress(Exception):  # somebody was just killed: the next look finds him again
                    if (found := size()) is not None:
                        samples[name].append((time.monotonic() - began, found))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def ends(samples: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The median of the first fifth after warming up, and of the last fifth. Needs `LEAST` samples."""
    warm = [size for _, size in samples[round(WARM_UP * len(samples)) :]]
    part = max(1, round(0.2 * len(samples)))
    return median(warm[:part]), median(warm[-part:])


def is_flat(samples: Sequence[tuple[float, float]]) -> bool:
    """Whether it no longer grows once warm; too few samples say nothing."""
    if len(samples) < LEAST:
        return False
    early, late = ends(samples)
    return late <= FLAT * early
