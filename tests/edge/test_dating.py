"""What time a record carries when the clock is wrong."""

from dataclasses import dataclass

import pytest

from contract.messages import MAX_MS, Clock
from edge.dating import Dating, Stamp, bounded, stamp

BOOT = "00000001-0000-4000-8000-000000000000"
NOW = 1_800_000_000_000


@dataclass
class Hands:
    """A clock set by hand."""

    wall: int = 0
    mono: int = 0
    trusted: bool = False
    boot: str = BOOT
    speed: float = 1.0

    def wall_ms(self) -> int:
        return self.wall

    def mono_ms(self) -> int:
        return self.mono

    def is_trusted(self) -> bool:
        return self.trusted

    def real_seconds(self, ms: int) -> float:
        return ms / 1000 / self.speed


@pytest.mark.parametrize(
    ("trust", "base", "expected"),
    [
        pytest.param(Clock.TRUSTED, None, (5, Clock.TRUSTED), id="trusted"),
        pytest.param(Clock.TRUSTED, 100, (5, Clock.TRUSTED), id="trusted is never corrected"),
        pytest.param(Clock.UNTRUSTED, None, (5, Clock.UNTRUSTED), id="nobody knows better"),
        pytest.param(Clock.UNTRUSTED, 100, (107, Clock.REDATED), id="corrected by the monotonic clock"),
    ],
)
def test_a_stamp_is_corrected_only_where_it_is_wrong_and_the_truth_is_known(trust, base, expected) -> None:
    corrected = stamp(Stamp(5, 7, BOOT, trust), base)
    assert (corrected.at, corrected.clock) == expected


def test_a_synchronised_clock_gives_the_base_of_its_boot() -> None:
    hands = Hands(wall=NOW + 50, mono=50)
    dating = Dating(hands)
    assert dating.base() is None
    hands.trusted = True
    assert dating.base() == NOW


def test_the_servers_time_is_believed_to_half_the_journey() -> None:
    hands = Hands(mono=10_000)
    dating = Dating(hands)
    dating.learn(NOW, journey_s=2)
    assert dating.base() == NOW - 9_000
    assert (dating.now().at, dating.now().clock) == (NOW + 1_000, Clock.REDATED)


def test_under_a_fast_simulated_clock_the_journey_is_as_long_as_that_clock_says() -> None:
    dating = Dating(Hands(mono=100_000, speed=10))
    dating.learn(NOW, journey_s=2)
    assert dating.base() == NOW - 90_000


@pytest.mark.parametrize("journey_s", [-1, 10.1, 3600])
def test_an_answer_that_was_long_on_its_way_says_nothing(journey_s) -> None:
    dating = Dating(Hands())
    dating.learn(NOW, journey_s=journey_s)
    assert dating.base() is None
    assert dating.offset_ms is None


def test_what_was_learnt_ends_with_the_boot() -> None:
    hands = Hands()
    dating = Dating(hands)
    dating.learn(NOW, journey_s=0)
    hands.boot = "another"
    assert dating.base() is None


def test_the_offset_says_how_far_the_clock_is_ahead() -> None:
    dating = Dating(Hands(wall=NOW + 3_000, trusted=True))
    dating.learn(NOW, journey_s=0)
    assert dating.offset_ms == 3_000


def test_no_time_leaves_what_a_record_may_carry() -> None:
    assert [bounded(-5), bounded(5), bounded(MAX_MS + 1)] == [0, 5, MAX_MS]
