"""InfluxQL as far as our dashboards use it: taken apart for checking, and with Grafana's macros filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<string>'[^']*') | (?P<quoted>"[^"]*")
    | (?P<macro>\$\{[^}]*\}|\$[A-Za-z_]+) | (?P<duration>-?\d+(?:ns|u|ms|s|m|h|d|w)(?:\d+(?:ns|u|ms|s|m|h|d|w))*\b)
    | (?P<float>\d+\.\d+) | (?P<int>\d+) | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<op>=~|!~|!=|<=|>=|<>|[-+*/%=<>(),.;|])
    )""",
    re.VERBOSE,
)
_REGEX: Final = re.compile(r"\s*(?P<regex>/(?:\\.|[^/\\])*/)")
_CLAUSES: Final = ("SELECT", "FROM", "WHERE", "GROUP", "FILL", "ORDER", "LIMIT", "SLIMIT", "OFFSET", "SOFFSET", "TZ")
_ESCAPED: Final = re.compile(r"([\\^$*+?.()|\[\]{}/])")


class BadQuery(ValueError):
    """The query cannot be read; the message says where."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query and what it is: string, quoted, regex, macro, duration, float, int, name or op."""

    kind: str
    text: str


Tokens = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """One SELECT. `source` is a measurement's name, or the SELECT inside."""

    columns: tuple[Tokens, ...]
    source: str | Level
    where: Tokens
    by: tuple[Tokens, ...]
    others: tuple[str, ...]

    def levels(self) -> Iterator[Level]:
        """This one and those inside it, outermost first."""
        yield self
        if isinstance(self.source, Level):
            yield from self.source.levels()

    @property
    def measurement(self) -> str:
        """What is read in the end."""
        return self.source if isinstance(self.source, str) else self.source.measurement


def tokens(text: str) -> Tokens:
    """*text* in pieces. Raises `BadQuery`."""
    found: list[Token] = []
    at = 0
    while text[at:].strip():
        awaited = _REGEX if found and found[-1].text in ("=~", "!~") else _TOKEN
        match = awaited.match(text, at)
        if match is None or match.lastgroup is None:
            raise BadQuery(f"cannot be read from {text[at : at + 30]!r} on")
        found.append(Token(match.lastgroup, match[match.lastgroup].strip()))
        at = match.end()
    return tuple(found)


def parse(text: str) -> Level:
    """The SELECT in *text*. Raises `BadQuery`."""
    return _level(tokens(text))


def _level(pieces: Tokens) -> Level:
    clauses = dict(_clauses(pieces))
    if "SELECT" not in clauses or "FROM" not in clauses:
        raise BadQuery("is no SELECT ... FROM ...")
    group = clauses.get("GROUP", ())
    if group and group[0].text.upper() != "BY":
        raise BadQuery("has a GROUP without BY")
    return Level(
        columns=tuple(split(clauses["SELECT"])),
        source=_source(clauses["FROM"]),
        where=clauses.get("WHERE", ()),
        by=tuple(split(group[1:])),
        others=tuple(name for name in clauses if name not in ("SELECT", "FROM", "WHERE", "GROUP")),
    )


def _clauses(pieces: Tokens) -> Iterator[tuple[str, Tokens]]:
    starts = [at for at, depth in _depths(pieces) if depth == 0 and _opens_a_clause(pieces[at])]
    if not starts or starts[0] != 0:
        raise BadQuery("does not begin with a clause")
    for start, end in zip(starts, [*starts[1:], len(pieces)], strict=True):
        yield pieces[start].text.upper(), pieces[start + 1 : end]


def _opens_a_clause(token: Token) -> bool:
    return token.kind == "name" and token.text.upper() in _CLAUSES


def _source(pieces: Tokens) -> str | Level:
    if len(pieces) == 1 and pieces[0].kind == "name":
        return pieces[0].text
    if len(pieces) > 2 and pieces[0].text == "(" and pieces[-1].text == ")":
        return _level(pieces[1:-1])
    raise BadQuery("must read from one measurement or one SELECT in parentheses")


def split(pieces: Tokens) -> Iterator[Tokens]:
    """The parts between commas that stand in no parentheses."""
    start = 0
    for at, depth in _depths(pieces):
        if depth == 0 and pieces[at].text == ",":
            yield pieces[start:at]
            start = at + 1
    if pieces[start:]:
        yield pieces[start:]


def _depths(pieces: Tokens) -> Iterator[tuple[int, int]]:
    depth = 0
    for at, token in enumerate(pieces):
        if token.kind == "op" and token.text == ")":
            depth -= 1
        yield at, depth
        if token.kind == "op" and token.text == "(":
            depth += 1
    if depth:
        raise BadQuery("has a parenthesis too many or too few")


def column_name(column: Tokens) -> str:
    """What a column is called in the answer."""
    if len(column) > 2 and column[-2].text.upper() == "AS":
        return column[-1].text.strip('"')
    return column[0].text


Choice = str | Sequence[str]
"""What is chosen in a variable: one value, several, or "$__all"."""


def expand(query: str, begin_ms: int, end_ms: int, *, interval_s: int, chosen: Mapping[str, Choice]) -> str:
    """*query* as the database will see it: Grafana's macros and `${variable:regex}` filled in."""
    for name, choice in chosen.items():
        query = query.replace(f"${{{name}:regex}}", _regex(choice))
    query = query.replace("$timeFilter", f"time >= {begin_ms}ms and time <= {end_ms}ms")
    return query.replace("$__interval_ms", str(interval_s * 1000)).replace("$__interval", f"{interval_s}s")


def _regex(choice: Choice) -> str:
    if isinstance(choice, str):
        return ".*" if choice == "$__all" else _ESCAPED.sub(r"\\\1", choice)
    return "(" + "|".join(_ESCAPED.sub(r"\\\1", each) for each in choice) + ")"
