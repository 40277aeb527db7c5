"""Flags as rows: one that lives per kind and subject, events that are only ever added."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from cloud.records import BadData, Records, flags
from cloud.records.flags import EventRow, FlagRow, Lasted, Tally

OPEN = FlagRow(
    id=1,
    number="FLG-26-00001",
    kind="DEVICE_OFFLINE",
    subject="DMG-01",
    estate="DMG",
    run="",
    condition="open",
    level=1,
    severity="P2",
    gate="",
    hushed="{}",
    told="17",
    handling="new",
    owner="",
    acknowledged_until_ms=None,
    outcome="",
    decided_ms=None,
    since_ms=100,
    seen_ms=110,
    opened_ms=120,
    recovering_ms=None,
    ended_ms=None,
    rule="1",
    policy="default",
    evidence="{}",
)
CLOSED = replace(OPEN, id=2, number="FLG-26-00002", condition="closed", recovering_ms=180, ended_ms=200)
EVENT = EventRow(1, 1, 120, "opened", "", "{}", "", "a" * 64)


def added(records: Records, *rows: FlagRow) -> None:
    records.write(lambda connection: flags.add(connection, rows))


def test_what_was_written_is_read_back(records: Records) -> None:
    added(records, OPEN, CLOSED)
    assert records.read(flags.alive) == [OPEN]
    assert records.read(lambda connection: flags.by_number(connection, "FLG-26-00002")) == CLOSED
    assert records.read(lambda connection: flags.by_number(connection, "FLG-26-00003")) is None


def test_of_one_kind_and_subject_one_flag_lives(records: Records) -> None:
    added(records, OPEN, CLOSED)
    with pytest.raises(BadData):
        added(records, replace(OPEN, id=3, number="FLG-26-00003", condition="recovering", recovering_ms=1))
    added(records, replace(OPEN, id=3, number="FLG-26-00003", subject="DMG-02"))


def test_the_database_refuses_what_no_flag_can_be(records: Records) -> None:
    impossible = {
        "open without a number": replace(OPEN, number=None),
        "a number without an opening": replace(OPEN, opened_ms=None),
        "over without an end": replace(OPEN, condition="closed"),
        "an end while it lasts": replace(OPEN, ended_ms=1),
        "an unknown condition": replace(OPEN, condition="gone"),
        "an unknown gate": replace(OPEN, gate="ajar"),
        "an unknown handling": replace(OPEN, handling="lost"),
    }
    for row in impossible.values():
        with pytest.raises(BadData):
            added(records, row)
    added(records, OPEN)


def test_events_are_neither_changed_nor_removed(records: Records) -> None:
    added(records, OPEN)
    records.write(lambda connection: flags.append(connection, [EVENT]))
    for statement in ("UPDATE flag_events SET by = 'siti'", "DELETE FROM flag_events"):
        with pytest.raises(BadData):
            records.write(lambda connection, statement=statement: connection.execute(text(statement)))
    assert records.read(lambda connection: list(flags.all_events(connection))) == [EVENT]
    assert records.read(flags.head) == (1, "a" * 64)


def test_the_last_number_of_a_year_is_the_highest_also_beyond_five_digits(records: Records) -> None:
    for number, row in (("FLG-26-99999", OPEN), ("FLG-26-100000", CLOSED)):
        added(records, replace(row, number=number))
    assert records.read(lambda connection: flags.last_number(connection, "FLG-26-")) == "FLG-26-100000"
    assert records.read(lambda connection: flags.last_number(connection, "FLG-27-")) is None


def test_tallies_count_what_is_open_and_what_ever_was(records: Records) -> None:
    hushed = replace(OPEN, id=3, number="FLG-26-00003", subject="DMG-02", hushed='{"shadow":"x"}', opened_ms=90)
    taken = replace(OPEN, id=4, number="FLG-26-00004", subject="DMG-03", handling="acknowledged")
    wrong = replace(CLOSED, id=5, number="FLG-26-00005", condition="retracted")
    watched = replace(OPEN, id=6, number=None, opened_ms=None, condition="pending", subject="DMG-09")
    added(records, OPEN, CLOSED, hushed, taken, wrong, watched)
    assert records.read(flags.tallies) == [
        Tally("DMG", "DEVICE_OFFLINE", 3, 2, 1, oldest_ms=90, opened=5, closed=1, retracted=1)
    ]


def test_what_lasted_was_over_when_it_recovered(records: Records) -> None:
    added(records, OPEN, CLOSED)
    found = records.read(lambda connection: flags.lasted(connection, kinds=["DEVICE_OFFLINE"], changed_since_ms=150))
    assert found == [Lasted("DEVICE_OFFLINE", "DMG", 100, None), Lasted("DEVICE_OFFLINE", "DMG", 100, 180)]
    late = records.read(lambda connection: flags.lasted(connection, kinds=["DEVICE_OFFLINE"], changed_since_ms=201))
    assert late == [Lasted("DEVICE_OFFLINE", "DMG", 100, None)]
