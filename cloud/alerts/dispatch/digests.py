"""Digests: what happened, told in one piece at 07.30. Daily per estate, weekly, and monthly without any unit.

Also the only place that tells what was over before anybody could be disturbed with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from cloud.alerts.dispatch import audience, facts
from cloud.alerts.dispatch.facts import Place
from cloud.alerts.flags.flag import Condition, Flag
from cloud.alerts.kinds import Severity
from cloud.days import jakarta
from cloud.records.notices import Draft
from cloud.records.people import Person, Role

AT: Final = 7 * jakarta.HOUR + 30 * jakarta.MINUTE
MAIL: Final = "smtp"
MOST_LINES: Final = 500


class Span(StrEnum):
    """What a digest covers."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Window:
    """One digest's time: from just after `begin_ms` until `end_ms`, which is when it is written."""

    span: Span
    begin_ms: int
    end_ms: int

    @property
    def day(self) -> date:
        """The day on which it is written."""
        return jakarta.day_of(self.end_ms)

    def holds(self, at_ms: int | None) -> bool:
        """Whether an instant lies in it."""
        return at_ms is not None and self.begin_ms < at_ms <= self.end_ms


READERS: Final[Mapping[Span, tuple[Role, ...]]] = {
    Span.DAILY: (Role.UPRS, Role.UPRS_HEAD),
    Span.WEEKLY: (Role.UPRS, Role.UPRS_HEAD),
}
CITY_READERS: Final[Mapping[Span, tuple[Role, ...]]] = {
    Span.WEEKLY: (Role.NOC, Role.SUPERVISOR),
    Span.MONTHLY: (Role.DEPARTMENT,),
}
"""Who gets the whole city's: counts, never a unit."""


def due(written_ms: int, now_ms: int) -> list[Window]:
    """The digests whose time has come since the last ones were written; of each kind only the latest."""
    return [window for window in latest(now_ms) if window.end_ms > written_ms]


def latest(now_ms: int) -> list[Window]:
    """Of each kind the last one whose time has come."""
    today = jakarta.day_of(now_ms - AT)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    return [
        _window(Span.DAILY, today - timedelta(days=1), today),
        _window(Span.WEEKLY, monday - timedelta(days=7), monday),
        _window(Span.MONTHLY, before, first),
    ]


def plan(
    windows: Iterable[Window], flags: Sequence[Flag], people: Sequence[Person], places: Mapping[str, Place]
) -> list[Draft]:
    """The digests of *windows* for everybody who reads them. A daily one without news is not sent."""
    told = [flag for flag in flags if flag.opened_ms is not None and not flag.hushed]
    drafts: list[Draft] = []
    for window in windows:
        for place in places.values():
            drafts += _for_estate(window, [flag for flag in told if flag.estate == place.estate], people, place)
        drafts += _for_city(window, told, people, places)
    return drafts


def state(flag: Flag, window: Window) -> str | None:
    """What *flag* is in this digest: `ended`, `new`, `open`, or nothing."""
    if flag.opened_ms is None or flag.opened_ms > window.end_ms:
        return None
    if window.holds(flag.ended_ms):
        return "ended"
    if flag.ended_ms is not None and flag.ended_ms <= window.begin_ms:
        return None
    return "new" if window.holds(flag.opened_ms) else "open"


# ---- one digest ------------------------------------------------------------------------------------------------------


def _for_estate(window: Window, flags: Sequence[Flag], people: Sequence[Person], place: Place) -> list[Draft]:
    roles = READERS.get(window.span, ())
    lines = _lines(window, flags, place)
    if not roles or (window.span is Span.DAILY and not lines):
        return []
    content = {
        "span": window.span.value,
        "estate": place.estate,
        "estate_name": place.name,
        "day": window.day.isoformat(),
        "lines": lines[:MOST_LINES],
        "counts": _counts(window, flags),
    }
    return [_draft(window, person, place.estate, content) for person in _readers(people, roles, place.estate)]


def _for_city(
    window: Window, flags: Sequence[Flag], people: Sequence[Person], places: Mapping[str, Place]
) -> list[Draft]:
    content = {
        "span": window.span.value,
        "day": window.day.isoformat(),
        "estates": len(places),
        "counts": _counts(window, flags),
    }
    readers = _readers(people, CITY_READERS.get(window.span, ()), "")
    return [_draft(window, person, "", content) for person in readers]


def _readers(people: Sequence[Person], roles: Sequence[Role], estate: str) -> list[Person]:
    """Everybody with one of *roles*, once."""
    found = {person.person: person for role in roles for person in audience.holders(people, role, estate)}
    return list(found.values())


def _draft(window: Window, person: Person, estate: str, content: Mapping[str, object]) -> Draft:
    return Draft(
        key=f"digest:{window.span}:{window.day}:{estate}:{person.person}",
        person=person.person,
        flag=None,
        said="digest",
        severity=Severity.P4.value,
        due_ms=window.end_ms,
        facts=content,
        by=MAIL,
    )


def _lines(window: Window, flags: Sequence[Flag], place: Place) -> list[dict[str, object]]:
    """What ended, what is new, what is still open. The daily one leaves P4 to the weekly one."""
    order = {"ended": 0, "new": 1, "open": 2}
    found: list[tuple[int, str, dict[str, object]]] = []
    for flag in flags:
        is_in = state(flag, window)
        if is_in is None or (window.span is Span.DAILY and flag.severity is Severity.P4):
            continue
        found.append((order[is_in], flag.severity.value, {"state": is_in, "facts": _facts(flag, window, place)}))
    return [line for _, _, line in sorted(found, key=lambda each: each[:2])]


def _facts(flag: Flag, window: Window, place: Place) -> dict[str, object]:
    has_ended = window.holds(flag.ended_ms)
    what = flag.condition.value if has_ended and not flag.condition.is_alive else "opened"
    at_ms = flag.over_ms if has_ended and flag.over_ms is not None else window.end_ms
    return facts.of_flag(flag, place, what=what, at_ms=at_ms)


def _counts(window: Window, flags: Sequence[Flag]) -> dict[str, dict[str, int]]:
    """Per kind: how many are new, ended, still open, and were taken back."""
    counts: dict[str, Counter[str]] = {}
    for flag in flags:
        is_in = state(flag, window)
        if is_in is None:
            continue
        of_kind = counts.setdefault(flag.kind.value, Counter())
        of_kind[is_in] += 1
        of_kind["retracted"] += is_in == "ended" and flag.condition is Condition.RETRACTED
    return {kind: dict(sorted(of_kind.items())) for kind, of_kind in sorted(counts.items())}


def _window(span: Span, begin: date, end: date) -> Window:
    return Window(span, jakarta.starts(begin) + AT, jakarta.starts(end) + AT)
