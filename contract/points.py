"""What a point of a series is, and its line. A point that InfluxDB would refuse, alter or drop cannot be made.

Which measurements there are stands in `series`. Point times are nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as _field
from datetime import timedelta
from enum import StrEnum
from typing import Final

Value = int | float | str
MAX_TIME_NS: Final = 9_000_000_000_000 * 10**6
"""The year 2255; `messages.MAX_MS` in nanoseconds."""
_INT64: Final = 2**63

_SLUG: Final = r"[A-Za-z][A-Za-z0-9_-]{0,39}"
_TAGS: Final[Mapping[str, re.Pattern[str]]] = {
    "device": re.compile(r"[A-Z][A-Z0-9]{1,7}-[0-9]{2,4}"),
    "estate": re.compile(r"[A-Z][A-Z0-9]{1,7}"),
    "hour": re.compile(r"[01][0-9]|2[0-3]"),
    "instance": re.compile(_SLUG),
    "kind": re.compile(_SLUG),
    "stage": re.compile(_SLUG),
}
"""The only tags there are, and what each may hold: no value ever needs escaping."""
_TEXT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:%+()_-]{0,119}")
_LIKE_A_CARD: Final = re.compile(r"(?<![A-Za-z0-9])[0-9A-Fa-f]{8,}(?![A-Za-z0-9])")
_FIELD: Final = re.compile(
    r'(?P<name>[a-z0-9_]+)=(?:"(?P<text>[^"]*)"|(?P<int>-?[0-9]+)i|(?P<float>[-+.0-9e]+))(?:,|$)'
)


class BadPoint(ValueError):
    """A value that must not be written; the message names measurement and field, never the value."""


class Bucket(StrEnum):
    """Where points are kept. One read token per bucket: the bucket is the boundary of who may see what."""

    TAPS = "taps"
    OPS = "ops"
    AGGREGATE = "aggregate"

    @property
    def keeps(self) -> timedelta:
        """How long a point stays."""
        return _KEEPS[self]


_KEEPS: Final = {
    Bucket.TAPS: timedelta(days=90),
    Bucket.OPS: timedelta(days=400),
    Bucket.AGGREGATE: timedelta(days=1827),
}


class Type(StrEnum):
    """What a field holds, for ever."""

    INT = "int"
    FLOAT = "float"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `optional` = may be absent while it is not known; every other field is in every point."""

    name: str
    type: Type
    meaning: str
    optional: bool = False

    def accept(self, value: object, measurement: str) -> Value:
        """*value* as it will be written. Raises `BadPoint`."""
        accepted = _READERS[self.type](value)
        if accepted is None:
            raise BadPoint(f"{measurement}.{self.name} cannot take this value: it must be {_ALLOWED[self.type]}")
        return accepted


def _as_int(value: object) -> int | None:
    return value if isinstance(value, int) and type(value) is not bool and -_INT64 <= value < _INT64 else None


def _as_float(value: object) -> float | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    whole = _as_int(value)
    return None if whole is None else float(whole)


def _as_text(value: object) -> str | None:
    return value if isinstance(value, str) and _TEXT.fullmatch(value) and not _LIKE_A_CARD.search(value) else None


_READERS: Final[Mapping[Type, Callable[[object], Value | None]]] = {
    Type.INT: _as_int,
    Type.FLOAT: _as_float,
    Type.TEXT: _as_text,
}
_ALLOWED: Final = {
    Type.INT: "a whole number of 64 bits",
    Type.FLOAT: "a finite number",
    Type.TEXT: "1-120 plain letters, digits and spaces, nothing that looks like a card",
}


@dataclass(frozen=True, slots=True)
class Point:
    """One valid point; made by `Measurement.point` alone."""

    measurement: str
    bucket: Bucket
    time_ns: int
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, Value], ...]

    def line(self) -> str:
        """Line protocol, without the newline."""
        head = ",".join((self.measurement, *(f"{name}={value}" for name, value in self.tags)))
        return f"{head} {','.join(f'{name}={_encoded(value)}' for name, value in self.fields)} {self.time_ns}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A kind of point: its bucket, its tags (all of them, always) and its fields."""

    name: str
    bucket: Bucket
    tags: tuple[str, ...]
    fields: tuple[Field, ...]
    meaning: str
    _by_name: Mapping[str, Field] = _field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [*self.tags, *(each.name for each in self.fields)]
        if len(set(names)) < len(names) or "time" in names or not self.fields:
            raise ValueError(f"{self.name}: tags and fields need names of their own, and none may be called time")
        if not set(self.tags) <= _TAGS.keys() or list(self.tags) != sorted(self.tags):
            raise ValueError(f"{self.name}: tags must be known ones, in alphabetical order")
        object.__setattr__(self, "_by_name", {each.name: each for each in self.fields})

    def field(self, name: str) -> Field:
        """The field called *name*. Raises `KeyError`."""
        return self._by_name[name]

    def point(self, time_ns: int, tags: Mapping[str, str], fields: Mapping[str, Value | None]) -> Point:
        """A point of this measurement. None is allowed for optional fields and is left out. Raises `BadPoint`."""
        if type(time_ns) is not int or not 0 <= time_ns <= MAX_TIME_NS:
            raise BadPoint(f"{self.name}: the time must be nanoseconds between 1970 and 2255")
        return Point(self.name, self.bucket, time_ns, self._tags(tags), self._fields(fields))

    def _tags(self, tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        if tags.keys() != set(self.tags):
            raise BadPoint(f"{self.name} takes exactly the tags {', '.join(self.tags)}")
        for name in self.tags:
            value = tags[name]
            if not isinstance(value, str) or not _TAGS[name].fullmatch(value) or _hides_a_card(name, value):
                raise BadPoint(f"{self.name}: the tag {name} cannot take this value")
        return tuple((name, str(tags[name])) for name in self.tags)

    def _fields(self, fields: Mapping[str, Value | None]) -> tuple[tuple[str, Value], ...]:
        unknown = fields.keys() - self._by_name.keys()
        if unknown:
            raise BadPoint(f"{self.name} has no field {', '.join(sorted(unknown))}")
        given = {name: value for name, value in fields.items() if value is not None}
        missing = [each.name for each in self.fields if not each.optional and each.name not in given]
        if missing:
            raise BadPoint(f"{self.name} lacks {', '.join(missing)}: a point carries every field, zeros too")
        kept = tuple(
            (each.name, each.accept(given[each.name], self.name)) for each in self.fields if each.name in given
        )
        if not kept:
            raise BadPoint(f"{self.name}: a point needs a field")
        return kept


def read_fields(text: str) -> dict[str, Value]:
    """The fields of a line. Raises `BadPoint`."""
    found: dict[str, Value] = {}
    at = 0
    while at < len(text):
        match = _FIELD.match(text, at)
        if match is None:
            raise BadPoint("the line is no point of this system")
        found[match["name"]] = _decoded(match)
        at = match.end()
    return found


def _decoded(match: re.Match[str]) -> Value:
    if match["text"] is not None:
        return match["text"]
    try:
        return int(match["int"]) if match["int"] is not None else float(match["float"])
    except ValueError:
        raise BadPoint("the line holds a number that cannot be read") from None


def _encoded(value: Value) -> str:
    if isinstance(value, str):
        return f'"{value}"'  # `Field.accept` lets no quote and no backslash through
    return f"{value}i" if isinstance(value, int) else repr(value)


def _hides_a_card(tag: str, value: str) -> bool:
    return tag in ("kind", "stage") and _LIKE_A_CARD.search(value) is not None
