"""One cause, one flag: what stands above a flag explains it, and hushes it. What is above what: `outages.topology`.

A flag speaks after its root only when nothing else suppresses it, it was found for a while, and the root is settled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cloud.alerts.flags.flag import Flag
from cloud.alerts.kinds import Kind
from cloud.alerts.outages import topology
from cloud.days import MINUTE

ROOTS: Final = frozenset(above for roots in topology.ABOVE.values() for above in roots)
"""The kinds that explain others."""
FIRM_MS: Final = MINUTE
"""For so long a flag must have been found before it speaks after its root: the next check might take it back."""


def depth(kind: Kind) -> int:
    """How many stand above: a root is judged before what it explains."""
    return max((1 + depth(above) for above in topology.ABOVE.get(kind, ())), default=0)


@dataclass(frozen=True, slots=True)
class Root:
    """A flag that explains others: it stands, or was over at `over_ms`."""

    kind: Kind
    subject: str
    over_ms: int | None = None

    @property
    def name(self) -> str:
        """What it is called in a reason."""
        return f"{self.kind} {self.subject}"


class Roots:
    """The roots there are, while one evaluation goes from the top down."""

    def __init__(self, flags: Iterable[Flag], *, settle_ms: int) -> None:
        self._settle_ms = settle_ms
        self._known: dict[tuple[Kind, str], Root] = {}
        for flag in flags:
            self.note(flag)

    def note(self, flag: Flag) -> None:
        """Take *flag* as it is now. One that ended before it was opened has explained nothing."""
        if flag.kind not in ROOTS:
            return
        if flag.condition.is_alive:
            self._known[flag.key] = Root(flag.kind, flag.subject)
        elif flag.opened_ms is not None:
            self._known[flag.key] = Root(flag.kind, flag.subject, flag.over_ms)
        else:
            self._known.pop(flag.key, None)

    def reason(self, flag: Flag, *, now_ms: int) -> str | None:
        """Why *flag* is inhibited; None if it may speak."""
        keys = topology.roots(flag.kind, flag.subject, flag.estate)
        roots = [self._known[key] for key in keys if key in self._known]
        settling = [root for root in roots if root.over_ms is not None and now_ms - root.over_ms < self._settle_ms]
        for root in roots:
            if root.over_ms is None:
                return root.name
        if settling:
            return f"settling: {settling[0].name}"
        return f"not firm: {roots[0].name}" if roots and now_ms - flag.seen_ms < FIRM_MS else None
