"""Which days' roll-ups a change of the registry makes wrong."""

from datetime import date

import pytest

from provisioning.registry import touched
from provisioning.registry.planning import Change, Plan, Values

TODAY = date(2026, 7, 10)
ESTATES = [{"estate": "DMG", "go_live": date(2026, 7, 1)}, {"estate": "MRD", "go_live": date(2026, 7, 8)}]
UNITS = [{"unit": "DMG/A/1", "estate": "DMG"}, {"unit": "MRD/A/1", "estate": "MRD"}]
PLACES = [{"device": "DMG-01", "estate": "DMG"}, {"device": "DMG-01", "estate": "MRD"}]


def days(table: str, after: Values, before: Values | None = None) -> dict[str, list[int]]:
    """By estate, the days of July that are touched."""
    registry = {"estates": ESTATES, "units": UNITS, "installations": PLACES}
    plan = Plan((), (Change(table, after, before),), registry)
    found: dict[str, list[int]] = {}
    for estate, day in sorted(touched.days(plan, today=TODAY)):
        assert day.month == 7
        found.setdefault(estate, []).append(day.day)
    return found


def card(valid_from: int = 1, valid_to: int | None = None, unit: str | None = "DMG/A/1", **more: object) -> Values:
    end = None if valid_to is None else date(2026, 7, valid_to)
    return {"unit": unit, "valid_from": date(2026, 7, valid_from), "valid_to": end, "ended_because": "", **more}


def leave(first: int, last: int) -> Values:
    return {"unit": "DMG/A/1", "from_day": date(2026, 7, first), "to_day": date(2026, 7, last)}


def at(day: int, hour_utc: int) -> int:
    return ((date(2026, 7, day) - date(1970, 1, 1)).days * 24 + hour_utc) * 3_600_000


def place(first: int, last: int | None, **more: object) -> Values:
    return {"device": "DMG-01", "estate": "DMG", "installed_ms": first, "removed_ms": last, **more}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("cards", card(8)), {"DMG": [8, 9, 10]}),
        (("cards", card(8, 9)), {"DMG": [8, 9]}),
        (("cards", card(8, unit=None)), {}),
        (("cards", card(1, 8), card(1)), {"DMG": [8, 9, 10]}),
        (("cards", card(1, 8), card(1, 9)), {"DMG": [8, 9]}),
        (("cards", card(1, 8, ended_because="lost"), card(1, 8)), {}),
        (("cards", card(9, unit="MRD/A/1"), card(9)), {"DMG": [9, 10], "MRD": [9, 10]}),
        (("leave", leave(2, 5), leave(2, 3)), {"DMG": [3, 4, 5]}),
        (("leave", leave(9, 20)), {"DMG": [9, 10]}),
        (("leave", leave(20, 21)), {}),
        (("calendar", {"scope": "*", "from_day": date(2026, 6, 1), "to_day": date(2026, 7, 8)}),
         {"DMG": [1, 2, 3, 4, 5, 6, 7, 8], "MRD": [8]}),
        (("calendar", {"scope": "MRD", "from_day": date(2026, 7, 9), "to_day": date(2026, 7, 9)}), {"MRD": [9]}),
        (("declared_lost", {"device": "DMG-01", "from_day": date(2026, 7, 9), "to_day": date(2026, 7, 9)}),
         {"DMG": [9], "MRD": [9]}),
        (("tenancies", {"unit": "DMG/A/1", "start": date(2020, 1, 1), "end": date(2026, 7, 2)}), {"DMG": [1, 2]}),
        (("installations", place(at(8, 16), None)), {"DMG": [8, 9, 10]}),
        (("installations", place(at(8, 17), None)), {"DMG": [9, 10]}),
        (("installations", place(at(9, 17), None, service_hours="Mon 08:00-09:00"),
          place(at(9, 17), None, service_hours="")), {"DMG": [10]}),
        (("estates", {"estate": "DMG", "go_live": date(2026, 7, 1)},
          {"estate": "DMG", "go_live": date(2026, 7, 3)}), {"DMG": [1, 2, 3]}),
        (("estates", {"estate": "DMG", "go_live": date(2026, 7, 1)}), {}),
        (("units", {"unit": "DMG/A/1", "estate": "DMG"}), {}),
    ],
    ids=[
        "a new card: from its first day until today",
        "a card that has ended",
        "a test card: nobody's days",
        "a card that now ends: from that day on",
        "an end that moved: the days between",
        "only the reason changed: nothing",
        "a card handed on: both estates",
        "leave prolonged: the days between",
        "leave into the future: until today",
        "leave to come: nothing yet",
        "a calendar row for all: each since it went live",
        "a calendar row for one",
        "a machine's lost days: wherever it stood",
        "an old tenancy: since the estate went live",
        "a machine set up at 23.00 WIB",
        "a machine set up at midnight WIB",
        "other service hours: all its days",
        "an estate that went live earlier",
        "a new estate: nothing by itself",
        "a new unit: nothing by itself",
    ],
)  # fmt: skip
def test_touched_days(change: tuple[str, Values] | tuple[str, Values, Values], expected: dict[str, list[int]]) -> None:
    assert days(*change) == expected
