"""The closing account: every tap made against what SQL holds. Pure.

Good is only: each tap stored exactly once, with its card and its time, and confirmed to its machine; nothing besides.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contract.topics import DeviceId
from demo.ledger import Made, Place


@dataclass(frozen=True, slots=True)
class Sighting:
    """A tap as SQL holds it."""

    machine: DeviceId
    seq: int
    pseudonym: str = field(repr=False)
    at_ms: int
    uncertainty_ms: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the taps."""

    made: int
    stored_once: int
    lost: tuple[Place, ...]
    doubled: tuple[Place, ...]
    wrong_card: tuple[Place, ...]
    wrong_time: tuple[Place, ...]
    unasked: tuple[Place, ...]
    """In SQL, but nobody made them."""
    unconfirmed: tuple[Place, ...]

    @property
    def is_good(self) -> bool:
        """Whether a tap was made at all, and nothing is wrong with any."""
        faults = (self.lost, self.doubled, self.wrong_card, self.wrong_time, self.unasked, self.unconfirmed)
        return self.made > 0 and not any(faults)


def account(
    made: Mapping[Place, Made], found: Sequence[Sighting], *, confirmed: Collection[Place], slack_ms: int
) -> Account:
    """Compare. A stored time must lie between laying the card and TERSIMPAN, give or take *slack_ms*."""
    stored: defaultdict[Place, list[Sighting]] = defaultdict(list)
    for sighting in found:
        stored[sighting.machine, sighting.seq].append(sighting)
    once = {place: rows[0] for place, rows in stored.items() if len(rows) == 1 and place in made}
    return Account(
        made=len(made),
        stored_once=len(once),
        lost=_sorted(place for place in made if place not in stored),
        doubled=_sorted(place for place, rows in stored.items() if len(rows) > 1),
        wrong_card=_sorted(place for place, row in once.items() if row.pseudonym != made[place].pseudonym),
        wrong_time=_sorted(place for place, row in once.items() if not _is_in_time(made[place], row, slack_ms)),
        unasked=_sorted(place for place in stored if place not in made),
        unconfirmed=_sorted(place for place in made if place not in confirmed),
    )


def _is_in_time(tap: Made, row: Sighting, slack_ms: int) -> bool:
    slack_ms += row.uncertainty_ms
    return tap.laid_ms - slack_ms <= row.at_ms <= tap.kept_ms + slack_ms


def _sorted(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(sorted(places))
