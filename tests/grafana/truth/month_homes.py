"""Homes and cards of the synthetic month."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Card:
    uid: bytes
    unit: str
    obliged: bool = True
    first: date = date(2025, 6, 1)
    last: date = date(9999, 1, 1)


@dataclass(frozen=True)
class Unit:
    name: str
    estate: str
    let_from: date = date(2025, 6, 1)
    let_until: date = date(9999, 1, 1)
    leave: tuple[date, date] | None = None
    cards: tuple[Card, ...] = ()
