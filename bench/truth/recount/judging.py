"""Rules 4 and 5: which periods can be judged for a unit, and what they were."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from bench.truth.recount.calendar import MINUTE, begins, day_of
from bench.truth.recount.counting import EstateDay, estate_day, reason
from bench.truth.recount.hearing import Tap
from bench.truth.recount.knowing import Known
from bench.truth.recount.reading import Card, Installation

SETTLING: Final = 15 * MINUTE
BEFORE: Final = 6
"""A machine elsewhere is waited for when a card tapped there in so many periods before."""


class Verdict(StrEnum):
    """What a period was for a unit."""

    SATISFIED = "satisfied"
    MISSED = "missed"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Judged:
    """A period of a unit; `reasons` has one entry a day, None where the day counts."""

    number: int
    first: int
    end: int
    verdict: Verdict
    reasons: tuple[str | None, ...]

    @property
    def counted(self) -> int:
        """How many of its days count."""
        return self.reasons.count(None)


def could_be(tap: Tap, rows: list[Card]) -> list[int]:
    """The days on which the tap may have been and its card stood for the unit (rule 5)."""
    return [day for day in tap.days if any(row.is_valid(day) for row in rows)]


def is_dated(tap: Tap, rows: list[Card]) -> bool:
    """Whether its card stood for the unit on the recorded day (rule 6: uncertainty is ignored)."""
    return any(row.is_valid(tap.day) for row in rows)


class Judge:
    """The verdicts of all units as they stand now. What is remembered is forgotten where something changed."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._days: dict[tuple[str, int], EstateDay] = {}
        self._reasons: dict[tuple[str, int], dict[str, tuple[str | None, ...]]] = {}
        self._estates: dict[tuple[str, int], bool] = {}

    def refresh(self) -> None:
        """Forget what the last move of the clock has touched."""
        changed, self._estates = self.known.changed, {}
        if changed.everything:
            self._days, self._reasons = {}, {}
        for device, day in changed.days:
            for estate in {row.estate for row in self.known.installations if row.device == device}:
                self._days.pop((estate, day), None)
                self._reasons.pop((estate, self._number(estate, day)), None)
        for unit in changed.units:
            for remembered in self._reasons.values():
                remembered.pop(unit, None)

    def bounds(self, estate: str, number: int) -> tuple[int, int]:
        """First day and end (exclusive) of a period."""
        length = int(self.known.all.absence["period_days"])
        first = self.known.all.go_live[estate] + number * length
        return first, first + length

    def _number(self, estate: str, day: int) -> int:
        return (day - self.known.all.go_live[estate]) // int(self.known.all.absence["period_days"])

    # ---- rule 4 ----

    def judgeable(self, unit: str) -> int:
        """How many periods, from the first on, can be judged for a unit now."""
        estate = self.known.all.estate_of[unit]
        number = 0
        while self._is_over(estate, number) and self._is_known_elsewhere(unit, estate, number):
            number += 1
        return number

    def own_judgeable(self, estate: str) -> int:
        """How many periods can be judged as far as the estate's own machines go."""
        number = 0
        while self._is_over(estate, number):
            number += 1
        return number

    def _is_over(self, estate: str, number: int) -> bool:
        """Whether a period has ended and every machine of the estate has told all of it."""
        if (estate, number) not in self._estates:
            first, end = self.bounds(estate, number)
            rows = self.known.stood(estate, begins(first), begins(end))
            self._estates[estate, number] = self.known.now >= begins(end) and all(
                self._has_told(row, first, end) for row in rows
            )
        return self._estates[estate, number]

    def _is_known_elsewhere(self, unit: str, estate: str, number: int) -> bool:
        first, end = self.bounds(estate, number)
        since = self.bounds(estate, number - BEFORE)[0]
        for tap, cards in self.known.taps_of(unit):
            stood = self.known.place(tap.device, tap.at)
            if not (since <= tap.day < first and is_dated(tap, cards)) or stood is None or stood.estate == estate:
                continue
            rows = [row for row in self.known.installations if row.device == tap.device]
            if not all(self._has_told(row, first, end) for row in rows if row.installed < begins(end)):
                return False
        return True

    def _has_told(self, row: Installation, first: int, end: int) -> bool:
        """Complete at or past min(end + 15 min, removed), or declared lost for the days it is not."""
        complete = self.known.complete.get(row.device)
        reached = complete if complete is not None else -1
        last = begins(end) + SETTLING
        if reached >= min(last, row.removed):
            return True
        begin, stop = max(begins(first), row.installed), min(begins(end), row.removed)
        if stop <= begin:  # gone before the period: what it still holds is of the days up to its removal
            begin = max(row.installed, reached)
            stop = max(stop, begin + 1)
        return all(
            reached >= min(begins(day + 1) if day + 1 < end else last, row.removed)
            or self.known.is_lost(row.device, day)
            for day in range(day_of(begin), day_of(stop - 1) + 1)
        )

    # ---- rule 5 ----

    def verdict(self, unit: str, number: int) -> Judged:
        """What a period was for a unit, by what is known now."""
        estate = self.known.all.estate_of[unit]
        first, end = self.bounds(estate, number)
        reasons = self._why_not(unit, estate, number)
        possible = (day for tap, rows in self.known.taps_of(unit) for day in could_be(tap, rows))
        if any(first <= day < end for day in possible):
            return Judged(number, first, end, Verdict.SATISFIED, reasons)
        is_missed = reasons.count(None) >= self._enough(estate, first, end) and None in reasons
        return Judged(number, first, end, Verdict.MISSED if is_missed else Verdict.VOID, reasons)

    def _enough(self, estate: str, first: int, end: int) -> Fraction:
        served = sum(self._estate_day(estate, day).service > 0 for day in range(first, end))
        rule = self.known.all.absence
        return min(Fraction(rule["min_counted_days"]), Fraction(rule["min_counted_share"]) * served)

    def _why_not(self, unit: str, estate: str, number: int) -> tuple[str | None, ...]:
        remembered = self._reasons.setdefault((estate, number), {})
        if unit not in remembered:
            days = range(*self.bounds(estate, number))
            remembered[unit] = tuple(reason(self.known, unit, day, self._estate_day(estate, day)) for day in days)
        return remembered[unit]

    def _estate_day(self, estate: str, day: int) -> EstateDay:
        if (estate, day) not in self._days:
            self._days[estate, day] = estate_day(self.known, estate, day)
        return self._days[estate, day]
