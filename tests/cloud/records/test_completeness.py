"""The evidence by which a machine's record is complete; judged by `cloud.days.complete`, here from what SQL holds."""

from typing import Any

import pytest
from sqlalchemy import Table, insert

from cloud import days
from cloud.days import Gap, Proof
from cloud.records import Connection, Records, completeness
from cloud.records import schema as tables
from cloud.records.completeness import Evidence
from contract.ranges import Ranges

DEVICE = "DMG-01"
OLD, NEW = "0" * 8, "1" * 8


def put(records: Records, table: Table, *rows: dict[str, Any]) -> None:
    records.write(lambda c: c.execute(insert(table), list(rows)))


def stream(records: Records, number: int, outbox: str, **more: object) -> None:
    put(records, tables.streams, {"id": number, "device": DEVICE, "outbox": outbox, "first_ms": number, **more})


def arrive(records: Records, number: int, seq: int, at_ms: int, *, dated: bool = True, state: str = "stored") -> None:
    own = {"digest": "0" * 32, "kind": "tap", "state": state, "at_ms": at_ms, "dated": dated, "arrived_ms": at_ms}
    put(records, tables.arrivals, {"stream": number, "seq": seq, **own})


def beat(records: Records, outbox: str, last_seq: int, uptime_s: int) -> None:
    put(records, tables.proofs, {"device": DEVICE, "outbox": outbox, "last_seq": last_seq, "boot": "b",
                                 "uptime_s": uptime_s})  # fmt: skip


@pytest.fixture
def booted(records: Records) -> Records:
    put(records, tables.boots, {"device": DEVICE, "boot": "b", "base_ms": 1000, "first_ms": 0})
    return records


def evidence(records: Records) -> Evidence:
    return records.read(lambda c: completeness.evidence(c, [DEVICE, "DMG-09"]))[DEVICE]


def complete(records: Records) -> int | None:
    found = evidence(records)
    return days.complete(found.outboxes, found.proofs, found.base_ms)


def test_a_machine_never_heard_of_has_no_evidence(records: Records) -> None:
    assert evidence(records) == Evidence()
    assert complete(records) is None


def test_a_gap_comes_with_the_dated_records_around_it(booted: Records) -> None:
    stream(booted, 1, OLD, answered="[[1,2],[5,6]]", highest_told=8)
    for seq, dated in ((1, True), (2, False), (5, False), (6, True)):
        arrive(booted, 1, seq, seq * 100, dated=dated)
    (outbox,) = evidence(booted).outboxes
    assert outbox.settled == Ranges.of([(1, 2), (5, 6)])
    assert outbox.gaps == (Gap(3, 4, 100, 600), Gap(7, 8, 600, None))
    assert outbox.first_record_ms == 100


def test_a_held_record_is_missing_until_it_is_resolved(booted: Records) -> None:
    stream(booted, 1, OLD, answered="[[1,3]]")
    for seq in (1, 2, 3):
        arrive(booted, 1, seq, seq * 100)
    put(booted, tables.held, {"stream": 1, "seq": 2, "body": "{}", "reason": "future", "since_ms": 0})
    beat(booted, OLD, 1, 10)
    beat(booted, OLD, 3, 30)
    assert evidence(booted).outboxes[0].gaps == (Gap(2, 2, 100, 300),)
    assert complete(booted) == 11_000
    booted.write(lambda c: c.execute(tables.held.delete()))
    assert complete(booted) == 31_000


def test_outboxes_come_in_the_order_of_their_first_fact_and_the_earlier_must_be_closed(booted: Records) -> None:
    stream(booted, 2, NEW, answered="[[1,1]]")
    stream(booted, 1, OLD, answered="[[1,2]]")
    beat(booted, OLD, 2, 10)
    beat(booted, NEW, 1, 50)
    assert [outbox.outbox for outbox in evidence(booted).outboxes] == [OLD, NEW]
    assert complete(booted) == 11_000
    booted.write(lambda c: c.execute(tables.streams.update().where(tables.streams.c.id == 1).values(closed_at_seq=2)))
    assert complete(booted) == 51_000


def test_proofs_and_boots_are_those_of_the_machine(booted: Records) -> None:
    beat(booted, OLD, 2, 10)
    put(booted, tables.proofs, {"device": "MRD-01", "outbox": OLD, "last_seq": 9, "boot": "b", "uptime_s": 1})
    found = evidence(booted)
    assert (found.proofs, found.base_ms) == ([Proof(OLD, 2, "b", 10)], {"b": 1000})


def test_proofs_that_a_later_one_makes_idle_are_forgotten_and_nothing_changes(booted: Records) -> None:
    stream(booted, 1, OLD, answered="[[1,3],[5,5]]")
    for last_seq, uptime_s in ((1, 10), (2, 20), (3, 30), (5, 50), (9, 90)):
        beat(booted, OLD, last_seq, uptime_s)
    before = complete(booted)
    assert booted.write(completeness.forget_proofs) == 2
    assert [proof.last_seq for proof in evidence(booted).proofs] == [3, 5, 9]
    assert complete(booted) == before == 31_000
    assert booted.write(completeness.forget_proofs) == 0


def test_counting_what_was_rejected_reads_no_more_than_that(records: Records) -> None:
    query = "SELECT device, COUNT(*) FROM streams JOIN arrivals ON stream = id WHERE state = 'rejected' GROUP BY device"

    def plan(connection: Connection) -> list[str]:
        if records.dialect == "sqlite":
            return [str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # an empty table is read whole otherwise
        return [str(row) for row in connection.exec_driver_sql(f"EXPLAIN {query}")]

    assert any("ix_arrivals_rejected" in line for line in records.write(plan))
