"""Habits: who taps when, and that nobody else does."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo import city, residents
from demo.residents import JAKARTA

GO_LIVE = date(2026, 9, 8)
SITES = (city.Site("DMG", "Pesakih", -6.1, 106.7, 640), city.Site("JNK", "Jatinegara Kaum", -6.2, 106.8, 100))


def small(seed: int = 1) -> city.City:
    return city.build(SITES, seed=seed, machines=3)


def planned(seed: int = 1, periods: range = range(6)) -> residents.Plan:
    return residents.plan(small(), go_live=GO_LIVE, periods=periods, seed=seed)


def local(tap: residents.PlannedTap) -> datetime:
    return tap.at.astimezone(JAKARTA)


HOURS = [
    ("Monday", date(2026, 11, 16), (time(8), time(16))),
    ("Friday", date(2026, 11, 20), (time(8), time(16))),
    ("Saturday", date(2026, 11, 21), (time(8), time(12))),
    ("Sunday", date(2026, 11, 22), None),
]


@pytest.mark.parametrize(("day", "expected"), [case[1:] for case in HOURS], ids=[case[0] for case in HOURS])
def test_the_offices_are_open_as_assumed(day: date, expected: tuple[time, time] | None) -> None:
    hours = residents.opening(day)
    assert (hours and tuple(instant.astimezone(JAKARTA).time() for instant in hours)) == expected


@settings(max_examples=15, deadline=None)
@given(st.integers())
def test_every_tap_falls_into_office_hours(seed: int) -> None:
    for tap in planned(seed, range(2)).taps:
        hours = residents.opening(local(tap).date())
        assert hours is not None
        assert hours[0] <= tap.at < hours[1]


@settings(max_examples=15, deadline=None)
@given(st.integers())
def test_nobody_taps_more_than_once_a_period_and_nobody_of_a_sublet_flat_ever(seed: int) -> None:
    flats = small().flats
    per_period = Counter((tap.flat, (local(tap).date() - GO_LIVE) // residents.PERIOD) for tap in planned(seed).taps)
    assert max(per_period.values()) == 1
    assert not any(flats[flat].is_sublet for flat, _ in per_period)


def test_everybody_else_taps_twice_a_month_but_for_what_is_forgotten() -> None:
    dutiful = sum(not flat.is_sublet for flat in small().flats)
    share = len(planned().taps) / (dutiful * 6)
    assert share == pytest.approx(residents.COMPLIANCE, abs=0.02)


def test_everybody_taps_at_their_own_machine() -> None:
    flats = small().flats
    assert all(flats[tap.flat].machine == tap.machine for tap in planned().taps)


@pytest.mark.parametrize(
    ("begin", "end"),
    [(time(8, 15), time(9, 30)), (time(12), time(12, 30)), (time(15, 10), time(15, 40))],
    ids=["morning", "after the midday prayer", "after the afternoon prayer"],
)
def test_a_rush_is_at_least_twice_as_dense_as_the_quiet_hour(begin: time, end: time) -> None:
    weekdays = [local(tap).time() for tap in planned().taps if local(tap).weekday() in (0, 1, 2, 3)]

    def a_minute(start: time, stop: time) -> float:
        minutes = (stop.hour - start.hour) * 60 + stop.minute - start.minute
        return sum(start <= moment < stop for moment in weekdays) / minutes

    assert a_minute(begin, end) > 2 * a_minute(time(13, 15), time(14, 45))


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert planned(5) == planned(5)
    assert planned(5) != planned(6)


def test_a_later_period_does_not_depend_on_how_many_were_planned_before() -> None:
    start = datetime.combine(GO_LIVE + 5 * residents.PERIOD, time(), JAKARTA).astimezone(UTC)
    assert planned().between(start, start + timedelta(days=14)) == planned(periods=range(5, 6)).taps


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_a_stretch_of_the_plan_holds_its_start_and_not_its_end(first: int, last: int) -> None:
    plan = planned(periods=range(1))
    start, end = plan.taps[first].at, plan.taps[last].at
    assert plan.between(start, end) == tuple(tap for tap in plan.taps if start <= tap.at < end)


def test_the_taps_of_one_machine_are_all_its_taps_in_order() -> None:
    plan = planned()
    machine = plan.taps[0].machine
    assert plan.of(machine) == tuple(tap for tap in plan.taps if tap.machine == machine)
