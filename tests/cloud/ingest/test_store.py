"""What arrives is stored once, counted once, and answered from what was committed; on both engines."""

import asyncio

import pytest

from cloud.ingest.requests import Incoming
from cloud.records import standing
from contract import codec
from contract.messages import Envelope, Resume, Stored
from contract.ranges import Ranges


async def only(answers: object) -> Stored:
    found = [each for each in await answers if isinstance(each, Stored)]  # type: ignore[misc]
    assert len(found) == 1
    return found[0]


async def test_a_known_tap_is_stored_counted_and_answered(world):
    tap = world.machine.tap(1)
    answer = await only(world.store.take([world.machine.batch(tap)]))
    assert (answer.upto, answer.beyond, answer.outcomes) == (1, Ranges(), {1: "known"})
    assert answer.digests == {1: world.received(tap).digest}
    assert [(str(day), taps) for day, taps in world.rows("SELECT day, taps FROM presence")] == [("2026-03-03", 1)]
    assert world.rows("SELECT known, unknown, late FROM hour_counts") == [(1, 0, 0)]
    assert world.rows("SELECT known, unknown FROM quarter_counts") == [(1, 0)]
    assert [each[0] for each in world.rows("SELECT estate FROM dirty_days")] == ["DMG"]
    assert [dict(point.fields)["known"] for point in world.history.named("tap")] == [1]


@pytest.mark.parametrize(
    ("uid", "outcome", "counts"),
    [
        pytest.param(b"\x04xyz", "unknown", [(0, 1)], id="a card nobody registered"),
        pytest.param(b"\x04tst", "known", [], id="a test card, which is never presence"),
    ],
)
async def test_other_cards(world, uid, outcome, counts):
    answer = await only(world.store.take([world.machine.batch(world.machine.tap(1, uid))]))
    assert answer.outcomes == {1: outcome}
    assert world.rows("SELECT known, unknown FROM hour_counts") == counts
    assert world.rows("SELECT * FROM presence") == []


async def test_the_same_batch_again_changes_nothing_and_is_answered_alike(world):
    batch = world.machine.batch(world.machine.tap(1), world.machine.hours(2), world.machine.event(3, "boot"))
    first = await only(world.store.take([batch, batch]))
    before = world.contents()
    again = await only(world.another_store().take([batch]))
    assert world.contents() == before
    assert again == first


async def test_a_jump_is_a_gap_and_never_an_error(world):
    answer = await only(world.store.take([world.machine.batch(world.machine.tap(7), world.machine.tap(2))]))
    assert (answer.upto, answer.beyond) == (0, Ranges(((2, 2), (7, 7))))
    assert set(answer.digests) == {2, 7}


async def test_the_same_seq_with_other_bytes_is_a_conflict_for_ever(world):
    one, other = world.machine.tap(1), world.machine.tap(1, world.STRANGER)
    await world.store.take([world.machine.batch(one)])
    before = world.contents()
    refused = await only(world.store.take([world.machine.batch(other)]))
    assert refused.conflicts == Ranges(((1, 1),))
    assert refused.digests == {}
    assert world.contents() == before
    assert [dict(point.fields)["known"] for point in world.history.named("tap")] == [1]
    original = await only(world.store.take([world.machine.batch(one)]))
    assert original.digests == {1: world.received(one).digest}
    assert original.conflicts == Ranges(((1, 1),))


async def test_two_records_under_one_seq_in_one_batch_are_a_conflict(world):
    batch = world.machine.batch(world.machine.tap(1), world.machine.tap(1, world.STRANGER))
    answer = await only(world.store.take([batch]))
    assert answer.conflicts == Ranges(((1, 1),))
    assert world.rows("SELECT COUNT(*) FROM sightings") == [(1,)]


async def test_an_answer_names_only_what_the_machine_does_not_know_and_the_batch_itself(world):
    await world.store.take([world.machine.batch(*(world.machine.hours(seq) for seq in range(1, 6)))])
    answer = await only(world.store.take([world.machine.batch(world.machine.hours(2), confirmed=4)]))
    assert (answer.upto, set(answer.digests)) == (5, {2, 5})


async def test_an_empty_batch_asks_where_we_stand(world):
    await world.store.take([world.machine.batch(world.machine.hours(1))])
    answer = await only(world.store.take([world.machine.batch()]))
    assert (answer.upto, set(answer.digests)) == (1, {1})


async def test_one_machine_s_outboxes_are_answered_apart(world):
    other = world.Machine(outbox=world.OTHER)
    answers = await world.store.take([world.machine.batch(world.machine.hours(1)), other.batch(other.hours(3))])
    assert {answer.outbox: (answer.upto, answer.beyond.spans) for answer in answers} == {
        world.OUTBOX: (1, ()),
        world.OTHER: (0, ((3, 3),)),
    }


# ---- held and rejected -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        pytest.param({"at": "future"}, "future", id="from the future"),
        pytest.param({"at": "before"}, "not_installed", id="from before the installation"),
        pytest.param({"clock": "untrusted"}, "undated", id="under a clock nobody set"),
    ],
)
async def test_a_tap_whose_meaning_is_open_is_held_and_confirmed(world, more, reason):
    times = {"future": world.NOON + 300_001, "before": world.NOON - 101 * world.DAY}
    more = {name: times.get(value, value) for name, value in more.items()}
    answer = await only(world.store.take([world.machine.batch(world.machine.tap(1, **more))]))
    assert (answer.upto, answer.held, answer.outcomes) == (1, {1: reason}, {})
    assert world.history.points == {}
    assert world.rows("SELECT COUNT(*) FROM sightings") == [(0,)]


async def test_five_minutes_ahead_is_no_future(world):
    answer = await only(world.store.take([world.machine.batch(world.machine.tap(1, at=world.NOON + 300_000))]))
    assert answer.outcomes == {1: "known"}


async def test_a_machine_that_is_installed_nowhere_is_held(world):
    stray = world.Machine(device=type(world.DEVICE)("XYZ-99"))
    answer = await only(world.store.take([stray.batch(stray.tap(1))]))
    assert answer.held == {1: "not_installed"}


async def test_a_card_under_a_key_that_is_not_here_is_held(world):
    from contract.cards import OpeningKey

    foreign = world.Machine(key=OpeningKey.generate("k2").public())
    answer = await only(world.store.take([foreign.batch(foreign.tap(1))]))
    assert answer.held == {1: "unknown_key"}


async def test_a_card_that_never_opens_is_rejected_and_a_dead_letter(world):
    copied = world.Machine(device=type(world.DEVICE)("DMG-02")).tap(1)
    answer = await only(world.store.take([world.machine.batch(copied)]))
    assert (answer.upto, answer.rejected) == (1, {1: "unreadable_card"})
    assert world.rows("SELECT source, seq, reason FROM dead_letters") == [("record", 1, "unreadable_card")]


async def test_a_dead_letter_of_a_rejected_record_is_counted_once(world):
    batch = world.machine.batch(world.machine.tap(1, card="k1.AAAA"), world.machine.tap(2))
    await world.store.take([batch])
    await world.store.take([batch])
    assert world.rows("SELECT count(*) FROM dead_letters") == [(1,)]
    assert world.store.tally.letters == 1


async def test_an_unreadable_record_is_rejected_by_its_seq_and_its_batch_is_not(world):
    good = codec.body(world.machine.hours(1))
    bad = [
        '{"seq":2,"kind":"novelty"}',
        '{"seq":3,"kind":"tap","card":"a\\u0000b"}',
        '{"seq":4,"at":9223372036854775808}',
    ]
    envelope = Envelope(device=world.DEVICE, outbox=world.OUTBOX, confirmed=0)
    payload = codec.encode_batch(envelope, [good, *bad, '{"kind":"tap"}'])
    batch = codec.decode_batch(payload, device=world.DEVICE)
    answer = await only(world.store.take([Incoming(world.DEVICE, batch, world.NOON)]))
    assert answer.upto == 4
    assert answer.rejected == {2: "unreadable", 3: "bad_text", 4: "too_big"}
    assert world.rows("SELECT seq, reason FROM dead_letters ORDER BY seq IS NULL, seq") == [
        (2, "unreadable"), (3, "bad_text"), (4, "too_big"), (None, "unreadable")
    ]  # fmt: skip


# ---- crashes and refusals --------------------------------------------------------------------------------------------


async def test_a_crash_between_the_two_writes_costs_nothing(world):
    batch = world.machine.batch(world.machine.tap(1))
    world.history.crash = True
    with pytest.raises(world.Crash):
        await world.store.take([batch])
    assert (len(world.history.points), world.rows("SELECT COUNT(*) FROM arrivals")) == (1, [(0,)])
    world.history.crash = False
    assert (await only(world.another_store().take([batch]))).outcomes == {1: "known"}
    assert len(world.history.points) == 1
    assert world.rows("SELECT taps FROM presence") == [(1,)]


async def test_what_only_the_history_refuses_is_a_dead_letter_and_stored(world):
    world.history.refuse = ("tap",)
    answer = await only(world.store.take([world.machine.batch(world.machine.tap(1))]))
    assert answer.outcomes == {1: "known"}
    assert world.rows("SELECT source, reason, explanation FROM dead_letters") == [
        ("history", "refused_by_history", "too old")
    ]


async def test_a_record_that_sql_refuses_is_alone_rejected(world):
    engine, poison = world.records.dialect, "able_min = 13"
    trigger = (
        f"CREATE TRIGGER poison BEFORE INSERT ON device_hours WHEN NEW.{poison} BEGIN SELECT RAISE(ABORT, 'no'); END"
        if engine == "sqlite"
        else f"ALTER TABLE device_hours ADD CONSTRAINT poison CHECK (NOT ({poison}))"
    )
    world.run(trigger)
    records = [world.machine.hours(seq, able=13 if seq == 5 else 60) for seq in range(1, 10)]
    answers = [each for each in await world.store.take([world.machine.batch(*records)]) if isinstance(each, Stored)]
    rejected = {seq: reason for answer in answers for seq, reason in answer.rejected.items()}
    assert rejected == {5: "refused_by_sql"}
    assert world.rows("SELECT answered FROM streams") == [("[[1,9]]",)]
    assert world.rows("SELECT source, seq, reason FROM dead_letters") == [("sql", 5, "refused_by_sql")]
    assert world.rows("SELECT COUNT(*) FROM device_hours") == [(8,)]
    again = await only(world.store.take([world.machine.batch(*records)]))
    assert again.rejected == {5: "refused_by_sql"}


# ---- what machines say about their outboxes --------------------------------------------------------------------------


async def test_records_dropped_close_a_gap_and_make_the_days_dirty(world):
    away = world.NOON - 3 * world.DAY
    dropped = {"outbox": world.OUTBOX, "from_seq": 2, "to_seq": 4, "from": away, "to": world.NOON - world.DAY}
    batch = world.machine.batch(
        world.machine.hours(1), world.machine.hours(6), world.machine.event(5, "records_dropped", **dropped)
    )
    answer = await only(world.store.take([batch]))
    assert answer.upto == 6
    assert world.rows("SELECT dropped, gap_since_ms FROM streams") == [("[[2,4]]", None)]
    assert [str(day) for _, day in world.contents()["dirty"]] == [
        "2026-02-28",
        "2026-03-01",
        "2026-03-02",
        "2026-03-03",
    ]


async def test_a_dropped_record_that_arrives_after_all_is_stored(world):
    dropped = {"outbox": world.OUTBOX, "from_seq": 1, "to_seq": 2, "from": 0, "to": 0}
    await world.store.take([world.machine.batch(world.machine.event(3, "records_dropped", **dropped))])
    answer = await only(world.store.take([world.machine.batch(world.machine.tap(2))]))
    assert answer.outcomes == {2: "known"}
    assert world.rows("SELECT answered, dropped FROM streams") == [("[[1,3]]", "[[1,1]]")]


async def test_an_outbox_is_closed_by_an_event_of_the_next(world):
    following = world.Machine(outbox=world.OTHER)
    closed = following.event(1, "outbox_closed", outbox=world.OUTBOX, last_seq=5)
    await world.store.take([world.machine.batch(world.machine.hours(5)), following.batch(closed)])
    assert world.rows("SELECT outbox, closed_at_seq FROM streams ORDER BY 1") == [
        (world.OUTBOX, 5),
        (world.OTHER, None),
    ]


async def test_more_confirmed_than_is_here_is_asked_for_at_once_and_once(world):
    batch = world.machine.batch(world.machine.hours(9), confirmed=8)
    answers = await world.store.take([batch])
    assert [each.missing.spans for each in answers if isinstance(each, Resume)] == [((1, 8),)]
    assert [each for each in await world.another_store().take([batch]) if isinstance(each, Resume)] == []
    world.time.advance(minutes=3)
    assert [each.missing.spans for each in await world.store.take([batch]) if isinstance(each, Resume)] == [((1, 8),)]


async def test_a_gap_is_asked_for_after_two_minutes(world):
    batch = world.machine.batch(world.machine.hours(1), world.machine.hours(3))
    assert not [each for each in await world.store.take([batch]) if isinstance(each, Resume)]
    world.time.advance(minutes=2, seconds=1)
    asked = [each for each in await world.store.take([batch]) if isinstance(each, Resume)]
    assert [each.missing.spans for each in asked] == [((2, 2),)]


# ---- several ingesters -----------------------------------------------------------------------------------------------


async def test_several_ingesters_agree_on_one_machine_s_position(world):
    stores = [world.another_store() for _ in range(4)]
    batches = [
        world.machine.batch(*(world.machine.tap(seq) for seq in range(start, start + 5))) for start in range(1, 61, 5)
    ]
    deals = [stores[number % 4].take([batch]) for number, batch in enumerate([*batches, *batches[::-1]])]
    await asyncio.gather(*deals)
    assert world.rows("SELECT answered FROM streams") == [("[[1,60]]",)]
    assert world.rows("SELECT taps FROM presence") == [(60,)]
    assert world.rows("SELECT SUM(known) FROM hour_counts") == [(60,)]


async def test_a_registration_in_the_midst_is_not_overlooked(world):
    batch = world.machine.batch(world.machine.tap(1, world.STRANGER))
    write, calls = world.history.write, []

    async def register_meanwhile(points):
        calls.append(points)
        if len(calls) == 1:
            await asyncio.to_thread(world.register, world.STRANGER, world.UNIT, "member")
        return await write(points)

    world.history.write = register_meanwhile
    assert (await only(world.store.take([batch]))).outcomes == {1: "known"}
    assert len(calls) == 2


async def test_a_slow_ingester_leaves_the_point_as_the_registry_of_now_has_it(world):
    write, batch = world.history.write, world.machine.batch(world.machine.tap(1, world.STRANGER))

    async def slow(points):
        world.history.write = write
        world.register(world.STRANGER, world.UNIT, "member")
        await world.another_store().take([batch])
        return await write(points)

    world.history.write = slow
    await world.store.take([batch])
    assert [dict(point.fields)["known"] for point in world.history.named("tap")] == [1]


# ---- whose days change -----------------------------------------------------------------------------------------------


async def test_a_tap_elsewhere_changes_the_day_of_the_unit_s_own_estate_too(world):
    world.register(world.STRANGER, "PSK/A/01/01", "member")
    await world.store.take([world.machine.batch(world.machine.tap(1, world.STRANGER))])
    assert [row[0] for row in world.contents()["dirty"]] == ["DMG", "PSK"]


async def test_a_late_tap_changes_for_how_long_its_unit_was_silent_on_later_days(world):
    await world.store.take([world.machine.batch(world.machine.tap(1, at=world.NOON - 3 * world.DAY))])
    days = [str(day)[5:] for _, day in world.contents()["dirty"]]
    assert days == ["02-28", "03-01", "03-02", "03-03"]
    world.run("DELETE FROM dirty_days")
    await world.store.take([world.machine.batch(world.machine.tap(2, at=world.NOON - 60 * world.DAY))])
    days = [str(day)[5:] for _, day in world.contents()["dirty"]]
    assert (days[0], days[29]) == ("01-02", "01-31")
    assert days[30:] == ["02-06", "02-13", "02-20", "02-27"]  # of these weekdays something is expected because of it


async def test_a_late_tap_by_a_stranger_changes_its_own_day_alone(world):
    tap = world.machine.tap(1, world.STRANGER, at=world.NOON - 3 * world.DAY)
    await world.store.take([world.machine.batch(tap)])
    assert [str(day) for _, day in world.contents()["dirty"]] == ["2026-02-28"]


# ---- a server's clock that was set back ------------------------------------------------------------------------------


async def test_a_clock_that_was_ahead_keeps_nobody_from_asking(world):
    world.time.advance(days=1)
    await world.store.take([world.machine.batch(world.machine.hours(3), confirmed=2)])
    world.time.advance(days=-1)
    answered = await world.store.take([world.machine.batch(world.machine.hours(4), confirmed=2)])
    assert [each.missing.spans for each in answered if isinstance(each, Resume)] == [((1, 2),)]


async def test_what_a_machine_says_is_gone_stays_missing_so_that_its_ledger_adds_up(world):
    gone = {"outbox": world.OUTBOX, "from_seq": 2, "to_seq": 3, "from": world.NOON - 20, "to": world.NOON - 10}
    dropped = world.machine.event(4, "records_dropped", **gone)
    await world.store.take([world.machine.batch(world.machine.tap(1), dropped)])
    totals = world.records.read(lambda connection: standing.totals(connection, [world.DEVICE]))
    assert totals == {world.DEVICE: standing.Totals(made=4, stored=2, missing=2)}
