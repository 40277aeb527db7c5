"""The wire for machines already in the field: each sample is read, and written again, byte for byte."""

from pathlib import Path

import pytest

from contract import codec
from contract.messages import (
    Applied,
    Canary,
    Clock,
    Desired,
    DeviceConfig,
    Envelope,
    Event,
    Heartbeat,
    Hours,
    Message,
    Resume,
    Status,
    Stored,
    Tap,
)
from contract.ranges import Ranges
from contract.topics import DeviceId, Kind

SAMPLES = Path(__file__).parents[1] / "samples" / "v1"
DEVICE = DeviceId("DMG-01")
OUTBOX = "3f0c5a1e-8a55-4b8e-9d5c-0f2f6f3f7a10"
OLD = "9b2d7c44-1d0e-4c36-8a77-5f1f0f6f2b21"
BOOT = "c1d2e3f4-0a1b-4c2d-8e3f-4a5b6c7d8e9f"
AT = 1_778_551_920_123  # 12 Mei 2026 09.12 WIB
CARD = "k1.7USs0zBM0kLq0qSfwt2TqmoaZlqjtTuyMF1ZcflEaBMt_a5WSvHQRn_vpPiTbT4PDIvzbfYgKIx7Sno"
DIGEST = "0123456789abcdef0123456789abcdef"

RECORDS = (
    Tap(seq=101, at=AT, mono=86_400_123, boot=BOOT, clock=Clock.TRUSTED, card=CARD),
    Tap(seq=102, at=AT + 5, mono=86_400_128, boot=BOOT, clock=Clock.REDATED, card=CARD),
    Tap(seq=103, at=61_000, mono=61_000, boot=BOOT, clock=Clock.UNTRUSTED, card=CARD),
    Hours(seq=104, at=AT, mono=86_400_123, boot=BOOT, clock=Clock.TRUSTED, hour=1_778_547_600_000, able_min=60),
    Event(seq=105, at=AT, mono=86_400_123, boot=BOOT, clock=Clock.TRUSTED, event="boot", detail={"version": "0.1.0"}),
    Event(
        seq=106,
        at=AT,
        mono=86_400_123,
        boot=BOOT,
        clock=Clock.TRUSTED,
        event="records_dropped",
        detail={"outbox": OLD, "from_seq": 7, "to_seq": 9, "from": AT - 9000, "to": AT - 7000},
    ),
    Event(
        seq=107,
        at=AT,
        mono=86_400_123,
        boot=BOOT,
        clock=Clock.TRUSTED,
        event="outbox_closed",
        detail={"outbox": OLD, "last_seq": 40},
    ),
)

MESSAGES: dict[str, Message] = {
    "heartbeat": Heartbeat(
        device=DEVICE,
        at=AT,
        boot=BOOT,
        session=12,
        uptime_s=86_400,
        outbox=OUTBOX,
        last_seq=107,
        confirmed=100,
        backlog=7,
        oldest_unsent=AT - 60_000,
        rejected=1,
        refused=2,
        parked=3,
        reader="ok",
        clock="trusted",
        clock_offset_ms=-12,
        disk_free_pct=61.5,
        version="0.1.0",
    ),
    "status-birth": Status(
        device=DEVICE,
        online=True,
        session=12,
        reason="birth",
        at=AT,
        boot=BOOT,
        uptime_s=3,
        outbox=OUTBOX,
        last_seq=107,
        confirmed=100,
    ),
    "status-goodbye": Status(
        device=DEVICE,
        online=False,
        session=12,
        reason="goodbye",
        at=AT,
        boot=BOOT,
        uptime_s=86_400,
        outbox=OUTBOX,
        last_seq=107,
        confirmed=107,
    ),
    "status-will": Status(device=DEVICE, online=False, session=12, reason="will"),
    "stored": Stored(
        device=DEVICE,
        outbox=OUTBOX,
        at=AT + 180,
        upto=103,
        beyond=Ranges.of([(105, 106), (108, 110)]),
        digests={101: DIGEST, 102: DIGEST, 103: DIGEST, 105: DIGEST},
        outcomes={101: "known", 102: "unknown"},
        rejected={105: "unreadable"},
        held={103: "undated"},
        conflicts=Ranges.of([(104, 104)]),
    ),
    "resume": Resume(device=DEVICE, outbox=OLD, missing=Ranges.of([(1, 40), (51, 51)])),
    "desired": Desired(device=DEVICE, version=3, config=DeviceConfig(heartbeat_s=60)),
    "applied": Applied(
        device=DEVICE, version=2, config=DeviceConfig(heartbeat_s=30), refused=3, reason="no connection with version 3"
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_written_as_it_always_was(name: str) -> None:
    assert codec.encode(MESSAGES[name]) == (SAMPLES / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_of_the_field_is_still_read(name: str) -> None:
    message = MESSAGES[name]
    assert codec.decode((SAMPLES / f"{name}.json").read_bytes(), type(message), device=DEVICE) == message


def test_what_the_canary_sings_is_written_and_read_as_it_always_was() -> None:
    song, sample = Canary(instance="alerts-a", at=AT, number=7), (SAMPLES / "canary.json").read_bytes()
    assert (codec.encode(song), codec.decode_canary(sample)) == (sample, song)


def test_a_batch_is_written_as_it_always_was() -> None:
    envelope = Envelope(device=DEVICE, outbox=OUTBOX, confirmed=100)
    written = codec.encode_batch(envelope, [codec.body(record) for record in RECORDS])
    assert written == (SAMPLES / "records.json").read_bytes()


def test_a_batch_of_the_field_is_still_read() -> None:
    batch = codec.decode_batch((SAMPLES / "records.json").read_bytes(), device=DEVICE)
    assert batch.envelope == Envelope(device=DEVICE, outbox=OUTBOX, confirmed=100)
    assert tuple(received.record for received in batch.records) == RECORDS
    assert batch.unreadable == ()


def test_a_record_keeps_its_digest_for_ever() -> None:
    assert codec.digest(codec.body(RECORDS[0])) == (SAMPLES / "digest.txt").read_text().strip()


def test_every_kind_of_message_has_a_sample() -> None:
    sampled = {path.stem.partition("-")[0] for path in SAMPLES.glob("*.json")}
    assert sampled == {"canary", *(str(kind) for kind in Kind)}
