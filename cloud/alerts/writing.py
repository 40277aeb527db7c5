"""Steps into rows: who gets which number, which events follow the chain, and the changes that people will hear of.

Whoever calls holds the lock of the flags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cloud.alerts import stored
from cloud.alerts.flags import chain
from cloud.alerts.flags.changes import Change
from cloud.alerts.flags.flag import Flag, number
from cloud.alerts.flags.stepping import Step
from cloud.alerts.kinds import Level
from cloud.days import day_of
from cloud.records import Connection, flags


def write(connection: Connection, steps: Sequence[Step], *, now_ms: int) -> list[Change]:
    """Write *steps* and their events; the changes in them, in the same order."""
    named = _named(connection, steps, now_ms=now_ms)
    # What ends goes first: of one subject the next flag may begin in the same moment.
    flags.replace(connection, [stored.flag_row(each.flag) for each in named if each.before is not None])
    flags.add(connection, [stored.flag_row(each.flag) for each in named if each.before is None])
    note(connection, [draft for each in named for draft in _drafts(each, now_ms)])
    return [change for each in named for change in _changes(each, now_ms)]


def note(connection: Connection, drafts: Sequence[chain.Draft]) -> None:
    """Add events to the chain."""
    events = chain.extended(chain.Link(*flags.head(connection)), drafts)
    flags.append(connection, [stored.event_row(event) for event in events])


def _named(connection: Connection, steps: Sequence[Step], *, now_ms: int) -> list[Step]:
    """*steps* with an id for each new flag, and a number for each that opens: in their order, so replays agree."""
    next_id, year = flags.next_id(connection), day_of(now_ms).year
    last = flags.last_number(connection, number(year, 0).removesuffix("00000"))
    count = int(last.rsplit("-", 1)[1]) if last is not None else 0
    named: list[Step] = []
    for each in steps:
        flag = each.flag
        if flag.flag_id == 0:
            flag, next_id = replace(flag, flag_id=next_id), next_id + 1
        if flag.opened_ms is not None and flag.number is None:
            count += 1
            flag = replace(flag, number=number(year, count))
        named.append(replace(each, flag=flag))
    return named


def _drafts(step: Step, now_ms: int) -> list[chain.Draft]:
    detail = {**_detail(step.flag), "speaks": step.speaks}
    said = [chain.Draft(step.flag.flag_id, now_ms, str(what), detail=detail) for what in step.changes]
    noted = [chain.Draft(step.flag.flag_id, now_ms, what, detail=_state(step.flag)) for what in step.notes]
    if said or noted:
        return [*said, *noted]
    return [chain.Draft(step.flag.flag_id, now_ms, "updated" if step.before else "found", detail=_detail(step.flag))]


def _state(flag: Flag) -> dict[str, object]:
    return {"condition": flag.condition, "hushed": dict(flag.hushed), "handling": flag.handling, "owner": flag.owner}


def _detail(flag: Flag) -> dict[str, object]:
    about = {"kind": flag.kind, "subject": flag.subject, "estate": flag.estate, "number": flag.number}
    return {**about, **_state(flag), "severity": flag.severity, "evidence": dict(flag.evidence)}


def _changes(step: Step, now_ms: int) -> list[Change]:
    flag = step.flag
    return [
        Change(
            now_ms,
            flag.kind,
            flag.subject,
            what,
            flag.severity,
            flag.evidence,
            flag=flag.number,
            flag_id=flag.flag_id,
            estate=flag.estate,
            since_ms=flag.since_ms,
            over_ms=flag.over_ms,
            level=flag.level if flag.level is not None else Level.WATCH,
            speaks=step.speaks,
            hushed={str(hush): reason for hush, reason in flag.hushed.items()},
        )
        for what in step.changes
    ]
