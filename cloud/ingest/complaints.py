"""Which dead letters are new: a machine resends what is not answered; one grievance shall not fill a table or a log."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, OrderedDict
from typing import Final, TypeVar

from cloud.records.verdicts import Letter

log = logging.getLogger(__name__)

REMEMBERED: Final = 5000
MOST_A_DAY: Final = 200
"""Letters kept of one topic and reason: enough to see what is wrong, whatever a broken machine goes on to say."""
_DAY_MS: Final = 86_400_000
T = TypeVar("T")


class Complaints:
    """Remembers the last letters by their bytes, and what was said in the log by topic and reason."""

    def __init__(self) -> None:
        self._letters: OrderedDict[bytes, None] = OrderedDict()
        self._said: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._kept: Counter[tuple[str, str]] = Counter()
        self._day = 0

    def is_new(self, letter: Letter) -> bool:
        """Whether *letter* must be kept; says so in the log the first time for its topic and reason."""
        said = (letter.topic[:200], letter.reason)
        if _add(self._said, said):
            log.warning(
                "What came on %a cannot be read (%s): kept, see `hadir-ingest dead-letters`",
                letter.topic[:80],
                letter.reason,
                extra={"action": "dead_letter", "reason": letter.reason},
            )
        return _add(self._letters, _fingerprint(letter)) and self._has_room(said, letter.arrived_ms // _DAY_MS)

    def _has_room(self, said: tuple[str, str], day: int) -> bool:
        if day != self._day:
            self._day = day
            self._kept.clear()
        self._kept[said] += 1
        return self._kept[said] <= MOST_A_DAY


def _fingerprint(letter: Letter) -> bytes:
    head = f"{letter.topic}\0{letter.reason}\0".encode(errors="backslashreplace")
    return hashlib.blake2b(head + letter.payload, digest_size=16).digest()


def _add(known: OrderedDict[T, None], item: T) -> bool:
    """Remember *item*; whether it was new. The oldest are forgotten."""
    if item in known:
        known.move_to_end(item)
        return False
    known[item] = None
    if len(known) > REMEMBERED:
        known.popitem(last=False)
    return True
