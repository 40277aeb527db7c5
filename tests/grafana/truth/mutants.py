"""Queries with one thing wrong: a dropped offset, another factor, function, field, tag, condition or time filter."""

import re
from collections.abc import Iterator

from contract.series import SERIES, Type

_SWAPS = [
    ("no offset", r"time\(1d, -7h\)", "time(1d)"),
    ("offset to the other side", r"-7h", "7h"),
    ("factor", r"100\.0 \*", "10.0 *"),
    ("whole factor", r"100\.0 \*", "100 *"),
    ("first for last", r"\blast\(", "first("),
    ("last for first", r"\bfirst\(", "last("),
    ("max for min", r"\bmin\(", "max("),
    ("min for max", r"\bmax\(", "min("),
    ("mean for sum", r"\bsum\(", "mean("),
    ("sum for mean", r"\bmean\(", "sum("),
    ("sum for count", r"\bcount\(", "sum("),
    ("max for mean", r"\bmean\(", "max("),
    ("plus for minus", r" - (?=\w)", " + "),
    ("times for divided", r" / ", " * "),
    ("zeros for nulls", r"fill\(null\)", "fill(0)"),
    ("zeros for gaps", r"fill\(none\)", "fill(0)"),
    ("coarser", r"time\(15m\)", "time(1h)"),
    ("per hour", r", 1m\)", ", 1h)"),
    ("another quantile", r", 25\)", ", 40)"),
    ("another upper quantile", r", 75\)", ", 60)"),
    ("fewer at the top", r", 10\)", ", 9)"),
    ("another kind", r"kind = '\w+'", "kind = 'boot'"),
    ("the other state", r"ongoing = 1", "ongoing = 0"),
    ("one more", r"late_taps > 0", "late_taps >= 0"),
    ("shorter", r"LIMIT \d+", "LIMIT 1"),
    ("no time filter", r"\$timeFilter AND ", ""),
    ("no time filter", r" WHERE \$timeFilter(?! AND)", ""),
    ("no condition", r" AND \w+ =~ /\^\$\{\w+:regex\}\$/", ""),
    ("no condition", r" AND kind = '\w+'", ""),
    ("no condition", r" AND ongoing = 1", ""),
    ("no condition", r" AND late_taps > 0", ""),
]


def of(query: str) -> Iterator[tuple[str, str]]:
    """Every mutant of *query*: what is wrong with it, and its text; each place is changed by itself."""
    for name, pattern, replacement in _SWAPS:
        for match in re.finditer(pattern, query):
            yield f"{name} at {match.start()}", query[: match.start()] + replacement + query[match.end() :]
    yield from _dropped_columns(query)
    yield from _other_groups(query)
    yield from _other_fields(query)


def _dropped_columns(query: str) -> Iterator[tuple[str, str]]:
    columns = re.findall(r'(?:[^,()"]|\([^()]*(?:\([^()]*\))?[^()]*\))+? AS "[^"]+"', query)
    for column in columns:
        for text in (f"{column}, ", f", {column.strip()}", f",{column}"):
            if text in query:
                yield f"no column {column.rpartition(' AS ')[2]}", query.replace(text, "", 1)
                break


def _other_groups(query: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"GROUP BY (?P<by>(?:time\([^)]*\)|\w+)(?:, (?:time\([^)]*\)|\w+))*)", query):
        parts = re.findall(r"time\([^)]*\)|\w+", match["by"])
        for part in parts:
            rest = [each for each in parts if each != part]
            group = f"GROUP BY {', '.join(rest)}" if rest else ""
            yield f"not grouped by {part} at {match.start()}", query[: match.start()] + group + query[match.end() :]


def _other_fields(query: str) -> Iterator[tuple[str, str]]:
    name = re.search(r"FROM (\w+)", query)
    measurement = SERIES[name[1]] if name else None
    numbers = [each.name for each in measurement.fields if each.type is not Type.TEXT] if measurement else []
    if len(numbers) < 2:
        return
    for match in re.finditer("|".join(rf"\b{each}\b" for each in numbers), query):
        other = numbers[(numbers.index(match[0]) + 1) % len(numbers)]
        yield f"{other} for {match[0]} at {match.start()}", query[: match.start()] + other + query[match.end() :]
