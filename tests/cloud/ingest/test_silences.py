"""When a silence begins, goes on and ends, by the server's clock, told of minutes that are certain."""

import pytest

from cloud.ingest import silences
from cloud.ingest.minutes import Listening
from cloud.ingest.points import STALE_AFTER_MS, Ledger, Registered
from cloud.ingest.silences import Ended, Minute
from cloud.records.shown import Silence
from contract import series

M = 60_000
T = 1000 * M
LAST = T - 10 * M
"""Last heard, if it is silent."""
ALWAYS = Minute(T, Listening(0, T))
STARTED = Minute(T, Listening(T - STALE_AFTER_MS, T))
"""Nobody had listened before."""
OPEN = Silence("DMG-01", "DMG", LAST, T - M)


def machine(heard_ms: int | None = LAST, **more: object) -> Registered:
    return Registered(**({"device": "DMG-01", "estate": "DMG", "installed_ms": 0, "ledger": Ledger(0)} | more),
                      heard_ms=heard_ms)  # fmt: skip


def tell(*certain, before=(), minute=ALWAYS, standing=None):
    return silences.tell(certain, certain if standing is None else standing, before, minute=minute)


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        pytest.param(machine(), Silence("DMG-01", "DMG", LAST, T), id="it begins with the last sign of life"),
        pytest.param(machine(T - STALE_AFTER_MS), None, id="not before patience is over"),
        pytest.param(machine(T - 2 * M, gone_ms=T - M), Silence("DMG-01", "DMG", T - 2 * M, T), id="its will came"),
        pytest.param(machine(T - M, gone_ms=T - M), Silence("DMG-01", "DMG", T - M, T), id="it said goodbye"),
        pytest.param(machine(T + 5, gone_ms=T + 5), None, id="it said goodbye after this minute"),
        pytest.param(machine(None), None, id="a machine never heard has not fallen silent"),
        pytest.param(
            machine(5, installed_ms=LAST), Silence("DMG-01", "DMG", LAST, T), id="silent since it stands here"
        ),
        pytest.param(machine(T + 30_000), None, id="heard since"),
    ],
)
def test_a_silence_begins(here, expected):
    assert tell(here).lasting == ((expected,) if expected else ())


@pytest.mark.parametrize(
    ("here", "minute", "end_ms"),
    [
        pytest.param(machine(T - 5_000), ALWAYS, T - 5_000, id="heard again"),
        pytest.param(machine(T - 5_000, born_ms=T - 40_000), ALWAYS, T - 40_000, id="born again, heard since"),
        pytest.param(machine(T - 5_000, born_ms=LAST - M), ALWAYS, T - 5_000, id="heard again in the old session"),
        pytest.param(machine(T - 5_000, born_ms=T - 2_000), ALWAYS, T - 5_000, id="what the broker had in store"),
        pytest.param(machine(T + 9_000), ALWAYS, T + 9_000, id="heard just after this minute"),
        pytest.param(machine(T - 5_000, born_ms=T - 40_000), STARTED, OPEN.until_ms, id="nobody listened meanwhile"),
        pytest.param(machine(T - 4 * M, gone_ms=T - 4 * M), ALWAYS, T - M, id="heard for a moment, and gone again"),
    ],
)
def test_a_silence_ends(here, minute, end_ms):
    minute = Minute(T, Listening(T - M + 1, T)) if minute is STARTED else minute
    assert tell(here, before=[OPEN], minute=minute).ended == (Ended(OPEN, end_ms),)


def test_it_is_the_same_silence_after_a_restart_if_nothing_new_was_heard():
    told = tell(machine(), before=[OPEN], minute=STARTED)
    assert (told.lasting, told.ended) == ((Silence("DMG-01", "DMG", LAST, T),), ())
    assert told.begun([OPEN]) == []


def test_of_what_is_not_certain_nothing_is_told():
    told = tell(before=[OPEN], standing=[machine()])
    assert (told.lasting, told.ended) == ((), ())


def test_one_that_was_heard_and_fell_silent_again_has_two():
    again = machine(T - 4 * M)
    told = tell(again, before=[OPEN])
    assert told.lasting == (Silence("DMG-01", "DMG", T - 4 * M, T),)
    assert [each.silence for each in told.ended] == [OPEN]
    assert told.begun([OPEN]) == list(told.lasting)


def test_one_that_stands_elsewhere_is_silent_there_and_no_longer_here():
    moved = machine(estate="MRD", installed_ms=T - M)
    told = tell(moved, before=[OPEN])
    assert told.lasting == (Silence("DMG-01", "MRD", T - M, T),)
    assert told.ended == (Ended(OPEN, OPEN.until_ms),)


def test_one_that_was_taken_away_is_not_silent_any_more():
    assert tell(before=[OPEN], standing=[]).ended == (Ended(OPEN, OPEN.until_ms),)


def test_a_silence_has_one_point_that_is_written_over_until_it_ends():
    lasting = tell(machine(), before=[OPEN])
    ended = tell(machine(T - 5_000), before=[OPEN])
    (first,), (last,) = lasting.points(), ended.points()
    assert (first.measurement, first.tags, first.time_ns) == (last.measurement, last.tags, last.time_ns)
    assert first.measurement == series.MACHINE_EVENT.name
    assert first.time_ns == LAST * 10**6
    assert dict(first.fields) == {
        "kind": "offline", "text": "Mesin luring", "end_ms": T, "duration_s": 600, "ongoing": 1
    }  # fmt: skip
    assert dict(last.fields) | {"text": ""} == {
        "kind": "offline", "text": "", "end_ms": T - 5_000, "duration_s": 595, "ongoing": 0
    }  # fmt: skip
