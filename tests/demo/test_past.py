"""The made-up past: readable by the contract, complete, and ending when the demo begins."""

from datetime import UTC, date, datetime, timedelta

import pytest

from contract import codec
from contract.cards import Keyring, OpeningKey, SealedCard
from contract.messages import Event, Heartbeat, Hours, Tap
from contract.ranges import Ranges
from demo import city, past, residents

START = datetime(2026, 11, 17, 1, tzinfo=UTC)
WEEKS = timedelta(weeks=2)
SITES = (city.Site("DMG", "Pesakih", -6.1, 106.7, 640),)
TOWN = city.build(SITES, seed=1, machines=2)
PLAN = residents.plan(TOWN, go_live=date(2026, 11, 3), periods=range(1), seed=1)
LIVES = past.lives(TOWN, PLAN, until=START, seed=1, length=WEEKS)
KEY = OpeningKey.generate("k1")


@pytest.fixture(scope="module", params=LIVES, ids=[life.device for life in LIVES])
def life(request: pytest.FixtureRequest) -> past.Life:
    return request.param


def days(life: past.Life) -> list[tuple[int, int]]:
    return [(at, at + 86_400_000) for at in range(life.since_ms, life.until_ms, 86_400_000)]


def records(life: past.Life) -> list[tuple[int, codec.Received]]:
    sent = [one for start, end in days(life) for one in past.batches(life, KEY.public(), start_ms=start, end_ms=end)]
    return [
        (one.arrived_ms, received)
        for one in sent
        for received in codec.decode_batch(one.payload, device=life.device).records
    ]


def test_every_seq_is_there_once_from_the_boot_to_the_end(life: past.Life) -> None:
    seqs = [received.record.seq for _, received in records(life)]
    assert seqs == list(range(1, len(life.entries) + 2))


def test_times_rise_with_the_numbers_and_nothing_arrives_before_it_happened(life: past.Life) -> None:
    found = records(life)
    times = [received.record.at for _, received in found]
    assert times == sorted(times)
    assert life.since_ms <= times[0] and times[-1] < life.until_ms
    assert all(arrived >= received.record.at for arrived, received in found)


def test_the_taps_are_the_planned_ones_and_open_to_their_cards(life: past.Life) -> None:
    ring = Keyring({"k1": KEY})
    taps = [received.record for _, received in records(life) if isinstance(received.record, Tap)]
    opened = [(tap.at, ring.open(SealedCard.parse(tap.card), life.device)) for tap in taps]
    planned = [tap for tap in PLAN.of(life.device) if tap.at < START]
    assert opened == [(past.milliseconds(tap.at), TOWN.flats[tap.flat].uid) for tap in planned]


def test_there_is_a_full_hour_for_every_hour(life: past.Life) -> None:
    hours = [received.record for _, received in records(life) if isinstance(received.record, Hours)]
    assert [hour.hour for hour in hours] == list(range(life.since_ms, life.until_ms - past.HOUR_MS, past.HOUR_MS))
    assert {hour.able_min for hour in hours} == {60}


def test_the_outbox_is_closed_by_its_own_last_record(life: past.Life) -> None:
    last = records(life)[-1][1].record
    assert isinstance(last, Event)
    closed = last.closed()
    assert closed is not None
    assert (closed.outbox, closed.last_seq) == (life.outbox, last.seq)


def test_heartbeats_come_every_half_hour_and_know_what_was_kept_before(life: past.Life) -> None:
    beats = [
        codec.decode(one.payload, Heartbeat, device=life.device)
        for start, end in days(life)
        for one in past.heartbeats(life, start_ms=start, end_ms=end)
    ]
    made = [(received.record.at, received.record.seq) for _, received in records(life)]
    assert len(beats) == 14 * 48
    for beat in beats:
        known = Ranges.single(seq for at, seq in made if at < beat.at)
        assert beat.last_seq == max(known.highest, 1)


def test_an_entry_shows_no_card_in_the_repr_of_a_life(life: past.Life) -> None:
    assert "uid" not in repr(life)


def test_the_same_seed_gives_the_same_past() -> None:
    assert past.lives(TOWN, PLAN, until=START, seed=1, length=WEEKS) == LIVES


def test_a_life_that_lost_its_network_is_told_until_then_and_kept_from_then_on(life: past.Life) -> None:
    lost_ms = life.since_ms + 5 * 86_400_000
    told, kept = past.parted(life, lost_ms)
    assert [entry for entry in told.entries if not entry.is_end] + list(kept.entries) == list(life.entries[:-1])
    assert told.entries[-1].is_end and told.entries[-1].at_ms < lost_ms <= kept.since_ms
    assert kept.boot != told.boot
    beats = list(past.heartbeats(told, start_ms=lost_ms - 3_600_000, end_ms=lost_ms + 3_600_000))
    assert beats and all(beat.arrived_ms < lost_ms for beat in beats)
