"""Rule 2: up to which instant a machine's record is complete, proven by heartbeats whose every seq has arrived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cloud.days.able import Machine
from cloud.days.jakarta import MINUTE, DaySpan, covers, covers_all, day_of, overlap, starts
from contract.ranges import Ranges

SETTLING: Final = 15 * MINUTE
"""A window is complete once every machine's record is complete this long past its end."""
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """Of all heartbeats and goodbyes that named this outbox, last seq and boot: the greatest uptime."""

    outbox: str
    last_seq: int
    boot: str
    uptime_s: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Seqs that are missing, and when the nearest dated records before and after them were made."""

    first: int
    last: int
    before_ms: int | None
    after_ms: int | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """What has arrived of one outbox. A held record is not settled."""

    outbox: str
    first_fact_ms: int
    """When the first fact of it (record or heartbeat) arrived: the order of the outboxes."""
    settled: Ranges
    """Seqs stored, rejected, or named by a `records_dropped` event."""
    gaps: tuple[Gap, ...] = ()
    """The seqs that are not settled, up to the highest one ever told of."""
    closed_at_seq: int | None = None
    """`last_seq` of the `outbox_closed` event that names it."""
    first_record_ms: int | None = None
    """When its first dated record was made."""


def complete(
    outboxes: Sequence[Outbox],
    proofs: Sequence[Proof],
    base_ms: Mapping[str, int],
    *,
    declared_lost: Sequence[DaySpan] = (),
) -> int | None:
    """Up to which instant one machine's record is complete; None = not at all.

    *base_ms*: by boot, the least (arrived - uptime) of its heartbeats. A proof of an unknown boot proves nothing.
    """
    latest: int | None = None
    ordered = sorted(outboxes, key=lambda outbox: outbox.first_fact_ms)
    for number, outbox in enumerate(ordered):
        settled = outbox.settled | _given_up(outbox.gaps, declared_lost)
        proven = _proven(outbox.outbox, settled, proofs, base_ms)
        latest = max((made for made in (latest, proven) if made is not None), default=None)
        following = ordered[number + 1] if number + 1 < len(ordered) else None
        if following is None or not (
            _is_closed(outbox, settled) or _is_given_up(outbox, proven, following, declared_lost)
        ):
            break
    return latest


def _given_up(gaps: Iterable[Gap], declared_lost: Sequence[DaySpan]) -> Ranges:
    """Gaps between two records such that every day from one to the other is declared lost."""
    return Ranges.of(
        (gap.first, gap.last)
        for gap in gaps
        if gap.before_ms is not None
        and gap.after_ms is not None
        and _all_lost(declared_lost, gap.before_ms, gap.after_ms)
    )


def _proven(outbox: str, settled: Ranges, proofs: Iterable[Proof], base_ms: Mapping[str, int]) -> int | None:
    return max(
        (
            base_ms[proof.boot] + proof.uptime_s * 1000
            for proof in proofs
            if proof.outbox == outbox and proof.last_seq <= settled.prefix and proof.boot in base_ms
        ),
        default=None,
    )


def _is_closed(outbox: Outbox, settled: Ranges) -> bool:
    return outbox.closed_at_seq is not None and settled.prefix >= outbox.closed_at_seq


def _is_given_up(outbox: Outbox, proven: int | None, following: Outbox, declared_lost: Sequence[DaySpan]) -> bool:
    since = proven if proven is not None else outbox.first_fact_ms
    until = following.first_record_ms if following.first_record_ms is not None else following.first_fact_ms
    return _all_lost(declared_lost, since, until)


def _all_lost(declared_lost: Sequence[DaySpan], one_ms: int, other_ms: int) -> bool:
    """Whether every day from one instant to the other is declared lost; clocks may have run back between them."""
    return covers_all(declared_lost, day_of(min(one_ms, other_ms)), day_of(max(one_ms, other_ms)))


def is_settled(machine: Machine, complete_ms: int | None, window: DaySpan) -> bool:
    """Whether *machine* can have no more taps of *window* to send: complete past it, removed, or declared lost."""
    first, last = window
    whole = starts(first), starts(last + ONE_DAY)
    removed = max((stay.span[1] for stay in machine.stays if overlap(stay.span, whole)), default=0)
    reached = complete_ms if complete_ms is not None else -1
    return all(
        reached >= min(starts(day + ONE_DAY) + (SETTLING if day == last else 0), removed)
        or covers(machine.declared_lost, day)
        for day in (first + number * ONE_DAY for number in range((last - first).days + 1))
        if machine.is_there(day)
    )
