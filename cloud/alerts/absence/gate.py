"""Rule 7: many openings at once, or far fewer taps than usual, are no longer about families: a human looks first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median

from cloud.alerts.policy import Mass


@dataclass(frozen=True, slots=True)
class Inflow:
    """Taps at an estate's machines: of its last period that can be judged by them, and of those before it."""

    last: int
    before: tuple[int, ...]

    @classmethod
    def read(cls, taps: Sequence[int], mass: Mass) -> Inflow | None:
        """From the taps of every judgeable period in order; None while there are too few to compare."""
        needed = mass.history_periods
        return cls(taps[-1], tuple(taps[-1 - needed : -1])) if len(taps) > needed else None

    @property
    def usual(self) -> Fraction:
        """The median of the periods before."""
        return Fraction(median(map(Fraction, self.before)))

    def has_dropped(self, mass: Mass) -> bool:
        """Whether far fewer taps came than usual."""
        return self.last < mass.tap_drop * self.usual


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many units of an estate are due to open now or held already, of how many with a tenancy today."""

    due: int
    held: int
    tenancies: int

    @property
    def size(self) -> int:
        """Due and held."""
        return self.due + self.held

    def most(self, mass: Mass) -> Fraction:
        """How many may be due at once."""
        return max(Fraction(mass.floor), mass.share * self.tenancies)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gate does at one estate."""

    holds: bool
    """Every unit that is due to open now is held."""
    stands: bool
    """`ESTATE_TAP_DROP` holds: it opens, or stays."""
    evidence: dict[str, object] = field(default_factory=dict)


def rule(crowd: Crowd, inflow: Inflow | None, mass: Mass) -> Ruling:
    """Whether the units of an estate that are due must wait for a human. What is held stays so even if not."""
    has_dropped = mass.enabled and inflow is not None and inflow.has_dropped(mass)
    is_crowded = mass.enabled and crowd.size > crowd.most(mass)
    evidence: dict[str, object] = {
        "due": crowd.due,
        "held": crowd.held,
        "tenancies": crowd.tenancies,
        "most": float(crowd.most(mass)),
    }
    if inflow is not None:
        evidence |= {"taps": inflow.last, "taps_before": list(inflow.before), "usual": float(inflow.usual)}
    return Ruling(is_crowded or has_dropped, is_crowded or has_dropped or crowd.held > 0, evidence)
