"""Ranges behave as sets of whole numbers do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ranges import Ranges

spans = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1])))
ranges = spans.map(Ranges.of)


@given(ranges, ranges)
def test_union_difference_and_intersection_are_those_of_sets(left: Ranges, right: Ranges) -> None:
    assert set(left | right) == set(left) | set(right)
    assert set(left - right) == set(left) - set(right)
    assert set(left & right) == set(left) & set(right)


@given(ranges, ranges, ranges)
def test_merging_knows_no_order_and_no_repetition(one: Ranges, two: Ranges, three: Ranges) -> None:
    assert one | two | three == three | one | two | one


@given(ranges)
def test_equal_sets_have_one_form(found: Ranges) -> None:
    assert Ranges.single(found) == found == Ranges.of(reversed(found.spans))
    assert len(found) == len(set(found))
    assert all(number in found for number in found)


@given(ranges, st.integers(1, 60))
def test_membership_and_missing_agree(found: Ranges, last: int) -> None:
    assert set(found.missing(last)) == {number for number in range(1, last + 1) if number not in found}


@given(ranges)
def test_prefix_and_beyond_make_the_whole(found: Ranges) -> None:
    assert Ranges.upto(found.prefix) | found.beyond == found
    assert found.prefix + 1 not in found
    assert found.highest == max(found, default=0)


@pytest.mark.parametrize("bad", [((0, 1),), ((3, 2),), ((1, 2), (3, 4)), ((5, 6), (1, 2)), ((1, 4), (2, 6))])
def test_only_the_one_form_can_be_held(bad: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="range"):
        Ranges(bad)


def test_many_gaps_cost_no_more_than_their_number() -> None:
    even = Ranges.single(range(2, 200_001, 2))
    odd = Ranges.single(range(1, 200_001, 2))
    assert (Ranges.upto(200_000) - even) == odd
    assert (even | odd) == Ranges.upto(200_000)
