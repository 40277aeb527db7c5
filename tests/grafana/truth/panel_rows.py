"""A window on the plain rows of the synthetic city, and how an answer of the engine is compared with them."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from grafana import influxql, rules
from grafana.influxql import Choice

WIB = ZoneInfo("Asia/Jakarta")
Row = dict[str, Any]


@dataclass(frozen=True)
class Window:
    city: Any
    begin: int
    end: int
    step: int
    chosen: dict[str, Choice]

    def every(self, series: str) -> list[Row]:
        """All rows in the window."""
        return self.city.of(series, self.begin, self.end)

    def here(self, series: str) -> list[Row]:
        """Rows of the chosen estates."""
        return self._of("estate", self.every(series))

    def mine(self, series: str) -> list[Row]:
        """Rows of the chosen machines."""
        return self._of("device", self.every(series))

    def both(self, series: str) -> list[Row]:
        """Rows of the chosen machines of the chosen estates."""
        return self._of("device", self.here(series))

    def _of(self, name: str, rows: list[Row]) -> list[Row]:
        wanted = self.chosen[name]
        return [row for row in rows if wanted == "$__all" or row[name] == wanted or row[name] in wanted]

    def steps(self, rows: Iterable[Row], length: int = 0) -> dict[int, list[Row]]:
        return gather(rows, lambda row: row["time"] - row["time"] % ((length or self.step) * 1000))


def gather(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def by(rows: Iterable[Row], *names: str) -> dict[tuple[str, ...], list[Row]]:
    return gather(rows, lambda row: tuple(row[name] for name in names))


def days(rows: Iterable[Row]) -> dict[int, list[Row]]:
    def midnight(row: Row) -> int:
        at = datetime.fromtimestamp(row["time"] / 1000, WIB).replace(hour=0, minute=0, second=0, microsecond=0)
        return round(at.timestamp() * 1000)

    return gather(rows, midnight)


def total(rows: Iterable[Row], *names: str) -> float | None:
    found = [row[name] for row in rows for name in names if name in row]
    return sum(found) if found else None


def mean(rows: Iterable[Row], name: str) -> float:
    return fmean(row[name] for row in rows)


def share(rows: list[Row], part: str, whole: str) -> float:
    return sum(row[part] for row in rows) / sum(row[whole] for row in rows) * 100


def newest(rows: Iterable[Row], *names: str) -> list[Row]:
    return [group[-1] for group in by(rows, *names).values()]


def pick(row: Row, **columns: str) -> Row:
    return {title: row[name] for title, name in columns.items()}


def newest_of(rows: Iterable[Row], *names: str, **columns: str) -> list[Row]:
    tags = {name: name for name in names}
    return [pick(row, **tags, **columns) for row in newest(rows, *names)]


def extremes(groups: dict[int, list[Row]], **columns: tuple[Callable[..., Any], str]) -> list[Row]:
    """A row per group; each column a function over one field."""
    return [
        {"time": time, **{title: count(row[name] for row in rows) for title, (count, name) in columns.items()}}
        for time, rows in groups.items()
    ]


def quartile(values: list[float], share_below: float) -> float:
    """Nearest rank."""
    ranked = sorted(values)
    return ranked[max(0, int(len(ranked) * share_below / 100 + 0.5) - 1)]


def middle(values: list[float]) -> float:
    ranked, half = sorted(values), len(values) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2


def instant(text: str, now: datetime, *, is_end: bool) -> datetime:
    """`now`, `now-6h`, `now-1d/d`, `now-1M/M`; an end rounds up to the last millisecond."""
    match = re.fullmatch(r"now(?:-(\d+)([mhdM]))?(?:/([dM]))?", text)
    assert match, text
    at = now
    if match[1]:
        count, unit = int(match[1]), match[2]
        if unit == "M":
            at = now.replace(day=1, month=now.month - count)  # the test's year is long enough
        else:
            at -= count * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[unit]
    if match[3]:
        at = at.replace(hour=0, minute=0, second=0, microsecond=0)
        at = at.replace(day=1) if match[3] == "M" else at
        if is_end:
            following = (at + timedelta(days=32)).replace(day=1) if match[3] == "M" else at + timedelta(days=1)
            at = following - timedelta(milliseconds=1)
    return at


def window(city: Any, board: dict[str, Any], span: str, chosen: dict[str, Choice]) -> Window:
    begin_text = board["time"]["from"] if not span else span if span.startswith("now") else f"now-{span}"
    end_text = "now" if span else board["time"]["to"]
    begin, end = (instant(t, city.now, is_end=e) for t, e in ((begin_text, False), (end_text, True)))
    step = max(300, round((end - begin).total_seconds()) // 400 // 60 * 60)
    return Window(city, round(begin.timestamp() * 1000), round(end.timestamp() * 1000), step, chosen)


def ask(engine: Any, query: rules.Asked, w: Window) -> list[Row]:
    text = influxql.expand(query.query, w.begin, w.end, interval_s=w.step, chosen=w.chosen)
    rows = engine.query(query.bucket, text)
    for row in rows:
        if "time" in row:
            row["time"] //= 10**6
    return rows


TAGS = ("time", "estate", "device", "stage", "instance", "hour", "kind")


def compare(found: list[Row], expected: list[Row]) -> None:
    """The same rows; of each the columns that are expected. A row of nulls alone is a gap, as no row is."""
    assert expected, "the synthetic city leaves this panel empty"
    names = expected[0].keys()
    values = [name for name in names if name not in TAGS] or ["time"]
    trimmed = [{name: row.get(name) for name in names} for row in found]
    trimmed = [row for row in trimmed if any(row[name] is not None for name in values)]
    expected = [row for row in expected if any(row[name] is not None for name in values)]

    def order(row: Row) -> str:
        return str([row.get(name) for name in TAGS])

    trimmed, expected = sorted(trimmed, key=order), sorted(expected, key=order)
    found_at, expected_at = [order(row) for row in trimmed], [order(row) for row in expected]
    assert found_at == expected_at, f"rows {found_at[:3]}... for {expected_at[:3]}..."
    for row, truth in zip(trimmed, expected, strict=True):
        for name, value in truth.items():
            near = pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
            assert row[name] == near, f"{name} in {order(row)}"
