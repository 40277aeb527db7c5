import pytest
import tenacity

from cloud.history.patience import LONGEST_RETRY_AFTER_S, NotNow, Pace


def delay(error: NotNow, attempt: int) -> float:
    state = tenacity.RetryCallState(retry_object=tenacity.AsyncRetrying(), fn=None, args=(), kwargs={})
    state.attempt_number = attempt
    return Pace(first_s=1, longest_s=8, person_first_s=10, person_longest_s=40).after(error)(state)


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 1, 2), (2, 2, 3), (3, 4, 5), (4, 8, 9), (5, 8, 9), (10_000, 8, 9)]
)
def test_delays_double_to_a_limit_and_are_jittered(attempt: int, least: float, most: float) -> None:
    found = [delay(NotNow("down"), attempt) for _ in range(50)]
    assert all(least <= each <= most for each in found)
    assert len(set(found)) > 1


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 10, 20), (2, 20, 30), (9, 40, 50)])
def test_what_a_person_must_mend_is_asked_for_less_often(attempt: int, least: float, most: float) -> None:
    assert least <= delay(NotNow("token", needs_a_person=True), attempt) <= most


def test_the_server_s_own_wish_comes_first() -> None:
    assert delay(NotNow("busy", retry_after_s=3.0), 5) == 3.0


def test_no_server_may_silence_us_for_long() -> None:
    assert delay(NotNow("busy", retry_after_s=86_400.0), 1) == LONGEST_RETRY_AFTER_S
