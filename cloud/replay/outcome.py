"""What a replay says: a line per change, in one order for everybody; of two policies, what only one says. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from cloud.alerts.flags.changes import Change, What
from cloud.alerts.kinds import Kind
from cloud.replay import instants

Side: TypeAlias = Literal["a", "b"]
SIDES: Final[tuple[Side, Side]] = ("a", "b")
_WITHOUT_FLAG: Final = (What.WATCH, What.HELD)
_ORDER: Final = {what: number for number, what in enumerate(What)}


@dataclass(frozen=True, slots=True)
class Told:
    """A change, and by which policy alone it came; None = by both, or there is only one."""

    change: Change
    only_in: Side | None = None

    @property
    def order(self) -> tuple[int, str, str, int, str]:
        """By instant, kind and subject; then thresholds from the lowest, ends last."""
        return *self.change.order, _ORDER[self.change.what], self.only_in or ""

    def line(self) -> str:
        """One JSON object."""
        told = {"at": instants.written(self.change.at_ms), **self.change.output()}
        if self.change.what in _WITHOUT_FLAG:
            told["flag"] = None
        return json.dumps(told | ({"only_in": self.only_in} if self.only_in else {}), ensure_ascii=False)


def told(found: Sequence[Sequence[Change]], *, kinds: frozenset[Kind]) -> list[Told]:
    """What one or two policies say at one instant, of *kinds*. What both say is said once, in the first's words."""
    first, *others = ([each for each in changes if each.kind in kinds] for changes in found)
    if not others:
        return sorted((Told(each) for each in first), key=lambda each: each.order)
    (second,) = others
    both = {_what(each) for each in first} & {_what(each) for each in second}
    lines = [Told(each, None if _what(each) in both else "a") for each in first]
    lines += [Told(each, "b") for each in second if _what(each) not in both]
    return sorted(lines, key=lambda each: each.order)


def _what(change: Change) -> tuple[str, str, str]:
    return change.kind, change.subject, change.what


@dataclass(slots=True)
class Tally:
    """How often each policy said what of which kind."""

    counts: Counter[tuple[Side, Kind, What]] = field(default_factory=Counter)

    def add(self, lines: Sequence[Told]) -> None:
        """Count *lines*."""
        for each in lines:
            for side in SIDES if each.only_in is None else (each.only_in,):
                self.counts[side, each.change.kind, each.change.what] += 1

    @property
    def columns(self) -> list[What]:
        """What was said at all, in the order in which it happens to a flag."""
        return [what for what in What if any(said is what for _, _, said in self.counts)]

    def rows(self, side: Side) -> Iterator[tuple[Kind, list[int]]]:
        """By kind, in their order: how often each of `columns`."""
        for kind in Kind:
            counted = [self.counts[side, kind, what] for what in self.columns]
            if any(counted):
                yield kind, counted
