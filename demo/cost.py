"""What the programs cost in processor time, and from that how fast the city could run on this computer.

The estimate: nearly all work (heartbeats, taps, minute rows) grows with SPEED, so the top speed is where either ingest
fills one core or all programs together fill this computer. `hadir-demo --top-speed` runs it instead of estimating.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

USABLE: Final = 0.8
"""Share of a processor beyond which waiting times rise steeply."""


@dataclass(frozen=True, slots=True)
class Use:
    """Processor seconds used since the start: by ingest, and by everything."""

    ingest_s: float
    all_s: float


def use(ingest: int, others: Collection[int]) -> Use | None:
    """What these processes have used so far; None where the system does not tell."""
    try:
        ingest_s = _seconds(ingest)
        return Use(ingest_s, ingest_s + sum(map(_seconds, others)))
    except (OSError, ValueError, IndexError):
        return None


def top_speed(before: Use | None, after: Use | None, *, real_s: float, speed: float) -> float | None:
    """The speed at which this computer would be full, if the run between the two looks is typical."""
    if before is None or after is None or real_s <= 0:
        return None
    ingest = (after.ingest_s - before.ingest_s) / real_s
    everything = (after.all_s - before.all_s) / real_s
    if ingest <= 0 or everything <= 0:
        return None
    return speed * USABLE * min(1 / ingest, (os.cpu_count() or 1) / everything)


def _seconds(pid: int) -> float:
    """User and system time of a process (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def worst_of(late_s: Collection[float], share: float = 0.95) -> float:
    """The value that this share stays below; 0 for none."""
    ordered = sorted(late_s)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


KEEPS_UP_S: Final = 1.0


def keeps_up(late_s: Collection[float], waits_s: Collection[float]) -> bool:
    """Whether residents were served on time: 95 % laid and lit within a second each."""
    return worst_of(late_s) < KEEPS_UP_S and worst_of(waits_s) < KEEPS_UP_S
