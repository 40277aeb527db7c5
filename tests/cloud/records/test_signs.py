"""What is remembered of signs of life: lapses somebody listened to, the last readings, since when a reader fails."""

import pytest

from cloud.records import heard, marks, signs
from cloud.records.heard import Beat
from cloud.records.signs import Lapse, Signs
from contract.messages import Heartbeat, Status
from contract.topics import DeviceId

DEVICE = DeviceId("DMG-01")
BOOT = "11111111-1111-4111-8111-111111111111"
OUTBOX = "22222222-2222-4222-8222-222222222222"
T0 = 1_780_000_000_000
MINUTE = 60_000


def beat(minute, **more):
    at_ms = T0 + round(minute * MINUTE)
    made = {
        "device": DEVICE, "at": at_ms, "boot": BOOT, "session": 1, "uptime_s": 10, "outbox": OUTBOX, "last_seq": 3,
        "confirmed": 0, "backlog": 0, "reader": "ok", "clock": "trusted", "disk_free_pct": 1.0, "version": "1"
    }  # fmt: skip
    return Beat(Heartbeat(**(made | more)), "{}", at_ms)


def take(records, *beats):
    now_ms = max(each.arrived_ms for each in beats)
    records.write(lambda connection: heard.take_beats(connection, beats, now_ms=now_ms))


def listened(records, since, until):
    def note(connection):
        marks.put(connection, marks.LISTENING_SINCE, T0 + since * MINUTE)
        marks.put(connection, marks.LISTENING_UNTIL, T0 + until * MINUTE)

    records.write(note)


def remembered(records, since_ms=0):
    return records.read(lambda connection: signs.remembered(connection, since_ms=since_ms)).get(DEVICE, Signs())


def lapse(since, until):
    return Lapse(T0 + since * MINUTE, T0 + until * MINUTE)


@pytest.mark.parametrize(
    ("listening", "minutes", "expected"),
    [
        pytest.param(None, [0, 3], [], id="as long as it may take"),
        pytest.param(None, [0, 4], [lapse(0, 4)], id="a minute longer"),
        pytest.param(None, [0], [], id="the first sign of life ends no lapse"),
        pytest.param((-60, 30), [0, 30], [lapse(0, 30)], id="somebody listened all the while"),
        pytest.param((20, 30), [0, 30], [], id="somebody listened only since the 20th minute"),
        pytest.param((-60, 10), [0, 30], [], id="ingest came back a moment ago, and has not said so yet"),
        pytest.param(None, [0, 10, 20], [lapse(0, 10), lapse(10, 20)], id="again and again"),
    ],
)
@pytest.mark.parametrize("at_once", [pytest.param(True, id="in one batch"), pytest.param(False, id="one by one")])
def test_a_lapse_is_a_silence_that_somebody_listened_to(records, listening, minutes, expected, at_once):
    if listening is not None:
        listened(records, *listening)
    beats = [beat(minute) for minute in minutes]
    if at_once:
        take(records, *beats)
    else:
        for each in beats:
            take(records, each)
    assert list(remembered(records).lapses) == expected


def test_a_birth_ends_a_lapse_and_the_heartbeat_after_it_makes_no_second_one(records):
    take(records, beat(0))
    birth = Status(
        device=DEVICE, online=True, session=2, reason="birth", boot=BOOT, uptime_s=1, outbox=OUTBOX, last_seq=3,
        confirmed=0,
    )  # fmt: skip
    at_ms = T0 + 30 * MINUTE
    records.write(lambda c: heard.take_status(c, birth, arrived_ms=at_ms, is_retained=False))
    take(records, beat(30.5))
    assert list(remembered(records).lapses) == [lapse(0, 30)]
    assert not remembered(records, since_ms=at_ms).lapses


def test_lapses_are_forgotten_after_a_week(records):
    take(records, beat(0), beat(10))
    take(records, beat(8 * 24 * 60))
    assert [each.since_ms for each in remembered(records).lapses] == [T0 + 10 * MINUTE]


def test_the_last_ten_offsets_are_kept(records):
    for number in range(25):
        take(records, beat(number / 2, clock_offset_ms=number))
    assert [offset for _, offset in remembered(records).offsets_ms] == list(range(15, 25))


def test_a_machine_that_does_not_know_its_offset_is_compared_with_the_servers_time(records):
    take(records, beat(0, at=T0 - 5_000))
    assert remembered(records).offsets_ms == ((T0, -5_000),)


def test_free_disk_is_kept_once_in_six_hours_for_three_days(records):
    for number in range(30):
        take(records, beat(number * 180, disk_free_pct=float(number)))
    assert len(remembered(records).free_pct) == signs.DISK_SLOTS
    assert remembered(records).free_pct[-1][1] == 29.0


def test_a_reader_fails_since_the_first_heartbeat_that_says_so(records):
    take(records, beat(0), beat(1, reader="fault"))
    take(records, beat(2, reader="fault"))
    assert remembered(records).fault_since_ms == T0 + MINUTE
    take(records, beat(3))
    assert remembered(records).fault_since_ms is None


def test_a_reader_that_was_well_in_between_fails_anew(records):
    take(records, beat(0, reader="fault"))
    take(records, beat(1, reader="fault"), beat(2), beat(3, reader="fault"), beat(4, reader="fault"))
    assert remembered(records).fault_since_ms == T0 + 3 * MINUTE
