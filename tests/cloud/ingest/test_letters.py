"""Dead letters are taken again once what was wrong is put right, and only then."""

import dataclasses

from cloud.ingest import letters
from cloud.ingest.requests import Incoming
from cloud.records import dead_letters
from contract import codec
from contract.messages import Envelope


def filed(world):
    return world.records.read(lambda connection: dead_letters.listed(connection))


async def test_a_record_of_a_kind_that_is_known_by_now_is_stored(small_world):
    world, tap = small_world, small_world.machine.tap(1)
    envelope = Envelope(device=world.DEVICE, outbox=world.OUTBOX, confirmed=0)
    read = world.received(tap)
    unread = codec.Unreadable(1, "unreadable", "a later kind", read.body, read.digest)
    await world.store.take([Incoming(world.DEVICE, codec.Batch(envelope, (), (unread,)), world.NOON)])
    assert world.rows("SELECT state FROM arrivals") == [("rejected",)]
    (letter,) = filed(world)
    assert await letters.replay(letter.letter, world.store)
    assert world.rows("SELECT state, kind FROM arrivals") == [("stored", "tap")]
    assert world.rows("SELECT taps FROM presence") == [(1,)]
    assert await letters.replay(letter.letter, world.store)
    assert world.rows("SELECT taps FROM presence") == [(1,)]


async def test_what_still_cannot_be_read_stays(small_world):
    world = small_world
    copied = world.Machine(device=type(world.DEVICE)("DMG-02")).tap(1)
    await world.store.take([world.machine.batch(copied)])
    (letter,) = filed(world)
    assert not await letters.replay(letter.letter, world.store)
    assert not await letters.replay(dataclasses.replace(letter.letter, source="mqtt", payload=b"x"), world.store)


async def test_a_point_that_is_taken_by_now_is_written(small_world):
    world = small_world
    world.history.refuse = ("tap",)
    await world.store.take([world.machine.batch(world.machine.tap(1))])
    (letter,) = filed(world)
    assert not await letters.replay(letter.letter, world.store)
    world.history.refuse = ()
    assert await letters.replay(letter.letter, world.store)
    assert len(world.history.named("tap")) == 1


async def test_a_whole_message_is_taken_again(small_world):
    world = small_world
    envelope = Envelope(device=world.DEVICE, outbox=world.OUTBOX, confirmed=0)
    payload = codec.encode_batch(envelope, [codec.body(world.machine.tap(1))])
    letter = dead_letters.Letter(world.NOON, "mqtt", "hadir/v1/DMG-01/records", "program_fault", "", payload)
    assert await letters.replay(letter, world.store)
    assert world.rows("SELECT taps FROM presence") == [(1,)]
