"""From what changed to what is said to whom and when; and what is not said any more.

Who was told that something began is told that it ended; who was not, hears of neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cloud.alerts.dispatch import audience, facts
from cloud.alerts.dispatch.audience import Rung
from cloud.alerts.dispatch.facts import Place
from cloud.alerts.dispatch.hours import Hours
from cloud.alerts.flags.changes import Change, What
from cloud.alerts.kinds import Severity
from cloud.days import jakarta
from cloud.records.notices import Draft, Notice, State
from cloud.records.people import Person

ESCALATED: Final = "escalated"
HANDLED: Final = "handled"
STRUCK: Final = "struck"
AMENDMENTS: Final = frozenset({HANDLED, STRUCK})
"""These rewrite a message that is there, silently, where the channel can do that; elsewhere nothing is said."""

ENDS: Final = frozenset(what.value for what in What if what.is_end)

ENDED_UNTOLD: Final = "it ended before it was told: only the digest says it"
OVERTAKEN: Final = "said anew, as something more urgent"


@dataclass(frozen=True, slots=True)
class Around:
    """What a plan rests on beside the changes."""

    people: Sequence[Person]
    hours: Hours
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written."""

    drafts: tuple[Draft, ...] = ()
    withdrawn: Mapping[int, str] = field(default_factory=dict)
    """Notices that will not be said, each with the reason."""


def plan(changes: Iterable[Change], said: Iterable[Notice], around: Around, *, now_ms: int) -> Plan:
    """What *changes* make us say, after what was *said* of their flags."""
    of_flag: defaultdict[str, list[Notice]] = defaultdict(list)
    for notice in said:
        of_flag[notice.flag or ""].append(notice)
    drafts: list[Draft] = []
    withdrawn: dict[int, str] = {}
    for change in changes:
        if change.flag is None:
            continue
        if change.what.is_end:  # what this very plan was about to begin is over as well
            drafts = [draft for draft in drafts if draft.flag != change.flag]
        step = _step(change, of_flag[change.flag], around, now_ms=now_ms)
        drafts += step.drafts
        withdrawn |= step.withdrawn
    drafts.sort(key=lambda draft: draft.said not in ENDS)  # what is over is heard before what is left of it
    return Plan(tuple({draft.key: draft for draft in drafts}.values()), withdrawn)


def postponed(said: Iterable[Notice]) -> list[int]:
    """What waits while somebody has a flag in hand: the further rungs, nothing else."""
    return [notice.id for notice in said if notice.state is State.WAITING and notice.said == ESCALATED]


def handled(said: Sequence[Notice], *, by: str, until_ms: int, now_ms: int) -> list[Draft]:
    """Notes, on the messages that are there, that *by* has the flag in hand until *until_ms*."""
    return [
        Draft(
            key=f"{notice.flag}:{HANDLED}:{now_ms}:{notice.person}",
            person=notice.person,
            flag=notice.flag,
            said=HANDLED,
            severity=notice.severity,
            due_ms=now_ms,
            facts={**notice.facts, "what": HANDLED, "by": by, "until_ms": until_ms},
        )
        for notice in _first_told(said)
    ]


# ---- one change ------------------------------------------------------------------------------------------------------


def _step(change: Change, said: Sequence[Notice], around: Around, *, now_ms: int) -> Plan:
    if change.what.is_end:
        return _end(change, said, around, now_ms=now_ms)
    if not change.speaks or change.severity is Severity.P4 or change.what in (What.WATCH, What.HELD):
        return Plan()
    if change.what is What.WORSENED:
        return _worsened(change, said, around, now_ms=now_ms)
    return Plan(tuple(_climb(change, around, now_ms=now_ms)))


def _climb(change: Change, around: Around, *, now_ms: int) -> list[Draft]:
    """One draft for everybody on the ladder, for each at their first rung."""
    place = around.places.get(change.estate)
    first: dict[str, Draft] = {}
    for rung in audience.ladder(change.kind, is_case=change.what is What.CASE):
        for person in audience.holders(around.people, rung.role, change.estate):
            first.setdefault(person.person, _draft(change, person, rung, around=around, place=place, now_ms=now_ms))
    return list(first.values())


def _draft(change: Change, person: Person, rung: Rung, *, around: Around, place: Place | None, now_ms: int) -> Draft:
    policy = around.hours.policies.at(jakarta.day_of(now_ms), change.estate)
    wait = rung.wait_ms(policy.escalate)
    at_ms = now_ms if wait is None else max(now_ms, change.since_ms + wait)
    what = ESCALATED if at_ms > now_ms else change.what.value
    return Draft(
        key=f"{change.flag}:{change.what}:{change.at_ms}:{person.person}",
        person=person.person,
        flag=change.flag,
        said=what,
        severity=change.severity.value,
        due_ms=around.hours.may_speak(change.severity, at_ms, estate=change.estate),
        facts=facts.of_change(change, place, what=what),
    )


def _worsened(change: Change, said: Sequence[Notice], around: Around, *, now_ms: int) -> Plan:
    """Said again to all who are on the ladder; what still waited would now come too late or too mildly."""
    stale = {notice.id: OVERTAKEN for notice in said if _is_untold(notice)}
    told = {notice.person for notice in said if notice.is_maybe_told}
    drafts = [
        draft if draft.person in told or draft.said == ESCALATED else _as_opening(draft)
        for draft in _climb(change, around, now_ms=now_ms)
    ]
    return Plan(tuple(drafts), stale)


def _as_opening(draft: Draft) -> Draft:
    return replace(draft, said=What.OPENED.value, facts={**draft.facts, "what": What.OPENED.value})


def _end(change: Change, said: Sequence[Notice], around: Around, *, now_ms: int) -> Plan:
    stale = {notice.id: ENDED_UNTOLD for notice in said if _is_untold(notice)}
    place = around.places.get(change.estate)
    drafts: list[Draft] = []
    for notice in _first_told(said):
        severity = Severity(notice.severity)
        drafts.append(
            Draft(
                key=f"{change.flag}:{change.what}:{notice.person}",
                person=notice.person,
                flag=change.flag,
                said=change.what.value,
                severity=severity.value,
                due_ms=around.hours.may_speak(severity, now_ms, estate=change.estate),
                facts=facts.of_change(change, place, what=change.what.value),
            )
        )
        if change.what is What.RETRACTED:
            drafts.append(_struck(change, notice, now_ms=now_ms))
    return Plan(tuple(drafts), stale)


def _struck(change: Change, notice: Notice, *, now_ms: int) -> Draft:
    """What was wrong must not go on standing in a chat."""
    return Draft(
        key=f"{change.flag}:{STRUCK}:{notice.person}",
        person=notice.person,
        flag=change.flag,
        said=STRUCK,
        severity=notice.severity,
        due_ms=now_ms,
        facts={**notice.facts, "what": STRUCK, "at_ms": change.at_ms},
    )


def _is_untold(notice: Notice) -> bool:
    """Whether it still waits and cannot have arrived. An end is not taken back."""
    return notice.state is State.WAITING and not notice.is_repeat and notice.said not in ENDS


def _first_told(said: Iterable[Notice]) -> list[Notice]:
    """For each person the first thing they were told, or may have been."""
    first: dict[str, Notice] = {}
    for notice in said:
        if notice.is_maybe_told and notice.said not in AMENDMENTS:
            first.setdefault(notice.person, notice)
    return list(first.values())
