"""What follows from how an attempt ended."""

import pytest

from cloud.alerts.channels import Taken, Trouble, Undelivered
from cloud.alerts.dispatch import retrying
from cloud.alerts.dispatch.retrying import Again, Done, Elsewhere
from cloud.alerts.policy import Notify
from cloud.records.messages import Fate, Message
from cloud.records.notices import State

NOW = 10_000_000_000
HOUR = 3_600_000


def message(*, age_ms: int = 0, tries: int = 0, unknowns: int = 0) -> Message:
    return Message(1, "ana", 1, NOW - age_ms, NOW, 0, tries, unknowns, None)


def after(trouble: Trouble, about: Message, **more):
    return retrying.after_trouble(about, Undelivered(trouble, "", **more), Notify(), now_ms=NOW)


@pytest.mark.parametrize(
    ("tries", "delay_s"), [(0, 15), (1, 60), (2, 300), (3, 1800), (4, 7200), (5, 7200), (90, 7200)]
)
def test_the_ladder(tries: int, delay_s: int) -> None:
    assert after(Trouble.TEMPORARY, message(tries=tries)) == Again(NOW + delay_s * 1000, tries + 1, 0)


CASES = {
    "its wish is longer": (Trouble.TEMPORARY, message(), {"retry_after_s": 40}, Again(NOW + 40_000, 1, 0)),
    "its wish is shorter": (Trouble.TEMPORARY, message(), {"retry_after_s": 1}, Again(NOW + 15_000, 1, 0)),
    "the last try of the day": (
        Trouble.TEMPORARY,
        message(age_ms=22 * HOUR, tries=9),
        {},
        Again(NOW + 2 * HOUR, 10, 0),
    ),
    "past the day": (Trouble.TEMPORARY, message(age_ms=22 * HOUR + 1, tries=9), {}, Elsewhere()),
    "moved": (Trouble.TEMPORARY, message(tries=2), {"moved_to": "9"}, Again(NOW, 2, 0)),
    "a dead address": (Trouble.ADDRESS, message(), {}, Elsewhere(disables=True)),
    "a refused message": (Trouble.REFUSED, message(), {}, Elsewhere()),
    "our configuration": (Trouble.CONFIGURATION, message(), {}, Elsewhere(shuns=False, holds_until_ms=NOW + 900_000)),
    "nobody knows": (Trouble.UNKNOWN, message(), {}, Again(NOW + 15_000, 0, 1)),
    "nobody knows, again": (Trouble.UNKNOWN, message(unknowns=1), {}, Done(Fate.UNSURE, State.UNSURE)),
    "our mistake": (Trouble.BROKEN, message(), {}, Again(NOW + HOUR, 1, 0)),
}


@pytest.mark.parametrize(("trouble", "about", "more", "expected"), CASES.values(), ids=CASES.keys())
def test_what_follows(trouble: Trouble, about: Message, more: dict, expected: object) -> None:
    assert after(trouble, about, **more) == expected


def test_accepted_is_not_delivered() -> None:
    assert retrying.after_success(Taken("r")) == Done(Fate.ACCEPTED, State.TOLD)
    assert retrying.after_success(Taken("r", is_delivered=True)) == Done(Fate.DELIVERED, State.TOLD)


def test_what_is_permanent_is_said_to_be() -> None:
    assert {trouble for trouble in Trouble if Undelivered(trouble, "").permanent} == {Trouble.ADDRESS, Trouble.REFUSED}
