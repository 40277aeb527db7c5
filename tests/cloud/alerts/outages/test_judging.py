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


# ---- what is remembered, and what is stored --------------------------------------------------------------------------


def beats(records: Records, hand, name: str, *minutes: float, **said) -> None:
    """Heartbeats of *name*, the way ingest notes them."""
    messages = [(hand.beat(name, hand.at(minute), **said), hand.at(minute)) for minute in minutes]
    taken = [Beat(message, codec.encode(message).decode(), at_ms) for message, at_ms in messages]
    records.write(lambda c: heard.take_beats(c, taken, now_ms=taken[-1].arrived_ms))


def evidence(findings, kind: Kind):
    return {each.subject: each.evidence for each in findings.standing if each.kind is kind}


def test_a_wrong_clock_is_the_median_of_what_was_remembered(city, hand):
    listened(city, hand.at(-100), hand.at(41))
    for number in range(10):
        beats(city, hand, "DMG-02", 36 + number / 2, clock_offset_ms=0 if number < 4 else 200_000)
    found = judged(city, hand.at(41), path=LIVE)
    assert evidence(found, Kind.CLOCK_SKEW)["DMG-02"] == {
        "offset_ms": 200_000,
        "heartbeats": 10,
        "clock": "trusted",
        "uptime_s": 86_400,
    }


def test_a_failing_reader_a_full_disk_and_a_stuck_queue_are_told_from_the_last_heartbeats(city, hand):
    listened(city, hand.at(-3000), hand.at(141))
    said = {"reader": "fault", "disk_free_pct": 3.0, "oldest_unsent": hand.at(-2000), "backlog": 5}
    beats(city, hand, "DMG-02", *range(20, 142, 2), **said)
    found = judged(city, hand.at(141), path=LIVE)
    assert evidence(found, Kind.READER_FAULT) == {"DMG-02": {"cause": "fault", "fault_since_ms": hand.at(20)}}
    assert evidence(found, Kind.STORAGE_LOW)["DMG-02"]["free_pct"] == 3.0
    assert evidence(found, Kind.QUEUE_STUCK)["DMG-02"]["backlog"] == 5


def test_a_machine_that_comes_and_goes_is_flapping(city, hand):
    listened(city, hand.at(-3000), hand.at(241))
    beats(city, hand, "DMG-02", *range(20, 242, 20))
    found = judged(city, hand.at(241), path=LIVE)
    assert list(evidence(found, Kind.DEVICE_FLAPPING)) == ["DMG-02"]


def test_a_machine_that_was_taken_away_and_still_speaks_is_a_stranger(city, hand):
    day = 24 * 60
    listened(city, hand.at(-100), hand.at(2 * day))
    beats(city, hand, "DMG-03", 2 * day)
    found = judged(city, hand.at(2 * day), path=LIVE)
    assert evidence(found, Kind.DEVICE_UNKNOWN) == {
        "DMG-03": {"heard_ms": hand.at(2 * day), "stood_at": "DMG", "removed_ms": hand.at(-50)}
    }


def test_records_that_have_not_come_for_a_week_are_told_of(city, hand):
    days_later = hand.at(9 * 24 * 60)
    found = judged(city, days_later, kinds={Kind.WATERMARK_STUCK})
    waiting = evidence(found, Kind.WATERMARK_STUCK)
    assert set(waiting) == {"DMG-01", "DMG-02", "DMG-03", "PSK-01"}, "three says nothing to say that all had been sent"


# ---- readers that read nothing ---------------------------------------------------------------------------------------

HOUR = 3_600_000
WEEK = 7 * 24 * HOUR


@pytest.fixture
def usual(city, hand):
    """DMG-02 has stood for months, with ten taps in each hour of like days, and was able in the last six hours."""
    noon = hand.T0 // HOUR * HOUR

    def prepare(connection):
        connection.execute(
            tables.installations.update().where(tables.installations.c.device == "DMG-02").values(installed_ms=0)
        )
        counts = [
            {"device": "DMG-02", "hour_ms": noon - hour * HOUR - week * WEEK, "known": 10, "unknown": 0}
            for hour in range(8)
            for week in range(1, 9)
        ]
        connection.execute(insert(tables.hour_counts), counts)
        connection.execute(insert(tables.streams), {"id": 77, "device": "DMG-02", "outbox": "x", "first_ms": 0})
        for seq in range(1, 8):
            row = {"stream": 77, "seq": seq, "digest": "0" * 32, "kind": "hours", "state": "stored", "arrived_ms": 0}
            connection.execute(insert(tables.arrivals), row)
            if seq < 7:
                own = {"device": "DMG-02", "hour_ms": noon - seq * HOUR, "able_min": 60, "dated": True}
                connection.execute(insert(tables.device_hours), {"stream": 77, "seq": seq} | own)

    city.write(prepare)
    return city


def read_a_card(records: Records, at_ms: int) -> None:
    row = {
        "stream": 77, "seq": 7, "device": "DMG-02", "at_ms": at_ms, "uncertainty_ms": 0, "pseudonym": "c",
        "outcome": "test", "unit": None, "estate": "DMG", "arrived_ms": at_ms,
    }  # fmt: skip
    records.write(lambda c: c.execute(insert(tables.sightings), row))


@pytest.mark.parametrize(
    ("read_h", "expected"),
    [
        pytest.param(5, 40.0, id="nothing for five hours: the four whole ones count"),
        pytest.param(2, 10.0, id="for two"),
        pytest.param(1, None, id="for one"),
    ],
)
def test_a_reader_that_reads_nothing_is_told_of_by_what_like_days_led_to_expect(usual, hand, read_h, expected):
    listened(usual, hand.at(-(10**6)), hand.at(21))
    read_a_card(usual, hand.T0 // HOUR * HOUR - read_h * HOUR + 1)
    found = evidence(judged(usual, hand.at(21), path=LIVE), Kind.READER_FAULT)
    assert (found["DMG-02"]["expected"] if found else None) == expected


def test_on_a_holiday_nobody_is_expected(usual, hand):
    listened(usual, hand.at(-(10**6)), hand.at(21))
    read_a_card(usual, hand.T0 - 6 * HOUR)
    feast = {"scope": "*", "from_day": date(2026, 5, 1), "to_day": date(2026, 6, 30), "kind": "lebaran"}
    usual.write(lambda c: c.execute(insert(tables.calendar), feast | {"reason": "x", "known_from_ms": 0}))
    assert not evidence(judged(usual, hand.at(21), path=LIVE), Kind.READER_FAULT)


def test_what_waits_in_the_machine_may_be_reads(usual, hand):
    listened(usual, hand.at(-(10**6)), hand.at(21))
    read_a_card(usual, hand.T0 - 6 * HOUR)
    beats(usual, hand, "DMG-02", 20.5, oldest_unsent=hand.T0 - 5 * HOUR, backlog=9)
    assert not evidence(judged(usual, hand.at(21), path=LIVE), Kind.READER_FAULT)
