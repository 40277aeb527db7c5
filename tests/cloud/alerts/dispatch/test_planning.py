"""Who is told what and when, after what was said before. All times in WIB."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.alerts import policy
from cloud.alerts.dispatch import audience, planning
from cloud.alerts.dispatch.facts import Place
from cloud.alerts.dispatch.hours import Hours
from cloud.alerts.dispatch.planning import Around
from cloud.alerts.flags.changes import Change, What
from cloud.alerts.kinds import NATURE, Group, Kind, Severity
from cloud.records.notices import Draft, Notice, State
from cloud.records.people import Address, Duty, Person, Role

MINUTE = 60_000
HOUR = 60 * MINUTE
NOON = 1_778_562_000_000  # Tuesday, 12 Mei 2026 12.00
NIGHT = NOON + 9 * HOUR + 15 * MINUTE  # 21.15
FLAG = "FLG-26-00417"


def who(name: str, role: Role, scope: str = "*") -> Person:
    return Person(name, name, frozenset({Duty(role, scope)}), (Address("chat", name, 1),))


EVERYBODY = [
    who("noc", Role.NOC),
    who("tek", Role.TECHNICIAN, "PSK"),
    who("tek-dmg", Role.TECHNICIAN, "DMG"),
    who("spv", Role.SUPERVISOR),
    who("uprs", Role.UPRS, "PSK"),
    who("kepala", Role.UPRS_HEAD, "PSK"),
    who("dinas", Role.DEPARTMENT),
]
AROUND = Around(EVERYBODY, Hours(policy.shipped()), {"PSK": Place("PSK", "Pesakih", 1)})


def change(kind: Kind = Kind.DEVICE_OFFLINE, what: What = What.OPENED, **more: Any) -> Change:
    values = {"at_ms": NOON, "subject": "PSK-01", "severity": NATURE[kind].severity, "evidence": {}, "flag": FLAG}
    return Change(kind=kind, what=what, **(values | {"estate": "PSK", "since_ms": NOON - 15 * MINUTE} | more))


def planned(*changes: Change, said: list[Notice] | None = None, now_ms: int = NOON) -> planning.Plan:
    return planning.plan(changes, said or [], AROUND, now_ms=now_ms)


def notice(draft: Draft, number: int = 1, state: State = State.TOLD, **more: Any) -> Notice:
    values = {name: getattr(draft, name) for name in ("key", "person", "flag", "said", "severity", "due_ms", "facts")}
    return Notice(id=number, state=state, **values, **more)


def when(plan: planning.Plan) -> dict[str, tuple[str, int]]:
    return {draft.person: (draft.said, (draft.due_ms - NOON) // MINUTE) for draft in plan.drafts}


def test_an_outage_climbs_the_ladder_from_its_onset() -> None:
    assert when(planned(change())) == {
        "noc": ("opened", 0),
        "tek": ("escalated", 45),
        "spv": ("escalated", 24 * 60 - 15),
        "kepala": ("escalated", 72 * 60 - 15),
    }


def test_who_should_know_already_is_told_at_once() -> None:
    late = change(since_ms=NOON - 25 * HOUR)
    assert when(planned(late)) == {
        "noc": ("opened", 0),
        "tek": ("opened", 0),
        "spv": ("opened", 0),
        "kepala": ("escalated", 47 * 60),
    }


def test_somebody_on_two_rungs_is_told_once_at_the_first() -> None:
    both = Person("noc", "", frozenset({Duty(Role.NOC), Duty(Role.SUPERVISOR)}))
    plan = planning.plan([change()], [], replace(AROUND, people=[both]), now_ms=NOON)
    assert when(plan) == {"noc": ("opened", 0)}


def test_technicians_of_other_estates_hear_nothing() -> None:
    assert "tek-dmg" not in when(planned(change()))


def test_at_night_p2_waits_for_the_morning_and_p1_does_not() -> None:
    at_night = change(at_ms=NIGHT, since_ms=NIGHT - 15 * MINUTE)
    assert when(planned(at_night, now_ms=NIGHT))["noc"] == ("opened", 18 * 60)
    urgent = replace(at_night, severity=Severity.P1)
    assert when(planned(urgent, now_ms=NIGHT))["noc"] == ("opened", 9 * 60 + 15)


def test_p4_is_only_in_the_weekly_digest() -> None:
    assert planned(change(Kind.UNIT_UNREGISTERED)).drafts == ()


@pytest.mark.parametrize("kind", [kind for kind in Kind if NATURE[kind].group is not Group.PATH])
def test_what_people_do_is_never_told_to_technicians(kind: Kind) -> None:
    for what in (What.OPENED, What.REMINDED, What.CASE, What.WORSENED):
        plan = planned(change(kind, what, subject="PSK/B/03/12", severity=Severity.P3))
        assert {draft.person for draft in plan.drafts} <= {"noc", "uprs", "kepala"}


@pytest.mark.parametrize("kind", [kind for kind in Kind if NATURE[kind].is_about_people])
def test_a_household_is_the_uprs_business_alone(kind: Kind) -> None:
    roles = {rung.role for is_case in (False, True) for rung in audience.ladder(kind, is_case=is_case)}
    assert roles <= {Role.UPRS, Role.UPRS_HEAD}


def test_a_case_is_told_to_the_head_as_well() -> None:
    assert set(when(planned(change(Kind.UNIT_NO_TAPS, What.CASE)))) == {"uprs", "kepala"}
    assert set(when(planned(change(Kind.UNIT_NO_TAPS)))) == {"uprs"}


@pytest.mark.parametrize("what", [What.WATCH, What.HELD])
def test_what_is_watched_or_held_is_told_to_nobody(what: What) -> None:
    assert planned(change(Kind.UNIT_NO_TAPS, what, flag=None)).drafts == ()
    assert planned(change(Kind.UNIT_NO_TAPS, what)).drafts == ()


def test_what_is_hushed_is_told_to_nobody_and_later_when_it_speaks() -> None:
    assert planned(change(speaks=False)).drafts == ()
    assert "noc" in when(planned(change(what=What.SPOKEN)))


def test_an_end_is_told_to_those_who_were_told_and_stops_the_ladder() -> None:
    opened = planned(change()).drafts
    said = [notice(opened[0], 1), *(notice(draft, 2 + n, State.WAITING) for n, draft in enumerate(opened[1:]))]
    plan = planned(change(what=What.CLOSED, speaks=False), said=said)
    assert when(plan) == {"noc": ("closed", 0)}
    assert set(plan.withdrawn) == {2, 3, 4}


@pytest.mark.parametrize("state", [State.BOUND, State.TOLD, State.UNSURE])
def test_whoever_may_have_been_told_gets_the_end(state: State) -> None:
    said = [notice(planned(change()).drafts[0], 1, state)]
    assert set(when(planned(change(what=What.CLOSED), said=said))) == {"noc"}


@pytest.mark.parametrize("state", [State.MOOT, State.UNREACHED])
def test_whoever_was_not_reached_gets_no_end(state: State) -> None:
    said = [notice(planned(change()).drafts[0], 1, state)]
    assert planned(change(what=What.CLOSED), said=said).drafts == ()


def test_what_ended_before_it_was_told_is_not_told_at_all() -> None:
    """S16: a fault from 21.00 to 05.00."""
    opened = planned(change(at_ms=NIGHT, since_ms=NIGHT - 15 * MINUTE), now_ms=NIGHT).drafts
    said = [notice(draft, n, State.WAITING) for n, draft in enumerate(opened)]
    plan = planned(change(what=What.CLOSED), said=said, now_ms=NOON + 17 * HOUR)
    assert plan.drafts == ()
    assert set(plan.withdrawn.values()) == {planning.ENDED_UNTOLD}
    assert len(plan.withdrawn) == len(said)


def test_what_may_have_arrived_is_not_withdrawn() -> None:
    said = [notice(planned(change()).drafts[0], 1, State.WAITING, is_repeat=True)]
    plan = planned(change(what=What.CLOSED), said=said)
    assert (plan.withdrawn, set(when(plan))) == ({}, {"noc"})


def test_what_opens_and_ends_in_one_evaluation_is_told_to_nobody() -> None:
    assert planned(change(), change(what=What.CLOSED)).drafts == ()


def test_an_end_at_night_does_not_wake_anybody_who_slept_through_the_outage() -> None:
    said = [notice(planned(change()).drafts[0])]
    plan = planned(change(what=What.CLOSED, at_ms=NIGHT), said=said, now_ms=NIGHT)
    assert when(plan)["noc"] == ("closed", 18 * 60)


def test_a_retraction_apologises_and_strikes_what_stands() -> None:
    said = [notice(planned(change(Kind.UNIT_NO_TAPS)).drafts[0])]
    plan = planned(change(Kind.UNIT_NO_TAPS, What.RETRACTED), said=said)
    assert [draft.said for draft in plan.drafts] == ["retracted", "struck"]


def test_worse_speaks_again_to_all_and_what_waited_is_overtaken() -> None:
    opened = planned(change()).drafts
    said = [notice(opened[0], 1), *(notice(draft, 2 + n, State.WAITING) for n, draft in enumerate(opened[1:]))]
    plan = planned(
        change(what=What.WORSENED, severity=Severity.P1, at_ms=NOON + 50 * MINUTE), said=said, now_ms=NOON + 50 * MINUTE
    )
    assert when(plan)["noc"] == ("worsened", 50)
    assert when(plan)["tek"] == ("opened", 50)
    assert set(plan.withdrawn) == {2, 3, 4}


def test_while_somebody_has_it_in_hand_only_the_further_rungs_wait() -> None:
    opened = planned(change()).drafts
    said = [
        notice(opened[0], 1, State.WAITING),
        *(notice(draft, 2 + n, State.WAITING) for n, draft in enumerate(opened[1:])),
    ]
    assert planning.postponed(said) == [2, 3, 4]


def test_who_has_it_in_hand_is_noted_on_what_was_told() -> None:
    opened = planned(change()).drafts
    said = [notice(opened[0], 1), notice(opened[1], 2, State.WAITING)]
    (note,) = planning.handled(said, by="tek-03", until_ms=NOON + 72 * HOUR, now_ms=NOON)
    assert (note.person, note.said, note.facts["by"]) == ("noc", "handled", "tek-03")


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_somebodys(kind: Kind) -> None:
    assert audience.ladder(kind)
    assert audience.ladder(kind)[0].after is None


# ---- what always holds -----------------------------------------------------------------------------------------------

actions = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 30 * 60)),
        st.tuples(st.just("send"), st.integers(0, 3)),
        st.tuples(st.just("worsen"), st.just(0)),
        st.tuples(st.just("acknowledge"), st.just(0)),
    ),
    max_size=12,
)


@given(actions, st.integers(0, 24 * 60), st.sampled_from([What.CLOSED, What.RETRACTED, What.SUPERSEDED]))
def test_told_of_the_beginning_told_of_the_end_and_nobody_else(
    steps: list[tuple[str, int]], start_min: int, end: What
) -> None:
    """I2 and I3: exactly one end, to exactly those who were told."""
    now_ms = NOON + start_min * MINUTE
    said: list[Notice] = []
    severity = Severity.P2

    def write(plan: planning.Plan) -> None:
        said[:] = [replace(each, state=State.MOOT) if each.id in plan.withdrawn else each for each in said]
        known = {each.key for each in said}
        said.extend(
            notice(draft, len(said) + n, State.WAITING) for n, draft in enumerate(plan.drafts) if draft.key not in known
        )

    def send(limit: int) -> None:
        for number, each in enumerate(said):
            if each.state is State.WAITING and each.due_ms <= now_ms and limit:
                said[number], limit = replace(each, state=State.TOLD), limit - 1

    write(planned(change(at_ms=now_ms, since_ms=now_ms - 15 * MINUTE), now_ms=now_ms))
    for step, amount in steps:
        now_ms += amount * MINUTE if step == "wait" else 0
        if step == "send":
            send(amount)
        if step == "worsen" and severity is Severity.P2:
            severity = Severity.P1
            write(planned(change(what=What.WORSENED, severity=severity, at_ms=now_ms), said=list(said), now_ms=now_ms))
        if step == "acknowledge":
            held = planning.postponed(said)
            said[:] = [replace(each, due_ms=now_ms + HOUR) if each.id in held else each for each in said]
    told = {each.person for each in said if each.state is State.TOLD}
    write(planned(change(what=end, at_ms=now_ms), said=list(said), now_ms=now_ms))
    write(planned(change(what=end, at_ms=now_ms), said=list(said), now_ms=now_ms))
    now_ms += 100 * 24 * HOUR
    send(100)
    ends = [each.person for each in said if each.state is State.TOLD and each.said == end.value]
    assert sorted(ends) == sorted(told)
    assert {each.person for each in said if each.state is State.TOLD} == told
