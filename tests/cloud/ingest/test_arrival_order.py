"""However the same records arrive (any order, again, split up, several ingesters), the same is kept and counted."""

import asyncio
import itertools
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.messages import Clock


@dataclass(frozen=True)
class Deal:
    """One batch: which records, dealt to which ingester."""

    records: tuple[int, ...]
    store: int


def history(world):
    """Two outboxes of one machine: a boot without a clock, an unknown and a test card, a loss, a closed outbox."""
    one, two = world.machine, world.Machine(outbox=world.OTHER)
    early, hour = world.NOON - 30 * world.HOUR, world.HOUR
    lost = {"outbox": world.OUTBOX, "from_seq": 6, "to_seq": 7, "from": early, "to": early + 9 * hour}
    return [
        (one, one.tap(1, at=early)),
        (one, one.tap(2, at=4, mono=9, clock=Clock.UNTRUSTED, boot=world.OTHER)),
        (one, one.tap(3, at=early + 5 * hour, boot="44444444-4444-4444-8444-444444444444")),
        (one, one.tap(4, world.STRANGER, at=early + 5 * hour)),
        (one, one.hours(5, hour=early - early % hour, able=33)),
        (one, one.tap(7, at=early + 6 * hour)),
        (two, two.event(1, "records_dropped", **lost)),
        (two, two.event(2, "outbox_closed", outbox=world.OUTBOX, last_seq=7)),
        (two, two.tap(3, world.TEST)),
        (two, two.tap(4, at=world.NOON - 2 * hour)),
    ]


def deals(count):
    some = st.lists(st.integers(0, count - 1), min_size=1, max_size=count).map(tuple)
    return st.lists(st.builds(Deal, some, st.integers(0, 1)), max_size=8)


async def tell(world, told, dealt):
    stores = [world.store, world.another_store()]
    everything = Deal(tuple(range(len(told))), 0)
    for deal in [*dealt, everything]:
        batches = [machine.batch(record) for machine, record in (told[number] for number in deal.records)]
        await stores[deal.store].take(batches)
    await world.sweep.run()


def wipe(world):
    tables = (
        "sightings held device_hours device_events dead_letters arrivals streams presence hour_counts quarter_counts"
    )
    for table in (*tables.split(), "dirty_days"):
        world.run(f"DELETE FROM {table}")
    world.history.points.clear()
    world.sweep._tried.clear()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_arrival_does_not_matter(small_world, data):
    told = history(small_world)
    wipe(small_world)
    asyncio.run(tell(small_world, told, []))
    expected, points = small_world.contents(), set(small_world.history.points)
    wipe(small_world)
    asyncio.run(tell(small_world, told, data.draw(deals(len(told)))))
    assert small_world.contents() == expected
    assert set(small_world.history.points) == points


async def test_two_ingesters_at_once_leave_what_one_would(world):
    told = history(world)
    await tell(world, told, [])
    expected = world.contents()
    wipe(world)
    stores = [world.store, world.another_store(), world.another_store()]
    batches = [[machine.batch(record)] for machine, record in told + told[::-1]]
    await asyncio.gather(*(store.take(batch) for store, batch in zip(itertools.cycle(stores), batches, strict=False)))
    await world.sweep.run()
    assert world.contents() == expected
