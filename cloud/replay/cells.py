"""What a single value of a replay directory may be, in a cell of a CSV file or under a key of a JSON line. Pure.

Instants become ms since 1970 UTC. Finer than that is cut off; where it is asked whether something had happened by an
instant (`arrived`, `known_from`), it counts as the next ms: nothing is seen before its time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, TypeVar

from pydantic import Field, PlainValidator

from cloud.days import BadServiceHours, ServiceHours
from contract.messages import MAX_SEQ

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_LAST_YEAR: Final = 2199
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_ESTATE: Final = re.compile(r"[A-Z][A-Z0-9]{1,7}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,15})?")
MOST: Final = 200
"""Characters of a text."""


def day(text: object) -> date:
    """A date `YYYY-MM-DD`."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise ValueError("is no date: expected YYYY-MM-DD")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError("is a date that no calendar has") from None
    return _within(found, found.year)


def instant(text: object) -> int:
    """An instant with its offset (RFC 3339)."""
    return (_moment(text) - _EPOCH) // _MS


def seen(text: object) -> int:
    """An instant from which on something is seen."""
    return -((_EPOCH - _moment(text)) // _MS)


def _moment(text: object) -> datetime:
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise ValueError("is no instant with its offset: expected such as 2026-01-31T08:00:00+07:00")
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("is an instant that no calendar or clock has") from None
    if found < _EPOCH:
        raise ValueError("lies before 1970")
    return _within(found, found.year)


def _within(found: T, year: int) -> T:
    if not 1970 <= year <= _LAST_YEAR:
        raise ValueError(f"lies before 1970 or after {_LAST_YEAR}")
    return found


def estate(text: object) -> str:
    """An estate's code."""
    if not isinstance(text, str) or not _ESTATE.fullmatch(text):
        raise ValueError("is no estate code: 2 to 8 of A-Z and 0-9, beginning with a letter")
    return text


def scope(text: object) -> str:
    """An estate's code, or `*` for all."""
    return text if text == "*" else estate(text)


def prose(text: object) -> str:
    """One line of text, possibly empty."""
    if not isinstance(text, str) or len(text) > MOST or not text.isprintable():
        raise ValueError(f"is longer than {MOST} characters or holds a control character")
    return text


def name(text: object) -> str:
    """A text that names something."""
    if prose(text) == "":
        raise ValueError("is empty")
    return str(text)


def unit(text: object) -> str:
    """A unit's address, such as `DMG/B/03/12`."""
    if len(name(text)) > 64:
        raise ValueError("is longer than 64 characters")
    return str(text)


def yes_or_no(text: object) -> bool:
    """`1` or `0`."""
    if text not in ("0", "1"):
        raise ValueError("is neither 0 nor 1")
    return text == "1"


def one_of(*words: str) -> Callable[[object], str]:
    """One of a few *words*."""

    def chosen(text: object) -> str:
        if text not in words:
            raise ValueError(f"is none of {', '.join(word or '(empty)' for word in words)}")
        return str(text)

    return chosen


def degrees(most: int) -> Callable[[object], float]:
    """A decimal number between -*most* and *most*."""

    def number(text: object) -> float:
        if not isinstance(text, str) or not _NUMBER.fullmatch(text) or abs(float(text)) > most:
            raise ValueError(f"is no number between -{most} and {most} with a decimal point")
        return float(text)

    return number


def service_hours(text: object) -> str:
    """When the machine can be reached; empty = always."""
    try:
        ServiceHours.parse(prose(text))
    except BadServiceHours as error:
        raise ValueError(str(error)) from None
    return str(text)


def _or_none(read: Callable[[object], T]) -> Callable[[object], T | None]:
    return lambda text: None if text == "" else read(text)


def _unless_null(read: Callable[[object], T]) -> Callable[[object], T | None]:
    return lambda value: None if value is None else read(value)


def _known(text: object) -> int:
    """From when the cloud knew it; empty = from the start."""
    return 0 if text == "" else seen(text)


# ---- cells of CSV files: always texts --------------------------------------------------------------------------------

Day = Annotated[date, PlainValidator(day)]
MaybeDay = Annotated[date | None, PlainValidator(_or_none(day))]
Instant = Annotated[int, PlainValidator(instant)]
MaybeInstant = Annotated[int | None, PlainValidator(_or_none(instant))]
Known = Annotated[int, PlainValidator(_known)]
Estate = Annotated[str, PlainValidator(estate)]
Scope = Annotated[str, PlainValidator(scope)]
Unit = Annotated[str, PlainValidator(unit)]
MaybeUnit = Annotated[str | None, PlainValidator(_or_none(unit))]
Name = Annotated[str, PlainValidator(name)]
Prose = Annotated[str, PlainValidator(prose)]
YesNo = Annotated[bool, PlainValidator(yes_or_no)]
Latitude = Annotated[float | None, PlainValidator(_or_none(degrees(90)))]
Longitude = Annotated[float | None, PlainValidator(_or_none(degrees(180)))]
ServiceHoursText = Annotated[str, PlainValidator(service_hours)]

# ---- values of JSON lines --------------------------------------------------------------------------------------------

Arrived = Annotated[int, PlainValidator(seen)]
InstantOrNull = Annotated[int | None, PlainValidator(_unless_null(instant))]
Number = Annotated[int, Field(strict=True, ge=0, le=MAX_SEQ)]
Seq = Annotated[int, Field(strict=True, ge=1, le=MAX_SEQ)]
