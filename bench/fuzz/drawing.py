"""Choices out of bytes, so that a fuzzer steers them: numbers, picks, and valid messages bent in a few places. Pure.

A parser of JSON hides what lies behind it from a fuzzer of bytes; a bent message gets past it every time.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Final, TypeVar

_T = TypeVar("_T")

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Place = tuple[dict[str, Json], str] | tuple[list[Json], int]

STRANGE: Final[tuple[Json, ...]] = (
    None, True, False, 0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**63, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308, float("inf"),
    "", "\0", "\ud800", "é" * 3, "x" * 201, "a" * 5000, "DMG-01", "RWB-02", "trusted", "untrusted", "tap", "k1.", "[]",
    [], {}, [[1, 2]], [[2, 1]], [[1, 2**53 - 1]], [[1, 1], [3, 3], [5, 9]], {"1": "known"}, {"a": {"b": [{}]}},
    "3f0c5a1e-8a55-4b8e-9d5c-0f2f6f3f7a10", "00000000-0000-4000-8000-000000000000",
    "outbox_closed", "records_dropped", 1_800_000_000_000, 9_000_000_000_000, 1_800_000_300_001,
)  # fmt: skip
"""What breaks programs, and what other fields hold."""


class Draw:
    """Takes choices from *data*; zeros when it is used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_empty(self) -> bool:
        """Whether only zeros are left."""
        return self._at >= len(self._data)

    def number(self, below: int) -> int:
        """A number from 0 to *below* - 1."""
        width = 1 if below <= 256 else 2 if below <= 65_536 else 8
        return int.from_bytes(self.take(width), "big") % below

    def take(self, count: int) -> bytes:
        """The next *count* bytes."""
        taken = self._data[self._at : self._at + count].ljust(count, b"\0")
        self._at += count
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        taken, self._at = self._data[self._at :], len(self._data)
        return taken

    def pick(self, choices: Sequence[_T]) -> _T:
        """One of *choices*."""
        return choices[self.number(len(choices))]


def bent(draw: Draw, straight: dict[str, Json], *, most: int = 4) -> dict[str, Json]:
    """*straight* with at most *most* of its places changed."""
    message = copy.deepcopy(straight)
    for _ in range(draw.number(most + 1)):
        places = _places(message)
        if places:
            _bend(draw, places)
    return message


def _bend(draw: Draw, places: list[Place]) -> None:
    place = draw.pick(places)
    match draw.number(5):
        case 0:
            _put(place, copy.deepcopy(draw.pick(STRANGE)))
        case 1:
            _put(place, int.from_bytes(draw.take(draw.number(9)), "big", signed=True))
        case 2:
            _put(place, draw.take(draw.number(40)).decode("latin-1"))
        case 3:
            _put(place, copy.deepcopy(_get(draw.pick(places))))
        case _:
            _drop_or_double(place)


def _places(message: Json) -> list[Place]:
    found: list[Place] = []
    waiting: list[Json] = [message]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found += [(value, name) for name in value]
            waiting += value.values()
        elif isinstance(value, list):
            found += [(value, number) for number in range(len(value))]
            waiting += value
    return found


def _get(place: Place) -> Json:
    holder, key = place
    return holder[key]  # type: ignore[index]  # the two sorts of place keep holder and key together


def _put(place: Place, value: Json) -> None:
    holder, key = place
    holder[key] = value  # type: ignore[index]


def _drop_or_double(place: Place) -> None:
    holder, key = place
    if isinstance(holder, dict):
        holder.pop(str(key))
    else:
        holder.append(copy.deepcopy(_get(place)))
