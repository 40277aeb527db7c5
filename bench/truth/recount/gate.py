"""Rule 7: when many units of an estate are due at once, or its taps fall away, a human looks first."""

import statistics
from fractions import Fraction

from bench.truth.recount.judging import Judge


def is_crowd(judge: Judge, estate: str, number: int, day: int) -> bool:
    """Whether so many units due to open or held are no longer about families."""
    known = judge.known
    let = sum(known.tenancy(unit, day) is not None for unit, code in known.all.estate_of.items() if code == estate)
    return number > max(Fraction(known.all.mass["floor"]), Fraction(known.all.mass["share"]) * let)


def is_quiet(judge: Judge, estate: str) -> bool:
    """Whether the taps of the last period judgeable by its own machines are too few beside those before it."""
    last = judge.own_judgeable(estate) - 1
    history = int(judge.known.all.mass["history_periods"])
    if last < history:
        return False
    usual = statistics.median(Fraction(_taps(judge, estate, number)) for number in range(last - history, last))
    return _taps(judge, estate, last) < Fraction(judge.known.all.mass["tap_drop"]) * usual


def _taps(judge: Judge, estate: str, number: int) -> int:
    """Taps at the machines of an estate in a period, by whatever card that is no test card."""
    first, end = judge.bounds(estate, number)
    count = 0
    for card, taps in judge.known.taps.items():
        if card not in judge.known.all.test_cards:
            for tap in taps:
                place = judge.known.place(tap.device, tap.at)
                count += first <= tap.day < end and place is not None and place.estate == estate
    return count
