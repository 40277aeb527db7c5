"""Sets of sequence numbers as closed ranges: both sides merge answers with them, in any order, any number of times.

Immutable, sorted, disjoint, never adjacent; numbers start at 1.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import itemgetter


@dataclass(frozen=True, slots=True)
class Ranges:
    """A set of whole numbers >= 1, held as `((first, last), ...)`."""

    spans: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if any(first < 1 or last < first for first, last in self.spans):
            raise ValueError("a range of sequence numbers needs 1 <= first <= last")
        if any(following[0] <= before[1] + 1 for before, following in pairwise(self.spans)):
            raise ValueError("ranges of sequence numbers must be sorted and apart; build them with Ranges.of")

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Ranges:
        """Any spans, in any order, overlapping or touching."""
        merged: list[tuple[int, int]] = []
        for first, last in sorted(spans):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    @classmethod
    def single(cls, numbers: Iterable[int]) -> Ranges:
        """The set of these numbers."""
        return cls.of((number, number) for number in numbers)

    @classmethod
    def upto(cls, last: int) -> Ranges:
        """1 to *last*; empty for 0."""
        return cls(((1, last),)) if last > 0 else cls()

    def __or__(self, other: Ranges) -> Ranges:
        return Ranges.of((*self.spans, *other.spans))

    def __and__(self, other: Ranges) -> Ranges:
        return self - (self - other)

    def __sub__(self, other: Ranges) -> Ranges:
        left: list[tuple[int, int]] = []
        for first, last in self.spans:
            start = bisect_left(other.spans, first, key=itemgetter(1))
            for cut_first, cut_last in islice(other.spans, start, None):
                if cut_first > last:
                    break
                if cut_first > first:
                    left.append((first, cut_first - 1))
                first = cut_last + 1
            if first <= last:
                left.append((first, last))
        return Ranges(tuple(left))

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.spans, number, key=itemgetter(0)) - 1
        return at >= 0 and number <= self.spans[at][1]

    def __iter__(self) -> Iterator[int]:
        for first, last in self.spans:
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    @property
    def prefix(self) -> int:
        """The highest n such that 1..n are all in the set; 0 if 1 is missing."""
        return self.spans[0][1] if self.spans and self.spans[0][0] == 1 else 0

    @property
    def highest(self) -> int:
        """The highest number of the set; 0 if empty."""
        return self.spans[-1][1] if self.spans else 0

    @property
    def beyond(self) -> Ranges:
        """What lies above the prefix, after at least one gap."""
        return Ranges(self.spans[1:]) if self.prefix else self

    def missing(self, last: int) -> Ranges:
        """Which of 1..*last* are not in the set."""
        return Ranges.upto(last) - self
