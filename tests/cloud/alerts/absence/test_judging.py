"""The absence clock over SQL: what it reads, and that it says what its rules say."""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from cloud import days
from cloud.alerts import policy
from cloud.alerts.absence import Memory
from cloud.alerts.findings import Ended, Finding
from cloud.alerts.kinds import Ending, Kind, Level
from cloud.records import registry

GO_LIVE = date(2026, 1, 1)
UNIT = "DMG/B/03/12"
HOME, AWAY = "DMG-01", "PSK-01"
NO_GATE = policy.parse("[mass]\nenabled = false")


def day(number: int) -> date:
    return GO_LIVE + timedelta(days=number)


def end(number: int) -> int:
    """When period *number* is over and its machines may be complete."""
    return days.starts(day(14 * number + 14)) + days.SETTLING


def told(found: object) -> object:
    """Level or ending."""
    return found.level if isinstance(found, Finding) else found.how if isinstance(found, Ended) else None


def test_a_unit_is_watched_opened_reminded_and_made_a_case_as_its_periods_are_missed(town) -> None:
    town.unit(UNIT)
    said = {}
    for number in range(0, 90, 7):
        found = town.evaluate(day(number)).get(UNIT)
        if found is not None and found.level not in said:
            said[found.level] = number
    assert said == {Level.WATCH: 28, Level.OPEN: 42, Level.REMIND: 56, Level.CASE: 84}


def test_evidence_names_rule_policy_and_every_day(any_town) -> None:
    any_town.unit(UNIT)
    any_town.calendar(day(3), day(5))
    found = any_town.evaluate(day(42))[UNIT]
    assert (found.estate, found.run, found.since_ms) == ("DMG", "2026-01-01", days.starts(GO_LIVE))
    assert {key: found.evidence[key] for key in ("missed_periods", "days_counted", "days_not_counted", "policy")} == {
        "missed_periods": 3,
        "days_counted": 39,
        "days_not_counted": {"calendar": 3},
        "policy": "default",
    }


def test_nothing_is_said_while_a_registry_change_waits_for_its_sweep(town) -> None:
    town.unit(UNIT)
    town.records.write(lambda c: registry.raise_version(c, now_ms=1))
    assert town.evaluate(day(42)) == {}
    town.registered()
    assert told(town.evaluate(day(42))[UNIT]) is Level.OPEN


@pytest.mark.parametrize(
    ("device", "on", "give_or_take", "expected"),
    [
        pytest.param(HOME, 41, 0, None, id="in the last period"),
        pytest.param(AWAY, 41, 0, None, id="at another estate"),
        pytest.param(HOME, 27, 0, None, id="in the second"),
        pytest.param(HOME, 13, 0, Level.WATCH, id="in the first"),
        pytest.param(HOME, 42, 0, Level.WATCH, id="after them"),
        pytest.param(HOME, 45, 3, Level.WATCH, id="after them, uncertain, but not enough to lie in the last"),
        pytest.param(HOME, 45, 4, None, id="perhaps in the last"),
        pytest.param(HOME, 48, 21, None, id="perhaps in the second"),
        pytest.param(HOME, -5, 4, Level.OPEN, id="before go_live"),
        pytest.param(HOME, -5, 5, Level.WATCH, id="perhaps in the first"),
    ],
)
def test_any_tap_that_may_lie_in_a_period_satisfies_it(
    town, device: str, on: int, give_or_take: int, expected: Level | None
) -> None:
    town.unit(UNIT)
    town.tap(UNIT, device, day(on), give_or_take=give_or_take, code=device[:3])
    assert told(town.evaluate(day(42)).get(UNIT)) is expected


def test_a_tap_by_a_card_that_was_not_valid_on_its_recorded_day_closes_nothing(any_town) -> None:
    any_town.unit(UNIT)
    assert told(any_town.evaluate(day(42))[UNIT]) is Level.OPEN
    any_town.tap(UNIT, HOME, day(45), span=(day(-9), day(-2)))
    assert told(any_town.evaluate(day(46))[UNIT]) is Level.OPEN
    any_town.tap(UNIT, HOME, day(45))
    assert told(any_town.evaluate(day(46))[UNIT]) is Ending.CLOSED


def test_a_tap_closes_at_once_a_late_one_retracts_and_neither_is_said_twice(town) -> None:
    closed, wrong = town.unit("DMG/1"), town.unit("DMG/2")
    town.evaluate(day(42))
    town.tap(closed, HOME, day(43))
    town.tap(wrong, HOME, day(30))
    found = town.evaluate(day(44))
    assert (told(found[closed]), told(found[wrong])) == (Ending.CLOSED, Ending.RETRACTED)
    assert found[closed].evidence["last_tap"] == day(43).isoformat()


def test_the_machine_of_the_estate_is_waited_for(town) -> None:
    town.unit(UNIT)
    town.complete(HOME, end(2) - 1)
    assert told(town.evaluate(day(50))[UNIT]) is Level.WATCH
    town.complete(HOME, end(2))
    assert told(town.evaluate(day(50))[UNIT]) is Level.OPEN


def test_a_machine_elsewhere_is_waited_for_by_those_who_tap_there_and_named_to_the_others(any_town) -> None:
    here, there = any_town.unit("DMG/1"), any_town.unit("DMG/2")
    any_town.tap(there, AWAY, day(3), code="PSK")
    any_town.complete(AWAY, end(1) - 1)
    found = any_town.evaluate(day(60))
    assert (told(found[here]), told(found.get(there))) == (Level.REMIND, None)
    assert found[here].evidence["machines_elsewhere_incomplete"] == [AWAY]
    any_town.complete(AWAY, end(3))
    found = any_town.evaluate(day(60))
    assert (told(found[here]), told(found[there])) == (Level.REMIND, Level.OPEN)


def test_a_flag_stands_though_a_machine_that_is_named_only_now_is_not_complete(town) -> None:
    town.unit(UNIT)
    town.complete(AWAY, end(1))
    assert told(town.evaluate(day(60))[UNIT]) is Level.REMIND
    town.tap(UNIT, AWAY, day(-3), code="PSK")  # before go_live: in no period
    assert told(town.evaluate(day(60))[UNIT]) is Level.REMIND
    town.tap(UNIT, AWAY, day(2), give_or_take=4, code="PSK")
    found = town.evaluate(day(61))
    assert told(found[UNIT]) is Level.REMIND, "three missed periods are left, and their verdicts stand"


def test_a_period_is_void_when_the_machine_could_not_take_taps(town) -> None:
    town.unit(UNIT)
    town.estate("TMB", "TMB-01")
    other = town.unit("TMB/1")
    town.complete("TMB-01", end(2))
    town.able("TMB-01", map(day, range(28)))
    found = town.evaluate(day(43))
    assert (told(found[UNIT]), told(found[other])) == (Level.OPEN, Level.WATCH)
    town.able("TMB-01", map(day, range(28, 42)))
    assert told(town.evaluate(day(43))[other]) is Level.OPEN


def test_days_declared_lost_are_judgeable_and_do_not_count(town) -> None:
    town.unit(UNIT)
    town.complete(HOME, end(1))
    town.lost(HOME, day(28), day(60))
    assert told(town.evaluate(day(43))[UNIT]) is Level.WATCH


def test_leave_does_not_count(town) -> None:
    town.unit(UNIT)
    town.leave(UNIT, day(0), day(20))
    assert told(town.evaluate(day(42)).get(UNIT)) is None


def test_the_tenancy_s_end_closes(town) -> None:
    town.unit(UNIT)
    town.evaluate(day(42))
    town.end_tenancy(UNIT, day(50))
    assert told(town.evaluate(day(49))[UNIT]) is Level.OPEN
    assert told(town.evaluate(day(50))[UNIT]) is Ending.CLOSED


def test_a_unit_without_cards_is_never_due(town) -> None:
    town.unit(UNIT, cards=0)
    assert UNIT not in town.evaluate(day(42))


def test_an_estate_that_is_yet_to_go_live_is_not_judged(town) -> None:
    town.estate("KRA", "KRA-01", go_live=day(300))
    town.unit("KRA/1")
    assert town.evaluate(day(100)) == {}


# ---- the mass gate ---------------------------------------------------------------------------------------------------


def test_too_many_openings_at_once_are_held_until_each_ends(town) -> None:
    units = [town.unit(f"DMG/{number}") for number in range(6)]
    found = town.evaluate(day(42))
    assert all(found[unit].is_held for unit in units)
    assert found["DMG"].kind is Kind.ESTATE_TAP_DROP
    for unit in units[:3]:
        town.tap(unit, HOME, day(43))
    found = town.evaluate(day(44))
    assert [told(found[unit]) for unit in units[:3]] == [Ending.CLOSED] * 3
    assert all(found[unit].is_held for unit in units[3:])
    assert isinstance(found["DMG"], Finding)
    for unit in units[3:]:
        town.tap(unit, HOME, day(30))
    found = town.evaluate(day(45))
    assert {told(found[unit]) for unit in units[3:]} == {Ending.RETRACTED}
    assert told(found["DMG"]) is Ending.CLOSED


def test_five_openings_pass_and_what_is_open_is_not_counted_again(town) -> None:
    early = [town.unit(f"DMG/{number}") for number in range(5)]
    later = [town.unit(f"DMG/{number}", start=day(14 - 30)) for number in range(5, 10)]
    found = town.evaluate(day(42))
    assert not any(found[unit].is_held for unit in early)
    found = town.evaluate(day(56))
    assert not any(found[unit].is_held for unit in (*early, *later))
    assert {told(found[unit]) for unit in later} == {Level.OPEN}


def test_other_estates_are_not_held(town) -> None:
    for number in range(6):
        town.unit(f"DMG/{number}")
    other = town.unit("PSK/1")
    assert not town.evaluate(day(42))[other].is_held


def test_a_gate_that_is_off_holds_nothing(town) -> None:
    town.policies = NO_GATE
    units = [town.unit(f"DMG/{number}") for number in range(20)]
    found = town.evaluate(day(42))
    assert not any(found[unit].is_held for unit in units)
    assert "DMG" not in found


def test_far_fewer_taps_than_usual_hold_even_a_single_opening(any_town) -> None:
    busy, silent = any_town.unit("DMG/1"), any_town.unit("DMG/2")
    for number in range(70):
        any_town.tap(busy, HOME, day(number))
    any_town.tap(silent, HOME, day(20))
    any_town.tap(busy, HOME, day(71))
    found = any_town.evaluate(day(84))
    assert found[silent].is_held
    assert (found["DMG"].kind, found["DMG"].evidence["taps"]) == (Kind.ESTATE_TAP_DROP, 1)
    for number in range(84, 98):
        any_town.tap(busy, HOME, day(number))
    found = any_town.evaluate(day(98))
    assert found[silent].is_held, "until a human, a tap or the tenancy's end"
    any_town.tap(silent, HOME, day(98))
    found = any_town.evaluate(day(99))
    assert (told(found[silent]), told(found["DMG"])) == (Ending.CLOSED, Ending.CLOSED)


# ---- memory ----------------------------------------------------------------------------------------------------------


def _happen(town, chance: random.Random, number: int) -> None:
    """Something that ingest or an official might do on day *number*."""
    unit, on = chance.choice(town.units), day(max(0, number - chance.choice([0, 0, 0, 1, 5, 40])))
    device = chance.choice([HOME, HOME, AWAY])
    until = day(number + chance.randrange(10))
    happening: dict[int, Any] = {
        0: lambda: town.calendar(on, until, chance.choice(["*", "DMG"])),
        1: lambda: town.leave(unit, on, until),
        2: lambda: town.lost(device, on, until),
        3: lambda: town.able(device, [on], chance.randrange(60)),
        4: lambda: town.complete(device, end(chance.randrange(12)) - chance.randrange(2)),
        5: lambda: town.end_tenancy(unit, until),
        6: lambda: town.complete(device, days.starts(day(number))),
        7: lambda: town.card(unit, f"{unit}+{number}", since=on),
        8: lambda: town.tap(unit, device, on, give_or_take=chance.randrange(30), code=device[:3]),
    }
    happening.get(chance.randrange(16), lambda: town.tap(unit, device, on, code=device[:3]))()


@pytest.mark.parametrize("seed", range(4))
def test_a_memory_changes_nothing(town, seed: int) -> None:
    chance = random.Random(seed)
    town.units = [town.unit(f"{code}/{number}") for code in ("DMG", "PSK") for number in range(8)]
    memory = Memory()
    for number in range(14, 125, 4):
        for _ in range(chance.randrange(4)):
            _happen(town, chance, number)
        now_ms = days.starts(day(number)) + chance.choice([0, 15 * days.MINUTE, 9 * days.HOUR])
        cold = town.judge(now_ms)
        assert town.judge(now_ms, memory) == cold
        assert town.judge(now_ms + days.HOUR, memory) == town.judge(now_ms + days.HOUR)
        town.keep(cold)
