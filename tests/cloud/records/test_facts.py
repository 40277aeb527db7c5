"""What the days' rules are given, from SQL: the same values as by hand, bounded by estate and days."""

import json
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import Table, insert

from cloud import days
from cloud.days import Card, Household, Machine, Reason, ServiceHours, Stay, Tenancy
from cloud.records import Records, facts
from cloud.records import schema as tables
from cloud.records.facts import Window

DAY = date(2026, 7, 1)
JULY = Window(DAY, date(2026, 7, 31))
NOON = days.starts(DAY) + 12 * days.HOUR
OFFICE = "Mon-Fri 08:00-16:00"


def put(records: Records, table: Table, *rows: dict[str, Any]) -> None:
    records.write(lambda c: c.execute(insert(table), list(rows)))


def place(device: str, estate: str, installed_ms: int = 0, removed_ms: int | None = None) -> dict[str, Any]:
    row = {"device": device, "estate": estate, "installed_ms": installed_ms, "removed_ms": removed_ms}
    return row | {"service_hours": OFFICE, "known_from_ms": 0}


@pytest.fixture
def city(records: Records) -> Records:
    """Two estates; machine DMG-01 moved from the first to the second on 10 July."""
    moved = days.starts(date(2026, 7, 10))
    put(records, tables.estates, *({"estate": code, "name": code, "go_live": DAY} for code in ("DMG", "MRD")))
    put(records, tables.units, {"unit": "DMG/1", "estate": "DMG"}, {"unit": "DMG/2", "estate": "DMG"})
    put(records, tables.units, {"unit": "MRD/1", "estate": "MRD"})
    places = [place("DMG-01", "DMG", 0, moved), place("DMG-01", "MRD", moved), place("DMG-02", "DMG")]
    put(records, tables.installations, *places)
    put(records, tables.streams, {"id": 1, "device": "DMG-01", "outbox": "x", "first_ms": 0})
    return records


def arrive(records: Records, seq: int, kind: str) -> dict[str, Any]:
    row = {"stream": 1, "seq": seq, "digest": "0" * 32, "kind": kind, "state": "stored", "arrived_ms": 0}
    put(records, tables.arrivals, row)
    return {"stream": 1, "seq": seq, "device": "DMG-01"}


def hour(records: Records, seq: int, hour_ms: int, able_min: int, *, dated: bool = True) -> None:
    own = {"hour_ms": hour_ms, "able_min": able_min, "dated": dated}
    put(records, tables.device_hours, arrive(records, seq, "hours") | own)


def event(records: Records, seq: int, at_ms: int, name: str, **detail: object) -> None:
    own = {"at_ms": at_ms, "event": name, "detail": json.dumps(detail), "arrived_ms": at_ms}
    put(records, tables.device_events, arrive(records, seq, "event") | own)


def estate(records: Records, code: str, able: Window = JULY) -> days.Estate:
    found = records.read(lambda c: facts.estate(c, code, able=able))
    assert found is not None
    return found


def test_an_estate_has_every_machine_that_ever_stood_there_for_as_long_as_it_did(city: Records) -> None:
    found = estate(city, "DMG")
    assert (found.estate, found.go_live, [machine.device for machine in found.machines]) == (
        "DMG",
        DAY,
        ["DMG-01", "DMG-02"],
    )
    moved = days.starts(date(2026, 7, 10))
    assert found.machines[0].stays == (Stay(0, moved, ServiceHours.parse(OFFICE)),)
    assert estate(city, "MRD").machines[0].stays == (Stay(moved, None, ServiceHours.parse(OFFICE)),)


def test_an_estate_that_is_not_registered_is_none(city: Records) -> None:
    assert city.read(lambda c: facts.estate(c, "KRA", able=JULY)) is None


def test_able_minutes_add_up_to_an_hour_at_most_and_only_under_a_trusted_clock(city: Records) -> None:
    for seq, (at, minutes, dated) in enumerate(
        [(NOON, 20, True), (NOON, 30, True), (NOON + days.HOUR, 40, True), (NOON + days.HOUR, 40, True),
         (NOON + 2 * days.HOUR, 60, False)], start=1
    ):  # fmt: skip
        hour(city, seq, at, minutes, dated=dated)
    assert estate(city, "DMG").machines[0].able == {NOON: 50, NOON + days.HOUR: 60}


def test_able_minutes_outside_the_days_asked_for_are_not_read(city: Records) -> None:
    first, last = days.starts(DAY), days.span_of(date(2026, 7, 31))[1]
    for seq, at in enumerate([first - days.HOUR, first, last - days.HOUR, last], start=1):
        hour(city, seq, at, 60)
    assert set(estate(city, "DMG").machines[0].able) == {first, last - days.HOUR}


def test_what_is_lost_comes_with_its_machine(city: Records) -> None:
    span = (DAY, date(2026, 7, 2))
    put(city, tables.declared_lost, {"device": "DMG-01", "from_day": span[0], "to_day": span[1], "known_from_ms": 0})
    event(city, 1, NOON, "records_dropped", outbox="x", from_seq=1, to_seq=2, **{"from": 5, "to": 9})
    event(city, 2, NOON, "boot")
    first, second = estate(city, "DMG").machines
    assert (first.declared_lost, first.dropped) == ((span,), ((5, 9),))
    assert (second.declared_lost, second.dropped) == ((), ())


def test_calendar_rows_for_all_and_for_the_estate(city: Records) -> None:
    rows = [("*", 1, 2), ("DMG", 4, 5), ("MRD", 7, 8)]
    own = {"kind": "holiday", "reason": "", "known_from_ms": 0}
    for scope, first, last in rows:
        span = {"from_day": date(2026, 7, first), "to_day": date(2026, 7, last)}
        put(city, tables.calendar, {"scope": scope, **span, **own})
    assert [(first.day, last.day) for first, last in estate(city, "DMG").calendar] == [(1, 2), (4, 5)]


def test_households_hold_all_that_is_known_of_a_unit_but_no_test_card_and_no_other_estate(city: Records) -> None:
    put(city, tables.tenancies, {"unit": "DMG/1", "start": DAY, "end": None, "known_from_ms": 5})
    put(city, tables.leave, {"unit": "DMG/1", "from_day": DAY, "to_day": DAY, "known_from_ms": 5})
    own = {"pseudonym": "p", "valid_from": DAY, "known_from_ms": 5}
    put(city, tables.cards, {"unit": "DMG/1", "role": "holder", "obliged": True, **own})
    put(city, tables.cards, {"unit": "MRD/1", "role": "member", "obliged": False, **own})
    put(city, tables.cards, {"unit": None, "role": "test", "obliged": False, **own})
    assert city.read(lambda c: facts.households(c, "DMG")) == {
        "DMG/1": Household((Tenancy(DAY, None),), (Card(True, DAY, None, 5),), ((DAY, DAY),)),
        "DMG/2": Household(),
    }


def test_units_alike_compare_equal_whatever_the_order_of_their_rows(city: Records) -> None:
    for unit, starts in (("DMG/1", (2025, 2026)), ("DMG/2", (2026, 2025))):
        for year in starts:
            span = {"start": date(year, 1, 1), "end": date(year, 12, 31)}
            put(city, tables.tenancies, {"unit": unit, **span, "known_from_ms": 5})
    found = city.read(lambda c: facts.households(c, "DMG"))
    assert found["DMG/1"] == found["DMG/2"]


def test_boots_are_counted_by_machine_and_local_day(city: Records) -> None:
    midnight = days.starts(date(2026, 7, 2))
    for seq, at in enumerate([midnight - 1, midnight, midnight + 1], start=1):
        event(city, seq, at, "boot")
    event(city, 4, midnight, "clock_step")
    assert city.read(lambda c: facts.boots(c, ["DMG-01", "DMG-02"], within=JULY)) == {
        ("DMG-01", DAY): 1,
        ("DMG-01", date(2026, 7, 2)): 2,
    }


def test_the_rules_can_judge_a_day_by_these_facts(city: Records) -> None:
    for seq, start in enumerate(days.hours_of(DAY), start=1):
        hour(city, seq, start, 60)
    judged = days.estate_day(estate(city, "DMG"), DAY)
    assert (judged.able, judged.service, judged.disturbed) == (Fraction(480), Fraction(480), None)
    assert days.estate_day(estate(city, "DMG"), date(2026, 7, 2)).disturbed is Reason.MACHINE


def test_a_window_has_its_days_and_their_instants() -> None:
    window = Window(DAY, date(2026, 7, 2))
    assert window.days == [DAY, date(2026, 7, 2)]
    assert window.span == (days.starts(DAY), days.starts(date(2026, 7, 3)))


def test_a_machine_without_records_is_never_able(city: Records) -> None:
    assert city.read(lambda c: facts.machines(c, "DMG", able=JULY))[1] == Machine(
        "DMG-02", (Stay(0, None, ServiceHours.parse(OFFICE)),)
    )
