"""Held and unknown records become what they are once registry, keys or time say so; corrections move the counts."""

import pytest

from cloud.ingest import sweep
from cloud.ingest.opening import Opener
from cloud.ingest.sweep import Sweep
from cloud.records import marks, waiting
from cloud.records.counts import Deltas
from cloud.records.verdicts import Held
from contract.cards import Keyring, OpeningKey
from contract.messages import Clock

BEFORE_BOOT = "44444444-4444-4444-8444-444444444444"


async def take(world, *records, machine=None):
    return await world.store.take([(machine or world.machine).batch(*records)])


def outcomes(world):
    return world.rows("SELECT seq, outcome, unit, estate FROM sightings ORDER BY seq")


async def test_a_card_registered_afterwards_counts_its_earlier_taps(world):
    await take(world, world.machine.tap(1, world.STRANGER), world.machine.tap(2, world.STRANGER))
    world.register(world.STRANGER, world.UNIT, "member")
    await world.sweep.run()
    assert outcomes(world) == [(1, "known", world.UNIT, "DMG"), (2, "known", world.UNIT, "DMG")]
    assert world.rows("SELECT known, unknown FROM hour_counts") == [(2, 0)]
    assert world.rows("SELECT taps FROM presence") == [(2,)]
    points = world.history.named("tap")
    assert [dict(point.fields)["known"] for point in points] == [1, 1]


async def test_a_sweep_says_up_to_which_registry_it_went_and_twice_is_once(world):
    world.register(world.STRANGER, world.UNIT)
    await take(world, world.machine.tap(1, world.STRANGER))
    await world.sweep.run()
    before = world.contents()
    read = world.records.read
    assert read(lambda c: marks.read(c, marks.SWEEP_FINISHED)) == read(lambda c: marks.read(c, marks.REGISTRY_CHANGED))
    await Sweep(world.another_store()).run()
    assert world.contents() == before


async def test_a_corrected_installation_moves_taps_to_the_other_estate_and_dirties_both(world):
    await world.sweep.run()
    await take(world, world.machine.tap(1), world.machine.tap(2, world.STRANGER))
    world.run("DELETE FROM dirty_days")
    world.change("UPDATE installations SET estate = 'PSK', changed = $V WHERE device = 'DMG-01'")
    await world.sweep.run()
    assert [row[3] for row in outcomes(world)] == ["PSK", "PSK"]
    assert [row[0] for row in world.contents()["dirty"]] == ["DMG", "PSK"]
    assert world.rows("SELECT taps FROM presence") == [(1,)]


async def test_a_card_that_was_wrongly_registered_is_taken_back(world):
    await world.sweep.run()
    await take(world, world.machine.tap(1))
    world.change("UPDATE cards SET valid_to = '2021-01-01', changed = $V WHERE unit IS NOT NULL")
    await world.sweep.run()
    assert outcomes(world) == [(1, "unknown", None, "DMG")]
    assert world.rows("SELECT * FROM presence") == []
    assert world.rows("SELECT known, unknown FROM hour_counts") == [(0, 1)]


async def test_a_tap_from_the_future_is_stored_when_its_time_has_come(world):
    await take(world, world.machine.tap(1, at=world.NOON + 20 * 60_000))
    await world.sweep.run()
    assert outcomes(world) == []
    world.time.advance(minutes=16)
    await world.sweep.run()
    assert [row[1] for row in outcomes(world)] == ["known"]
    assert world.rows("SELECT state, reason FROM arrivals") == [("stored", None)]
    assert world.rows("SELECT * FROM held") == []


async def test_a_machine_that_is_installed_afterwards_gets_its_taps(world):
    stray = world.Machine(device=type(world.DEVICE)("PSK-01"))
    await take(world, stray.tap(1), machine=stray)
    world.install("PSK-01", "PSK")
    await world.sweep.run()
    assert outcomes(world) == [(1, "known", world.UNIT, "PSK")]


async def test_a_key_that_is_installed_afterwards_opens_what_waited(world):
    late = OpeningKey.generate("k2")
    machine = world.Machine(key=late.public())
    await take(world, machine.tap(1), machine=machine)
    await world.sweep.run()
    world.store.opener = Opener(Keyring({**world.opener.keyring.keys, "k2": late}), world.opener.pepper)
    await Sweep(world.store).run()
    assert [row[1] for row in outcomes(world)] == ["known"]


async def test_a_card_that_turns_out_unreadable_is_rejected_after_all(world):
    late = OpeningKey.generate("k2")
    elsewhere = world.Machine(device=type(world.DEVICE)("DMG-02"), key=late.public())
    await take(world, elsewhere.tap(1))
    world.store.opener = Opener(Keyring({"k2": late}), world.opener.pepper)
    await Sweep(world.store).run()
    assert world.rows("SELECT state, reason FROM arrivals") == [("rejected", "unreadable_card")]
    assert world.rows("SELECT seq, reason FROM dead_letters") == [(1, "unreadable_card")]


# ---- undated ---------------------------------------------------------------------------------------------------------


async def test_the_monotonic_clock_of_the_boot_dates_a_tap_exactly(world):
    machine = world.machine
    undated = machine.tap(1, at=1000, mono=60_000, clock=Clock.UNTRUSTED)
    await take(world, undated)
    await world.sweep.run()
    assert outcomes(world) == []
    await take(world, machine.tap(2, at=world.NOON - 1000, mono=120_000))
    await world.sweep.run()
    assert world.rows("SELECT at_ms, uncertainty_ms FROM sightings WHERE seq = 1") == [(world.NOON - 61_000, 0)]


async def test_between_two_boots_a_tap_is_the_middle_of_an_interval(world):
    machine, hour = world.machine, world.HOUR
    await take(world, machine.tap(1, at=world.NOON - 5 * hour, boot=BEFORE_BOOT))
    await take(world, machine.tap(2, at=1000, mono=1, clock=Clock.UNTRUSTED))
    await take(world, machine.tap(3, at=world.NOON - hour, boot=world.OTHER))
    await world.sweep.run()
    assert world.rows("SELECT at_ms, uncertainty_ms FROM sightings WHERE seq = 2") == [
        (world.NOON - 3 * hour, 2 * hour)
    ]


@pytest.mark.parametrize("missing", [2, 4])
async def test_an_undated_tap_waits_while_a_nearer_neighbour_may_still_come(world, missing):
    machine, hour = world.machine, world.HOUR
    made = {
        1: machine.tap(1, at=world.NOON - 9 * hour, boot=BEFORE_BOOT),
        2: machine.tap(2, at=world.NOON - 8 * hour, boot=BEFORE_BOOT),
        3: machine.tap(3, at=1000, mono=1, clock=Clock.UNTRUSTED),
        4: machine.tap(4, at=world.NOON - 4 * hour, boot=world.OTHER),
        5: machine.tap(5, at=world.NOON - 2 * hour, boot=world.OTHER),
    }
    await take(world, *(made[seq] for seq in made if seq != missing))
    await world.sweep.run()
    assert 3 not in [row[0] for row in outcomes(world)]
    await take(world, made[missing])
    await world.sweep.run()
    assert world.rows("SELECT at_ms, uncertainty_ms FROM sightings WHERE seq = 3") == [
        (world.NOON - 6 * hour, 2 * hour)
    ]


async def test_before_its_first_record_a_machine_was_installed(world):
    machine = world.machine
    await take(world, machine.tap(1, at=0, mono=0, clock=Clock.UNTRUSTED), machine.hours(2, boot=world.OTHER))
    await world.sweep.run()
    assert world.rows("SELECT at_ms + uncertainty_ms, at_ms - uncertainty_ms FROM sightings") == [
        (world.NOON, world.NOON - 100 * world.DAY)
    ]


async def test_the_last_tap_of_a_closed_outbox_was_made_before_it_arrived(world):
    following = world.Machine(outbox=world.OTHER)
    first = world.machine.tap(1, at=world.NOON - 2 * world.HOUR)
    last = world.machine.tap(2, at=5, clock=Clock.UNTRUSTED, boot=world.OTHER)
    await take(world, first, last)
    await take(world, following.event(1, "outbox_closed", outbox=world.OUTBOX, last_seq=2), machine=following)
    await world.sweep.run()
    assert world.rows("SELECT at_ms, uncertainty_ms FROM sightings WHERE seq = 2") == [
        (world.NOON - world.HOUR, world.HOUR)
    ]


async def test_undated_taps_are_all_dated_however_many_a_stream_has(world, monkeypatch):
    monkeypatch.setattr(sweep, "CHUNK", 2)
    undated = [world.machine.tap(seq, at=5, mono=seq, clock=Clock.UNTRUSTED) for seq in range(1, 6)]
    await take(world, *undated)
    await world.sweep.run()
    await take(world, world.machine.hours(6, mono=60_000))
    await world.sweep.run()
    assert [row[0] for row in outcomes(world)] == [1, 2, 3, 4, 5]


async def test_a_sweep_that_was_cut_short_is_made_up_for(world):
    await take(world, world.machine.tap(1, at=5, mono=1, clock=Clock.UNTRUSTED), world.machine.hours(2, mono=60_000))
    world.history.crash = True
    with pytest.raises(world.Crash):
        await world.sweep.run()
    world.history.crash = False
    await world.sweep.run()
    assert [row[0] for row in outcomes(world)] == [1]


async def test_a_slower_sweep_takes_nothing_back(world):
    await take(world, world.machine.tap(1, at=5, mono=1, clock=Clock.UNTRUSTED))
    (held,) = world.records.read(
        lambda c: waiting.held_records(c, reasons=["undated"], due_ms=0, after=waiting.START, limit=9)
    )
    await take(world, world.machine.hours(2, mono=60_000))
    await world.sweep.run()
    world.records.write(lambda c: waiting.settle(c, held, Held("future"), deltas=Deltas()))
    assert world.rows("SELECT state, reason FROM arrivals WHERE seq = 1") == [("stored", None)]
