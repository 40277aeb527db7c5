"""What a machine is told, from what stands."""

import pytest

from cloud.ingest import answers
from cloud.records.ledger import Line, Standing
from cloud.records.positions import Position
from cloud.records.verdicts import StreamKey
from contract import codec
from contract.ranges import Ranges
from contract.topics import DeviceId

KEY = StreamKey(DeviceId("DMG-01"), "22222222-2222-4222-8222-222222222222")
NOW = 1_000_000


def position(answered=(), **more):
    return Position(1, KEY, Ranges.of(answered), **more)


def test_an_answer_says_of_each_line_what_became_of_it():
    lines = (
        Line(1, "a" * 32, "stored", None, "known"),
        Line(2, "b" * 32, "stored", None, "test"),
        Line(3, "c" * 32, "stored", None, "unknown"),
        Line(4, "d" * 32, "held", "future", None),
        Line(5, "e" * 32, "rejected", "too_big", None),
        Line(6, "f" * 32, "stored", None, None),
    )
    said = answers.stored(Standing(position([(1, 6)]), lines), now_ms=NOW)
    assert said.outcomes == {1: "known", 2: "known", 3: "unknown"}
    assert (said.held, said.rejected, set(said.digests)) == ({4: "future"}, {5: "too_big"}, {1, 2, 3, 4, 5, 6})


@pytest.mark.parametrize(
    ("of", "wanted"),
    [
        pytest.param(position([(1, 5)]), False, id="nothing is missing"),
        pytest.param(position([(1, 5), (9, 9)], gap_since_ms=NOW - 120_000), False, id="a gap of two minutes"),
        pytest.param(position([(1, 5), (9, 9)], gap_since_ms=NOW - 120_001), True, id="a gap of more"),
        pytest.param(position([(1, 5)], confirmed_told=6, gap_since_ms=NOW), True, id="confirmed and not here"),
        pytest.param(position([(1, 5)], highest_told=99), False, id="merely not sent yet"),
        pytest.param(
            position([(1, 5)], confirmed_told=6, gap_since_ms=0, asked_ms=NOW - 119_999), False, id="asked just now"
        ),
        pytest.param(
            position([(1, 5)], confirmed_told=6, gap_since_ms=0, asked_ms=NOW - 120_000), True, id="asked long ago"
        ),
        pytest.param(position([(1, 5)], closed_at_seq=8, gap_since_ms=0), True, id="an end that never came"),
    ],
)
def test_when_to_ask(of, wanted):
    assert answers.wants_resume(of, now_ms=NOW) is wanted


def test_no_answer_outgrows_the_broker():
    holes = position([(seq, seq) for seq in range(1, 200_000, 2)])
    lines = tuple(Line(seq, "a" * 32, "held", "not_installed", None) for seq in range(199_001, 199_999, 2))
    said = answers.stored(Standing(holes, lines), now_ms=NOW)
    assert len(codec.encode(said)) < codec.MAX_PAYLOAD / 2
    assert all(line.seq in said.covered for line in lines)
    assert len(codec.encode(answers.resume(holes))) < codec.MAX_PAYLOAD / 2
