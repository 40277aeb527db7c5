"""Too few registered: estates where many units have no valid card, and units that have had none for long. Pure.

Where an estate is behind as a whole, that is said, and not of each unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cloud import days
from cloud.alerts.absence.evidence import RULE
from cloud.alerts.absence.periods import ONE_DAY
from cloud.alerts.findings import Ended, Finding, Findings, Stands
from cloud.alerts.kinds import Ending, Kind
from cloud.alerts.policy import Policy


@dataclass(frozen=True, slots=True)
class Bare:
    """A unit that is let today and has no valid card."""

    unit: str
    let_since: date
    last_valid: date | None = None
    """The last day on which a card of it was valid."""

    def since(self, go_live: date) -> date:
        """Since when a card has been missing."""
        after_card = self.last_valid + ONE_DAY if self.last_valid is not None else self.let_since
        return max(self.let_since, after_card, go_live)


@dataclass(frozen=True, slots=True)
class Registered:
    """How an estate stands today."""

    estate: str
    go_live: date
    let: int
    """Units with a tenancy."""
    bare: tuple[Bare, ...]
    """Those of them without a valid card."""

    def is_low(self, policy: Policy) -> bool:
        """Whether the estate is behind as a whole."""
        return self.let > 0 and self.let - len(self.bare) < policy.registration.low_share * self.let


def judge(known: Registered, policy: Policy, today: date, flags: Sequence[Stands]) -> Findings:
    """What is found of an estate. Before it goes live nothing is asked of anybody."""
    complete = frozenset({(kind, known.estate) for kind in (Kind.LOW_REGISTRATION, Kind.UNIT_UNREGISTERED)})
    if today < known.go_live:
        return Findings(complete=complete)
    if known.is_low(policy):
        units = [flag.subject for flag in flags if flag.kind is Kind.UNIT_UNREGISTERED]
        ended = tuple(Ended(Kind.UNIT_UNREGISTERED, unit, Ending.SUPERSEDED) for unit in units)
        return Findings((_low(known, policy),), ended, complete)
    after = timedelta(days=policy.registration.unit_after_d)
    late = [bare for bare in known.bare if today - bare.since(known.go_live) >= after]
    return Findings(tuple(_unit(bare, known, policy) for bare in late), complete=complete)


def _low(known: Registered, policy: Policy) -> Finding:
    registered = known.let - len(known.bare)
    said: dict[str, object] = {"let": known.let, "registered": registered, "share": registered / known.let}
    return Finding(
        Kind.LOW_REGISTRATION, known.estate, known.estate, days.starts(known.go_live), said | _versions(policy)
    )


def _unit(bare: Bare, known: Registered, policy: Policy) -> Finding:
    since = bare.since(known.go_live)
    said: dict[str, object] = {"without_card_since": since.isoformat(), "let_since": bare.let_since.isoformat()}
    return Finding(Kind.UNIT_UNREGISTERED, bare.unit, known.estate, days.starts(since), said | _versions(policy))


def _versions(policy: Policy) -> dict[str, object]:
    return {"rule": RULE, "policy": policy.version}
