"""What counts as lost, wrong and doubled."""

from datetime import date

import pytest

from bench.chaos.book import Book, Laid
from bench.chaos.score import Meaning, Score, Sighting, Stored, judge, local_day
from contract.topics import DeviceId

DEVICE, OTHER = DeviceId("DMG-01"), DeviceId("DMG-02")
NOON = 1_800_000_000_000
KNOWN = Meaning("known", "DMG/A/01", "DMG")


def laid(card: int = 1, at_ms: int = NOON) -> Laid:
    return Laid(card, DEVICE, at_ms, at_ms + 3, seq=card)


def seen(
    card: int | None = 1, at_ms: int = NOON + 1, device: DeviceId = DEVICE, meaning: Meaning = KNOWN, give_ms: int = 0
):
    return Sighting(card, device, at_ms, give_ms, meaning)


def stored(
    *sightings: Sighting, points: int | None = None, taps: int | None = None, known: int | None = None
) -> Stored:
    """A cloud whose counts agree with these sightings, unless told otherwise."""
    count = len(sightings)
    presence = {("DMG/A/01", local_day(NOON), DEVICE): count if taps is None else taps} if count else {}
    counts = {(DEVICE, NOON): (count if known is None else known, 0)} if count else {}
    return Stored(sightings, presence, counts, count if points is None else points)


def judged(book: Book, found: Stored) -> Score:
    return judge(book, found, lambda _: KNOWN, tolerance_ms=5)


def summary(score: Score) -> tuple[int, int, int, int]:
    return score.stored, score.lost, score.wrong, score.doubled


def test_a_tap_that_is_there_as_it_was_made_is_right() -> None:
    assert summary(judged(Book(made=[laid()]), stored(seen()))) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(stored(), (0, 1, 0, 0), id="nothing is there"),
        pytest.param(stored(seen(at_ms=NOON - 10)), (1, 0, 1, 0), id="another time"),
        pytest.param(stored(seen(at_ms=NOON - 10, give_ms=10)), (1, 0, 0, 0), id="another time within its uncertainty"),
        pytest.param(stored(seen(device=OTHER)), (1, 0, 1, 0), id="another machine"),
        pytest.param(stored(seen(meaning=Meaning("unknown", None, "DMG"))), (1, 0, 1, 0), id="another outcome"),
        pytest.param(stored(seen(meaning=Meaning("known", "DMG/A/01", "RWB"))), (1, 0, 1, 0), id="another estate"),
        pytest.param(stored(seen(), points=2), (1, 0, 0, 1), id="two points of one tap"),
        pytest.param(stored(seen(), points=0), (1, 1, 0, 0), id="no point of a tap"),
        pytest.param(stored(seen(), taps=2), (1, 0, 1, 0), id="counted twice as presence"),
        pytest.param(stored(seen(), known=2), (1, 0, 1, 0), id="counted twice in its hour"),
    ],
)
def test_what_is_lost_wrong_and_doubled(found, expected) -> None:
    assert summary(judged(Book(made=[laid()]), found)) == expected


def test_a_tap_that_is_there_twice_is_doubled() -> None:
    score = judged(Book(made=[laid()]), stored(seen(), seen(at_ms=NOON + 2)))
    assert score.doubled >= 1


def test_presence_on_another_day_is_wrong() -> None:
    found = Stored([seen()], {("DMG/A/01", date(2027, 1, 1), DEVICE): 1}, {(DEVICE, NOON): (1, 0)}, 1)
    assert judged(Book(made=[laid()]), found).wrong == 2


def test_what_nobody_was_told_about_may_be_there_or_not_but_only_once() -> None:
    assert summary(judged(Book(doubtful=[laid()]), stored())) == (0, 0, 0, 0)
    assert summary(judged(Book(doubtful=[laid()]), stored(seen()))) == (0, 0, 0, 0)
    assert judged(Book(doubtful=[laid()]), stored(seen(), seen(at_ms=NOON + 2))).doubled >= 1


def test_what_was_refused_must_not_be_there() -> None:
    assert judged(Book(refused=[laid()]), stored()).is_clean
    assert judged(Book(refused=[laid()]), stored(seen())).wrong >= 1


def test_what_nobody_laid_on_must_not_be_there() -> None:
    assert judged(Book(), stored(seen(card=None))).wrong >= 1
