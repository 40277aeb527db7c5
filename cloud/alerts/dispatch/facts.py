"""What a notice remembers of a change: plain JSON, of which only what may be said in a chat is free of households.

A unit's code is kept apart under `unit`; a card's pseudonym is not kept at all. Of the evidence only counts, machines,
and words from a fixed list go along: never an instant of a tap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cloud.alerts.flags.changes import Change
from cloud.alerts.kinds import NATURE, About

INSTANTS: Final = frozenset({"last_heard_ms", "until_ms", "expires_ms", "complete_until_ms", "down_since_ms"})
"""Instants of machines and certificates: these may be said. All others may not."""
MACHINES: Final = frozenset({"device", "devices", "machines", "estates", "channels"})
WORDS: Final = frozenset({"cause", "reader", "clock", "state", "channel", "reason"})
_AN_INSTANT: Final = 10**9
"""Nothing that is counted becomes so large; instants are, in seconds and in ms."""
_WORD: Final = re.compile(r"[a-z][a-z_]{0,23}")
_SLUG: Final = re.compile(r"[A-Za-z0-9-]{1,16}")


@dataclass(frozen=True, slots=True)
class Place:
    """An estate as texts name it."""

    estate: str
    name: str
    machines: int
    """How many stand there now."""


def of_change(change: Change, place: Place | None, *, what: str) -> dict[str, object]:
    """What the notices of *change* remember."""
    about = NATURE[change.kind].about
    facts: dict[str, object] = {
        "kind": change.kind.value,
        "what": what,
        "flag": change.flag,
        "severity": change.severity.value,
        "estate": change.estate,
        "estate_name": place.name if place else change.estate,
        "machines": place.machines if place else 0,
        "since_ms": change.since_ms,
        "at_ms": change.at_ms,
        "evidence": sayable(change.evidence),
    }
    if about is About.DEVICE:
        facts["device"] = change.subject
    if about is About.UNIT:
        facts["unit"] = change.subject
    return facts


def sayable(evidence: Mapping[str, object]) -> dict[str, object]:
    """Of *evidence* what may be said aloud."""
    kept = {key: _kept(key, value) for key, value in evidence.items()}
    return {key: value for key, value in kept.items() if value is not None}


def _kept(key: str, value: object) -> object:
    """*value* if it may be said under this *key*, else None."""
    if isinstance(value, bool | int | float):
        return value if value < _AN_INSTANT or key in INSTANTS else None
    if isinstance(value, str):
        fits = (key in WORDS and _WORD.fullmatch(value)) or (key in MACHINES and _SLUG.fullmatch(value))
        return value if fits else None
    if isinstance(value, Mapping):
        counts = {name: each for name, each in value.items() if type(each) is int and _WORD.fullmatch(str(name))}
        return counts if len(counts) == len(value) else None
    if isinstance(value, list | tuple) and key in MACHINES:
        return [each for each in value if isinstance(each, str) and _SLUG.fullmatch(each)]
    return None
