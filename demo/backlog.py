"""What a machine without network kept before the show: put into its outbox as its own program would have."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contract.cards import SealingKey
from contract.messages import Clock
from demo import past
from demo.past import Life
from edge.dating import Stamp
from edge.outbox import Limits, open_outbox

LIMITS: Final = Limits(row_budget=200_000, reserve_bytes=0, keep_ms=35 * 86_400_000)


@dataclass(frozen=True, slots=True)
class KeptTap:
    """A tap that lies in the outbox."""

    seq: int
    uid: bytes = field(repr=False)
    at_ms: int


def fill(path: Path, life: Life, key: SealingKey) -> list[KeptTap]:
    """Keep everything of *life* in the outbox at *path*; its taps. Raises `OutboxUnavailable`, `NotKept`."""
    uids: list[bytes | None] = [None, *(entry.uid for entry in life.entries)]  # the boot comes first
    taps: list[KeptTap] = []
    stamp = Stamp(life.since_ms, 0, life.boot, Clock.TRUSTED)
    with closing(open_outbox(path, LIMITS, stamp)) as outbox:
        for record, uid in zip(past.records(life, key), uids, strict=True):
            kept = outbox.keep(record)
            if uid is not None:
                taps.append(KeptTap(kept.seq, uid, record.at))
    return taps
