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
from cloud.alerts.flags.flag import Flag
from cloud.alerts.kinds import NATURE, About

INSTANTS: Final = frozenset({"last_heard_ms", "until_ms", "expires_ms", "heard_ms", "silent_since_ms"})
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
    at_ms = change.at_ms if change.over_ms is None else change.over_ms
    return _facts(change, place) | {"what": what, "flag": change.flag, "at_ms": at_ms}


def of_flag(flag: Flag, place: Place | None, *, what: str, at_ms: int) -> dict[str, object]:
    """What a digest remembers of *flag*."""
    return _facts(flag, place) | {"what": what, "flag": flag.number, "at_ms": at_ms}


def _facts(about: Change | Flag, place: Place | None) -> dict[str, object]:
    facts: dict[str, object] = {
        "kind": about.kind.value,
        "severity": about.severity.value,
        "estate": about.estate,
        "estate_name": place.name if place else about.estate,
        "machines": place.machines if place else 0,
        "since_ms": about.since_ms,
        "evidence": sayable(about.evidence),
    }
    subject = {About.DEVICE: "device", About.UNIT: "unit"}.get(NATURE[about.kind].about)
    return facts if subject is None else {**facts, subject: about.subject}


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
    if isinstance(value, Mapping) and key in MACHINES:
        return sorted(each for each in value if _SLUG.fullmatch(str(each)))
    if isinstance(value, Mapping):
        counts = {name: each for name, each in value.items() if _is_count(each) and _WORD.fullmatch(str(name))}
        return counts if len(counts) == len(value) else None
    if isinstance(value, list | tuple) and key in MACHINES:
        return [each for each in value if isinstance(each, str) and _SLUG.fullmatch(each)]
    return None


def _is_count(value: object) -> bool:
    """A whole number that cannot be an instant."""
    return type(value) is int and value < _AN_INSTANT
