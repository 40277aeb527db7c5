"""Nothing that arrives stops the loop, and everything else is stored and answered as if it had not come."""

import asyncio
import json
from dataclasses import dataclass, field

import pytest

from cloud.feed import Arrived
from cloud.ingest import complaints
from cloud.ingest.service import Service
from cloud.records import RecordsUnavailable
from cloud.records.verdicts import Letter
from contract import codec, topics
from contract.cards import OpeningKey
from contract.messages import Envelope, Heartbeat, Resume, Stored
from contract.topics import Topic


@dataclass
class Wire:
    """A feed by hand."""

    waiting: asyncio.Queue[Arrived] = field(default_factory=asyncio.Queue)
    signs: asyncio.Queue[Arrived] = field(default_factory=asyncio.Queue)
    said: list[tuple[Topic, bytes]] = field(default_factory=list)

    async def next(self) -> Arrived:
        return await self.waiting.get()

    async def next_sign(self) -> Arrived:
        return await self.signs.get()

    async def publish(self, topic: Topic, payload: bytes) -> bool:
        self.said.append((topic, payload))
        return True


def records(world, *made, device=None, confirmed=0) -> Arrived:
    device = device or world.DEVICE
    envelope = Envelope(device=device, outbox=world.OUTBOX, confirmed=confirmed)
    payload = codec.encode_batch(envelope, [codec.body(each) for each in made])
    return Arrived(str(topics.records(device)), payload, False, world.NOON)


def batch_of(world, *made, device=None) -> Arrived:
    """Records as they stand, readable or not."""
    device = device or world.DEVICE
    said = {"v": 1, "device": device, "outbox": world.OUTBOX, "confirmed": 0, "records": made}
    return Arrived(str(topics.records(device)), json.dumps(said).encode(), False, world.NOON)


def said(wire, world, model=Stored):
    kind = topics.stored if model is Stored else topics.resume
    return [codec.decode(body, model, device=world.DEVICE) for topic, body in wire.said if topic == kind(world.DEVICE)]


BAD = {
    "a topic of somebody else": ("other/topic", b"{}", "bad_topic"),
    "a device that is none": ("hadir/v1/dmg 1/records", b"{}", "bad_topic"),
    "a kind that is none": ("hadir/v1/DMG-01/gossip", b"{}", "bad_topic"),
    "not UTF-8": ("hadir/v1/DMG-01/records", b"\xff", "not_utf8"),
    "not JSON": ("hadir/v1/DMG-01/records", b"{", "not_json"),
    "too large": ("hadir/v1/DMG-01/records", b"[" * 300_000, "too_large"),
    "too deep": ("hadir/v1/DMG-01/records", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    "another device": ("hadir/v1/DMG-01/records", b'{"v":1,"device":"DMG-02"}', "other_device"),
    "a later version": ("hadir/v1/DMG-01/records", b'{"v":2,"device":"DMG-01"}', "version"),
    "no records": (
        "hadir/v1/DMG-01/records",
        json.dumps(
            {"v": 1, "device": "DMG-01", "outbox": "2" * 8 + "-2222-4222-8222-" + "2" * 12, "confirmed": 0}
        ).encode(),
        "no_records",
    ),
    "a null character": ("hadir/v1/DMG-01/heartbeat", b'{"v":1,"device":"DMG-01","boot":"\\u0000"}', "bad_text"),
    "half a character": ("hadir/v1/DMG-01/heartbeat", b'{"v":1,"device":"DMG-01","boot":"\\ud800"}', "bad_text"),
    "2 to the 63": ("hadir/v1/DMG-01/status", b'{"v":1,"device":"DMG-01","session":9223372036854775808}', "too_big"),
    "not a number": ("hadir/v1/DMG-01/heartbeat", b'{"v":1,"device":"DMG-01","at":NaN}', "not_json"),
}


@pytest.mark.parametrize(("topic", "payload", "reason"), BAD.values(), ids=BAD.keys())
async def test_bad_messages_are_dead_letters_and_the_others_are_stored(small_world, topic, payload, reason):
    wire, good = Wire(), records(small_world, small_world.machine.tap(1))
    await Service(wire, small_world.store).work([Arrived(topic, payload, False, small_world.NOON), good])
    assert [answer.outcomes for answer in said(wire, small_world)] == [{1: "known"}]
    assert small_world.rows("SELECT source, reason FROM dead_letters") == [("mqtt", reason)]


async def test_a_resent_bad_message_is_kept_and_said_once(small_world, caplog):
    service, bad = Service(Wire(), small_world.store), Arrived("hadir/v1/DMG-01/records", b"x", False, small_world.NOON)
    for _ in range(3):
        await service.work([bad])
    await service.work([Arrived("hadir/v1/DMG-01/records", b"y", False, small_world.NOON)])
    assert small_world.rows("SELECT COUNT(*) FROM dead_letters") == [(2,)]
    assert [record.action for record in caplog.records] == ["dead_letter"]


def test_a_machine_that_never_stops_fills_no_table():
    known, kept = complaints.Complaints(), complaints.MOST_A_DAY
    letters = [Letter(0, "mqtt", "t", "not_json", "", str(number).encode()) for number in range(kept + 5)]
    assert sum(map(known.is_new, letters)) == kept
    assert known.is_new(Letter(0, "mqtt", "t", "bad_text", "", b"another reason"))
    assert known.is_new(Letter(86_400_000, "mqtt", "t", "not_json", "", b"another day"))


def sealed_elsewhere(world, seq):
    return str(world.Machine(device=type(world.DEVICE)("DMG-02")).tap(seq).card)


def raw(world, record, **more):
    """A record as it may come from a program that is not ours."""
    return json.loads(codec.body(record)) | more


BAD_RECORDS = {
    "a null character": (lambda w: raw(w, w.machine.hours(2), boot="\0"), "rejected", "bad_text"),
    "half a character": (lambda w: raw(w, w.machine.hours(2), boot="\ud800"), "rejected", "bad_text"),
    "2 to the 63": (lambda w: raw(w, w.machine.hours(2), mono=2**63), "rejected", "too_big"),
    "a kind nobody knows": (lambda w: raw(w, w.machine.hours(2), kind="song"), "rejected", "unreadable"),
    "a field that lacks": (lambda w: {"kind": "hours", "seq": 2}, "rejected", "unreadable"),
    "a card that is none": (lambda w: raw(w, w.machine.tap(2), card="k1.AAAA"), "rejected", "unreadable_card"),
    "a card of another device": (
        lambda w: raw(w, w.machine.tap(2), card=sealed_elsewhere(w, 2)), "rejected", "unreadable_card",
    ),
    "an unknown key": (
        lambda w: raw(w, w.Machine(key=OpeningKey.generate("k9").public()).tap(2)), "held", "unknown_key",
    ),
    "from the future": (lambda w: raw(w, w.machine.tap(2, at=w.NOON + 301_000)), "held", "future"),
    "before the installation": (lambda w: raw(w, w.machine.tap(2, at=w.NOON - 101 * w.DAY)), "held", "not_installed"),
    "under a clock that lies": (lambda w: raw(w, w.machine.tap(2, at=5, clock="untrusted")), "held", "undated"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "state", "reason"), BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
async def test_a_bad_record_is_answered_by_its_seq_and_its_neighbours_are_stored(small_world, make, state, reason):
    wire, machine = Wire(), small_world.machine
    batch = [raw(small_world, machine.tap(1)), make(small_world), raw(small_world, machine.tap(3))]
    await Service(wire, small_world.store).work([batch_of(small_world, *batch)])
    (answer,) = said(wire, small_world)
    assert getattr(answer, state) == {2: reason}
    assert (answer.upto, answer.outcomes, answer.digests.keys()) == (3, {1: "known", 3: "known"}, {1, 2, 3})
    letters = [(2, reason)] if state == "rejected" else []
    assert small_world.rows("SELECT seq, reason FROM dead_letters") == letters


async def test_a_machine_that_is_installed_nowhere_is_told_that_it_waits(small_world):
    wire, stray = Wire(), type(small_world.DEVICE)("PSK-77")
    tap = small_world.Machine(device=stray).tap(1)
    await Service(wire, small_world.store).work([batch_of(small_world, raw(small_world, tap), device=stray)])
    ((topic, payload),) = wire.said
    assert codec.decode(payload, Stored, device=topic.device).held == {1: "not_installed"}


async def test_a_seq_that_repeats_with_other_bytes_is_named_as_a_conflict_and_not_confirmed(small_world):
    wire, machine = Wire(), small_world.machine
    service = Service(wire, small_world.store)
    await service.work([records(small_world, machine.tap(1))])
    await service.work([records(small_world, machine.hours(1), machine.hours(2))])
    answer = said(wire, small_world)[-1]
    assert (answer.conflicts.spans, answer.digests.keys(), answer.upto) == (((1, 1),), {2}, 2)


async def test_a_jump_in_seq_is_a_gap_that_is_asked_for_and_no_error(small_world):
    wire, machine = Wire(), small_world.machine
    service = Service(wire, small_world.store)
    await service.work([records(small_world, machine.tap(1), machine.tap(2**53 - 1))])
    (answer,) = said(wire, small_world)
    assert (answer.upto, answer.beyond.spans) == (1, ((2**53 - 1, 2**53 - 1),))
    small_world.time.advance(minutes=3)
    await service.work([records(small_world, machine.tap(2))])
    assert [each.missing.spans for each in said(wire, small_world, Resume)] == [((3, 2**53 - 2),)]
    assert small_world.rows("SELECT COUNT(*) FROM dead_letters") == [(0,)]


async def test_a_message_that_breaks_the_program_is_set_aside_alone(small_world):
    wire, store = Wire(), small_world.store
    take = store.take

    async def fragile(incoming):
        if any(each.device == "DMG-02" for each in incoming):
            raise ZeroDivisionError
        return await take(incoming)

    store.take = fragile
    poison = records(small_world, small_world.machine.hours(1), device=type(small_world.DEVICE)("DMG-02"))
    await Service(wire, store).work([records(small_world, small_world.machine.tap(1)), poison])
    assert [answer.upto for answer in said(wire, small_world)] == [1]
    assert small_world.rows("SELECT topic, reason FROM dead_letters") == [("hadir/v1/DMG-02/records", "program_fault")]


async def test_a_database_that_is_away_is_waited_for(small_world):
    wire, store, failures = Wire(), small_world.store, [RecordsUnavailable("down")] * 2
    take = store.take

    async def away(incoming):
        if failures:
            raise failures.pop()
        return await take(incoming)

    store.take = away
    await Service(wire, store).work([records(small_world, small_world.machine.tap(1))])
    assert [answer.upto for answer in said(wire, small_world)] == [1]


async def test_what_arrives_together_is_answered_once_per_machine(small_world):
    wire = Wire()
    for seq in range(1, 6):
        wire.waiting.put_nowait(records(small_world, small_world.machine.hours(seq)))
    task = asyncio.create_task(Service(wire, small_world.store).run())
    await until(lambda: wire.said)
    task.cancel()
    assert [answer.upto for answer in said(wire, small_world)] == [5]


def heartbeat(world) -> Arrived:
    beat = codec.encode(
        Heartbeat(
            device=world.DEVICE, at=0, boot=world.BOOT, session=1, uptime_s=1, outbox=world.OUTBOX,
            last_seq=9, confirmed=7, backlog=2, reader="ok", clock="trusted", disk_free_pct=5.0, version="1"
        )
    )  # fmt: skip
    return Arrived("hadir/v1/DMG-01/heartbeat", beat, False, world.NOON)


async def test_a_history_that_holds_records_holds_no_sign_of_life(small_world):
    wire, held = Wire(), asyncio.Event()
    take = small_world.history.write

    async def hold(points):
        await held.wait()
        return await take(points)

    small_world.history.write = hold
    wire.waiting.put_nowait(records(small_world, small_world.machine.tap(1)))
    wire.signs.put_nowait(heartbeat(small_world))
    task = asyncio.create_task(Service(wire, small_world.store).run())
    await until(lambda: said(wire, small_world, Resume))
    assert small_world.rows("SELECT arrived_ms FROM heard") == [(small_world.NOON,)]
    assert said(wire, small_world) == []
    held.set()
    await until(lambda: said(wire, small_world))
    task.cancel()


async def until(holds) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # there is nothing to wait on
            await asyncio.sleep(0.01)


async def test_a_heartbeat_that_knows_more_confirmed_than_is_here_is_asked(small_world):
    wire = Wire()
    await Service(wire, small_world.store).work([heartbeat(small_world)])
    assert [each.missing.spans for each in said(wire, small_world, Resume)] == [((1, 7),)]
