"""A replay directory, read as docs/replay.md writes it."""

import csv
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from bench.truth.recount.calendar import NEVER, day, instant

ABSENCE: Final[dict[str, Any]] = {
    "period_days": 14,
    "min_counted_days": 10,
    "min_counted_share": Fraction("0.7"),
    "watch": 2,
    "open": 3,
    "remind": 4,
    "case": 6,
    "min_able_min": 240,
    "min_able_cap": Fraction("0.8"),
    "min_able_share": Fraction("0.5"),
    "tenancy_grace_days": 30,
    "open_one_card": None,
}
MASS: Final[dict[str, Any]] = {
    "enabled": True,
    "share": Fraction("0.02"),
    "floor": 5,
    "tap_drop": Fraction("0.40"),
    "history_periods": 4,
}


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A unit is let from `start` to the day before `end`."""

    unit: str
    start: int
    end: int
    known: int


@dataclass(frozen=True, slots=True)
class Card:
    """A card stands for a unit from `first` to `last`, that day included. Test cards are not read at all."""

    card: str
    unit: str
    obliged: bool
    first: int
    last: int
    known: int

    def is_valid(self, on: int) -> bool:
        """Whether it stands for its unit on that day."""
        return self.first <= on <= self.last


@dataclass(frozen=True, slots=True)
class Installation:
    """A machine stands at an estate from `installed` until `removed`."""

    device: str
    estate: str
    installed: int
    removed: int
    hours: str
    known: int


@dataclass(frozen=True, slots=True)
class Days:
    """Days `first` to `last`, both included, of an estate (or `*`), a unit, or a machine."""

    of: str
    first: int
    last: int
    known: int

    def has(self, number: int) -> bool:
        """Whether a day is one of them."""
        return self.first <= number <= self.last


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a machine's file."""

    device: str
    arrived: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything in it, facts in order of arrival."""

    first: int
    until: int
    go_live: dict[str, int]
    estate_of: dict[str, str]
    tenancies: list[Tenancy]
    cards: list[Card]
    test_cards: frozenset[str]
    installations: list[Installation]
    calendar: list[Days]
    leave: list[Days]
    lost: list[Days]
    absence: dict[str, Any]
    mass: dict[str, Any]
    facts: list[Fact]


def read(folder: Path) -> Directory:
    """The directory in *folder*."""
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    if meta["format"] != "hadir-replay/1":
        raise ValueError(f"{folder}: {meta['format']} is no format this recount knows")
    absence, mass = _policy(folder / "policy.toml")
    return Directory(
        first=day(meta["from"]),
        until=day(meta["until"]),
        go_live={row["estate"]: day(row["go_live"]) for row in _rows(folder / "estates.csv")},
        estate_of={row["unit"]: row["estate"] for row in _rows(folder / "units.csv")},
        tenancies=[_tenancy(row) for row in _rows(folder / "tenancies.csv")],
        cards=[_card(row) for row in _rows(folder / "cards.csv") if row["role"] != "test"],
        test_cards=frozenset(row["card"] for row in _rows(folder / "cards.csv") if row["role"] == "test"),
        installations=[_installation(row) for row in _rows(folder / "installations.csv")],
        calendar=[_days(row, "scope") for row in _rows(folder / "calendar.csv")],
        leave=[_days(row, "unit") for row in _rows(folder / "leave.csv")],
        lost=[_days(row, "device") for row in _rows(folder / "declared_lost.csv")],
        absence=absence,
        mass=mass,
        facts=sorted(_facts(folder / "devices"), key=lambda fact: fact.arrived),
    )


def _policy(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    tables = tomllib.loads(path.read_text("utf-8"), parse_float=Fraction) if path.exists() else {}
    if "amendment" in tables or "estate" in tables:
        raise ValueError(f"{path}: the recount knows one policy for all days and estates")
    return ABSENCE | tables.get("absence", {}), MASS | tables.get("mass", {})


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _known(row: dict[str, str]) -> int:
    return instant(row["known_from"]) if row.get("known_from") else -NEVER


def _day(text: str) -> int:
    return day(text) if text else NEVER


def _tenancy(row: dict[str, str]) -> Tenancy:
    return Tenancy(row["unit"], day(row["start"]), _day(row["end"]), _known(row))


def _card(row: dict[str, str]) -> Card:
    first, last = day(row["valid_from"]), _day(row["valid_to"])
    return Card(row["card"], row["unit"], row["obliged"] == "1", first, last, _known(row))


def _installation(row: dict[str, str]) -> Installation:
    removed = instant(row["removed"]) if row["removed"] else NEVER
    return Installation(
        row["device"], row["estate"], instant(row["installed"]), removed, row["service_hours"], _known(row)
    )


def _days(row: dict[str, str], of: str) -> Days:
    return Days(row[of], day(row["from"]), day(row["to"]), _known(row))


def _facts(folder: Path) -> Iterator[Fact]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                body = json.loads(line)
                yield Fact(path.stem, instant(body["arrived"]), body["kind"], body)
