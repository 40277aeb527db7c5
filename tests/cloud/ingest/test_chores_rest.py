"""Roll-ups leave most of the time to storing, however many days a backlog has touched."""

from dataclasses import dataclass, field

from cloud.ingest import chores
from cloud.ingest.chores import Chores


@dataclass
class Ears:
    is_listening: bool = True
    backlog: int = 0
    broker_says: dict[str, str] = field(default_factory=dict)


def slow(world, seconds: float) -> None:
    """From now on a write to the history takes so long."""
    write = world.history.write

    async def late(points):
        if any(point.measurement == "attendance_day" for point in points):
            world.time.advance(seconds=seconds)
        return await write(points)

    world.history.write = late


async def rolled_within(world, seconds: int, *, each_takes: float) -> int:
    one = Chores(world.store, Ears(), instance="a")
    slow(world, each_takes)
    began, times = world.time(), 0
    while (world.time() - began).total_seconds() < seconds:
        seq = 1 + int((world.time() - began).total_seconds())
        await world.store.take([world.machine.batch(world.machine.tap(seq))])
        world.history.points.clear()
        await one.turn()
        times += bool(world.history.named("attendance_day"))
        world.time.advance(seconds=5)
    return times


async def test_quick_roll_ups_come_often(world):
    assert await rolled_within(world, 300, each_takes=0) >= 300 * 1000 // chores.ROLL_MS - 1


async def test_slow_roll_ups_take_a_tenth_of_the_time(world):
    assert await rolled_within(world, 300, each_takes=10) <= 4
