"""The chain of events: each event's hash covers its content and the hash before, so no event can be changed unseen.

Changing, removing or inserting one breaks every hash after it; a tail cut off shows against a head noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

FIRST: Final = ""
"""What stands where the first event has no hash before it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. The first has id 1, and ids have no gaps."""

    event_id: int
    flag_id: int | None
    """None = about no flag: a silence."""
    at_ms: int
    what: str
    by: str
    """A person; empty = the rules."""
    detail: str
    """Canonical JSON."""
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where the chain ends: the last event's id and hash."""

    event_id: int = 0
    hash: str = FIRST


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that is not in the chain yet."""

    flag_id: int | None
    at_ms: int
    what: str
    by: str = ""
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The first event that does not fit, and why."""

    event_id: int
    reason: str


def canonical(value: object) -> str:
    """The one JSON text of *value*."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def extended(head: Link, drafts: Iterable[Draft]) -> list[Event]:
    """*drafts* as events that follow *head*."""
    events: list[Event] = []
    for draft in drafts:
        event_id, detail = head.event_id + 1, canonical(draft.detail or {})
        digest = _digest(head.hash, (event_id, draft.flag_id, draft.at_ms, draft.what, draft.by, detail))
        events.append(Event(event_id, draft.flag_id, draft.at_ms, draft.what, draft.by, detail, head.hash, digest))
        head = Link(event_id, digest)
    return events


def broken(events: Iterable[Event]) -> Broken | None:
    """Where the chain that begins with the first event is broken; None if it holds."""
    head = Link()
    for event in events:
        if event.event_id != head.event_id + 1:
            return Broken(event.event_id, f"the events after {head.event_id} are gone")
        if event.previous != head.hash:
            return Broken(event.event_id, "it does not follow the event before it")
        content = (event.event_id, event.flag_id, event.at_ms, event.what, event.by, event.detail)
        if _digest(head.hash, content) != event.hash:
            return Broken(event.event_id, "its content was changed")
        head = Link(event.event_id, event.hash)
    return None


def _digest(previous: str, content: tuple[int, int | None, int, str, str, str]) -> str:
    return hashlib.sha256(f"{previous}\n{canonical(content)}".encode()).hexdigest()
