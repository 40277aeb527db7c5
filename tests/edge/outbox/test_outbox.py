"""Keeping, settling, sending again, letting go."""

import sqlite3

import pytest

from contract import codec
from contract.messages import Clock, Event, Happening, Hours, Resume, Stored
from contract.ranges import Ranges
from contract.topics import DeviceId
from edge import able
from edge.outbox import Limits, NotKept, Outbox, open_outbox
from edge.outbox.answers import verdicts
from edge.taps import Answer

DEVICE = DeviceId("DMG-01")
DAY = 24 * 3_600_000


def waiting(outbox: Outbox, stamp) -> dict[int, str]:
    """What waits under the current outbox id, by seq."""
    seqs = [row.seq for row in outbox.oldest(1000, boot=stamp.boot, patient_after=10**9)]
    return dict(zip(sorted(seqs), outbox.freeze(outbox.position().outbox, seqs), strict=True))


def stored(outbox: Outbox, stamp, seqs=None, **more) -> Stored:
    """An answer that covers *seqs*, or everything that waits."""
    texts = waiting(outbox, stamp)
    chosen = list(texts) if seqs is None else seqs
    covered = Ranges.single(chosen)
    return Stored(
        device=DEVICE,
        outbox=outbox.position().outbox,
        at=stamp.at,
        **(
            {
                "upto": covered.prefix,
                "beyond": covered.beyond,
                "digests": {seq: codec.digest(texts[seq]) for seq in chosen},
            }
            | more
        ),
    )


def events(outbox: Outbox, stamp) -> dict[str, Event]:
    found = {}
    for row in outbox.oldest(1000, boot=stamp.boot, patient_after=10**9):
        for text in outbox.freeze(row.outbox, [row.seq]):
            record = codec.decode_record(text).record
            if isinstance(record, Event):
                found[record.event] = record
    return found


def test_a_record_is_on_the_disk_when_keep_returns(outbox, path, tap) -> None:
    kept = outbox.keep(tap())
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT outbox, seq FROM row").fetchall() == [(kept.outbox, kept.seq)]
    other.close()


def test_every_commit_reaches_the_disk_before_it_returns(outbox) -> None:
    assert outbox._read(lambda db: db.execute("PRAGMA synchronous").fetchone()) == (2,)
    assert outbox._read(lambda db: db.execute("PRAGMA journal_mode").fetchone()) == ("wal",)


def test_an_emptied_outbox_repeats_no_seq(outbox, path, tap, stamp) -> None:
    outbox.keep(tap())
    outbox.settle(stored(outbox, stamp), stamp)
    outbox.prune(stamp.at + 40 * DAY)
    outbox.close()
    again = open_outbox(path, Limits(reserve_bytes=0), stamp)
    assert again.keep(tap()).seq == 2
    again.close()


def test_each_start_has_a_session_of_its_own(outbox, path, stamp) -> None:
    assert outbox.begin_session() == 1
    outbox.close()
    again = open_outbox(path, Limits(reserve_bytes=0), stamp)
    assert again.begin_session() == 2
    again.close()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, [Answer("o", 1, "stored", "known")], id="covered, by the bytes we hold"),
        pytest.param({"upto": 0}, [], id="not covered"),
        pytest.param({"digests": {1: "b" * 32}}, [], id="other bytes"),
        pytest.param({"digests": {}}, [], id="no digest"),
        pytest.param({"held": {1: "future"}}, [Answer("o", 1, "held", reason="future")], id="held"),
        pytest.param({"rejected": {1: "bad"}}, [Answer("o", 1, "rejected", reason="bad")], id="rejected"),
    ],
)
def test_an_answer_counts_only_for_the_bytes_it_names(more, expected) -> None:
    answer = {"upto": 1, "digests": {1: "a" * 32}, "outcomes": {1: "known"}} | more
    outbox = "0" * 8 + "-0000-4000-8000-000000000000"
    message = Stored(device=DEVICE, outbox=outbox, at=1, **answer)
    found = verdicts(message, {1: "a" * 32})
    assert [Answer("o", one.seq, one.verdict, one.outcome, one.reason) for one in found] == expected


def test_an_answer_for_another_outbox_changes_nothing(outbox, tap, stamp) -> None:
    outbox.keep(tap())
    answer = stored(outbox, stamp).model_copy(update={"outbox": "0" * 8 + "-0000-4000-8000-000000000000"})
    assert outbox.settle(answer, stamp).answers == ()
    assert outbox.backlog()[0] == 1


def test_answers_may_come_twice_and_out_of_order(outbox, tap, stamp) -> None:
    for number in range(4):
        outbox.keep(tap(f"k1.{number}"))
    late, early = stored(outbox, stamp, [3, 4]), stored(outbox, stamp, [1, 2])
    assert [one.seq for one in outbox.settle(late, stamp).answers] == [3, 4]
    assert outbox.position().confirmed == 0
    assert [one.seq for one in outbox.settle(early, stamp).answers] == [1, 2]
    assert outbox.settle(late, stamp).answers == ()
    assert outbox.position().confirmed == 4


def test_a_rejected_record_moves_aside_and_is_reported_once(outbox, tap, stamp) -> None:
    outbox.keep(tap())
    outbox.settle(stored(outbox, stamp, rejected={1: "unreadable"}), stamp)
    assert outbox.rejected == 1
    report = events(outbox, stamp)[Happening.RECORDS_REJECTED]
    assert report.detail["reason"] == "unreadable"
    outbox.settle(stored(outbox, stamp, [report.seq], rejected={report.seq: "unreadable"}), stamp)
    assert outbox.backlog()[0] == 0  # a rejected report is not reported: that would never end


def test_a_conflict_moves_the_record_and_closes_the_outbox(outbox, tap, stamp) -> None:
    old = outbox.keep(tap("k1.a")).outbox
    outbox.keep(tap("k1.b"))
    settled = outbox.settle(stored(outbox, stamp, [2], upto=0, conflicts=Ranges.single([1])), stamp)
    assert settled.moved == ((old, 1),)
    assert outbox.position().outbox != old
    closed = events(outbox, stamp)[Happening.OUTBOX_CLOSED].closed()
    assert (closed.outbox, closed.last_seq) == (old, 2)
    texts = waiting(outbox, stamp)
    assert any('"k1.a"' in text for text in texts.values())


def test_a_conflicting_record_that_this_version_cannot_read_is_set_aside(outbox, tap, stamp) -> None:
    outbox.keep(tap("k1.a"))
    answer = stored(outbox, stamp, [], conflicts=Ranges.single([1]))
    outbox._write(lambda db: db.execute("""UPDATE row SET body = '{"kind":"ancient"}'"""))
    outbox.settle(answer, stamp)
    assert outbox.rejected == 1
    assert list(events(outbox, stamp)) == [Happening.OUTBOX_CLOSED]


def test_a_position_above_our_own_starts_a_new_outbox(outbox, tap, stamp) -> None:
    old = outbox.keep(tap("k1.a")).outbox
    outbox.settle(stored(outbox, stamp, [], upto=7), stamp)
    assert outbox.position().outbox != old
    assert events(outbox, stamp)[Happening.OUTBOX_CLOSED].closed().last_seq == 7
    assert outbox.keep(tap("k1.b")).outbox != old
    rows = outbox.oldest(10, boot=stamp.boot, patient_after=10**9)
    assert (old, 1) in {(row.outbox, row.seq) for row in rows}  # what was not answered keeps its name


def test_what_the_cloud_lost_is_sent_again(outbox, tap, stamp) -> None:
    for number in range(3):
        outbox.keep(tap(f"k1.{number}"))
    before = waiting(outbox, stamp)
    outbox.settle(stored(outbox, stamp), stamp)
    asked = Resume(device=DEVICE, outbox=outbox.position().outbox, missing=Ranges.of([(2, 3)]))
    assert not outbox.resume(asked, stamp)
    assert waiting(outbox, stamp) == {2: before[2], 3: before[3]}
    assert outbox.position().confirmed == 1


def test_what_is_gone_is_declared_with_its_time_and_once(outbox, tap, stamp) -> None:
    for number in range(3):
        outbox.keep(tap(f"k1.{number}", at=stamp.at + number))
    outbox.settle(stored(outbox, stamp), stamp)
    assert outbox.prune(stamp.at + 36 * DAY) == 3
    asked = Resume(device=DEVICE, outbox=outbox.position().outbox, missing=Ranges.of([(1, 3)]))
    assert len(outbox.resume(asked, stamp)) == 3
    outbox.resume(asked, stamp)
    dropped = events(outbox, stamp)[Happening.RECORDS_DROPPED].dropped()
    assert (dropped.from_seq, dropped.to_seq, dropped.from_ms, dropped.to_ms) == (1, 3, stamp.at, stamp.at + 2)
    assert outbox.backlog()[0] == 1


def test_an_outbox_nobody_remembers_is_declared_gone(outbox, stamp) -> None:
    unknown = "0" * 8 + "-0000-4000-8000-000000000000"
    asked = Resume(device=DEVICE, outbox=unknown, missing=Ranges.of([(1, 9)]))
    assert len(outbox.resume(asked, stamp)) == 9
    dropped = events(outbox, stamp)[Happening.RECORDS_DROPPED].dropped()
    assert (dropped.outbox, dropped.from_ms, dropped.to_ms) == (unknown, 0, stamp.at)


def test_only_what_was_never_sent_gets_another_date(outbox, tap, stamp) -> None:
    outbox.keep(tap("k1.sent", at=5, mono=5, clock=Clock.UNTRUSTED), at_once=True)
    outbox.keep(tap("k1.waits", at=7, mono=7, clock=Clock.UNTRUSTED))
    assert [row.seq for row in outbox.oldest(9, boot=stamp.boot, patient_after=0)] == [1]
    assert outbox.redate(stamp.boot, stamp.at) == 1
    times = {seq: codec.decode_record(text).record for seq, text in waiting(outbox, stamp).items()}
    assert (times[1].at, times[1].clock) == (5, Clock.UNTRUSTED)
    assert (times[2].at, times[2].clock) == (stamp.at + 7, Clock.REDATED)


def test_an_undated_record_of_an_earlier_boot_waits_for_nothing(outbox, tap, stamp) -> None:
    outbox.keep(tap(clock=Clock.UNTRUSTED))
    assert outbox.oldest(9, boot="another", patient_after=0)


def test_confirmed_rows_stay_until_their_time(outbox, tap, stamp) -> None:
    outbox.keep(tap())
    outbox.settle(stored(outbox, stamp), stamp)
    assert outbox.prune(stamp.at + 34 * DAY) == 0
    assert outbox.prune(None) == 0
    assert outbox.prune(stamp.at + 36 * DAY) == 1


def test_unconfirmed_rows_never_go(outbox, tap, stamp) -> None:
    outbox.keep(tap())
    assert outbox.prune(stamp.at + 400 * DAY) == 0
    assert outbox.backlog()[0] == 1


def test_above_a_gap_the_digest_stays(outbox, tap, stamp) -> None:
    outbox.keep(tap("k1.a"))
    outbox.keep(tap("k1.b"))
    outbox.settle(stored(outbox, stamp, [2]), stamp)
    outbox.prune(stamp.at + 36 * DAY)
    assert outbox._read(lambda db: db.execute("SELECT seq FROM row WHERE body IS NULL").fetchall()) == [(2,)]
    outbox.settle(stored(outbox, stamp, [1]), stamp)
    assert outbox.position().confirmed == 2


def test_within_the_budget_confirmed_rows_make_room_and_the_rest_is_refused(path, tap, stamp) -> None:
    outbox = open_outbox(path, Limits(row_budget=3, reserve_bytes=0), stamp)
    for number in range(3):
        outbox.keep(tap(f"k1.{number}"))
    with pytest.raises(NotKept, match="row budget"):
        outbox.keep(tap("k1.more"))
    assert outbox.refused == 1
    assert not outbox.can_keep()
    outbox.settle(stored(outbox, stamp), stamp)
    outbox.keep(tap("k1.again"))
    assert events(outbox, stamp)[Happening.TAPS_REFUSED].detail["count"] == 1
    outbox.close()


def test_an_hour_becomes_one_record_and_its_minutes_go(outbox, stamp) -> None:
    minutes = [able.Minute(stamp.boot, number, 60 * 100 + number, True) for number in range(3)]
    outbox.note_minutes(minutes)
    outbox.note_minutes(minutes)

    def record(hour: able.Hour) -> Hours:
        return Hours(
            seq=1, at=stamp.at, mono=1, boot=stamp.boot, clock=Clock.TRUSTED, hour=hour.hour_ms, able_min=hour.able_min
        )

    assert outbox.close_hours(record, (stamp.boot, None)) == 1
    assert outbox.close_hours(record, (stamp.boot, None)) == 0
    (text,) = waiting(outbox, stamp).values()
    assert codec.decode_record(text).record.able_min == 3


def test_looking_for_the_newest_costs_the_same_behind_any_backlog(outbox, tap, stamp) -> None:
    """It is done at every turn: over 200 000 waiting rows it must not read them all."""

    def effort() -> int:
        steps = [0]
        outbox._db.set_progress_handler(lambda: steps.__setitem__(0, steps[0] + 1), 10)
        assert outbox.newest(5, boot=stamp.boot, patient_after=10**9, made_after=10**6) == []
        outbox._db.set_progress_handler(None, 0)
        return steps[0]

    for _ in range(20):
        outbox.keep(tap())
    before = effort()
    for _ in range(300):
        outbox.keep(tap())
    assert effort() <= before + 5


def test_a_rejected_row_is_kept_a_while_though_it_was_made_in_1970(outbox, tap, stamp) -> None:
    outbox.keep(tap(at=0, clock=Clock.UNTRUSTED), at_once=True)
    outbox.settle(stored(outbox, stamp, rejected={1: "unreadable"}), stamp)
    outbox.prune(stamp.at + 34 * DAY)
    assert outbox.rejected == 1
    outbox.prune(stamp.at + 36 * DAY)
    assert outbox.rejected == 0


def test_a_transaction_that_was_left_open_is_undone_before_the_next(outbox, tap) -> None:
    outbox._db.execute("BEGIN IMMEDIATE")
    outbox._db.execute("DELETE FROM stream")
    assert outbox.keep(tap()).seq == 1


def test_emptied_rows_do_not_count_against_the_budget(outbox, tap, stamp) -> None:
    for _ in range(4):
        outbox.keep(tap())
    outbox.settle(stored(outbox, stamp, [1, 3, 4]), stamp)
    outbox.prune(stamp.at + 36 * DAY)
    assert outbox._count == 1
