"""Which rows go next, and when unanswered ones go again. Decisions over plain values: no clock, socket or database.

A *flight* is a batch on its way: sent, not answered. Times are real monotonic milliseconds, given by the caller. Only
an answer of the centre ends a flight; what the broker says never does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from contract.ranges import Ranges
from edge.outbox.rows import Waiting

JITTER: Final = 0.2
"""Up to this share of every delay is taken off at random: 32 machines must not knock together."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How fast and how patiently."""

    first_ms: int = 30_000
    max_ms: int = 600_000
    park_ms: int = 3_600_000
    window: int = 4
    """Flights at once. One of them is kept for the newest rows."""
    batch: int = 100
    patience: int = 3
    """A flight unanswered so often, while others were answered, is halved; a lone record is parked."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one outbox to send now."""

    outbox: str
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Flight:
    """A batch on its way."""

    outbox: str
    seqs: frozenset[int]
    sent_ms: int
    due_ms: int
    sendings: int = 1
    ignored: int = 0
    is_fresh: bool = False

    @property
    def batch(self) -> Batch:
        """What is sent for it."""
        return Batch(self.outbox, tuple(sorted(self.seqs)))


def delay_ms(sendings: int, first_ms: int, max_ms: int, *, chance: float) -> int:
    """The wait after the *sendings*-th attempt: doubling, capped, less up to a fifth at random (*chance* 0..1)."""
    doubled = first_ms << min(sendings - 1, 32)
    return round(min(doubled, max_ms) * (1 - JITTER * chance))


class Pacer:
    """The flights of one machine. Not thread-safe: the sender's thread owns it."""

    def __init__(self, policy: Policy, *, chance: Callable[[], float]) -> None:
        self._policy = policy
        self._chance = chance
        self._flights: list[Flight] = []
        self._parked: dict[tuple[str, int], int] = {}
        self._answered_ms: int | None = None
        self._newest_sent = 0

    @property
    def parked(self) -> int:
        """Records that nobody answers though others are answered."""
        return len(self._parked)

    @property
    def wanted(self) -> int:
        """How many of the oldest rows the caller must offer so that the window can be filled."""
        held = sum(len(flight.seqs) for flight in self._flights) + len(self._parked)
        return held + self._policy.window * self._policy.batch

    def next_due_ms(self) -> int | None:
        """When something must be sent again, unless it is answered before."""
        return min([*(flight.due_ms for flight in self._flights), *self._parked.values()], default=None)

    def next_batches(self, now: int, oldest: Sequence[Waiting], fresh: Sequence[Waiting]) -> list[Batch]:
        """What to send now. *oldest*: all waiting rows, oldest first, at least `wanted`; *fresh*: those just made."""
        return [*self._again(now), *self._retry_parked(now), *self._fill(now, oldest), *self._newcomers(now, fresh)]

    def answered(self, outbox: str, seqs: Iterable[int], now: int) -> None:
        """The centre answered those rows."""
        if self._answered_ms is None or now - self._answered_ms > self._policy.first_ms:
            self._hurry(now)
        self._answered_ms = now
        self.forget(outbox, seqs)

    def forget(self, outbox: str, seqs: Iterable[int]) -> None:
        """Those rows are no longer to be sent under these numbers."""
        gone = set(seqs)
        self._flights = [
            flight
            for flight in (_without(flight, gone) if flight.outbox == outbox else flight for flight in self._flights)
            if flight.seqs
        ]
        for seq in gone:
            self._parked.pop((outbox, seq), None)

    def too_large(self, outbox: str, seqs: Iterable[int], now: int) -> None:
        """No broker would take those rows in one message: they go in halves at once, a lone one waits as if parked."""
        numbers = sorted(set(seqs))
        self.forget(outbox, numbers)
        if len(numbers) == 1:
            self._parked[outbox, numbers[0]] = now + self._policy.park_ms
        else:
            halves = [self._flight(outbox, half, now) for half in _halves(numbers)]
            self._flights += [replace(half, due_ms=now) for half in halves]

    def asked(self, outbox: str, seqs: Ranges, now: int) -> None:
        """The centre asks for those rows: whichever of them are parked wait no longer."""
        for place in self._parked:
            if place[0] == outbox and place[1] in seqs:
                self._parked[place] = now

    def connected(self, now: int) -> None:
        """A new connection: what was sent once and may have died with the old one goes again at once."""
        self._flights = [
            replace(flight, due_ms=min(flight.due_ms, now)) if flight.sendings == 1 else flight
            for flight in self._flights
        ]

    def _hurry(self, now: int) -> None:
        """The centre speaks again after a silence: do not let the rest sit out its long delays."""
        usual = now + self._policy.first_ms
        soon = now + round(self._policy.first_ms * self._chance())
        self._flights = [replace(flight, due_ms=soon) if flight.due_ms > usual else flight for flight in self._flights]

    def _again(self, now: int) -> list[Batch]:
        due = [flight for flight in self._flights if flight.due_ms <= now]
        self._flights = [flight for flight in self._flights if flight.due_ms > now]
        sent = [after for flight in due for after in self._repeat(flight, now)]
        self._flights.extend(sent)
        return [flight.batch for flight in sent]

    def _repeat(self, flight: Flight, now: int) -> list[Flight]:
        others_were = self._answered_ms is not None and self._answered_ms > flight.sent_ms
        ignored = flight.ignored + 1 if others_were else flight.ignored
        if flight.is_fresh:
            return []  # back among the others, where the oldest goes first
        if ignored < self._policy.patience:
            sendings = flight.sendings + 1
            return [replace(flight, sent_ms=now, due_ms=self._due(sendings, now), sendings=sendings, ignored=ignored)]
        if len(flight.seqs) == 1:
            (seq,) = flight.seqs
            self._parked[flight.outbox, seq] = self._park_end(now)
            return []
        return [self._flight(flight.outbox, half, now) for half in _halves(sorted(flight.seqs))]

    def _retry_parked(self, now: int) -> list[Batch]:
        """A few at a time, each at a time of its own: many that were parked together must not all come at once."""
        due = [place for place, at in self._parked.items() if at <= now][: self._policy.window]
        for place in due:
            self._parked[place] = self._park_end(now)
        return [Batch(outbox, (seq,)) for outbox, seq in due]

    def _fill(self, now: int, oldest: Sequence[Waiting]) -> list[Batch]:
        free = self._policy.window - 1 - sum(not flight.is_fresh for flight in self._flights)
        if free <= 0:
            return []
        return self._send(now, self._idle(oldest), slots=free)

    def _newcomers(self, now: int, fresh: Sequence[Waiting]) -> list[Batch]:
        """The slot of the newest rows: whoever stands at the machine must not wait behind a backlog for the light."""
        if any(flight.is_fresh for flight in self._flights):
            return []
        unsent = sorted((row for row in self._idle(fresh) if row.id > self._newest_sent), key=lambda row: row.id)
        return self._send(now, unsent, slots=1, is_fresh=True)

    def _idle(self, rows: Sequence[Waiting]) -> list[Waiting]:
        held = {(flight.outbox, seq) for flight in self._flights for seq in flight.seqs} | self._parked.keys()
        return [row for row in rows if (row.outbox, row.seq) not in held]

    def _send(self, now: int, rows: list[Waiting], *, slots: int, is_fresh: bool = False) -> list[Batch]:
        sent: list[Flight] = []
        while rows and len(sent) < slots:
            outbox = rows[0].outbox
            chosen = [row for row in rows if row.outbox == outbox][: self._policy.batch]
            taken = {row.id for row in chosen}
            rows = [row for row in rows if row.id not in taken]
            self._newest_sent = max(self._newest_sent, *taken)
            sent.append(self._flight(outbox, [row.seq for row in chosen], now, is_fresh=is_fresh))
        self._flights.extend(sent)
        return [flight.batch for flight in sent]

    def _flight(self, outbox: str, seqs: Iterable[int], now: int, *, is_fresh: bool = False) -> Flight:
        return Flight(outbox, frozenset(seqs), now, self._due(1, now), is_fresh=is_fresh)

    def _park_end(self, now: int) -> int:
        return now + delay_ms(1, self._policy.park_ms, self._policy.park_ms, chance=self._chance())

    def _due(self, sendings: int, now: int) -> int:
        policy = self._policy
        return now + delay_ms(sendings, policy.first_ms, policy.max_ms, chance=self._chance())


def _without(flight: Flight, gone: set[int]) -> Flight:
    return replace(flight, seqs=flight.seqs - gone) if flight.seqs & gone else flight


def _halves(seqs: list[int]) -> list[list[int]]:
    middle = len(seqs) // 2
    return [seqs[:middle], seqs[middle:]]
