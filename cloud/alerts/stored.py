"""Flags, events and silences between their values here and their rows in the records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from cloud.alerts.flags import chain
from cloud.alerts.flags.flag import Condition, Flag, Gate, Handling, Hush
from cloud.alerts.flags.hushes import Silence
from cloud.alerts.kinds import Kind, Level, Severity
from cloud.records.flags import EventRow, FlagRow
from cloud.records.silences import SilenceRow

_NO_LEVEL: Final = -1


def flag(row: FlagRow) -> Flag:
    """The flag of a row."""
    return Flag(
        Kind(row.kind),
        row.subject,
        row.estate,
        row.run,
        row.since_ms,
        row.seen_ms,
        Severity(row.severity),
        condition=Condition(row.condition),
        level=Level(row.level) if row.level != _NO_LEVEL else None,
        evidence=json.loads(row.evidence),
        gate=Gate(row.gate),
        hushed={Hush(hush): reason for hush, reason in json.loads(row.hushed).items()},
        told=row.told,
        handling=Handling(row.handling),
        owner=row.owner,
        acknowledged_until_ms=row.acknowledged_until_ms,
        outcome=row.outcome,
        decided_ms=row.decided_ms,
        opened_ms=row.opened_ms,
        recovering_ms=row.recovering_ms,
        ended_ms=row.ended_ms,
        number=row.number,
        flag_id=row.id,
    )


def flag_row(flag: Flag) -> FlagRow:
    """The row of a flag that has its id."""
    return FlagRow(
        id=flag.flag_id,
        number=flag.number,
        kind=flag.kind,
        subject=flag.subject,
        estate=flag.estate,
        run=flag.run,
        condition=flag.condition,
        level=flag.level if flag.level is not None else _NO_LEVEL,
        severity=flag.severity,
        gate=flag.gate,
        hushed=chain.canonical(dict(flag.hushed)),
        told=flag.told,
        handling=flag.handling,
        owner=flag.owner,
        acknowledged_until_ms=flag.acknowledged_until_ms,
        outcome=flag.outcome,
        decided_ms=flag.decided_ms,
        since_ms=flag.since_ms,
        seen_ms=flag.seen_ms,
        opened_ms=flag.opened_ms,
        recovering_ms=flag.recovering_ms,
        ended_ms=flag.ended_ms,
        rule=version(flag.evidence, "rule"),
        policy=version(flag.evidence, "policy"),
        evidence=json.dumps(dict(flag.evidence), ensure_ascii=False, allow_nan=False),
    )


def version(evidence: Mapping[str, object], name: str) -> str:
    """The version of rule or policy that *evidence* names."""
    return str(evidence.get(name, ""))[:40]


def event_row(event: chain.Event) -> EventRow:
    """The row of an event."""
    return EventRow(
        id=event.event_id,
        flag=event.flag_id,
        at_ms=event.at_ms,
        what=event.what,
        by=event.by,
        detail=event.detail,
        previous=event.previous,
        hash=event.hash,
    )


def event(row: EventRow) -> chain.Event:
    """The event of a row."""
    return chain.Event(row.id, row.flag, row.at_ms, row.what, row.by, row.detail, row.previous, row.hash)


def silence(row: SilenceRow) -> Silence:
    """The silence of a row."""
    return Silence(**asdict(row))
