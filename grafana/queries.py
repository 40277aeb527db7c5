"""Queries, put together from `contract.series` so that a wrong name or a broken rule stops the generator.

The rules of this query language (each found the hard way) stand in `lint`; `$timeFilter` is put on every level here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contract.series import Bucket, Measurement
from grafana import influxql, lint

WIB_DAY: Final = "time(1d, -7h)"
"""A day in Jakarta; plain `1d` would be seven hours off."""
STEP: Final = "time($__interval)"
"""As fine as the panel is wide."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query that obeys the rules, and the bucket that answers it."""

    text: str
    bucket: Bucket


class RuleBroken(ValueError):
    """A query breaks a rule; the message names the rules and shows the query."""


def chosen(variable: str) -> str:
    """The condition that a tag has one of the values chosen in the variable of the same name."""
    return f"{variable} =~ /^${{{variable}:regex}}$/"


ESTATE: Final = chosen("estate")
DEVICE: Final = chosen("device")


def percent(part: str, whole: str) -> str:
    """*part* of *whole* in per cent; the factor comes first and is a float, or sub-queries would cut off."""
    return f"100.0 * {part} / {whole}"


def select(
    source: Measurement | Query, *columns: str, where: Sequence[str] = (), by: Sequence[str] = (), tail: str = ""
) -> Query:
    """The query for *columns* of a measurement or of another query. Raises `RuleBroken`."""
    inside = source.name if isinstance(source, Measurement) else f"({source.text})"
    group = f" GROUP BY {', '.join(by)}" if by else ""
    conditions = " AND ".join(["$timeFilter", *where])
    text = f"SELECT {', '.join(columns)} FROM {inside} WHERE {conditions}{group}{' ' * bool(tail)}{tail}"
    return _checked(Query(text, source.bucket))


def tag_values(source: Measurement, tag: str, *, where: str = "") -> Query:
    """The query of a variable: every value *tag* has. Raises `RuleBroken`."""
    condition = f" WHERE {where}" if where else ""
    return _checked(Query(f'SHOW TAG VALUES FROM {source.name} WITH KEY = "{tag}"{condition}', source.bucket))


def _checked(query: Query) -> Query:
    try:
        broken = [*lint.violations(query.text, query.bucket)]
    except influxql.BadQuery as error:
        broken = [str(error)]
    if broken:
        raise RuleBroken(f"{'; '.join(broken)}: {query.text}")
    return query
