from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, insert

from cloud import days
from cloud.records import Records, tallies
from cloud.records import schema as tables
from cloud.records.facts import Window
from cloud.records.registry import Installation
from cloud.records.tallies import Taps

DAY = date(2026, 7, 31)
ONE_DAY = Window(DAY, DAY)
START, END = days.span_of(DAY)


def put(records: Records, table: Table, *rows: dict[str, Any]) -> None:
    records.write(lambda c: c.execute(insert(table), list(rows)))


def before(days_ago: int) -> date:
    return DAY - timedelta(days=days_ago)


def test_taps_by_hour_are_those_of_the_local_day(records: Records) -> None:
    for at in (START - days.HOUR, START, END - days.HOUR, END):
        put(records, tables.hour_counts, {"device": "DMG-01", "hour_ms": at, "known": 1, "unknown": 2, "late": 3})
    found = records.read(lambda c: tallies.by_hour(c, ["DMG-01", "DMG-02"], within=ONE_DAY))
    assert found == {"DMG-01": {START: Taps(1, 2, 3), END - days.HOUR: Taps(1, 2, 3)}}


def test_taps_by_quarter_are_those_of_the_days_named_and_of_none_between(records: Records) -> None:
    for week in range(3):
        for day in range(7):
            at = days.starts(before(7 * week + day)) + days.HOUR
            put(records, tables.quarter_counts, {"device": "DMG-01", "quarter_ms": at, "known": week, "unknown": 0})
    found = records.read(lambda c: tallies.by_quarter(c, ["DMG-01"], on=[before(7 * week) for week in range(9)]))
    assert found == {"DMG-01": {days.starts(before(7 * week)) + days.HOUR: Taps(week) for week in range(3)}}
    assert records.read(lambda c: tallies.by_quarter(c, ["DMG-01"], on=[])) == {}


# ---- where a machine's hours belong ----------------------------------------------------------------------------------

STAYS = [Installation("DMG-01", "DMG", 100, 200), Installation("DMG-01", "MRD", 200, 300)]


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [(0, 100, None), (90, 110, "DMG"), (100, 200, "DMG"), (190, 210, "MRD"), (200, 260, "MRD"), (290, 350, "MRD"),
     (300, 400, None)],
)  # fmt: skip
def test_an_hour_belongs_to_where_the_machine_last_stood_in_it(begin: int, end: int, expected: str | None) -> None:
    assert tallies.home(STAYS, begin, end) == expected


# ---- presence --------------------------------------------------------------------------------------------------------


def test_the_last_tap_of_a_unit_at_any_estate_within_30_days(records: Records) -> None:
    put(records, tables.estates, {"estate": "DMG", "name": "x", "go_live": DAY})
    put(records, tables.units, *({"unit": unit, "estate": "DMG"} for unit in ("now", "late", "edge", "old", "never")))
    seen = [("now", 0), ("now", 3), ("late", -1), ("late", 5), ("edge", 29), ("old", 30)]
    rows = [{"unit": unit, "day": before(ago), "device": "MRD-01", "taps": 1} for unit, ago in seen]
    put(records, tables.presence, *rows, {"unit": "now", "day": DAY, "device": "DMG-01", "taps": 2})
    window = Window(DAY, DAY + timedelta(days=1))
    present = records.read(lambda c: tallies.present_days(c, "DMG", within=window))
    assert tallies.last_taps(present, DAY) == {"now": DAY, "late": before(5), "edge": before(29)}
    assert tallies.last_taps(present, window.last) == {"now": DAY, "late": window.last}


def test_presence_of_other_estates_units_is_not_read(records: Records) -> None:
    put(records, tables.estates, *({"estate": code, "name": "x", "go_live": DAY} for code in ("DMG", "MRD")))
    put(records, tables.units, {"unit": "MRD/1", "estate": "MRD"})
    put(records, tables.presence, {"unit": "MRD/1", "day": DAY, "device": "DMG-01", "taps": 1})
    assert records.read(lambda c: tallies.present_days(c, "DMG", within=ONE_DAY)) == {}


# ---- minutes online and complete days --------------------------------------------------------------------------------


def test_minutes_online_add_up_by_the_hour(records: Records) -> None:
    for minute in (START, START + days.MINUTE, START + days.HOUR, END):
        records.write(lambda c, at=minute: tallies.add_online(c, ["DMG-01", "DMG-02"], minute_ms=at))
    found = records.read(lambda c: tallies.online_minutes(c, ["DMG-01"], within=ONE_DAY))
    assert found == {"DMG-01": {START: 2, START + days.HOUR: 1}}


def test_a_day_is_complete_since_it_was_first_seen_to_be(records: Records) -> None:
    records.write(lambda c: tallies.note_completed(c, "DMG", [DAY], now_ms=5))
    records.write(lambda c: tallies.note_completed(c, "DMG", [DAY, before(1)], now_ms=9))
    window = Window(before(1), DAY)
    assert records.read(lambda c: tallies.completed(c, "DMG", within=window)) == {DAY: 5, before(1): 9}
    assert records.read(lambda c: tallies.completed(c, "DMG", within=ONE_DAY)) == {DAY: 5}
    assert records.read(lambda c: tallies.completed(c, "MRD", within=window)) == {}


def test_taps_add_up() -> None:
    assert sum([Taps(1, 2, 3), Taps(4, 5, 6)], tallies.NOTHING) == Taps(5, 7, 9)
