"""The demo's own book: which taps were made, and what the machines said of them. No I/O; time is an argument.

A tap is *made* once the machine has said TERSIMPAN: from then on it must not be lost. What is compared with the cloud
at the end comes from here alone: the residents know whose card they laid where, the machines say its number.
"""

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from contract.ranges import Ranges
from contract.topics import DeviceId
from edge.signals import Signal

KEPT: Final = frozenset({Signal.STORED, Signal.STORED_OFFLINE})
LIT: Final = frozenset({Signal.CONFIRMED, Signal.UNKNOWN_CARD})
TURNED_AWAY: Final = frozenset({Signal.ALREADY_READ, Signal.TRY_AGAIN, Signal.UNUSABLE_CARD, Signal.REFUSED})

Place = tuple[DeviceId, int]
"""Machine and seq: what the machine calls a tap."""


@dataclass(frozen=True, slots=True)
class Made:
    """A tap the machine has kept: whose card, and between which times of the city's clock it was laid and kept."""

    pseudonym: str = field(repr=False)
    laid_ms: int
    kept_ms: int
    kept_s: float
    """When it said TERSIMPAN, by this computer's clock."""
    is_online: bool = True
    """Whether it said so without adding that it would be sent later."""


@dataclass
class Ledger:
    """What happened so far."""

    made: dict[Place, Made] = field(default_factory=dict)
    turned_away: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    """Cards laid of which the machine said nothing: perhaps kept, perhaps not."""
    waits_s: dict[Place, float] = field(default_factory=dict)
    """Per tap at an online machine whose confirmation lit it: seconds from TERSIMPAN to the light."""
    confirmed: dict[DeviceId, Ranges] = field(default_factory=dict)
    """Per machine, the seqs it holds an answer for."""

    def keep(self, place: Place, tap: Made) -> None:
        """The machine said TERSIMPAN."""
        self.made[place] = tap

    def light(self, place: Place, real_s: float) -> None:
        """The machine said what the cloud made of the tap: it has the answer."""
        tap = self.made.get(place)
        if tap is None:
            return
        if tap.is_online:
            self.waits_s.setdefault(place, real_s - tap.kept_s)
        self.confirm(place[0], Ranges.single([place[1]]))

    def confirm(self, machine: DeviceId, answered: Ranges) -> None:
        """The machine holds an answer for these seqs."""
        self.confirmed[machine] = self.confirmed.get(machine, Ranges()) | answered

    def is_confirmed(self, place: Place) -> bool:
        """Whether the machine knows that this tap is stored."""
        return place[1] in self.confirmed.get(place[0], Ranges())

    @property
    def waiting(self) -> list[Place]:
        """Taps made and not confirmed yet."""
        return [place for place in self.made if not self.is_confirmed(place)]

    @property
    def slowest_s(self) -> float | None:
        """The longest a resident stood before the light."""
        return max(self.waits_s.values(), default=None)

    @property
    def typical_s(self) -> float | None:
        """The median of the same."""
        return median(self.waits_s.values()) if self.waits_s else None

    def taps_of(self, machine: DeviceId) -> int:
        """How many taps were made at *machine*."""
        return sum(place[0] == machine for place in self.made)
