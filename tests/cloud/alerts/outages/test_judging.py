"""The path rules over SQL, on both engines: what is judged, and what is not while nobody listens."""

from datetime import date

import pytest
from sqlalchemy import insert

from cloud.alerts.findings import Standing
from cloud.alerts.kinds import Kind
from cloud.alerts.outages import Failing, PathFacts, judge
from cloud.alerts.policy import Policies
from cloud.records import Records, heard, marks
from cloud.records import schema as tables
from cloud.records.heard import Beat
from contract import codec

LIVE = PathFacts(failing=None)
NOBODY: Standing = {}


@pytest.fixture
def city(records: Records, hand) -> Records:
    """Two machines in DMG and one in PSK, heard at minute 0, 20 and 20; a fourth was taken away."""

    def prepare(connection):
        rows = [{"estate": code, "name": code, "go_live": date(2026, 1, 1)} for code in ("DMG", "PSK")]
        connection.execute(insert(tables.estates), rows)
        removed = {"DMG-03": hand.at(-50)}
        connection.execute(
            insert(tables.installations),
            [
                {
                    "device": name, "estate": name[:3], "installed_ms": hand.at(-9000),
                    "removed_ms": removed.get(name), "known_from_ms": 0,
                }
                for name in ("DMG-01", "DMG-02", "DMG-03", "PSK-01")
            ],
        )  # fmt: skip
        for name, minute in {"DMG-01": 0, "DMG-02": 20, "DMG-03": -60, "PSK-01": 20}.items():
            message = hand.beat(name, hand.at(minute))
            beat = Beat(message, codec.encode(message).decode(), hand.at(minute))
            heard.take_beats(connection, [beat], now_ms=hand.at(minute))

    records.write(prepare)
    return records


def listened(records: Records, since_ms: int, until_ms: int) -> None:
    def note(connection):
        marks.put(connection, marks.LISTENING_SINCE, since_ms)
        marks.put(connection, marks.LISTENING_UNTIL, until_ms)

    records.write(note)


def judged(records: Records, now_ms: int, standing=NOBODY, **more):
    return records.read(lambda c: judge(c, Policies(), now_ms=now_ms, standing=standing, **more))


def told(findings):
    return [(finding.kind, finding.subject) for finding in findings.standing]


def test_a_silent_machine_is_found_and_one_taken_away_is_not(city, hand):
    listened(city, hand.at(-100), hand.at(21))
    found = judged(city, hand.at(21), path=LIVE)
    assert told(found) == [(Kind.DEVICE_OFFLINE, "DMG-01")]
    assert found.standing[0].evidence["boot"] == hand.BOOT
    assert {(Kind.DEVICE_OFFLINE, ""), (Kind.ESTATE_OFFLINE, ""), (Kind.WIDE_OUTAGE, "")} <= found.complete


def test_while_nobody_listens_no_machine_is_judged_and_none_is_back(city, hand):
    listened(city, hand.at(-100), hand.at(21))
    found = judged(city, hand.at(30), path=LIVE)
    assert told(found) == [(Kind.DEVICE_OFFLINE, "DMG-01"), (Kind.INGEST_DOWN, "*")]
    assert found.complete == {(Kind.INGEST_DOWN, ""), (Kind.NOTIFY_FAILING, ""), (Kind.WATERMARK_STUCK, "")}


def test_in_a_replay_ingest_was_up_throughout_and_nothing_of_the_living_system_is_judged(city, hand):
    found = judged(city, hand.at(36))
    assert told(found) == [
        (Kind.ESTATE_OFFLINE, "DMG"),
        (Kind.DEVICE_OFFLINE, "DMG-01"),
        (Kind.DEVICE_OFFLINE, "DMG-02"),
        (Kind.DEVICE_OFFLINE, "PSK-01"),
    ]
    assert not {kind for kind, _ in found.complete} & {Kind.INGEST_DOWN, Kind.CRL_EXPIRING, Kind.NOTIFY_FAILING}


def test_only_the_kinds_asked_for_are_judged(city, hand):
    listened(city, hand.at(-100), hand.at(36))
    found = judged(city, hand.at(36), path=PathFacts(failing=Failing(0, 1)), kinds={Kind.ESTATE_OFFLINE})
    assert told(found) == [(Kind.ESTATE_OFFLINE, "DMG")]
    assert found.complete == {(Kind.ESTATE_OFFLINE, "")}


def test_a_list_whose_end_is_not_known_is_not_judged(city, hand):
    listened(city, hand.at(-100), hand.at(21))
    assert (Kind.CRL_EXPIRING, "") not in judged(city, hand.at(21), path=LIVE).complete
    known = PathFacts(crl_expires_ms=hand.at(10**6))
    assert (Kind.CRL_EXPIRING, "") in judged(city, hand.at(21), path=known).complete
