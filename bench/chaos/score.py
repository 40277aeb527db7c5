"""What came of the taps of one row: the book compared with what the cloud holds. Pure.

A tap is *lost* when it is not there, *wrong* when time, device, card, outcome, unit, estate or day differ from the
truth, *doubled* when it is there more than once, in any of the places where it is counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self, TypeVar

from bench.chaos.book import Book, Laid
from contract.topics import DeviceId

_JAKARTA: Final = timedelta(hours=7)
_SHOWN_COMPLAINTS: Final = 5
_K = TypeVar("_K", bound=tuple[object, ...])


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the registry makes of a card at a machine at some time."""

    outcome: str
    unit: str | None
    estate: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A tap as SQL holds it; `card` is None for a card that was never laid."""

    card: int | None
    device: DeviceId
    at_ms: int
    uncertainty_ms: int
    meaning: Meaning


Presence = tuple[str, date, DeviceId]


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything the cloud holds about taps."""

    sightings: Sequence[Sighting]
    presence: Mapping[Presence, int]
    counts: Mapping[tuple[DeviceId, int], tuple[int, int]]
    """(machine, hour) to (known, unknown)."""
    points: int | None = None
    """Distinct points in the history; None where nobody looked."""


@dataclass(frozen=True, slots=True)
class Score:
    """A line of the table."""

    made: int = 0
    stored: int = 0
    lost: int = 0
    wrong: int = 0
    doubled: int = 0
    refused: int = 0
    resent: int = 0
    recovery_s: float = 0.0
    note: str = ""
    is_declared: bool = True
    """What is gone for ever was said to be gone: the cloud knows of which days it knows too little."""
    complaints: tuple[str, ...] = field(default=())

    @property
    def is_clean(self) -> bool:
        """Nothing lost, wrong or doubled."""
        return self.lost + self.wrong + self.doubled == 0

    def but(self, **changes: object) -> Self:
        """The same with *changes*."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked by `replace`

    def blamed(self, complaint: str, **more: int) -> Self:
        """Worse by *more* (lost, wrong, doubled), because of *complaint*."""
        raised: dict[str, object] = {name: getattr(self, name) + count for name, count in more.items()}
        return self.but(**raised, complaints=(*self.complaints, complaint)[:_SHOWN_COMPLAINTS])


def local_day(ms: int) -> date:
    """The day in Jakarta."""
    return (datetime.fromtimestamp(ms / 1000, UTC) + _JAKARTA).date()


def judge(book: Book, stored: Stored, meaning: Callable[[Laid], Meaning], *, tolerance_ms: int) -> Score:
    """Compare every tap with what is *stored*; times may differ by *tolerance_ms* beside their uncertainty."""
    by_card: dict[int | None, list[Sighting]] = {}
    for sighting in stored.sightings:
        by_card.setdefault(sighting.card, []).append(sighting)
    score = Score(made=len(book.made), refused=len(book.refused))
    for laid in book.made:
        score = _judge_one(score, laid, by_card.get(laid.card, []), meaning(laid), tolerance_ms)
    for laid in book.doubtful:
        if found := by_card.get(laid.card):
            score = _judge_one(score, laid, found, meaning(laid), tolerance_ms).but(stored=score.stored)
    for laid in book.refused:
        if by_card.get(laid.card):
            score = score.blamed(f"{_name(laid)} was refused, and is stored all the same", wrong=1)
    if strangers := len(by_card.get(None, [])):
        score = score.blamed(f"{strangers} sightings are of cards that nobody laid on", wrong=strangers)
    return _judge_counts(score, book, stored, {card for card in by_card if card is not None}, meaning)


def _judge_one(score: Score, laid: Laid, found: Sequence[Sighting], meaning: Meaning, tolerance_ms: int) -> Score:
    if not found:
        return score.blamed(f"{_name(laid)} is not there", lost=1)
    if len(found) > 1:
        score = score.blamed(f"{_name(laid)} is there {len(found)} times", doubled=len(found) - 1)
    differences = list(_differences(laid, found[0], meaning, tolerance_ms))
    if differences:
        score = score.blamed(f"{_name(laid)}: {'; '.join(differences)}", wrong=1)
    return score.but(stored=score.stored + 1)


def _differences(laid: Laid, found: Sighting, meaning: Meaning, tolerance_ms: int) -> Iterator[str]:
    slack = found.uncertainty_ms + tolerance_ms
    if not laid.from_ms - slack <= found.at_ms <= laid.to_ms + slack:
        off = found.at_ms - laid.from_ms
        yield f"time is off by {off / 1000:.1f} s (uncertainty {found.uncertainty_ms / 1000:.1f} s)"
    if found.device != laid.device:
        yield f"device is {found.device}"
    for name in ("outcome", "unit", "estate"):
        if getattr(found.meaning, name) != getattr(meaning, name):
            yield f"{name} is {getattr(found.meaning, name)}, not {getattr(meaning, name)}"


def _judge_counts(
    score: Score, book: Book, stored: Stored, seen: set[int], meaning: Callable[[Laid], Meaning]
) -> Score:
    """What was counted from the taps must agree with the taps: presence by day, counts by hour, points."""
    true = [laid for laid in [*book.made, *book.doubtful] if laid.card in seen]
    score = _compare(score, "presence", dict(_true_presence(true, meaning)), stored.presence)
    score = _compare(score, "hours", _sums(true, meaning), _known_unknown(stored.counts))
    counted = len(stored.sightings)
    if stored.points is not None and stored.points > counted:
        score = score.blamed(f"{stored.points} points for {counted} taps", doubled=stored.points - counted)
    elif stored.points is not None and stored.points < counted:
        score = score.blamed(f"{stored.points} points for {counted} taps", lost=counted - stored.points)
    return score


def _true_presence(true: Iterable[Laid], meaning: Callable[[Laid], Meaning]) -> Counter[Presence]:
    found: Counter[Presence] = Counter()
    for laid in true:
        unit = meaning(laid).unit
        if unit is not None:
            found[unit, local_day(laid.from_ms), laid.device] += 1
    return found


def _sums(true: Iterable[Laid], meaning: Callable[[Laid], Meaning]) -> dict[tuple[DeviceId, str], int]:
    outcomes = ((laid.device, meaning(laid).outcome) for laid in true)
    return dict(Counter((device, outcome) for device, outcome in outcomes if outcome != "test"))


def _known_unknown(counts: Mapping[tuple[DeviceId, int], tuple[int, int]]) -> dict[tuple[DeviceId, str], int]:
    found: Counter[tuple[DeviceId, str]] = Counter()
    for (device, _), (known, unknown) in counts.items():
        found[device, "known"] += known
        found[device, "unknown"] += unknown
    return {key: count for key, count in found.items() if count}


def _compare(score: Score, what: str, true: Mapping[_K, int], found: Mapping[_K, int]) -> Score:
    for key in true.keys() | found.keys():
        excess = found.get(key, 0) - true.get(key, 0)
        if excess:
            score = score.blamed(f"{what} {key}: {found.get(key, 0)} instead of {true.get(key, 0)}", wrong=abs(excess))
    return score


def _name(laid: Laid) -> str:
    return f"tap {laid.card} (seq {laid.seq} at {laid.device})"
