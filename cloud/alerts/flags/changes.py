"""What happened to a flag in one evaluation: what a replay prints, and what the dispatch turns into messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cloud.alerts.findings import Evidence
from cloud.alerts.kinds import Kind, Level, Severity


class What(StrEnum):
    """The change. The first eight are a replay's output; the last two only make an open flag speak."""

    WATCH = "watch"
    OPENED = "opened"
    REMINDED = "reminded"
    CASE = "case"
    CLOSED = "closed"
    RETRACTED = "retracted"
    SUPERSEDED = "superseded"
    HELD = "held"
    SPOKEN = "spoken"
    """It had opened hushed; what hushed it is gone, and it is told now."""
    WORSENED = "worsened"
    """Its severity rose: it speaks again, acknowledged or not."""

    @property
    def is_end(self) -> bool:
        """Whether the flag is over."""
        return self in _ENDS

    @property
    def is_output(self) -> bool:
        """Whether a replay prints it."""
        return self not in (What.SPOKEN, What.WORSENED)


_ENDS: Final = (What.CLOSED, What.RETRACTED, What.SUPERSEDED)
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one flag."""

    at_ms: int
    kind: Kind
    subject: str
    what: What
    severity: Severity
    evidence: Evidence
    """With `rule` and `policy`: the versions it was judged by."""
    flag: str | None = None
    """The flag's number; none for what never opened (`watch`, `held` and the end of what was held)."""
    flag_id: int = 0
    """The flag's row, for what refers to it."""
    estate: str = ""
    since_ms: int = 0
    """When the condition began, as far as it is known."""
    over_ms: int | None = None
    """Since when it is over, which people are told later: a recovery must last before it is believed."""
    level: Level = Level.OPEN
    speaks: bool = True
    """Whether people are told: an end when its opening was told, anything else when nothing hushes it."""
    hushed: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """By what it is hushed (`Hush`), and why."""

    @property
    def order(self) -> tuple[int, str, str]:
        """A replay's order: instant, kind, subject."""
        return self.at_ms, self.kind, self.subject

    def output(self) -> dict[str, object]:
        """The keys of a replay's line, but for `at`, which is text there."""
        return {
            "kind": str(self.kind),
            "subject": self.subject,
            "change": str(self.what),
            "flag": self.flag,
            "severity": str(self.severity),
            "evidence": dict(self.evidence),
        }
