from dataclasses import replace
from datetime import date, timedelta

import pytest

from cloud import days
from cloud.days import Card, Estate, Household, Machine, ServiceHours, Stay, Tenancy
from cloud.ingest import rollups
from cloud.ingest.rollups import DayFacts, DayFigures
from contract.series import Point

DAY = date(2026, 5, 12)  # a Tuesday
LONG_AGO = date(2020, 1, 1)
OFFICE = ServiceHours.parse("Mon-Fri 08:00-16:00")

OBLIGED = Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO),))
MEMBER_ONLY = Household((Tenancy(LONG_AGO),), (Card(False, LONG_AGO),))
CARDLESS = Household((Tenancy(LONG_AGO),))
EMPTY = Household()
AWAY = replace(OBLIGED, leave=((DAY, DAY),))
NEW = replace(OBLIGED, tenancies=(Tenancy(DAY - timedelta(days=3)),))

HOUSEHOLDS = rollups.alike(
    {
        "A/1": OBLIGED,
        "A/2": OBLIGED,
        "A/3": OBLIGED,
        "A/4": AWAY,
        "B/1": NEW,
        "B/2": MEMBER_ONLY,
        "B/3": CARDLESS,
        "B/4": EMPTY,
    }
)


def estate_day(day: date = DAY, able_min: int = 60) -> days.EstateDay:
    machine = Machine("DMG-01", (Stay(0, None, OFFICE),), dict.fromkeys(days.hours_of(day), able_min))
    return days.estate_day(Estate("DMG", LONG_AGO, (machine,)), day)


def facts(day: date = DAY, **more: object) -> DayFacts:
    last_tap = {
        "A/1": day,
        "A/2": day - timedelta(days=6),
        "A/3": day - timedelta(days=7),
        "A/4": day - timedelta(days=14),
        "B/2": day,
        "Z/9": day,
    }
    given: dict[str, object] = {"last_tap": last_tap, "known": 40, "unknown": 2, "late": 5, **more}
    return DayFacts(estate_day(day), HOUSEHOLDS, **given)  # type: ignore[arg-type]


def fields(point: Point) -> dict[str, int | float | str]:
    return dict(point.fields)


def test_a_day_of_an_estate() -> None:
    point = rollups.attendance_day(rollups.figures(facts(completed_ms=1_790_000_000_000)))
    assert (point.time_ns, dict(point.tags)) == (days.starts(DAY) * 10**6, {"estate": "DMG"})
    assert fields(point) == {
        "present_units": 2,
        "obliged_units": 5,
        "registered_units": 6,
        "total_units": 8,
        "taps": 42,
        "unknown_taps": 2,
        "late_taps": 5,
        "able_min": 480.0,
        "service_min": 480.0,
        "complete_pct": 100.0,
        "completed_at": 1_790_000_000_000,
        "silent_units_7d": 3,
        "silent_units_14d": 2,
        "silent_units_30d": 1,
        "counted_units": 3,
        "uncounted_not_live": 0,
        "uncounted_no_tenancy": 1,
        "uncounted_new_tenant": 1,
        "uncounted_no_card": 2,
        "uncounted_calendar": 0,
        "uncounted_leave": 1,
        "uncounted_lost": 0,
        "uncounted_no_machine": 0,
        "uncounted_closed": 0,
        "uncounted_machine": 0,
    }


@pytest.mark.parametrize(
    ("days_ago", "silent"),
    [
        (0, [0, 0, 0]),
        (6, [0, 0, 0]),
        (7, [1, 0, 0]),
        (13, [1, 0, 0]),
        (14, [1, 1, 0]),
        (29, [1, 1, 0]),
        (30, [1, 1, 1]),
    ],
)
def test_a_unit_is_silent_from_the_day_after_its_window(days_ago: int, silent: list[int]) -> None:
    last_tap = {"A/1": DAY - timedelta(days=days_ago)}
    figures = rollups.figures(replace(facts(last_tap=last_tap), households={OBLIGED: frozenset({"A/1"})}))
    assert list(figures.silent) == silent


def test_a_day_that_is_not_complete_does_not_say_when_it_was() -> None:
    assert "completed_at" not in fields(rollups.attendance_day(rollups.figures(facts())))


def test_completeness_is_of_service_minutes() -> None:
    point = rollups.attendance_day(rollups.figures(replace(facts(), estate_day=estate_day(able_min=20))))
    assert (fields(point)["able_min"], fields(point)["complete_pct"]) == (160.0, pytest.approx(100 / 3))
    assert fields(point)["uncounted_machine"] == 3


def test_without_service_there_is_no_completeness() -> None:
    saturday = DAY + timedelta(days=4)
    point = rollups.attendance_day(rollups.figures(facts(saturday)))
    assert fields(point)["service_min"] == 0.0
    assert "complete_pct" not in fields(point)
    assert fields(point)["uncounted_closed"] == 4


def test_the_reasons_and_the_counted_add_up_to_all_units() -> None:
    point = fields(rollups.attendance_day(rollups.figures(facts())))
    uncounted = sum(int(value) for name, value in point.items() if name.startswith("uncounted_"))
    assert uncounted + int(point["counted_units"]) == point["total_units"]


def month(length: int, last: date, **more: object) -> list[DayFigures]:
    window = [last - timedelta(days=number) for number in reversed(range(length))]
    return [rollups.figures(facts(day, **more)) for day in window]


def test_a_month_counts_each_unit_once_and_adds_up_the_days() -> None:
    first, second, third = month(3, DAY)
    second = replace(second, present=frozenset({"A/3"}), known=1, unknown=0, late=0)
    point = rollups.attendance_month([first, second, third])
    assert (point.time_ns, dict(point.tags)) == (days.starts(date(2026, 5, 1)) * 10**6, {"estate": "DMG"})
    told = fields(point)
    assert (told["present_units"], told["obliged_units"], told["total_units"], told["days"]) == (3, 5, 8, 3)
    assert (told["present_unit_days"], told["obliged_unit_days"], told["counted_unit_days"]) == (
        5,
        15,
        7,
    )  # the first is a Sunday: closed
    assert (told["taps"], told["unknown_taps"], told["late_taps"]) == (85, 4, 10)
    assert (told["service_min"], told["complete_pct"]) == (960.0, 100.0)


@pytest.mark.parametrize(
    ("last", "completed", "expected"),
    [
        (date(2026, 5, 31), [5, 9, 7], 9),
        (date(2026, 5, 31), [5, None, 7], None),
        (date(2026, 5, 30), [5, 9, 7], None),
    ],
    ids=["its-last-day-to-complete", "a-day-is-not-complete", "it-is-not-over"],
)
def test_a_month_is_complete_when_it_is_over_and_all_its_days_are(
    last: date, completed: list[int | None], expected: int | None
) -> None:
    window = [
        replace(day, completed_ms=completed_ms) for day, completed_ms in zip(month(3, last), completed, strict=True)
    ]
    assert fields(rollups.attendance_month(window)).get("completed_at") == expected


def test_no_unit_is_shown_by_what_is_logged() -> None:
    assert "A/1" not in repr(facts()) + repr(rollups.figures(facts()))
