"""What comes late changes what is expected of the same weekdays after it, and those are rolled up again."""

from dataclasses import dataclass, field

from cloud.ingest.chores import Chores

WEEK = 7 * 24 * 3_600_000


@dataclass
class Ears:
    is_listening: bool = True
    backlog: int = 0
    broker_says: dict[str, str] = field(default_factory=dict)


def expected(world, at_ms):
    rows = {(dict(point.tags)["device"], point.time_ns // 10**6): point for point in world.history.named("tap_15m")}
    return dict(rows["DMG-01", at_ms].fields).get("expected")


async def take(world, *records):
    await world.store.take([world.machine.batch(*records)])


async def test_hours_and_taps_that_come_late_change_what_was_expected_of_later_weeks(world):
    hour, chores, machine = world.NOON - world.HOUR, Chores(world.store, Ears(), instance="a"), world.machine
    await take(world, machine.hours(1, hour), machine.hours(2, hour - WEEK), machine.tap(3, at=hour - WEEK))
    await chores.roll_up()
    assert expected(world, hour) is None  # one week is too few
    await take(world, machine.hours(4, hour - 2 * WEEK))
    await chores.roll_up()
    assert expected(world, hour) == 0.5
    await take(world, machine.tap(5, at=hour - 2 * WEEK), machine.tap(6, world.STRANGER, at=hour - 2 * WEEK))
    await chores.roll_up()
    assert expected(world, hour) == 1.5
    assert world.rows("SELECT COUNT(*) FROM dirty_days") == [(0,)]
