"""No event of the chain can be changed, removed or put in unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from cloud.alerts.flags import chain
from cloud.alerts.flags.chain import Draft, Event, Link

EVENTS = chain.extended(
    Link(), [Draft(1, 10, "opened", detail={"n": 1}), Draft(None, 20, "silenced", "budi"), Draft(1, 30, "closed")]
)


def test_an_honest_chain_holds_also_in_pieces() -> None:
    more = chain.extended(Link(EVENTS[-1].event_id, EVENTS[-1].hash), [Draft(2, 40, "opened")])
    assert chain.broken([*EVENTS, *more]) is None
    assert [event.event_id for event in [*EVENTS, *more]] == [1, 2, 3, 4]
    assert chain.broken([]) is None


def forged(number: int, **values: object) -> list[Event]:
    return [replace(event, **values) if event.event_id == number else event for event in EVENTS]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("events", "at"),
    [
        pytest.param(forged(2, detail='{"n":2}'), 2, id="another detail"),
        pytest.param(forged(1, at_ms=11), 1, id="another instant"),
        pytest.param(forged(2, by="siti"), 2, id="another author"),
        pytest.param(forged(3, what="retracted"), 3, id="another event"),
        pytest.param(forged(3, flag_id=2), 3, id="another flag"),
        pytest.param(forged(2, previous="0" * 64), 2, id="another past"),
        pytest.param([EVENTS[0], EVENTS[2]], 3, id="one taken out"),
        pytest.param(EVENTS[1:], 2, id="the first taken out"),
        pytest.param([EVENTS[0], EVENTS[0], *EVENTS[1:]], 1, id="one put in"),
        pytest.param([EVENTS[1], EVENTS[0], EVENTS[2]], 2, id="two exchanged"),
    ],
)
def test_a_forgery_is_found_where_it_was_made(events: list[Event], at: int) -> None:
    found = chain.broken(events)
    assert found is not None and found.event_id == at


def test_what_is_missing_is_said_to_be_missing() -> None:
    found = chain.broken([EVENTS[0], EVENTS[2]])
    assert found is not None and "gone" in found.reason


def test_a_forger_who_hashes_anew_changes_the_head_that_was_noted_elsewhere() -> None:
    anew: Callable[[str], str] = lambda what: chain.extended(Link(), [Draft(1, 10, what)])[-1].hash  # noqa: E731
    assert anew("opened") != anew("closed")


def test_the_text_of_a_detail_does_not_depend_on_the_order_of_its_keys() -> None:
    assert chain.canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
