"""One ingester at a time writes minute rows and roll-ups; nobody is called silent while nobody listened."""

import asyncio
from dataclasses import dataclass, field

import pytest

from cloud.ingest import chores
from cloud.ingest.chores import Chores
from cloud.records.heard import Beat
from contract import codec
from contract.messages import Heartbeat


@dataclass
class Ears:
    is_listening: bool = True
    backlog: int = 0
    broker_says: dict[str, str] = field(default_factory=lambda: {"uptime": "5 seconds"})


def beat(world, device="DMG-01", *, at_ms=None, last_seq=0, confirmed=0, uptime_s=100) -> Beat:
    at_ms = at_ms or int(world.time().timestamp() * 1000)
    made = Heartbeat(
        device=device, at=at_ms, boot=world.BOOT, session=1, uptime_s=uptime_s, outbox=world.OUTBOX, last_seq=last_seq,
        confirmed=confirmed, backlog=0, reader="ok", clock="trusted", disk_free_pct=50.0, version="1"
    )  # fmt: skip
    return Beat(made, codec.encode(made).decode(), at_ms)


def online(world) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for point in sorted(world.history.named("machine"), key=lambda point: point.time_ns):
        found.setdefault(dict(point.tags)["device"], []).append(dict(point.fields)["online"])
    return found


async def minutes(world, count, *several, beats=("DMG-01", "DMG-02")):
    """Let time pass in steps of 30 s; each of *several* chores takes its turn."""
    for _ in range(count * 2):
        world.time.advance(seconds=30)
        if beats:
            await world.store.take_beats([beat(world, device) for device in beats])
        for each in several:
            await each.turn()


async def test_every_registered_machine_has_a_row_for_every_minute(world):
    one = Chores(world.store, Ears(), instance="a")
    await minutes(world, 6, one)
    assert online(world) == {"DMG-01": [1] * 5, "DMG-02": [1] * 5}  # the last minute settles first
    assert {dict(point.tags)["estate"]: dict(point.fields)["online"] for point in world.history.named("fleet")} == {
        "DMG": 2,
        "PSK": 0,
    }
    assert world.rows("SELECT SUM(minutes) FROM online_hours") == [(10,)]


async def test_a_silent_machine_is_offline_once_somebody_listened_for_its_whole_patience(world):
    one = Chores(world.store, Ears(), instance="a")
    await minutes(world, 2, one)
    await minutes(world, 8, one, beats=("DMG-01",))
    rows = online(world)
    assert set(rows["DMG-01"]) == {1}
    assert rows["DMG-02"] == sorted(rows["DMG-02"], reverse=True)
    assert rows["DMG-02"][-1] == 0


async def test_nobody_is_called_silent_for_a_time_in_which_nobody_listened(world):
    ears = Ears()
    one = Chores(world.store, ears, instance="a")
    await minutes(world, 5, one)
    ears.is_listening = False
    await minutes(world, 30, one, beats=())
    ears.is_listening = True
    await minutes(world, 6, one)
    assert {value for rows in online(world).values() for value in rows} == {1}


async def test_when_the_holder_is_killed_the_other_goes_on_without_a_false_silence(world):
    one, other = (Chores(world.another_store(), Ears(), instance=name) for name in "ab")
    await minutes(world, 4, one, other)
    await minutes(world, 4, other)
    assert online(world) == {"DMG-01": [1] * 7, "DMG-02": [1] * 7}
    assert world.rows("SELECT SUM(minutes) FROM online_hours") == [(14,)]


async def test_a_new_ingester_waits_a_whole_patience_before_it_calls_anybody_silent(world):
    one = Chores(world.store, Ears(), instance="a")
    await minutes(world, 2, one, beats=())
    assert online(world) == {}
    await minutes(world, 4, one, beats=())
    assert {value for rows in online(world).values() for value in rows} == {0}


async def test_days_are_rolled_up_from_what_was_counted(world):
    one = Chores(world.store, Ears(), instance="a")
    await world.store.take([world.machine.batch(world.machine.tap(1), world.machine.tap(2, world.STRANGER))])
    await one.turn()
    day = {dict(point.tags)["estate"]: dict(point.fields) for point in world.history.named("attendance_day")}
    assert (day["DMG"]["taps"], day["DMG"]["unknown_taps"], day["DMG"]["present_units"]) == (2, 1, 1)
    assert {point.measurement for point in world.history.points.values()} >= {
        "attendance_month", "machine_day", "tap_15m", "tap_hour", "pipeline", "broker"
    }  # fmt: skip
    assert world.rows("SELECT COUNT(*) FROM dirty_days") == [(0,)]


async def test_a_complete_day_is_noted_and_rolled_up_again(world):
    one = Chores(world.store, Ears(), instance="a")
    await world.store.take([world.machine.batch(world.machine.hours(1))])
    both = [beat(world, device, last_seq=1 if device == "DMG-01" else 0) for device in ("DMG-01", "DMG-02")]
    await world.store.take_beats(both)
    await one.note_complete()
    days = {str(row[0]) for row in world.rows("SELECT day FROM completed_days WHERE estate = 'DMG'")}
    assert "2026-03-02" in days
    assert "2026-03-03" not in days


async def test_a_chore_that_fails_does_not_stop_the_others(world, caplog):
    class Broken:
        trouble = None

        async def write(self, points):
            raise RuntimeError("no")

    world.store.history, working = Broken(), world.store.history
    one = Chores(world.store, Ears(), instance="a")
    await one.turn()
    await one.turn()
    assert [record.action for record in caplog.records].count("chore_failed") >= 1
    world.store.history = working
    world.time.advance(minutes=1)
    await one.turn()
    assert world.history.named("pipeline")


@pytest.mark.parametrize("trouble", [None, "the token is refused"])
async def test_it_is_ready_while_both_databases_take_what_comes(world, trouble):
    world.history.trouble = trouble
    assert await Chores(world.store, Ears(), instance="a").can_store() is (trouble is None)


def test_the_lease_outlives_a_few_turns():
    assert chores.LEASE_MS > 10_000 * chores.TICK_S


async def test_a_chore_that_waits_for_the_history_costs_neither_the_lease_nor_the_listening(small_world, monkeypatch):
    monkeypatch.setattr(chores, "TICK_S", 0.01)
    waits = asyncio.Event()

    class Held:
        trouble = "the token is refused"

        async def write(self, points):
            waits.set()
            await asyncio.Event().wait()

    small_world.store.history = Held()
    task = asyncio.create_task(Chores(small_world.store, Ears(), instance="a").run())
    async with asyncio.timeout(10):
        await waits.wait()
        for minute in range(1, 4):
            small_world.time.advance(seconds=20)
            wanted = small_world.NOON + minute * 20_000
            while noted(small_world) != (wanted + chores.LEASE_MS, wanted):  # noqa: ASYNC110  # rows say nothing
                await asyncio.sleep(0.01)
    task.cancel()
    assert small_world.rows("SELECT value FROM marks WHERE name = 'listening_since'") == [(small_world.NOON,)]


def noted(world) -> tuple[object, object]:
    """Until when the lease is taken, and until when somebody listened."""
    ((until,),) = world.rows("SELECT MAX(until_ms) FROM leases")
    ((heard,),) = world.rows("SELECT MAX(value) FROM marks WHERE name = 'listening_until'")
    return until, heard
