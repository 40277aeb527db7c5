"""What one cell of a registry file may hold. Pure; each check says what is wrong, and never repeats what the cell held.

The `card` cell is where a UID stops: it leaves here as a pseudonym.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, TypeVar

from pydantic import PlainValidator, ValidationInfo

from cloud.records import registry
from cloud.records.pseudonyms import Pepper
from contract.cards import UID_LENGTHS, is_random
from contract.topics import BadTopic, DeviceId

T = TypeVar("T")

_FIRST_YEAR: Final = 1990
_LAST_YEAR: Final = 2199
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})")
_ESTATE: Final = re.compile(r"[A-Z][A-Z0-9]{1,7}")
_UNIT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,62}[A-Za-z0-9]")
_NUMBER: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,12})?")


def day(text: str) -> date:
    """A date `YYYY-MM-DD`."""
    if not _DATE.fullmatch(text):
        raise ValueError("is no date: expected YYYY-MM-DD")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError("is a date that no calendar has") from None
    return _in_range(found, found.year)


def instant(text: str) -> int:
    """An instant with its offset (RFC 3339), as milliseconds since 1970 UTC."""
    if not _INSTANT.fullmatch(text):
        raise ValueError("is no instant with offset: expected such as 2026-01-31T08:00:00+07:00")
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("is an instant that no calendar or clock has") from None
    return (_in_range(found, found.year) - _EPOCH) // timedelta(milliseconds=1)


def estate(text: str) -> str:
    """An estate's code, the front of its machines' names."""
    return _matching(_ESTATE, text, "is no estate code: 2 to 8 of A-Z and 0-9, beginning with a letter")


def scope(text: str) -> str:
    """An estate's code, or `*` for all."""
    return text if text == "*" else _matching(_ESTATE, text, "is neither an estate code nor *")


def unit(text: str) -> str:
    """A unit's address, such as `DMG/B/03/12`."""
    return _matching(_UNIT, text, "is no unit: 2 to 64 letters, digits, spaces and . _ / - such as DMG/B/03/12")


def device(text: str) -> str:
    """A machine's name."""
    try:
        return DeviceId(text)
    except BadTopic:
        raise ValueError("is no machine: expected ESTATE-NN, such as DMG-01") from None


def name(text: str) -> str:
    """What people call something."""
    if not text:
        raise ValueError("is empty")
    return prose(text)


def prose(text: str) -> str:
    """One line of text, possibly empty."""
    if len(text) > 200 or not text.isprintable():
        raise ValueError("is longer than 200 characters or holds a control character")
    return text


def yes_or_no(text: str) -> bool:
    """`1` or `0`."""
    return one_of("0", "1")(text) == "1"


def one_of(*words: str) -> Callable[[str], str]:
    """One of a few *words*."""

    def chosen(text: str) -> str:
        if text not in words:
            raise ValueError(f"is none of {', '.join(word or '(empty)' for word in words)}")
        return text

    return chosen


def degrees(most: int) -> Callable[[str], float]:
    """A decimal number between -*most* and *most*."""

    def number(text: str) -> float:
        if not _NUMBER.fullmatch(text) or abs(float(text)) > most:
            raise ValueError(f"is no number between -{most} and {most} with a decimal point")
        return float(text)

    return number


def service_hours(text: str) -> str:
    """When the machine can be reached, such as `Mon-Fri 08:00-16:00; Sat 08:00-12:00`; empty = always."""
    if not registry.are_service_hours(text):
        raise ValueError("are no service hours: expected such as Mon-Fri 08:00-16:00; Sat 08:00-12:00")
    return prose(text)


def pseudonym(text: str, info: ValidationInfo) -> str:
    """The pseudonym of the card with the UID *text*, under the pepper of the validation's context."""
    pepper: Pepper | None = (info.context or {}).get("pepper")
    if pepper is None:
        raise ValueError("cannot be read without the pepper: name its file by --pepper-file or HADIR_PEPPER_FILE")
    return pepper.pseudonym(_uid(text))


def _uid(text: str) -> bytes:
    if not re.fullmatch(r"[0-9A-Fa-f]+", text):
        raise ValueError("is no card number: expected hex digits alone (a spreadsheet may have made a number of it)")
    if len(text) % 2:
        raise ValueError("has an odd number of hex digits (a spreadsheet may have dropped a leading zero)")
    uid = bytes.fromhex(text)
    if len(uid) not in UID_LENGTHS:
        raise ValueError("has a length that no card has: expected 8, 14 or 20 hex digits")
    if is_random(uid):
        raise ValueError("is a number the card makes up anew each time (it begins with 08): it names nobody")
    return uid


def _matching(pattern: re.Pattern[str], text: str, complaint: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(complaint)
    return text


def _in_range(found: T, year: int) -> T:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(f"lies before {_FIRST_YEAR} or after {_LAST_YEAR}")
    return found


def _or_none(read: Callable[[str], T]) -> Callable[[str], T | None]:
    return lambda text: read(text) if text else None


Day = Annotated[date, PlainValidator(day)]
MaybeDay = Annotated[date | None, PlainValidator(_or_none(day))]
Instant = Annotated[int, PlainValidator(instant)]
MaybeInstant = Annotated[int | None, PlainValidator(_or_none(instant))]
Estate = Annotated[str, PlainValidator(estate)]
Scope = Annotated[str, PlainValidator(scope)]
Unit = Annotated[str, PlainValidator(unit)]
MaybeUnit = Annotated[str | None, PlainValidator(_or_none(unit))]
Device = Annotated[str, PlainValidator(device)]
Name = Annotated[str, PlainValidator(name)]
Prose = Annotated[str, PlainValidator(prose)]
YesNo = Annotated[bool, PlainValidator(yes_or_no)]
Latitude = Annotated[float | None, PlainValidator(_or_none(degrees(90)))]
Longitude = Annotated[float | None, PlainValidator(_or_none(degrees(180)))]
ServiceHours = Annotated[str, PlainValidator(service_hours)]
Pseudonym = Annotated[str, PlainValidator(pseudonym)]
