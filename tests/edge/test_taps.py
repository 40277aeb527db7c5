"""What is one tap, and whose answer lights the screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.signals import Signal
from edge.taps import Answer, RecentCards, Shown, answer_signal, kept_signal

CARD, OTHER = b"\x04\x01\x02\x03", b"\x04\x01\x02\x04"
SHOWN = Shown("o", 5, 1_000)


@pytest.mark.parametrize(
    ("uid", "after_ms", "expected"),
    [
        pytest.param(CARD, 0, True, id="at once"),
        pytest.param(CARD, 10_000, True, id="exactly ten seconds"),
        pytest.param(CARD, 10_001, False, id="later"),
        pytest.param(CARD, -1, False, id="time that runs backwards forgets"),
        pytest.param(OTHER, 1, False, id="another card"),
    ],
)
def test_the_same_card_within_ten_seconds_is_one_tap(uid, after_ms, expected) -> None:
    recent = RecentCards(10_000)
    recent.take(CARD, 50_000)
    assert recent.is_repeated(uid, 50_000 + after_ms) is expected


def test_a_card_that_was_refused_may_come_again_at_once() -> None:
    assert not RecentCards(10_000).is_repeated(CARD, 0)


@given(st.binary(min_size=4, max_size=10))
def test_no_card_number_can_be_read_out_of_the_memory(uid) -> None:
    recent = RecentCards(10_000)
    recent.take(uid, 0)
    assert uid not in recent._taken
    assert uid.hex() not in repr(vars(recent))


@pytest.mark.parametrize(
    ("answer", "shown", "now_ms", "expected"),
    [
        pytest.param(Answer("o", 5, "stored", "known"), SHOWN, 2_000, Signal.CONFIRMED, id="known"),
        pytest.param(Answer("o", 5, "stored", "unknown"), SHOWN, 2_000, Signal.UNKNOWN_CARD, id="unknown"),
        pytest.param(Answer("o", 5, "stored"), SHOWN, 2_000, None, id="no outcome"),
        pytest.param(Answer("o", 5, "held", "known"), SHOWN, 2_000, None, id="held"),
        pytest.param(Answer("o", 5, "rejected"), SHOWN, 2_000, None, id="rejected"),
        pytest.param(Answer("o", 5, "stored", "known"), SHOWN, 11_000, Signal.CONFIRMED, id="just in time"),
        pytest.param(Answer("o", 5, "stored", "known"), SHOWN, 11_001, None, id="too late"),
        pytest.param(Answer("o", 4, "stored", "known"), SHOWN, 2_000, None, id="the one before"),
        pytest.param(Answer("p", 5, "stored", "known"), SHOWN, 2_000, None, id="another outbox"),
        pytest.param(Answer("o", 5, "stored", "known"), None, 2_000, None, id="nobody here"),
    ],
)
def test_only_the_tap_shown_last_is_lit_and_only_while_its_resident_is_here(answer, shown, now_ms, expected) -> None:
    assert answer_signal(answer, shown, now_ms) is expected


def test_without_network_the_words_say_so() -> None:
    assert [kept_signal(True), kept_signal(False)] == [Signal.STORED, Signal.STORED_OFFLINE]
