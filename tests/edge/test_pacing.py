"""What goes next, and when it goes again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ranges import Ranges
from edge.outbox.rows import Waiting
from edge.pacing import Batch, Pacer, Policy, delay_ms

A, B = "outbox-a", "outbox-b"
POLICY = Policy(first_ms=30_000, max_ms=600_000, park_ms=3_600_000, window=4, batch=100, patience=3)


def pacer(policy: Policy = POLICY) -> Pacer:
    return Pacer(policy, chance=lambda: 0.0)


def rows(first: int, last: int, outbox: str = A) -> list[Waiting]:
    return [Waiting(number, outbox, number) for number in range(first, last + 1)]


@pytest.mark.parametrize(
    ("sendings", "expected_s"),
    [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600), (1000, 600)],
)
def test_the_delay_doubles_up_to_ten_minutes(sendings, expected_s) -> None:
    assert delay_ms(sendings, 30_000, 600_000, chance=0) == expected_s * 1000


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_jitter_only_ever_shortens_and_by_a_fifth_at_most(sendings, chance) -> None:
    whole = delay_ms(sendings, 30_000, 600_000, chance=0)
    assert 0.8 * whole - 1 <= delay_ms(sendings, 30_000, 600_000, chance=chance) <= whole


def test_a_lone_tap_goes_at_once() -> None:
    assert pacer().next_batches(0, rows(1, 1), rows(1, 1)) == [Batch(A, (1,))]


def test_the_oldest_go_first_in_batches_and_one_slot_is_left_for_the_newest() -> None:
    backlog = rows(1, 1000)
    sent = pacer().next_batches(0, backlog, [])
    assert [(batch.seqs[0], batch.seqs[-1]) for batch in sent] == [(1, 100), (101, 200), (201, 300)]


def test_a_fresh_tap_does_not_wait_behind_the_backlog() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 1000), [])
    assert one.next_batches(1, rows(1, 1001), rows(1001, 1001)) == [Batch(A, (1001,))]


def test_fresh_rows_use_one_slot_at_a_time() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 1000), rows(1000, 1000))
    assert one.next_batches(1, rows(1, 1001), rows(1001, 1001)) == []


def test_each_outbox_travels_alone() -> None:
    mixed = [Waiting(1, A, 7), Waiting(2, B, 1), Waiting(3, A, 8)]
    assert pacer().next_batches(0, mixed, []) == [Batch(A, (7, 8)), Batch(B, (1,))]


def test_nothing_on_its_way_is_sent_twice_before_it_is_due() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 3), [])
    assert one.next_batches(29_999, rows(1, 3), rows(1, 3)) == []
    assert one.next_batches(30_000, rows(1, 3), rows(1, 3)) == [Batch(A, (1, 2, 3))]


def test_an_answer_opens_the_window() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 1000), [])
    one.answered(A, range(1, 101), 10)
    assert one.next_batches(11, rows(101, 1000), []) == [Batch(A, tuple(range(301, 401)))]


def test_what_an_answer_leaves_out_is_sent_again() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 3), [])
    one.answered(A, [1, 3], 10)
    assert one.next_batches(30_000, rows(2, 2), []) == [Batch(A, (2,))]


def test_an_answer_for_another_outbox_ends_no_flight() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 1), [])
    one.answered(B, [1], 10)
    assert one.next_batches(30_000, rows(1, 1), []) == [Batch(A, (1,))]


def test_with_nobody_answered_nothing_is_ever_halved() -> None:
    one, now = pacer(), 0
    one.next_batches(now, rows(1, 100), [])
    for _ in range(20):
        now += 600_000
        assert one.next_batches(now, rows(1, 100), []) == [Batch(A, tuple(range(1, 101)))]
    assert one.parked == 0


def ignore(one: Pacer, now: int) -> tuple[int, list[Batch]]:
    """Others are answered, and then whatever is due goes again."""
    one.answered(B, [999], now + 1)
    due = one.next_due_ms()
    assert due is not None
    return due, one.next_batches(due, [], [])


def test_ignored_three_times_while_others_are_answered_a_batch_is_halved_down_to_the_culprit_which_is_parked() -> None:
    one = pacer()
    sent = one.next_batches(0, rows(1, 2), [])
    now = 0
    for _ in range(2):
        now, sent = ignore(one, now)
        assert sent == [Batch(A, (1, 2))]
    now, sent = ignore(one, now)
    assert sorted(sent, key=lambda batch: batch.seqs) == [Batch(A, (1,)), Batch(A, (2,))]
    one.answered(A, [1], now + 1)
    while not one.parked:
        now, sent = ignore(one, now)
    assert sent == []
    assert one.next_batches(now + 3_599_999, rows(2, 2), rows(2, 2)) == []
    assert one.next_batches(now + 3_600_000, rows(2, 2), []) == [Batch(A, (2,))]
    one.answered(A, [2], now + 3_600_001)
    assert one.parked == 0


def test_what_is_too_large_for_one_message_goes_in_halves_at_once_and_a_lone_giant_is_parked() -> None:
    one = pacer()
    (batch,) = one.next_batches(0, rows(1, 4), [])
    one.too_large(A, batch.seqs, 5)
    assert one.next_batches(5, rows(1, 4), []) == [Batch(A, (1, 2)), Batch(A, (3, 4))]
    one.too_large(A, (1, 2), 6)
    assert one.next_batches(6, rows(1, 4), []) == [Batch(A, (1,)), Batch(A, (2,))]
    one.too_large(A, (2,), 7)
    assert one.parked == 1
    assert one.next_batches(8, rows(1, 4), []) == []
    assert Batch(A, (2,)) in one.next_batches(7 + POLICY.park_ms, rows(2, 4), [])


def test_a_parked_record_that_the_centre_asks_for_goes_at_once() -> None:
    """It was ignored because too much came at once, not because nobody can read it."""
    one = pacer(Policy(patience=1))
    one.next_batches(0, rows(1, 1), [])
    now, _ = ignore(one, 0)
    one.asked(B, Ranges.single([1]), now)
    one.asked(A, Ranges.single([2]), now)
    assert one.next_batches(now, rows(1, 1), []) == []
    one.asked(A, Ranges.single([1]), now)
    assert one.next_batches(now, rows(1, 1), []) == [Batch(A, (1,))]
    assert one.next_batches(now + 1, rows(1, 1), []) == []


def test_a_parked_record_does_not_stop_the_others() -> None:
    one = pacer(Policy(patience=1))
    one.next_batches(0, rows(1, 1), [])
    ignore(one, 0)
    assert one.parked == 1
    assert one.next_batches(40_000, rows(1, 3), []) == [Batch(A, (2, 3))]


def test_a_new_connection_repeats_what_was_sent_once() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 1), [])
    one.connected(5)
    assert one.next_batches(5, rows(1, 1), []) == [Batch(A, (1,))]
    one.connected(6)
    assert one.next_batches(6, rows(1, 1), []) == []


def test_once_the_centre_speaks_again_long_delays_end() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 1), [])
    for now in (30_000, 90_000, 210_000, 450_000):
        one.next_batches(now, [], [])
    assert one.next_due_ms() == 930_000
    one.answered(B, [1], 460_000)
    assert one.next_due_ms() == 460_000


def test_an_answer_does_not_repeat_what_was_only_just_sent() -> None:
    one = pacer()
    one.next_batches(0, rows(1, 1), [])
    one.answered(B, [1], 100)
    assert one.next_due_ms() == 30_000


@given(st.lists(st.sampled_from(["answer", "pass", "connect", "ignore"]), max_size=40), st.integers(1, 700))
def test_whatever_happens_every_row_is_answered_in_the_end(story, number) -> None:
    one, now, left = pacer(Policy(batch=7)), 0, rows(1, number)
    sent: list[Batch] = []
    for event in [*story, *["answer"] * 400]:
        sent = one.next_batches(now, left, left[-5:]) or sent
        if event == "answer" and sent:
            gone = {seq for batch in sent for seq in batch.seqs}
            one.answered(A, gone, now)
            left = [row for row in left if row.seq not in gone]
            sent = []
        if event == "ignore":
            one.answered(B, [1], now)
        if event == "connect":
            one.connected(now)
        due = one.next_due_ms()
        now = now + 1 if event == "answer" or due is None else max(now, due)
    assert not left


def test_records_that_were_parked_together_do_not_all_come_back_at_once() -> None:
    chances = iter([number % 10 / 10 for number in range(10_000)])
    one = Pacer(Policy(patience=1, batch=1, window=101), chance=lambda: next(chances))
    one.next_batches(0, rows(1, 100), [])
    one.answered(B, [999], 1)
    one.next_batches(30_000, [], [])
    assert one.parked == 100
    due = one.next_due_ms()
    assert due is not None and due < 3_600_000 + 30_000
    assert len(one.next_batches(due, [], [])) <= 20
