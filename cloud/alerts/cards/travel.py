"""One card at two estates, sooner than anybody could have travelled. Pure.

Both clocks are given the error they may have before they are flagged, in favour of the resident.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from math import asin, cos, radians, sin, sqrt
from typing import Final

from cloud import days
from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policy
from cloud.records.card_facts import Pair

EARTH_KM: Final = 6371.0
Place = tuple[float, float]
"""Latitude and longitude in degrees."""


def two_estates(pairs: Iterable[Pair], places: Mapping[str, Place], *, policy: Policy) -> Iterator[Finding]:
    """Cards that were at two estates in a time in which nobody gets from one to the other."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        if is_impossible(pair, places, policy=policy):
            found.setdefault(pair.card, []).append(pair)
    for card, those in found.items():
        last = max(those, key=lambda pair: pair.at_ms[1])
        km, minutes = apart(last, places)
        evidence = {
            "times": len(those),
            "km": round(km, 1),
            "minutes": minutes,
            "last_day": days.day_of(last.at_ms[1]).isoformat(),
        }
        yield Finding(Kind.CARD_TWO_ESTATES, card, last.home, min(pair.at_ms[0] for pair in those), evidence)


def is_impossible(pair: Pair, places: Mapping[str, Place], *, policy: Policy) -> bool:
    """Whether nobody could have made both taps. Of an estate whose place is not known nothing is said."""
    if not all(estate in places for estate in pair.estates):
        return False
    km, _ = apart(pair, places)
    errors_ms = 2 * policy.clock.flag_s * 1000
    hours = Fraction(pair.at_ms[1] - pair.at_ms[0] + errors_ms, days.HOUR)
    return km >= policy.cards.apart_km and Fraction(km) > policy.cards.fastest_kmh * hours


def apart(pair: Pair, places: Mapping[str, Place]) -> tuple[float, int]:
    """Kilometres and whole minutes between the two taps."""
    one, other = (places[estate] for estate in pair.estates)
    return distance_km(one, other), (pair.at_ms[1] - pair.at_ms[0]) // days.MINUTE


def distance_km(one: Place, other: Place) -> float:
    """As the crow flies."""
    (lat, lon), (lat2, lon2) = ((radians(each) for each in place) for place in (one, other))
    half = sin((lat2 - lat) / 2) ** 2 + cos(lat) * cos(lat2) * sin((lon2 - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(half))
