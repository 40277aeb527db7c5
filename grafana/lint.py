"""The rules every query obeys, checked on its text alone: names, time filters, Jakarta's days, float factors. Pure.

A typo in InfluxQL is silent (no row, or every row), so what is not in `contract.series` is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from contract.series import SERIES, Bucket, Measurement
from grafana import influxql
from grafana.influxql import Level, Token, Tokens

BUCKETS: Final = frozenset({Bucket.OPS, Bucket.AGGREGATE})
"""What a dashboard may ask; nobody's dashboard reads single taps."""
_AGGREGATES: Final = frozenset({"count", "sum", "mean", "median", "spread"})
_SELECTORS: Final = frozenset({"first", "last", "min", "max", "percentile", "top"})
_CHANGES: Final = frozenset({"non_negative_derivative", "non_negative_difference"})
FUNCTIONS: Final = _AGGREGATES | _SELECTORS | _CHANGES
_CLAUSES: Final = frozenset({"FILL", "ORDER", "LIMIT"})
_WORDS: Final = frozenset({"and", "or", "as", "time"})
_TAG_VALUES: Final = re.compile(
    r'SHOW TAG VALUES FROM (?P<name>\w+) WITH KEY = "(?P<key>\w+)"'
    r"(?: WHERE (?P<tag>\w+) =~ /\^\$\{(?P<variable>\w+):regex\}\$/)?"
)
_VARIABLE: Final = re.compile(r"/\^\$\{(?P<variable>\w+):regex\}\$/")
_DAYS: Final = {"1d": "-7h", "1w": "3d17h"}


def violations(query: str, bucket: Bucket) -> Iterator[str]:
    """What is wrong with *query*, asked of *bucket*. Raises `influxql.BadQuery` when it cannot be read."""
    if bucket not in BUCKETS:
        yield f"no dashboard may read the bucket {bucket}"
    if query.startswith("SHOW"):
        yield from _in_tag_values(query, bucket)
        return
    if "|>" in query or re.search(r"from\s*\(\s*bucket", query):
        yield "is Flux"
        return
    statement = influxql.parse(query)
    measurement = SERIES.get(statement.measurement)
    if measurement is None:
        yield f"there is no series {statement.measurement}"
        return
    if measurement.bucket != bucket:
        yield f"{measurement.name} lies in the bucket {measurement.bucket}, not in {bucket}"
    levels = list(statement.levels())
    for depth, level in enumerate(levels):
        yield from _in_level(level, measurement, is_inner=depth > 0)


def variables(query: str) -> set[str]:
    """The dashboard variables *query* names in whatever spelling."""
    names = re.findall(r"\$\{?(\w+)", query) + re.findall(r"\[\[(\w+)", query)
    return {name for name in names if not name.startswith("__") and name != "timeFilter"}


def _in_tag_values(query: str, bucket: Bucket) -> Iterator[str]:
    match = _TAG_VALUES.fullmatch(query)
    measurement = match and SERIES.get(match["name"])
    if not match or not measurement:
        yield "a variable asks: SHOW TAG VALUES FROM a series WITH KEY, and at most one chosen tag"
        return
    if measurement.bucket != bucket:
        yield f"{measurement.name} lies in the bucket {measurement.bucket}, not in {bucket}"
    for tag in (match["key"], match["tag"]):
        if tag and tag not in measurement.tags:
            yield f"{measurement.name} has no tag {tag}"


def _in_level(level: Level, measurement: Measurement, *, is_inner: bool) -> Iterator[str]:
    names = _names_inside(level, measurement)
    if not any(token == Token("macro", "$timeFilter") for token in level.where):
        yield "$timeFilter must stand on every level"
    for clause in level.others:
        if clause not in _CLAUSES:
            yield f"{clause} does not run everywhere"
    for column in level.columns:
        yield from _in_column(column, names)
    yield from _in_where(level.where, names)
    for group in level.by:
        yield from _in_group(group, measurement.tags)
    aliases = [influxql.column_name(column) for column in level.columns]
    if len(set(aliases)) < len(aliases):
        yield "two columns have one name"
    if is_inner and any('"' in token.text for column in level.columns for token in column):
        yield "names inside a sub-query need no quotes"


def _names_inside(level: Level, measurement: Measurement) -> frozenset[str]:
    if isinstance(level.source, str):
        return frozenset({each.name for each in measurement.fields} | set(measurement.tags))
    return frozenset({influxql.column_name(column) for column in level.source.columns} | set(measurement.tags))


def _in_column(column: Tokens, names: frozenset[str]) -> Iterator[str]:
    body = _without_alias(column)
    for at, token in enumerate(body):
        is_call = at + 1 < len(body) and body[at + 1].text == "("
        if token.kind in ("quoted", "string", "regex"):
            yield f"{token.text} is no column"
        elif token.kind == "macro":
            yield f"{token.text} may only stand in a condition"
        elif token.kind == "name" and is_call and token.text not in FUNCTIONS:
            yield f"the function {token.text} is not one of ours"
        elif token.kind == "name" and not is_call and token.text not in names:
            yield f"there is no field or tag {token.text}"
    yield from _in_arithmetic(body)


def _in_arithmetic(body: Tokens) -> Iterator[str]:
    """Whole numbers divided inside a sub-query are cut off; a float in front makes all of it a float."""
    outside = [token for at, token in enumerate(body) if not _stands_in_a_call(body, at)]
    scales = any(token.kind == "op" and token.text in "*/%" for token in outside)
    if scales and outside[0].kind != "float":
        yield "what is multiplied or divided begins with a float (100.0 * ...)"
    if any(token.kind == "int" for token in outside):
        yield "a factor is a float"


def _stands_in_a_call(body: Tokens, at: int) -> bool:
    opened: list[bool] = []
    for before, token in zip((None, *body), body[:at], strict=False):
        if token.text == "(":
            opened.append(before is not None and before.kind == "name")
        elif token.text == ")":
            opened.pop()
    return any(opened)


def _without_alias(column: Tokens) -> Tokens:
    return column[:-2] if len(column) > 2 and column[-2].text.upper() == "AS" else column


def _in_where(where: Tokens, names: frozenset[str]) -> Iterator[str]:
    for at, token in enumerate(where):
        if token.kind == "name" and token.text.lower() not in _WORDS and token.text not in names:
            yield "now() makes a query depend on its hour" if token.text == "now" else f"there is no {token.text}"
        elif token.kind == "quoted":
            yield f"{token.text} is a name; a value stands in single quotes"
        elif _misspells_a_variable(token, where[at - 1]):
            yield f"{token.text} must be spelled =~ /^${{x:regex}}$/"


def _misspells_a_variable(token: Token, before: Token) -> bool:
    match token.kind:
        case "macro":
            return token.text != "$timeFilter"
        case "regex":
            return _VARIABLE.fullmatch(token.text) is None or before.text != "=~"
        case _:
            return token.kind == "string" and "$" in token.text


def _in_group(group: Tokens, tags: Sequence[str]) -> Iterator[str]:
    if group[0].text == "time":
        inside = [token.text for token in group[2:-1] if token.text != ","]
        if inside and inside[0] in _DAYS and inside[1:] != [_DAYS[inside[0]]]:
            yield f"a {inside[0]} of Jakarta is time({inside[0]}, {_DAYS[inside[0]]})"
        if not inside or (inside[0] != "$__interval" and inside[0] not in ("1m", "15m", "1h", *_DAYS)):
            yield "time() takes $__interval, 1m, 15m, 1h, 1d or 1w"
    elif len(group) != 1 or group[0].text not in tags:
        yield f"grouping by {group[0].text}, which is no tag, would give one group"
