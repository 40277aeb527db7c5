"""Minute rows go on where another ingester left off: ledgers stand still for a quarter of an hour, silences last."""

from dataclasses import dataclass, field

import pytest

from cloud.ingest.chores import Chores
from cloud.records.heard import Beat
from contract import codec
from contract.messages import Clock, Heartbeat, Status

M = 60_000


@dataclass
class Ears:
    is_listening: bool = True
    backlog: int = 0
    broker_says: dict[str, str] = field(default_factory=dict)


def ingester(world) -> Chores:
    """As after a restart: nothing is known but what the records say."""
    return Chores(world.another_store(), Ears(), instance="a")


def now(world) -> int:
    return round(world.time().timestamp() * 1000)


def beat(world, device, **more) -> Beat:
    said = {"device": device, "at": now(world), "boot": world.BOOT, "session": 1, "uptime_s": 100,
            "outbox": world.OUTBOX, "last_seq": 0, "confirmed": 0, "backlog": 0, "reader": "ok", "clock": "trusted",
            "disk_free_pct": 50.0, "version": "1"}  # fmt: skip
    made = Heartbeat(**(said | more))
    return Beat(made, codec.encode(made).decode(), now(world))


def status(world, device, reason, session) -> Status:
    known = {"boot": world.BOOT, "uptime_s": 5, "outbox": world.OUTBOX, "last_seq": 0, "confirmed": 0}
    own = {} if reason == "will" else known
    return Status(device=device, online=reason == "birth", session=session, reason=reason, **own)


async def pass_by(world, minutes, chores, *, heard=("DMG-01", "DMG-02")):
    for _ in range(2 * minutes):
        world.time.advance(seconds=30)
        if heard:
            await world.store.take_beats([beat(world, device) for device in heard])
        await chores.turn()


def made(world, device="DMG-01") -> list[int]:
    rows = sorted(world.history.named("machine"), key=lambda point: point.time_ns)
    return [dict(point.fields)["made"] for point in rows if dict(point.tags)["device"] == device]


def silences(world) -> list[dict[str, object]]:
    rows = [point for point in world.history.named("machine_event") if dict(point.fields)["kind"] == "offline"]
    return [
        dict(point.tags) | dict(point.fields) | {"begin_ms": point.time_ns // 10**6}
        for point in sorted(rows, key=lambda point: point.time_ns)
    ]


@pytest.mark.parametrize("restarts", [False, True], ids=["one ingester", "a new one every minute"])
async def test_positions_stand_still_for_a_quarter_of_an_hour(world, restarts):
    chores = ingester(world)
    for number in range(32):
        await world.store.take([world.machine.batch(world.machine.tap(number + 1))])
        await pass_by(world, 1, chores)
        chores = ingester(world) if restarts else chores
    steps = made(world)
    assert len(set(steps[:14])) == len(set(steps[14:29])) == 1
    assert steps[0] < steps[14] < steps[29]


async def test_a_silence_is_one_event_over_a_restart_and_ends_with_the_birth(world):
    await pass_by(world, 4, ingester(world))
    fell_silent = now(world)
    await pass_by(world, 6, ingester(world), heard=("DMG-01",))
    (event,) = silences(world)
    assert (event["begin_ms"], event["ongoing"]) == (fell_silent, 1)
    assert event["end_ms"] == fell_silent + 5 * M
    await pass_by(world, 4, ingester(world), heard=("DMG-01",))
    assert [each["end_ms"] for each in silences(world)] == [fell_silent + 9 * M]
    world.time.advance(seconds=10)
    born = now(world)
    await world.store.take_status(status(world, "DMG-02", "birth", 2), arrived_ms=born, is_retained=False)
    await ingester(world).turn()
    await pass_by(world, 3, ingester(world))
    (event,) = silences(world)
    assert (event["end_ms"], event["duration_s"], event["ongoing"]) == (born, (born - fell_silent) // 1000, 0)
    assert event["device"] == "DMG-02"
    assert world.rows("SELECT COUNT(*) FROM machine_silences") == [(0,)]


async def test_of_a_time_in_which_nobody_listened_no_silence_is_claimed(world):
    await pass_by(world, 4, ingester(world))
    fell_silent = now(world)
    await pass_by(world, 6, ingester(world), heard=("DMG-01",))
    known = silences(world)[0]["end_ms"]
    world.time.advance(minutes=60)
    await pass_by(world, 3, ingester(world))
    (event,) = silences(world)
    assert (event["begin_ms"], event["end_ms"], event["ongoing"]) == (fell_silent, known, 0)


async def test_nobody_falls_silent_because_nobody_listened(world):
    await pass_by(world, 4, ingester(world))
    world.time.advance(minutes=60)
    await pass_by(world, 5, ingester(world))
    assert silences(world) == []


async def test_a_silence_that_began_is_remembered_before_it_is_written(world):
    await pass_by(world, 4, ingester(world))
    write, lost = world.history.write, []

    async def crash(points):
        if any(dict(point.fields).get("kind") == "offline" for point in points):
            lost.append(await write(points))
            raise world.Crash("killed after the history was written")
        return await write(points)

    world.history.write = crash
    while not lost:
        await pass_by(world, 1, ingester(world), heard=("DMG-01",))
    world.history.write = write
    await pass_by(world, 2, ingester(world))
    assert [each["ongoing"] for each in silences(world)] == [0]


async def test_a_birth_after_a_heartbeat_does_not_set_the_clock_off(world):
    world.time.advance(seconds=20)
    beats = [beat(world, "DMG-01", at=now(world) - 3_600_000, clock=Clock.UNTRUSTED, clock_offset_ms=None)]
    await world.store.take_beats(beats)
    world.time.advance(seconds=25)
    await world.store.take_status(status(world, "DMG-01", "birth", 2), arrived_ms=now(world), is_retained=False)
    await pass_by(world, 2, ingester(world), heard=())
    rows = [point for point in world.history.named("machine") if dict(point.tags)["device"] == "DMG-01"]
    assert {dict(point.fields)["clock_offset_ms"] for point in rows} == {-3_600_000}
