"""What a measurement says: a figure beside what it is compared with, its aim, and what limits it now."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

OK: Final = "met"
MISSED: Final = "not met"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `ratio` is what the aim is about where it is none of `value` itself."""

    name: str
    value: str
    beside: str = ""
    ratio: float | None = None
    aim: str = ""
    is_met: bool | None = None
    limit: str = ""

    @property
    def verdict(self) -> str:
        """Whether the aim is met; empty without one."""
        return "" if self.is_met is None else OK if self.is_met else MISSED

    def cells(self) -> tuple[str, ...]:
        """As a row of the table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.name, self.value, self.beside, ratio, self.aim, self.verdict


COLUMNS: Final = ("measured", "value", "beside it", "ratio", "aim", "")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which *share* (0..1) of *values* lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def millis(seconds: float) -> str:
    """Readable at any size."""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def rate(per_second: float) -> str:
    """Readable at any size."""
    return f"{per_second:,.0f}/s"


def machine() -> str:
    """What this computer is."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return (
        f"{os.cpu_count()} × {model}, {memory / 2**20:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def markdown(figures: Sequence[Figure]) -> str:
    """The table, and under it what limits each figure."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(figure.cells() for figure in figures)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    limits = "\n".join(f"- **{figure.name}**: {figure.limit}" for figure in figures if figure.limit)
    return f"{table}\n\n{limits}\n"


def as_json(figures: Sequence[Figure], load: float) -> dict[str, dict[str, object]]:
    """By name, for a file; with how busy the machine was before."""
    return {figure.name: asdict(figure) | {"load": round(load, 1)} for figure in figures}


def from_json(kept: Mapping[str, Mapping[str, Any]]) -> list[Figure]:  # Any: JSON
    """Back from the file."""
    return [Figure(**{name: value for name, value in each.items() if name != "load"}) for each in kept.values()]
