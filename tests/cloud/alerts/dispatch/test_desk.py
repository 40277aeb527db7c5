"""The step that comes next for one person: a table of situations."""

from dataclasses import replace

import pytest

from cloud.alerts.channels import Traits
from cloud.alerts.dispatch import desk
from cloud.alerts.dispatch.desk import Desk, Drop, Lapsed, Release, Rest, Retry, Send, free_slots, next_step
from cloud.alerts.policy import Notify
from cloud.records.messages import Message
from cloud.records.notices import Notice, State
from cloud.records.people import Address, Duty, Person, Role

NOW = 10_000_000_000
MINUTE = 60_000
CHAT, MAIL = Address("chat", "1", 1), Address("mail", "a@example", 2)
ANA = Person("ana", "Ana", frozenset({Duty(Role.NOC)}), (CHAT, MAIL))
TRAITS = {"chat": Traits(can_amend=True), "mail": Traits(is_chat=False)}


def notice(number: int, flag: str | None = None, said: str = "opened", **more) -> Notice:
    flag = flag if flag is not None else f"F{number}"
    values = {"severity": "P2", "due_ms": NOW, "state": State.WAITING, "facts": {}}
    return Notice(id=number, key=f"k{number}", person="ana", flag=flag, said=said, **(values | more))


def message(**more) -> Message:
    values = {"address": 1, "made_ms": NOW - MINUTE, "next_ms": NOW, "lease_until_ms": 0, "tries": 1, "unknowns": 0}
    return Message(id=7, person="ana", **(values | {"amends": None} | more))


def step(lies: Desk, fits: int = 99):
    return next_step(lies, now_ms=NOW, notify=Notify(), traits=TRAITS, fits=lambda notices, channel: fits)


CASES = {
    "nothing lies there": (Desk(ANA), Rest()),
    "nothing is due": (Desk(ANA, [notice(1, due_ms=NOW + 1)]), Rest()),
    "one thing is due": (Desk(ANA, [notice(1)]), Send([notice(1)], CHAT)),
    "a channel suits it better": (Desk(ANA, [notice(1, by="mail")]), Send([notice(1, by="mail")], MAIL)),
    "that channel is not there": (Desk(ANA, [notice(1, by="fax")]), Send([notice(1, by="fax")], CHAT)),
    "the first address did not take it": (
        Desk(ANA, [notice(1, shunned=frozenset({1}))]),
        Send([notice(1, shunned=frozenset({1}))], MAIL),
    ),
    "no address took it": (
        Desk(ANA, [notice(1, shunned=frozenset({1, 2}))]),
        Drop([1], desk.NO_ADDRESS, is_moot=False),
    ),
    "the first channel is held": (Desk(ANA, [notice(1)], held={"chat": NOW + 1}), Send([notice(1)], MAIL)),
    "the hold is over": (Desk(ANA, [notice(1)], held={"chat": NOW}), Send([notice(1)], CHAT)),
    "all channels are held": (Desk(ANA, [notice(1)], held={"chat": NOW + 1, "mail": NOW + 1}), Rest()),
    "a call is running": (
        Desk(ANA, [notice(1)], [message(running=3, lease_until_ms=NOW + 1)]),
        Rest(),
    ),
    "a call was running": (
        Desk(ANA, [], [message(running=3, lease_until_ms=NOW)]),
        Lapsed(message(running=3, lease_until_ms=NOW)),
    ),
    "a retry is due": (Desk(ANA, [], [message()]), Retry(message(), CHAT)),
    "a retry is not due": (Desk(ANA, [], [message(next_ms=NOW + 1)]), Rest()),
    "a retry whose address is gone": (Desk(ANA, [], [message(address=9)]), Release(message(address=9), shuns=True)),
    "a retry whose channel is held": (
        Desk(ANA, [], [message()], held={"chat": NOW + 1}),
        Release(message(), shuns=False),
    ),
    "a retry of which all channels are held": (
        Desk(ANA, [], [message()], held={"chat": NOW + 1, "mail": NOW + 1}),
        Rest(),
    ),
    "a retry without a slot": (Desk(ANA, [], [message()], disturbed_at=[NOW] * 5), Rest()),
    "its flag is being told": (
        Desk(ANA, [notice(1)], [message(next_ms=NOW + 1)], engaged=frozenset({"F1"})),
        Rest(),
    ),
    "no slot": (Desk(ANA, [notice(1)], disturbed_at=[NOW - MINUTE] * 5), Rest()),
    "no slot in this hour": (Desk(ANA, [notice(1)], disturbed_at=[NOW - 30 * MINUTE] * 11), Rest()),
    "one slot, two things": (
        Desk(ANA, [notice(1), notice(2)], disturbed_at=[NOW] * 4),
        Send([notice(1), notice(2)], CHAT),
    ),
    "two slots, two things": (
        Desk(ANA, [notice(1), notice(2)], disturbed_at=[NOW] * 3),
        Send([notice(1)], CHAT),
    ),
    "a digest is not bundled": (
        Desk(ANA, [notice(1, "", said="digest"), notice(2)], disturbed_at=[NOW] * 4),
        Send([notice(1, "", said="digest")], CHAT),
    ),
    "an end of what was never told": (
        Desk(ANA, [notice(1, "F"), notice(2, "F", said="closed")]),
        Drop([1, 2], desk.ENDED_UNTOLD),
    ),
    "an end of what was told": (
        Desk(ANA, [notice(2, "F", said="closed")], told=[notice(1, "F", state=State.TOLD)]),
        Send([notice(2, "F", said="closed")], CHAT),
    ),
    "an end of what may have arrived": (
        Desk(ANA, [notice(1, "F", is_repeat=True), notice(2, "F", said="closed")]),
        Send([notice(1, "F", is_repeat=True)], CHAT),
    ),
    "a note on a message that is there": (
        Desk(
            ANA,
            [notice(2, "F", said="handled")],
            told=[notice(1, "F", state=State.TOLD, message=5)],
            targets={5: (1, "ref")},
        ),
        Send([notice(2, "F", said="handled")], CHAT, amends="ref"),
    ),
    "a note on a letter": (
        Desk(
            ANA,
            [notice(2, "F", said="handled")],
            told=[notice(1, "F", state=State.TOLD, message=5)],
            targets={5: (2, "ref")},
        ),
        Drop([2], desk.NOT_AMENDABLE),
    ),
}


@pytest.mark.parametrize(("lies", "expected"), CASES.values(), ids=CASES.keys())
def test_the_next_step(lies: Desk, expected: object) -> None:
    assert step(lies) == expected


def test_a_bundle_carries_as_many_as_fit() -> None:
    lies = Desk(ANA, [notice(n) for n in range(1, 9)])
    assert [each.id for each in step(lies, fits=3).notices] == [1, 2, 3]
    assert [each.id for each in step(lies, fits=0).notices] == [1]


def test_the_most_urgent_flag_first_and_within_a_flag_in_order() -> None:
    waits = [notice(1, "A"), notice(2, "B"), notice(3, "B", said="worsened", severity="P1"), notice(4, "C")]
    lies = Desk(ANA, waits, disturbed_at=[NOW] * 4)
    assert [each.id for each in step(lies).notices] == [2, 3, 1, 4]


def test_an_address_that_was_disabled_is_not_used() -> None:
    dead = replace(ANA, addresses=(replace(CHAT, disabled_because="blocked"), MAIL))
    assert step(Desk(dead, [notice(1)])) == Send([notice(1)], MAIL)


@pytest.mark.parametrize(
    ("ago_min", "free"),
    [([], 5), ([14.99] * 5, 0), ([15] * 5, 5), ([59.99] * 11, 0), ([60] * 11, 5), ([59] * 9 + [1], 1), ([1] * 7, 0)],
)
def test_the_slots_that_are_free(ago_min: list[float], free: int) -> None:
    assert free_slots([NOW - int(ago * MINUTE) for ago in ago_min], Notify(), now_ms=NOW) == free
