"""Last-heard moves forward only; a will speaks for its own session alone; what machines say of outboxes is kept."""

import pytest

from cloud.records import heard
from cloud.records.heard import Beat
from contract.messages import Heartbeat, Status
from contract.topics import DeviceId

DEVICE = DeviceId("DMG-01")
BOOT = "11111111-1111-4111-8111-111111111111"
OUTBOX = "22222222-2222-4222-8222-222222222222"


def beat(arrived_ms, **more):
    made = {
        "device": DEVICE, "at": 0, "boot": BOOT, "session": 1, "uptime_s": 10, "outbox": OUTBOX, "last_seq": 3,
        "confirmed": 0, "backlog": 0, "reader": "ok", "clock": "trusted", "disk_free_pct": 1.0, "version": "1"
    }  # fmt: skip
    return Beat(Heartbeat(**(made | more)), f'"{arrived_ms}"', arrived_ms)


def status(reason, session, **more):
    known = {"boot": BOOT, "uptime_s": 10, "outbox": OUTBOX, "last_seq": 3, "confirmed": 0}
    rest = {} if reason == "will" else known | more
    return Status(device=DEVICE, online=reason == "birth", session=session, reason=reason, **rest)


def take(records, *beats):
    return records.write(lambda connection: heard.take_beats(connection, beats, now_ms=beats[-1].arrived_ms))


def say(records, said, arrived_ms, *, is_retained=False):
    return records.write(
        lambda connection: heard.take_status(connection, said, arrived_ms=arrived_ms, is_retained=is_retained)
    )


def now(records):
    return records.read(heard.all_heard)[0]


def rows(records, sql):
    return records.read(lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql)])


def test_a_late_write_never_undoes_a_newer_one(records):
    take(records, beat(2000))
    take(records, beat(1000))
    assert (now(records).arrived_ms, now(records).heartbeat) == (2000, '"2000"')
    take(records, beat(3000), beat(2500))
    assert now(records).arrived_ms == 3000


@pytest.mark.parametrize(
    ("said", "online"),
    [
        pytest.param([("birth", 1)], True, id="a birth"),
        pytest.param([("birth", 1), ("will", 1)], False, id="the will of that session"),
        pytest.param([("birth", 2), ("will", 1)], True, id="the late will of an older session"),
        pytest.param([("birth", 1), ("will", 2)], True, id="the will of a session that was never born"),
        pytest.param([("birth", 1), ("goodbye", 1)], False, id="a goodbye"),
        pytest.param([("birth", 5), ("will", 5), ("birth", 1)], True, id="a birth is always believed"),
        pytest.param([("birth", 1), ("will", 1), ("birth", 1)], True, id="the same session again"),
    ],
)
def test_whom_to_believe(records, said, online):
    for number, (reason, session) in enumerate(said):
        say(records, status(reason, session), 1000 + number)
    assert now(records).online is online


def test_what_the_broker_had_in_store_is_no_sign_of_life(records):
    take(records, beat(1000))
    say(records, status("birth", 7), 9000, is_retained=True)
    assert (now(records).arrived_ms, now(records).session) == (1000, 7)


def test_a_birth_after_a_heartbeat_does_not_move_when_that_came(records):
    take(records, beat(1000))
    say(records, status("birth", 2), 5000)
    assert (now(records).arrived_ms, now(records).beat_ms) == (5000, 1000)
    take(records, beat(7000))
    assert (now(records).arrived_ms, now(records).beat_ms) == (7000, 7000)


def test_of_a_machine_that_was_only_born_no_heartbeat_has_come(records):
    say(records, status("birth", 1), 1000)
    assert (now(records).heartbeat, now(records).beat_ms) == (None, None)


def test_a_boot_began_when_its_fastest_heartbeat_says(records):
    take(records, beat(100_000, uptime_s=50), beat(101_000, uptime_s=80))
    take(records, beat(200_000, uptime_s=100))
    assert rows(records, "SELECT base_ms, first_ms FROM boots") == [(21_000, 100_000)]


def test_proofs_keep_the_latest_uptime_at_which_a_seq_was_the_last(records):
    take(records, beat(1000, uptime_s=20), beat(2000, uptime_s=10))
    take(records, beat(3000, uptime_s=15), beat(4000, uptime_s=16, last_seq=4))
    say(records, status("goodbye", 1, uptime_s=90, last_seq=4), 5000)
    assert rows(records, "SELECT last_seq, uptime_s FROM proofs ORDER BY 1") == [(3, 20), (4, 90)]


def test_what_is_told_of_an_outbox_only_rises(records):
    take(records, beat(1000, last_seq=9, confirmed=4))
    lacking = take(records, beat(2000, last_seq=9, confirmed=3))
    assert rows(records, "SELECT highest_told, confirmed_told FROM streams") == [(9, 4)]
    assert [position.missing.spans for position in lacking] == [((1, 4),)]


def test_a_machine_that_was_further_before_has_forgotten_rows_which_are_then_missing(records):
    assert take(records, beat(1000, last_seq=9)) == []
    (lacking,) = take(records, beat(2000, last_seq=4))
    assert lacking.missing.spans == ((1, 9),)
    assert lacking.confirmed_told == 9
