"""What a recorded fact becomes for ingest."""

import json

import pytest

from cloud.ingest.resolve import Moment
from cloud.replay import lines, translating
from contract import codec
from contract.codec import Received
from contract.messages import Closed, Dropped
from contract.topics import DeviceId

DEVICE = DeviceId("DMG-01")
UUID = "3f0c5a1e-8a55-4b8e-9d5c-0f2f6f3f7a10"
EIGHT = "2026-03-02T08:00:00+07:00"
EIGHT_MS = 1_772_413_200_000
TAP = {"arrived": EIGHT, "kind": "tap", "seq": 1, "at": EIGHT, "card": "one"}
BEAT = {
    "arrived": EIGHT, "kind": "heartbeat", "boot": "b1", "uptime_s": 60, "last_seq": 4, "confirmed": 2, "backlog": 2,
    "oldest_unsent": EIGHT, "clock_offset_ms": None, "reader": "fault", "disk_free_pct": 7,
}  # fmt: skip


def received(**fact: object) -> Received:
    read = lines.read(json.dumps({"arrived": EIGHT} | fact).encode())
    assert isinstance(read, lines.Numbered)
    return translating.received(DEVICE, read)


def test_names_are_uuids_the_same_for_ever_and_another_for_another_machine() -> None:
    assert translating.name(DEVICE, "") == translating.name(DEVICE, "") != translating.name(DeviceId("RWB-01"), "")
    assert translating.name(DEVICE, UUID) == UUID


def test_a_tap_keeps_its_card_and_its_instant() -> None:
    record = received(**TAP).record
    assert (record.seq, record.at, record.card, record.is_dated) == (1, EIGHT_MS, "one", True)
    assert translating.moment(record) == Moment(EIGHT_MS)


def test_an_uncertain_tap_is_as_uncertain_to_ingest_rounded_in_favour_of_the_resident() -> None:
    record = received(**TAP, clock="untrusted", uncertainty_s=43_200.0001).record
    assert not record.is_dated
    assert translating.moment(record) == Moment(EIGHT_MS, 43_200_001)


def test_the_same_line_arriving_later_is_the_same_record_and_a_changed_one_is_another() -> None:
    later = {"arrived": "2026-03-05T00:00:00+07:00"}
    assert received(**TAP).digest == received(**TAP | later).digest != received(**TAP | {"card": "two"}).digest


def test_a_record_can_be_read_again_by_ingest() -> None:
    for fact in (
        TAP,
        {"kind": "hours", "seq": 2, "hour": EIGHT, "able_min": 60, "clock": "untrusted"},
        {"kind": "event", "seq": 3, "at": EIGHT, "event": "clock_step", "detail": {"from": 1, "why": "ntp"}},
    ):
        made = received(**fact)
        assert codec.decode_record(made.body) == made


def test_an_hour_is_dated_by_its_beginning() -> None:
    record = received(kind="hours", seq=2, hour=EIGHT, able_min=45).record
    assert (record.at, record.hour, record.able_min) == (EIGHT_MS, EIGHT_MS, 45)


def test_events_about_an_outbox_name_it_as_its_records_do() -> None:
    gone = {"outbox": "old", "from_seq": 3, "to_seq": 9, "from": EIGHT, "to": EIGHT}
    dropped = received(kind="event", seq=3, at=EIGHT, event="records_dropped", detail=gone).record.dropped()
    old = translating.name(DEVICE, "old")
    assert dropped == Dropped.model_validate(gone | {"outbox": old, "from": EIGHT_MS, "to": EIGHT_MS})
    end = {"outbox": "old", "last_seq": 9}
    closed = received(kind="event", seq=4, at=EIGHT, event="outbox_closed", detail=end).record.closed()
    assert closed == Closed(outbox=old, last_seq=9)


def test_a_heartbeat_says_what_was_recorded_and_can_be_read_again() -> None:
    fact = lines.read(json.dumps(BEAT).encode())
    assert isinstance(fact, lines.Heartbeat)
    earlier, beat = translating.beats([translating.heartbeat(DEVICE, fact, session=7)] * 2)
    message = beat.message
    assert (earlier.message, earlier.text, earlier.arrived_ms) == (message, "", EIGHT_MS)
    assert (message.boot, message.outbox) == (translating.name(DEVICE, "b1"), translating.name(DEVICE, ""))
    assert (message.uptime_s, message.last_seq, message.confirmed, message.backlog) == (60, 4, 2, 2)
    assert (message.oldest_unsent, message.reader, message.disk_free_pct, message.session) == (EIGHT_MS, "fault", 7, 7)
    assert codec.decode(beat.text.encode(), type(message), device=DEVICE) == message


@pytest.mark.parametrize(
    ("said", "proof"),
    [
        ({"online": True, "reason": "birth", "boot": "b1", "last_seq": 4}, (None, None, None)),
        ({"online": False, "reason": "will"}, (None, None, None)),
        (
            {"online": False, "reason": "goodbye", "boot": "b1", "uptime_s": 60, "last_seq": 4},
            (translating.name(DEVICE, "b1"), 60, 4),
        ),
    ],
)
def test_only_a_goodbye_proves_how_far_its_machine_had_come(
    said: dict[str, object], proof: tuple[str | None, int | None, int | None]
) -> None:
    fact = lines.read(json.dumps({"arrived": EIGHT, "kind": "status", "session": 3} | said).encode())
    assert isinstance(fact, lines.Status)
    status = translating.status(DEVICE, fact)
    assert (status.online, status.session, status.reason, status.at) == (said["online"], 3, said["reason"], EIGHT_MS)
    assert (status.boot, status.uptime_s, status.last_seq) == proof
