"""Of an uncertain tap, the days on which it may have been made with a valid card: decided once, kept with presence."""

from datetime import date

import pytest

from cloud.ingest import resolve
from cloud.ingest.resolve import Moment, Opened, Registry
from cloud.records.registry import Card, Installation
from contract.messages import Clock

DAY = 86_400_000
MIDNIGHT = 1_772_470_800_000  # 2026-03-03 00.00 WIB
NOON = MIDNIGHT + DAY // 2
BEFORE_BOOT = "44444444-4444-4444-8444-444444444444"


def span(moment, since=date(2026, 1, 1), until=None, role="holder"):
    card = Card("p", None if role == "test" else "U1", role, role == "holder", since, until)
    facts = Registry(1, {"DMG-01": [Installation("DMG-01", "DMG", 0, None)]}, {"p": [card]})
    found = resolve.tap("DMG-01", moment, Opened("p"), facts, now_ms=NOON + 40 * DAY).span
    return found and tuple(each.strftime("%m-%d") for each in found)


@pytest.mark.parametrize(
    ("moment", "more", "expected"),
    [
        pytest.param(Moment(NOON), {}, None, id="a trusted clock"),
        pytest.param(Moment(NOON, DAY // 2 - 1), {}, None, id="uncertain within its day"),
        pytest.param(Moment(NOON, DAY // 2), {}, ("03-03", "03-04"), id="perhaps at the midnight after it"),
        pytest.param(Moment(NOON, 3 * DAY), {}, ("02-28", "03-06"), id="three days around it"),
        pytest.param(Moment(NOON, 3 * DAY), {"since": date(2026, 3, 2)}, ("03-02", "03-06"), id="from the day before"),
        pytest.param(Moment(NOON, 3 * DAY), {"until": date(2026, 3, 1)}, ("02-28", "03-01"), id="not valid any more"),
        pytest.param(Moment(NOON, 3 * DAY), {"since": date(2026, 3, 5)}, ("03-05", "03-06"), id="not valid yet"),
        pytest.param(Moment(NOON, 3 * DAY), {"until": date(2026, 2, 1)}, None, id="valid on none of them"),
        pytest.param(Moment(NOON, 3 * DAY), {"role": "test"}, None, id="a test card"),
        pytest.param(
            Moment(NOON, 3 * DAY), {"since": date(2026, 3, 3), "until": date(2026, 3, 3)}, None, id="its day alone"
        ),
    ],
)  # fmt: skip
def test_the_days_on_which_a_tap_may_have_been_made(moment, more, expected):
    assert span(moment, **more) == expected


def spans(world):
    query = "SELECT unit, day, first_day, last_day, taps FROM presence_spans ORDER BY 1, 2, 3"
    return [(row[0], *map(str, row[1:4]), row[4]) for row in world.rows(query)]


async def take_uncertain(world):
    """A tap of 1 March 12.00 to 3 March 10.00."""
    machine, hour = world.machine, world.HOUR
    await world.store.take(
        [
            machine.batch(
                machine.tap(1, world.STRANGER, at=world.NOON - 48 * hour, boot=BEFORE_BOOT),
                machine.tap(2, at=1000, mono=1, clock=Clock.UNTRUSTED),
                machine.tap(3, world.STRANGER, at=world.NOON - 2 * hour, boot=world.OTHER),
            )
        ]
    )
    await world.sweep.run()


async def test_they_are_kept_beside_presence_and_follow_the_card(world):
    await take_uncertain(world)
    assert spans(world) == [(world.UNIT, "2026-03-02", "2026-03-01", "2026-03-03", 1)]
    world.change("UPDATE cards SET valid_to = '2026-03-02', changed = $V WHERE unit IS NOT NULL")
    await world.sweep.run()
    assert spans(world) == [(world.UNIT, "2026-03-02", "2026-03-01", "2026-03-02", 1)]
    world.change("UPDATE cards SET valid_to = '2026-02-01', changed = $V WHERE unit IS NOT NULL")
    await world.sweep.run()
    assert spans(world) == []
    assert world.rows("SELECT * FROM presence") == []


async def test_the_same_again_adds_nothing(world):
    await take_uncertain(world)
    before = spans(world)
    await take_uncertain(world)
    assert spans(world) == before


async def test_every_change_of_a_day_is_counted_and_never_forgotten(world):
    await take_uncertain(world)
    changes = dict(world.rows("SELECT day, changes FROM day_changes WHERE estate = 'DMG'"))
    world.run("DELETE FROM dirty_days")
    await world.store.take([world.machine.batch(world.machine.tap(4))])
    after = dict(world.rows("SELECT day, changes FROM day_changes WHERE estate = 'DMG'"))
    assert {day for day in after if after[day] > changes[day]} == {max(after)}
    assert all(after[day] >= changes[day] for day in changes)
