"""Recorded facts end in the records as live ones do: resolved by what was known, held, counted, proven."""

import asyncio
import json
import random
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import text

from cloud import days
from cloud.records import Connection, Records, completeness, marks
from cloud.replay import cells, courses, ingesting, translating
from cloud.replay.courses import Course
from cloud.replay.ingesting import Ingest
from contract.topics import DeviceId

DEVICE = DeviceId("DMG-01")
HELD = "SELECT reason FROM held"
PRESENT = "SELECT unit, day, device, taps FROM presence ORDER BY unit, day, device"
SIGHTED = "SELECT unit, estate, at_ms, uncertainty_ms, outcome FROM sightings ORDER BY stream, seq"


def at(day: int, hour: int, minute: int = 0) -> str:
    return f"2026-03-{day:02}T{hour:02}:{minute:02}:00+07:00"


def tap(seq: int, card: str, day: int, hour: int = 8, *, arrived: str = "", **more: object) -> dict[str, object]:
    made = at(day, hour)
    return {"arrived": arrived or made, "kind": "tap", "seq": seq, "at": made, "card": card} | more


def hours(seq: int, day: int, hour: int, *, arrived: str = "", **more: object) -> dict[str, object]:
    said = {"kind": "hours", "seq": seq, "hour": at(day, hour), "able_min": 60}
    return {"arrived": arrived or at(day, hour + 1)} | said | more


def beat(day: int, last_seq: int, hour: int = 23, *, arrived: str = "", **more: object) -> dict[str, object]:
    uptime_s = (day - 1) * 86_400 + hour * 3600
    return {
        "arrived": arrived or at(day, hour), "kind": "heartbeat", "boot": "b1", "uptime_s": uptime_s, "backlog": 0,
        "last_seq": last_seq, "confirmed": 0, "oldest_unsent": None, "clock_offset_ms": 0, "reader": "ok",
        "disk_free_pct": 80,
    } | more  # fmt: skip


Empty = Callable[[], Records]


def replayed(written, records: Records, *until: str) -> Records:
    """Everything up to the beginning of each of these days in turn, settled."""
    found = written.opened()
    instants = [days.starts(date.fromisoformat(each)) for each in until or ("2026-03-09",)]
    course = Course(records, Ingest(records, found.registry), lambda _, now_ms: [])

    async def run() -> None:
        async for _ in courses.changes(found, [course], instants):
            pass

    asyncio.run(run())
    return records


def rows(records: Records, query: str) -> list[tuple[object, ...]]:
    return records.read(lambda connection: [tuple(row) for row in connection.execute(text(query))])


def complete(records: Records) -> int | None:
    def read(connection: Connection) -> int | None:
        found = completeness.evidence(connection, [DEVICE])[DEVICE]
        return days.complete(found.outboxes, found.proofs, found.base_ms)

    return records.read(read)


ms = cells.instant


def test_a_tap_is_the_presence_of_its_cards_unit(written, records: Records) -> None:
    written.add(tap(1, "one", 3), tap(2, "stranger", 3, 9), tap(3, "tester", 3, 10))
    replayed(written, records)
    assert rows(records, PRESENT) == [("DMG/A/01/01", "2026-03-03", "DMG-01", 1)]
    assert [row[4] for row in rows(records, SIGHTED)] == ["known", "unknown", "test"]


def test_a_line_that_arrives_twice_changes_nothing(written, records: Records) -> None:
    written.add(tap(1, "one", 3), tap(1, "one", 3, arrived=at(5, 1)))
    replayed(written, records)
    assert rows(records, PRESENT) == [("DMG/A/01/01", "2026-03-03", "DMG-01", 1)]


def test_a_card_stands_for_its_unit_once_that_is_known_also_for_taps_made_before(written, new_records: Empty) -> None:
    written.row("cards.csv", f"late,DMG/A/01/02,member,1,2026-01-01,,,{at(6, 10)}")
    written.add(tap(1, "late", 3))
    assert rows(replayed(written, new_records(), "2026-03-06"), PRESENT) == []
    found = rows(replayed(written, new_records(), "2026-03-06", "2026-03-07"), PRESENT)
    assert found == [("DMG/A/01/02", "2026-03-03", "DMG-01", 1)]


def test_what_is_known_at_the_very_instant_counts(written, records: Records) -> None:
    written.row("leave.csv", f"DMG/A/01/02,2026-03-03,2026-03-04,{at(9, 0)}")
    written.row("leave.csv", "DMG/A/01/02,2026-03-05,2026-03-06,2026-03-09T00:00:00.0001+07:00")
    replayed(written, records)
    assert [row[0] for row in rows(records, "SELECT from_day FROM leave ORDER BY 1")] == [
        "2026-03-03", "2026-03-10"
    ]  # fmt: skip


def test_a_tap_at_a_machine_nobody_has_installed_yet_is_held_and_then_counted(written, new_records: Empty) -> None:
    written.row("installations.csv", f"DMG-02,DMG,{at(1, 0)},,,{at(7, 12)}")
    written.add(tap(1, "one", 3), device="DMG-02")
    assert rows(replayed(written, new_records(), "2026-03-06"), HELD) == [("not_installed",)]
    later = replayed(written, new_records(), "2026-03-06", "2026-03-08")
    assert rows(later, HELD) == []
    assert rows(later, PRESENT) == [("DMG/A/01/01", "2026-03-03", "DMG-02", 1)]


def test_a_held_tap_keeps_its_uncertainty(written, records: Records) -> None:
    written.row("installations.csv", f"DMG-02,DMG,{at(1, 0)},,,{at(7, 12)}")
    written.add(tap(1, "one", 3, clock="untrusted", uncertainty_s=90_000), device="DMG-02")
    replayed(written, records, "2026-03-06", "2026-03-08")
    assert [row[3] for row in rows(records, SIGHTED)] == [90_000_000]


def test_an_uncertain_tap_waits_for_no_neighbour(written, records: Records) -> None:
    written.add(tap(1, "one", 3, clock="untrusted", uncertainty_s=90_000))
    replayed(written, records)
    assert rows(records, SIGHTED) == [("DMG/A/01/01", "DMG", ms(at(3, 8)), 90_000_000, "known")]


def test_a_tap_from_the_future_is_held_until_its_time_has_come(written, new_records: Empty) -> None:
    written.add(tap(1, "one", 8, arrived=at(3, 8)))
    assert rows(replayed(written, new_records(), "2026-03-06"), HELD) == [("future",)]
    assert rows(replayed(written, new_records(), "2026-03-06", "2026-03-09"), HELD) == []


def test_hours_under_an_untrusted_clock_are_kept_and_not_dated(written, records: Records) -> None:
    written.add(hours(1, 3, 8), hours(2, 3, 9, clock="untrusted"))
    replayed(written, records)
    assert rows(records, "SELECT seq, dated FROM device_hours ORDER BY seq") == [(1, 1), (2, 0)]


def test_a_machine_is_complete_as_far_as_its_heartbeats_prove(written, records: Records) -> None:
    written.add(tap(1, "one", 3), beat(3, 1), beat(4, 3))
    replayed(written, records)
    assert complete(records) == ms(at(3, 23))


def test_a_delayed_heartbeat_was_made_when_its_boot_says(written, records: Records) -> None:
    written.add(beat(3, 0), beat(5, 0, arrived=at(7, 12)))
    replayed(written, records)
    assert complete(records) == ms(at(5, 23))


def test_a_goodbye_proves_as_a_heartbeat_does(written, records: Records) -> None:
    said = {"kind": "status", "online": False, "session": 1, "reason": "goodbye", "boot": "b1", "last_seq": 1}
    written.add(beat(2, 0), tap(1, "one", 3), {"arrived": at(4, 9), "uptime_s": 3 * 86_400 + 9 * 3600} | said)
    replayed(written, records)
    assert complete(records) == ms(at(4, 9))


def test_dropped_records_are_missed_no_longer_and_a_later_outbox_waits_for_the_earlier(
    written, new_records: Empty
) -> None:
    gone = {"outbox": "", "from_seq": 2, "to_seq": 4, "from": at(3, 9), "to": at(4, 9)}
    written.add(
        tap(1, "one", 3),
        beat(4, 4),
        tap(1, "one", 5, outbox="new"),
        beat(5, 1, outbox="new"),
    )
    event = {"kind": "event", "outbox": "new", "at": at(6, 1)}
    written.add({"arrived": at(6, 1), "seq": 2, "event": "records_dropped", "detail": gone} | event)
    written.add(
        {"arrived": at(7, 1), "seq": 3, "event": "outbox_closed", "detail": {"outbox": "", "last_seq": 4}} | event
    )
    for day, until in (("2026-03-06", None), ("2026-03-07", at(4, 23)), ("2026-03-08", at(5, 23))):
        assert complete(replayed(written, new_records(), day)) == (ms(until) if until else None)


def test_outboxes_are_told_apart_by_who_came_first_whatever_they_are_called(written, records: Records) -> None:
    for number, outbox in enumerate("zyxa"):
        written.add(tap(1, "one", 3, arrived=f"2026-03-03T08:00:0{number}+07:00", outbox=outbox))
    replayed(written, records)
    found = rows(records, "SELECT outbox FROM streams ORDER BY first_ms")
    assert found == [(translating.name(DEVICE, outbox),) for outbox in "zyxa"]


def test_somebody_has_been_listening_all_the_time(written, records: Records) -> None:
    written.add(beat(3, 0, hour=1))
    replayed(written, records, "2026-03-02", "2026-03-09")
    read = records.read(
        lambda connection: (
            marks.read(connection, marks.LISTENING_SINCE),
            marks.read(connection, marks.LISTENING_UNTIL),
        )
    )
    assert read == (ms(at(2, 0)), ms(at(9, 0)))


def test_the_last_heartbeat_of_each_machine_is_kept_as_it_came(written, records: Records) -> None:
    written.add({"arrived": at(2, 1), "kind": "status", "online": True, "session": 4, "reason": "birth"})
    written.add(beat(2, 0, hour=2, backlog=3), beat(2, 0, hour=3, backlog=9))
    replayed(written, records)
    ((arrived_ms, heartbeat, session, online),) = rows(
        records, "SELECT arrived_ms, heartbeat, session, online FROM heard"
    )
    assert (arrived_ms, session, online) == (ms(at(2, 3)), 4, 1)
    assert json.loads(str(heartbeat))["backlog"] == 9


def test_a_machine_is_as_connected_as_it_said_last(written, records: Records) -> None:
    birth = {"kind": "status", "online": True, "session": 4, "reason": "birth"}
    will = {"kind": "status", "online": False, "session": 4, "reason": "will"}
    written.add({"arrived": at(2, 1)} | birth, beat(2, 0, hour=2), {"arrived": at(2, 3)} | will, beat(2, 0, hour=4))
    written.add({"arrived": at(2, 5)} | will | {"session": 3})
    replayed(written, records)
    ((session, online, arrived_ms, heartbeat),) = rows(
        records, "SELECT session, online, arrived_ms, heartbeat FROM heard"
    )
    assert (session, online, arrived_ms) == (4, 0, ms(at(2, 4)))
    assert json.loads(str(heartbeat))["at"] == ms(at(2, 4))


@pytest.mark.parametrize("size", [1, 2, 7])
def test_batches_of_any_size_leave_the_same(written, new_records: Empty, monkeypatch, size: int) -> None:
    _some_facts(written, random.Random(3))
    records = replayed(written, new_records())
    monkeypatch.setattr(ingesting, "MOST_RECORDS", size)
    monkeypatch.setattr(ingesting, "MOST_SIGNS", size)
    again = replayed(written, new_records())
    for query in (PRESENT, SIGHTED, "SELECT device, hour_ms, able_min FROM device_hours ORDER BY 1, 2"):
        assert rows(again, query) == rows(records, query)
    assert complete(again) == complete(records) is not None


def _some_facts(written, chance: random.Random) -> None:
    seq = 0
    for day in range(2, 9):
        for hour in range(6, 22):
            seq += 1
            written.add(
                hours(seq, day, hour) if chance.random() < 0.7 else tap(seq, chance.choice(("one", "two")), day, hour)
            )
        written.add(beat(day, seq))
    written.facts["DMG-01"].sort(key=lambda fact: str(fact["arrived"]))
