"""What the path rules ask of SQL, on both engines."""

import json
from datetime import date

import pytest
from sqlalchemy import insert

from cloud import days
from cloud.records import heard, path_facts
from cloud.records import schema as tables
from cloud.records.heard import Beat
from cloud.records.path_facts import Stranger
from contract.messages import Heartbeat
from contract.topics import DeviceId

DAY = date(2026, 7, 1)
START = days.starts(DAY)
HOUR = days.HOUR
BOOT = "11111111-1111-4111-8111-111111111111"
OUTBOX = "22222222-2222-4222-8222-222222222222"


def beat(device, at_ms, **more):
    made = {
        "device": DeviceId(device), "at": at_ms, "boot": BOOT, "session": 1, "uptime_s": 60, "outbox": OUTBOX,
        "last_seq": 0, "confirmed": 0, "backlog": 0, "reader": "ok", "clock": "trusted", "disk_free_pct": 1.0,
        "version": "1",
    }  # fmt: skip
    return Beat(Heartbeat(**(made | more)), "{}", at_ms)


def place(device, installed_ms, removed_ms=None, estate="DMG"):
    row = {"device": device, "estate": estate, "installed_ms": installed_ms, "removed_ms": removed_ms}
    return row | {"service_hours": "", "known_from_ms": 0}


@pytest.fixture
def city(records):
    """DMG-01 stands, DMG-02 was taken away a day ago, DMG-03 was never installed; all were heard at START."""

    def prepare(connection):
        connection.execute(insert(tables.estates), {"estate": "DMG", "name": "DMG", "go_live": DAY})
        places = [place("DMG-01", START - 9 * days.DAY), place("DMG-02", START - 9 * days.DAY, START - days.DAY)]
        connection.execute(insert(tables.installations), places)
        beats = [beat(f"DMG-0{number}", START) for number in (1, 2, 3)]
        heard.take_beats(connection, beats, now_ms=START)

    records.write(prepare)
    return records


def arrive(connection, seq, *, device="DMG-01", at_ms=START):
    stream = {"id": int(device[-1]) + 90, "device": device, "outbox": "x", "first_ms": 0}
    if seq == 1:
        connection.execute(insert(tables.streams), stream)
    row = {"stream": stream["id"], "seq": seq, "digest": "0" * 32, "kind": "tap", "state": "stored"}
    connection.execute(insert(tables.arrivals), row | {"arrived_ms": at_ms})
    return {"stream": stream["id"], "seq": seq}


def test_the_last_read_is_that_of_any_card(city):
    def tap(connection):
        for seq, (outcome, at_ms) in enumerate({"known": 1, "test": 3, "unknown": 2}.items(), 1):
            own = {"device": "DMG-01", "at_ms": START + at_ms, "pseudonym": "c", "outcome": outcome, "estate": "DMG"}
            rest = {"uncertainty_ms": 0, "arrived_ms": 0, "unit": None}
            connection.execute(insert(tables.sightings), arrive(connection, seq) | own | rest)

    city.write(tap)
    assert city.read(lambda c: path_facts.last_reads(c, ["DMG-01", "DMG-02"])) == {"DMG-01": START + 3}


def test_counts_are_those_of_the_hours_asked_for(city):
    rows = [{"device": "DMG-01", "hour_ms": START + n * HOUR, "known": n, "unknown": 1} for n in range(6)]
    city.write(lambda c: c.execute(insert(tables.hour_counts), rows))
    spans = [(START + HOUR, START + 3 * HOUR), (START + 5 * HOUR, START + 6 * HOUR)]
    found = city.read(lambda c: path_facts.counted(c, ["DMG-01"], spans=spans))
    assert found == {"DMG-01": {START + HOUR: 2, START + 2 * HOUR: 3, START + 5 * HOUR: 6}}


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        pytest.param([], {}, id="none"),
        pytest.param([{}], {"DMG-01": (START + 1, True)}, id="one that says nothing more arrived, and that is all"),
        pytest.param([{"ok": True}, {"ok": False}], {"DMG-01": (START + 2, False)}, id="the last one failed"),
        pytest.param([{"ok": False}, {"ok": True}], {"DMG-01": (START + 2, True)}, id="the last one went well"),
    ],
)
def test_the_last_self_test_counts(city, details, expected):
    def report(connection):
        for seq, detail in enumerate(details, 1):
            own = {"device": "DMG-01", "at_ms": START + seq, "event": "self_test", "detail": json.dumps(detail)}
            connection.execute(insert(tables.device_events), arrive(connection, seq) | own | {"arrived_ms": 0})

    city.write(report)
    assert city.read(lambda c: path_facts.last_tests(c, now_ms=START + HOUR)) == expected


def test_what_was_ever_installed_is_kept_with_how_far_its_record_is_complete(city):
    lost = {"device": "DMG-02", "from_day": DAY, "to_day": DAY, "known_from_ms": 0}
    city.write(lambda c: c.execute(insert(tables.declared_lost), lost))
    one, other = city.read(lambda c: list(path_facts.kept(c)))
    assert (one.machine.device, one.estate, one.complete_ms, one.machine.declared_lost) == ("DMG-01", "DMG", START, ())
    assert (other.machine.device, other.machine.declared_lost) == ("DMG-02", ((DAY, DAY),))
    assert other.machine.stays[0].removed_ms == START - days.DAY


def test_strangers_are_heard_and_installed_nowhere(city):
    city.write(lambda c: arrive(c, 1, device="DMG-04", at_ms=START + 7))
    assert city.read(lambda c: path_facts.strangers(c, now_ms=START)) == [
        Stranger("DMG-02", START, "DMG", START - days.DAY),
        Stranger("DMG-03", START),
        Stranger("DMG-04", START + 7),
    ]
