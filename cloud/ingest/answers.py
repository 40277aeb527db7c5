"""What a machine is told: `Stored` from what the ledger holds, `Resume` from what it lacks. Pure."""

from __future__ import annotations

from typing import Final

from cloud.records.ledger import Line, Standing
from cloud.records.positions import Position
from contract.messages import Resume, Stored
from contract.ranges import Ranges

GAP_PATIENCE_MS: Final = 120_000
"""A gap below what is known may be on its way; after this it is asked for."""
ASK_AGAIN_MS: Final = 120_000
"""The least time between two requests for one outbox."""
MOST_SPANS: Final = 500
"""Spans of seqs that one message names; an outbox with more holes is told the rest as the lowest are filled."""


def stored(standing: Standing, *, now_ms: int) -> Stored:
    """The answer about one stream, computed from its committed position and rows."""
    position, lines = standing.position, standing.lines
    return Stored(
        device=position.key.device,
        outbox=position.key.outbox,
        at=now_ms,
        upto=position.answered.prefix,
        beyond=told(position.answered.beyond, lines),
        digests={line.seq: line.digest for line in lines},
        outcomes={line.seq: _outcome(line) for line in lines if line.outcome},
        rejected={line.seq: line.reason or "unreadable" for line in lines if line.state == "rejected"},
        held={line.seq: line.reason or "undated" for line in lines if line.state == "held"},
        conflicts=told(position.conflicts, ()),
    )


def _outcome(line: Line) -> str:
    return "unknown" if line.outcome == "unknown" else "known"


def told(seqs: Ranges, lines: tuple[Line, ...]) -> Ranges:
    """The lowest spans of *seqs* and those that *lines* need to be believed: no message outgrows the broker."""
    if len(seqs.spans) <= MOST_SPANS:
        return seqs
    own = Ranges.single(line.seq for line in lines) & seqs
    return Ranges(seqs.spans[:MOST_SPANS]) | own


def wants_resume(position: Position, *, now_ms: int) -> bool:
    """Whether to ask for what is missing now: at once for what was confirmed and is lost, patiently for a mere gap."""
    if not position.missing or (position.asked_ms is not None and 0 <= now_ms - position.asked_ms < ASK_AGAIN_MS):
        return False
    is_lost = bool(position.answered.missing(position.confirmed_told))
    waited_ms = now_ms - position.gap_since_ms if position.gap_since_ms is not None else 0
    return is_lost or not 0 <= waited_ms <= GAP_PATIENCE_MS


def resume(position: Position) -> Resume:
    """The request for what is missing."""
    return Resume(device=position.key.device, outbox=position.key.outbox, missing=told(position.missing, ()))
