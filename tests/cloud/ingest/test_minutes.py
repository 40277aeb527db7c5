"""Which minute rows are due, and of whom anything can be said."""

import pytest

from cloud.ingest import minutes
from cloud.ingest.minutes import Listening
from cloud.ingest.points import STALE_AFTER_MS, Ledger, Registered

M = 60_000
T = 1000 * M


@pytest.mark.parametrize(
    ("written", "listening", "now", "expected"),
    [
        pytest.param(T, Listening(0, T + M), T + M, [], id="a minute settles first"),
        pytest.param(T, Listening(0, T + M + 15_000), T + M + 15_000, [T + M], id="then it is written"),
        pytest.param(T, Listening(0, T + 4 * M), T + 4 * M, [T + M, T + 2 * M, T + 3 * M], id="catching up"),
        pytest.param(T, Listening(T + 3 * M, T + 5 * M), T + 5 * M, [T + 3 * M, T + 4 * M], id="not what nobody heard"),
        pytest.param(T, Listening(0, T + M), T + 9 * M, [T + M], id="not after the last was heard"),
        pytest.param(T + 9 * M, Listening(T - M, T), T, [T - M], id="not only after a clock that had been ahead"),
        pytest.param(0, Listening(0, 3000 * M), 3000 * M, None, id="at most a day back"),
    ],
)
def test_due(written, listening, now, expected):
    due = list(minutes.due(written, listening, now))
    assert due == expected if expected is not None else len(due) == minutes.LONGEST_CATCH_UP


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param(Listening(5, 10), 12, Listening(5, 12), id="on and on"),
        pytest.param(Listening(5, 10), 10 + M, Listening(5, 10 + M), id="a short break"),
        pytest.param(Listening(5, 10), 11 + M, Listening(11 + M, 11 + M), id="a long break"),
        pytest.param(Listening(50, 60), 40, Listening(40, 40), id="a clock that was set back"),
        pytest.param(Listening(5, 10 * M), 6 * M, Listening(6 * M, 6 * M), id="a clock that had been ahead"),
    ],
)
def test_heard_on(before, now, expected):
    assert minutes.heard_on(before, now, break_ms=M) == expected


def test_silence_counts_only_after_a_whole_patience_of_listening():
    heard = Registered("DMG-01", "DMG", 0, Ledger(0), heard_ms=T)
    silent = Registered("DMG-02", "DMG", 0, Ledger(0), heard_ms=T - 2 * STALE_AFTER_MS)
    assert certain([heard, silent], Listening(T - STALE_AFTER_MS, T)) == [heard, silent]
    assert certain([heard, silent], Listening(T - STALE_AFTER_MS + 1, T)) == [heard]
    assert certain([heard, silent], Listening(0, T - 1)) == [heard]


def test_of_a_machine_heard_long_after_a_minute_nobody_knows_whether_it_was_online_then():
    soon, later = (Registered("DMG-01", "DMG", 0, Ledger(0), heard_ms=T + late) for late in (M, M + 1))
    assert certain([soon, later], Listening(0, T + M)) == [soon]


def certain(registered, listening):
    return minutes.certain(registered, T, listening, late_ms=M)
