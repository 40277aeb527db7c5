"""The closing account: one tap lost, doubled or wrong is enough."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.topics import DeviceId
from demo.closing import Account, Sighting, account
from demo.ledger import Made

DMG, JNK = DeviceId("DMG-01"), DeviceId("JNK-01")
MADE = {
    (DMG, 2): Made("aa", laid_ms=10_000, kept_ms=10_040, kept_s=1.0),
    (DMG, 3): Made("bb", laid_ms=20_000, kept_ms=20_030, kept_s=2.0),
    (JNK, 2): Made("cc", laid_ms=20_500, kept_ms=20_510, kept_s=2.1),
}
FOUND = [
    Sighting(DMG, 2, "aa", 10_020),
    Sighting(DMG, 3, "bb", 20_010),
    Sighting(JNK, 2, "cc", 20_505),
]
SLACK = 100


def judged(made: dict = MADE, found: list = FOUND, confirmed: object = None) -> Account:
    return account(made, found, confirmed=set(made) if confirmed is None else confirmed, slack_ms=SLACK)


def test_each_tap_stored_once_with_its_card_and_time_and_confirmed_is_good() -> None:
    assert judged().is_good
    assert judged().stored_once == judged().made == 3


BAD = {
    "lost": (FOUND[1:], "lost", (DMG, 2)),
    "doubled": ([*FOUND, FOUND[0]], "doubled", (DMG, 2)),
    "under another number": ([replace(FOUND[0], seq=9), *FOUND[1:]], "unasked", (DMG, 9)),
    "at another machine": ([*FOUND[:2], replace(FOUND[2], machine=DeviceId("PBB-01"))], "lost", (JNK, 2)),
    "once more elsewhere": ([*FOUND, replace(FOUND[0], machine=JNK, seq=7)], "unasked", (JNK, 7)),
    "another card": ([replace(FOUND[0], pseudonym="zz"), *FOUND[1:]], "wrong_card", (DMG, 2)),
    "too early": ([replace(FOUND[0], at_ms=9_899), *FOUND[1:]], "wrong_time", (DMG, 2)),
    "too late": ([replace(FOUND[0], at_ms=10_141), *FOUND[1:]], "wrong_time", (DMG, 2)),
}


@pytest.mark.parametrize(("found", "fault", "place"), BAD.values(), ids=BAD.keys())
def test_one_fault_is_named_and_spoils_the_account(found: list, fault: str, place: tuple) -> None:
    verdict = judged(found=found)
    assert place in getattr(verdict, fault)
    assert not verdict.is_good


def test_a_tap_that_was_never_confirmed_spoils_the_account() -> None:
    verdict = judged(confirmed={(DMG, 2), (DMG, 3)})
    assert verdict.unconfirmed == ((JNK, 2),)
    assert not verdict.is_good


def test_a_run_without_a_tap_proves_nothing() -> None:
    assert not judged({}, []).is_good


@pytest.mark.parametrize("at_ms", [9_900, 10_000, 10_040, 10_140])
def test_a_time_between_card_and_word_is_right_with_the_slack_on_both_sides(at_ms: int) -> None:
    assert judged(found=[replace(FOUND[0], at_ms=at_ms), *FOUND[1:]]).is_good


def test_what_ingest_calls_uncertain_may_be_that_far_off() -> None:
    assert judged(found=[replace(FOUND[0], at_ms=15_000, uncertainty_ms=5_000), *FOUND[1:]]).is_good


@given(st.permutations(FOUND), st.sets(st.sampled_from(range(3))))
def test_whatever_is_missing_is_lost_in_any_order(found: list, missing: set[int]) -> None:
    kept = [sighting for sighting in found if FOUND.index(sighting) not in missing]
    verdict = judged(found=kept)
    assert len(verdict.lost) == len(missing)
    assert verdict.is_good == (not missing)


def test_an_account_shows_no_card() -> None:
    assert "aa" not in repr(FOUND[0]) + repr(MADE[DMG, 2])
