"""What must be forgotten is, on the day; what must stay stays."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select

from cloud.records import Records, purge
from cloud.records import schema as tables

NOW = datetime(2026, 7, 10, 5, tzinfo=UTC)
DEVICE = "DMG-01"


def ms(days_ago: float) -> int:
    return int((NOW - timedelta(days=days_ago)).timestamp() * 1000)


def put(records: Records, table: Table, *rows: dict[str, Any]) -> None:
    records.write(lambda c: c.execute(insert(table), list(rows)))


def count(records: Records, table: Table) -> int:
    return records.read(lambda c: c.scalar(select(func.count()).select_from(table))) or 0


@pytest.fixture
def stream(records: Records) -> Records:
    put(records, tables.streams, {"id": 1, "device": DEVICE, "outbox": "x", "first_ms": 0})
    return records


def arrive(records: Records, seq: int, days_ago: float, kind: str = "tap", state: str = "stored") -> dict[str, int]:
    row = {"stream": 1, "seq": seq, "digest": "0" * 32, "kind": kind, "state": state, "arrived_ms": ms(days_ago)}
    put(records, tables.arrivals, row)
    return {"stream": 1, "seq": seq}


def tap(records: Records, seq: int, days_ago: float, outcome: str) -> None:
    own = {"device": DEVICE, "at_ms": ms(days_ago), "pseudonym": "p", "outcome": outcome, "estate": "DMG"}
    put(records, tables.sightings, arrive(records, seq, days_ago) | own | {"arrived_ms": ms(days_ago)})


def run(records: Records) -> dict[str, int]:
    return {table: gone for table, gone in purge.purge(records, now_ms=ms(0)).items() if gone}


def test_known_taps_go_after_90_days_and_unknown_ones_after_30(stream: Records) -> None:
    ages = [("known", 89.9), ("known", 90.1), ("test", 90.1), ("unknown", 29.9), ("unknown", 30.1)]
    for seq, (outcome, days_ago) in enumerate(ages, start=1):
        tap(stream, seq, days_ago, outcome)
    assert run(stream) == {"sightings": 3}
    left = stream.read(lambda c: c.scalars(select(tables.sightings.c.seq).order_by(tables.sightings.c.seq)).all())
    assert list(left) == [1, 4]
    assert count(stream, tables.arrivals) == 5, "which seqs came, and as what bytes, is kept longer"


def test_what_machines_said_goes_after_400_days_and_then_its_seqs(stream: Records) -> None:
    for seq, days_ago in ((1, 401), (2, 399)):
        hour = {"device": DEVICE, "hour_ms": ms(days_ago), "able_min": 60, "dated": True}
        put(stream, tables.device_hours, arrive(stream, seq, days_ago, "hours") | hour)
    for seq, days_ago in ((3, 401), (4, 399)):
        event = {"device": DEVICE, "at_ms": ms(days_ago), "event": "boot", "detail": "{}", "arrived_ms": ms(days_ago)}
        put(stream, tables.device_events, arrive(stream, seq, days_ago, "event") | event)
    for seq, days_ago in ((5, 401), (6, 399)):
        waiting = {"body": "{}", "reason": "future", "since_ms": ms(days_ago)}
        put(stream, tables.held, arrive(stream, seq, days_ago, state="held") | waiting)
    assert run(stream) == {"device_hours": 1, "device_events": 1, "held": 1, "arrivals": 3}


def test_a_seq_stays_as_long_as_anything_refers_to_it(stream: Records) -> None:
    own = {"device": DEVICE, "hour_ms": ms(10), "able_min": 60, "dated": True}
    put(stream, tables.device_hours, arrive(stream, 1, 500, "hours") | own)
    assert run(stream) == {}


def test_dead_letters_hold_sealed_cards_and_go_after_90_days(records: Records) -> None:
    own = {"source": "mqtt", "topic": "t", "reason": "r", "explanation": "e", "payload": ""}
    put(records, tables.dead_letters, {"arrived_ms": ms(91), **own}, {"arrived_ms": ms(89), **own})
    assert run(records) == {"dead_letters": 1}


def test_counts_outlive_the_taps_they_were_counted_from(records: Records) -> None:
    taps = {"known": 1, "unknown": 1}
    ages = (399, 401, 1826, 1828)
    put(records, tables.hour_counts, *({"device": DEVICE, "hour_ms": ms(age), **taps} for age in ages))
    put(records, tables.quarter_counts, *({"device": DEVICE, "quarter_ms": ms(age), **taps} for age in ages))
    put(records, tables.online_hours, *({"device": DEVICE, "hour_ms": ms(age), "minutes": 1} for age in ages))
    assert run(records) == {"hour_counts": 1, "quarter_counts": 3, "online_hours": 3}


def test_presence_goes_after_24_months_by_local_days(records: Records) -> None:
    days = [date(2024, 7, 8), date(2024, 7, 9), date(2024, 7, 10)]
    put(records, tables.presence, *({"unit": "DMG/A/1", "day": day, "device": DEVICE, "taps": 1} for day in days))
    assert run(records) == {"presence": 1}


def test_more_than_one_chunk_is_forgotten_and_a_second_run_finds_nothing(stream: Records) -> None:
    for seq in range(1, 6):
        arrive(stream, seq, 500, state="rejected")
    assert purge.purge(stream, now_ms=ms(0), chunk=2)["arrivals"] == 5
    assert run(stream) == {}
