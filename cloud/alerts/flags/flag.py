"""A flag: one condition of one subject, on its three axes. A value; `stepping` and `handling` say what moves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cloud.alerts.findings import Evidence, Stands
from cloud.alerts.kinds import Kind, Level, Severity


class Condition(StrEnum):
    """Whether what it says holds."""

    PENDING = "pending"
    """Watched, held by the mass gate, or inhibited: nothing was said."""
    OPEN = "open"
    RECOVERING = "recovering"
    """No longer found, but not for long enough to believe it."""
    CLOSED = "closed"
    RETRACTED = "retracted"
    SUPERSEDED = "superseded"

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self in (Condition.PENDING, Condition.OPEN, Condition.RECOVERING)


class Handling(StrEnum):
    """What people do about it."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    DECIDED = "decided"


class Gate(StrEnum):
    """What the mass gate did with it, and the human it waits for."""

    NONE = ""
    HELD = "held"
    RELEASED = "released"
    DISMISSED = "dismissed"


class Hush(StrEnum):
    """Why nobody is told."""

    INHIBITED = "inhibited"
    """Something above it is wrong and explains it."""
    SILENCE = "silence"
    QUIET_HOURS = "quiet_hours"
    MASS_GATE = "mass_gate"
    SHADOW = "shadow"
    """Its rule, or its estate's first periods, decide and record and tell nobody. What opened so stays so."""
    VERIFIED = "verified"
    """Somebody looked, and found the unit inhabited."""


Hushed = Mapping[Hush, str]
"""By what it is hushed, each with its reason."""

NOTHING: Final[Hushed] = MappingProxyType({})


class Outcome(StrEnum):
    """What was decided. None of them does anything to anybody: letters and sanctions are written by people."""

    INHABITED = "inhabited"
    """Somebody looked: the family lives there. The unit is left alone for a while."""
    EXPLAINED = "explained"
    """Away for a reason: work, hospital, pilgrimage."""
    VACANT = "vacant"
    HANDED_ON = "handed_on"
    REPAIRED = "repaired"
    MISTAKEN = "mistaken"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag as it stands."""

    kind: Kind
    subject: str
    estate: str
    run: str
    since_ms: int
    seen_ms: int
    """When it was first found."""
    severity: Severity
    condition: Condition = Condition.PENDING
    level: Level | None = None
    """The last threshold it has passed."""
    evidence: Evidence = field(default_factory=dict)
    """As of its last change, with `rule` and `policy`: the versions it was judged by."""
    gate: Gate = Gate.NONE
    hushed: Hushed = field(default_factory=lambda: NOTHING)
    told: str = ""
    """What people were last told of it (`saying`); once told that it began, they are told that it ended."""
    handling: Handling = Handling.NEW
    owner: str = ""
    acknowledged_until_ms: int | None = None
    outcome: str = ""
    decided_ms: int | None = None
    opened_ms: int | None = None
    recovering_ms: int | None = None
    ended_ms: int | None = None
    number: str | None = None
    flag_id: int = 0
    """Its row; 0 = it has none yet."""

    @property
    def is_open(self) -> bool:
        """Whether it was opened and has not ended."""
        return self.condition in (Condition.OPEN, Condition.RECOVERING)

    @property
    def over_ms(self) -> int | None:
        """Since when it is over, if it has ended: its time of settling counts, if it recovered."""
        is_settled = self.condition is Condition.CLOSED and self.recovering_ms is not None
        return self.recovering_ms if is_settled else self.ended_ms

    @property
    def is_told(self) -> bool:
        """Whether people know of it."""
        return self.told != ""

    @property
    def saying(self) -> str:
        """How bad it is, so that worse sorts higher."""
        return f"{self.level or 0:d}{9 - int(self.severity[1])}"

    @property
    def owes(self) -> bool:
        """Whether it is open and people were told less than it says."""
        if not self.is_open:
            return False
        return any(now > then for now, then in zip(self.saying, self.told or "  ", strict=True))

    @property
    def key(self) -> tuple[Kind, str]:
        """What there is at most one living flag of."""
        return self.kind, self.subject

    def has_passed(self, level: Level) -> bool:
        """Whether threshold *level* lies behind it."""
        return self.level is not None and self.level >= level

    def stands(self) -> Stands:
        """What a rule may know of it. One that a human dismissed is dealt with, as if it were open."""
        return Stands(
            self.kind,
            self.subject,
            self.estate,
            level=self.level if self.level is not None else Level.WATCH,
            run=self.run,
            since_ms=self.since_ms,
            is_held=self.gate is Gate.HELD and not self.is_open,
            is_open=self.is_open or self.gate is Gate.DISMISSED,
            opened_ms=self.opened_ms,
            evidence=self.evidence,
        )


def number(year: int, count: int) -> str:
    """The name of the *count*-th flag opened in *year*, such as FLG-26-00417."""
    return f"FLG-{year % 100:02}-{count:05}"
