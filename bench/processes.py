"""How much memory and processor time another process takes, as /proc tells it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def resident_mb(pid: int) -> float:
    """Its resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """The processor time it has taken since its start."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def watched(pid: int, *, every_s: float = 0.5) -> Iterator[list[tuple[float, float]]]:
    """(seconds, MB) of a process, for as long as the block lasts."""
    samples: list[tuple[float, float]] = []
    stop = threading.Event()
    began = time.monotonic()

    def look() -> None:
        while not stop.is_set():
            samples.append((time.monotonic() - began, resident_mb(pid)))
            stop.wait(every_s)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()
