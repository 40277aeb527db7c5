"""What a rule says: conditions that hold or have ended, and which kinds were judged at all. Plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cloud.alerts.kinds import NATURE, Ending, Kind, Level, Severity

Evidence = Mapping[str, object]
"""Plain JSON, enough to recount the finding by hand. It may name units and machines: for SQL, never for a chat."""

CITY: Final = "*"
"""The subject that stands for all estates."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition that holds now."""

    kind: Kind
    subject: str
    """Unit, machine, estate, card's pseudonym, or `*`."""
    estate: str
    """The estate it belongs to; empty = none."""
    since_ms: int
    """When the condition began, as far as it is known."""
    evidence: Evidence = field(default_factory=dict)
    severity: Severity | None = None
    """None = that of its kind."""
    level: Level = Level.OPEN
    run: str = ""
    """Which episode of the condition this is: another episode is another flag."""
    is_held: bool = False
    """Due to open, but the mass gate holds it for a human."""
    was_watched: bool = False
    """A flag of this episode has ended: that it is watched was said then, and is no news."""

    @property
    def urgency(self) -> Severity:
        """Its own severity, or that of its kind."""
        return self.severity or NATURE[self.kind].severity


@dataclass(frozen=True, slots=True)
class Ended:
    """A condition that is over. It is news only for a flag that stands; for others it says nothing."""

    kind: Kind
    subject: str
    how: Ending
    evidence: Evidence = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the rules of a group say at one instant."""

    standing: tuple[Finding, ...] = ()
    ended: tuple[Ended, ...] = ()
    complete: frozenset[tuple[Kind, str]] = frozenset()
    """(kind, estate) pairs judged in full: a subject of theirs without a finding has recovered.

    Estate empty = for the whole city. What is not named here was not judged: nothing of it ends by silence.
    """

    returns: Mapping[tuple[Kind, str], Evidence] = field(default_factory=dict)
    """By kind and subject of a flag that stands and has no finding any more: what its end should say."""

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            self.standing + other.standing,
            self.ended + other.ended,
            self.complete | other.complete,
            {**self.returns, **other.returns},
        )


@dataclass(frozen=True, slots=True)
class Stands:
    """What a rule may know of a flag that stands."""

    kind: Kind
    subject: str
    estate: str
    level: Level
    run: str
    since_ms: int
    is_held: bool
    is_open: bool
    """It was opened; else it is only watched or held."""
    opened_ms: int | None = None
    evidence: Evidence = field(default_factory=dict)


Standing = Mapping[tuple[Kind, str], Stands]
"""By kind and subject: the flags that have not ended."""


def standing(flags: Iterable[Stands]) -> Standing:
    """*flags* by kind and subject."""
    return {(flag.kind, flag.subject): flag for flag in flags}
