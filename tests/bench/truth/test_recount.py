"""The recount against cases computed by hand: one estate, one machine that is always able, one flat."""

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plain_facts import ALWAYS, GO, HOUSE, SILENCE, UNIT, directory, life, opened, said, tap, written

from bench.truth.recount import calendar, reading
from bench.truth.recount.calendar import DAY, HOUR, MINUTE, NEVER, begins
from bench.truth.recount.reading import Days, Directory, Fact, Installation, Tenancy
from bench.truth.recount.running import Recount


def test_a_flat_that_never_taps_passes_each_threshold_a_day_after_the_period_that_reaches_it() -> None:
    assert said(directory(life())) == SILENCE


def test_the_evidence_names_every_period_of_the_run_and_what_was_not_counted() -> None:
    holiday = Days("*", GO + 2, GO + 4, ALWAYS)
    evidence = opened(directory(life(), calendar=[holiday])).evidence
    assert evidence == {
        "missed_periods": 3,
        "periods": [
            {"from": "2026-01-05", "to": "2026-01-18", "counted": 11, "verdict": "missed"},
            {"from": "2026-01-19", "to": "2026-02-01", "counted": 14, "verdict": "missed"},
            {"from": "2026-02-02", "to": "2026-02-15", "counted": 14, "verdict": "missed"},
        ],
        "days_counted": 39,
        "days_not_counted": {"calendar": 3},
    }


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(
            begins(GO + 14) - 1,
            [(43, "watch"), (57, "opened"), (71, "reminded"), (99, "case")],
            id="last ms of period 0",
        ),
        pytest.param(begins(GO + 14), [(57, "watch"), (71, "opened"), (85, "reminded")], id="first"),
    ],
)
def test_a_tap_satisfies_the_period_of_its_local_date(at: int, expected: list[tuple[int, str]]) -> None:
    assert said(directory(life(taps=[tap("DMG-01", at)]))) == expected


def test_an_uncertain_tap_satisfies_every_period_in_which_it_may_have_been() -> None:
    late = tap("DMG-01", begins(GO + 14) + HOUR, doubt_s=2 * 3600)
    within = tap("DMG-01", begins(GO + 14) + HOUR, doubt_s=1800)
    before = said(directory(life(taps=[late])))
    assert before == [(57, "watch"), (71, "opened"), (85, "reminded")]
    assert said(directory(life(taps=[within]))) == before, "period 0 alone is missed, which is no run"


def test_the_days_needed_are_ten_or_seven_tenths_of_those_with_service() -> None:
    def closed_for(number: int, hours: str) -> list[tuple[int, str]]:
        rows = [Days("*", GO + 14 * k, GO + 14 * k + number - 1, ALWAYS) for k in range(7)]
        stands = Installation("DMG-01", "DMG", begins(GO - 2), NEVER, hours, ALWAYS)
        return said(directory(life(), calendar=rows, installations=[stands]))

    assert closed_for(4, "Mon-Sun 08:00-16:00") == SILENCE, "10 of 14"
    assert closed_for(5, "Mon-Sun 08:00-16:00") == [], "9 of 14 < 9.8"
    assert closed_for(3, "Mon-Sat 08:00-16:00") == SILENCE, "9 of 12 >= 8.4"
    assert closed_for(4, "Mon-Sat 08:00-16:00") == [], "8 of 12 < 8.4"


@pytest.mark.parametrize(("minutes", "is_missed"), [(30, True), (29, False)])
def test_a_day_counts_from_240_able_minutes_on(minutes: int, is_missed: bool) -> None:
    assert bool(said(directory(life(minutes=lambda day: minutes)))) is is_missed


def test_in_short_service_hours_four_fifths_are_enough_and_three_quarters_are_not() -> None:
    stands = Installation("DMG-01", "DMG", begins(GO - 2), NEVER, "Mon-Sun 08:00-12:00", ALWAYS)
    assert said(directory(life(minutes=lambda day: 48), installations=[stands])) == SILENCE, "192 of 240"
    assert said(directory(life(minutes=lambda day: 47), installations=[stands])) == []


def test_minutes_are_cut_to_the_part_of_the_hour_that_is_service() -> None:
    half = Installation("DMG-01", "DMG", begins(GO - 2), NEVER, "Mon-Sun 08:30-16:00", ALWAYS)
    assert said(directory(life(minutes=lambda day: 32), installations=[half])) == SILENCE, "7.5 h x 32 = 240"
    assert said(directory(life(minutes=lambda day: 31), installations=[half])) == []


def test_two_records_of_one_hour_add_up_and_a_repeated_line_does_not() -> None:
    facts = life(minutes=lambda day: 20)
    assert said(directory(facts)) == []
    twice = [replace(fact, body=dict(fact.body)) for fact in facts if fact.kind == "hours"]
    assert said(directory(facts + twice)) == []
    for fact in twice:
        fact.body["seq"] += 2000
    assert said(directory(facts + twice)) == SILENCE


def test_minutes_under_an_untrusted_clock_are_none() -> None:
    facts = life()
    for fact in facts:
        if fact.kind == "hours":
            fact.body["clock"] = "untrusted"
    assert said(directory(facts)) == []


def test_the_best_machine_of_each_hour_makes_the_estate_able() -> None:
    """One machine is able in the morning, the other in the afternoon: 240 minutes together."""

    def halves(device: str, *, morning: bool) -> list[Fact]:
        facts = life(device, minutes=lambda day: 30)
        for fact in facts:
            if fact.kind == "hours" and (fact.body["seq"] % 10 <= 4) is not morning:
                fact.body["able_min"] = 0
        return facts

    second = Installation("DMG-02", "DMG", begins(GO - 2), NEVER, "Mon-Sun 08:00-16:00", ALWAYS)
    first = replace(second, device="DMG-01")
    both = halves("DMG-01", morning=True) + halves("DMG-02", morning=False)
    assert said(directory(both, installations=[first, second])) == SILENCE
    for fact in both:
        if fact.kind == "hours" and fact.device == "DMG-01":
            fact.body["able_min"] = min(fact.body["able_min"], 29)
    assert said(directory(both, installations=[first, second])) == []


def test_the_first_tap_after_the_last_missed_period_closes_at_once_and_a_new_run_opens_anew() -> None:
    made = directory(life(taps=[tap("DMG-01", begins(GO + 45) + 9 * HOUR)]))
    assert said(made) == [(29, "watch"), (43, "opened"), (46, "closed"), (85, "watch"), (99, "opened")]


def test_a_tap_after_the_run_that_arrived_before_keeps_it_from_opening() -> None:
    """A backlog of everything arrives on day 50, a tap of day 48 with it: nothing opens and closes."""
    facts = life(taps=[tap("DMG-01", begins(GO + 48))])
    late = begins(GO + 50) + HOUR
    kept = [replace(fact, arrived=late) for fact in facts if fact.arrived < late and fact.kind != "heartbeat"]
    made = directory(kept + [fact for fact in facts if fact.arrived >= late])
    assert said(made) == [(52, "watch"), (85, "watch"), (99, "opened")]


def test_nothing_is_said_of_a_period_until_the_machine_has_told_all_of_it() -> None:
    facts = [fact for fact in life() if fact.kind != "heartbeat" or fact.body["last_seq"] != 420]
    facts += [replace(fact, arrived=begins(GO + 60)) for fact in facts if fact.body.get("seq") == 415]
    held = [fact for fact in facts if fact.body.get("seq") != 415 or fact.arrived == begins(GO + 60)]
    assert said(directory(held)) == [(29, "watch"), (60, "opened"), (60, "reminded"), (85, "case")]


def test_heartbeats_14_minutes_after_the_period_are_not_enough() -> None:
    early = [
        replace(fact, arrived=fact.arrived - 16 * MINUTE, body=fact.body | {"uptime_s": fact.body["uptime_s"] - 960})
        if fact.kind == "heartbeat"
        else fact
        for fact in life()
    ]
    assert said(directory(early)) == [(day + 1, change) for day, change in SILENCE]


def test_a_heartbeat_that_travelled_long_was_made_when_its_boot_says() -> None:
    facts = [
        replace(fact, arrived=fact.arrived + 10 * DAY) if fact.body.get("last_seq") == 140 else fact for fact in life()
    ]
    assert said(directory(facts)) == SILENCE, "another heartbeat came the next day"


def test_a_machine_where_a_card_tapped_is_waited_for_six_periods_long() -> None:
    """MRD-01 falls silent on day 3 after the flat has tapped there: periods 1 to 6 wait, however long."""
    elsewhere = Installation("MRD-01", "MRD", begins(GO - 2), NEVER, "", ALWAYS)
    here = Installation("DMG-01", "DMG", begins(GO - 2), NEVER, "Mon-Sun 08:00-16:00", ALWAYS)
    other = life("MRD-01", taps=[tap("MRD-01", begins(GO + 1) + 9 * HOUR)], days=3)
    made = directory(life() + other, installations=[here, elsewhere], go_live={"DMG": GO, "MRD": GO})
    assert said(made) == []
    lost = Days("MRD-01", GO + 3, GO + 99, begins(GO + 70))
    assert said(replace(made, lost=[lost])) == [(70, "watch"), (70, "opened"), (71, "reminded"), (99, "case")]


def test_a_machine_elsewhere_is_waited_for_also_when_its_service_hours_have_changed_since_the_tap() -> None:
    """A change of hours is a row of its own: the machine did not leave when the first one ended."""
    before = Installation("MRD-01", "MRD", begins(GO - 2), begins(GO + 2), "", ALWAYS)
    rows = [before, replace(before, installed=begins(GO + 2), removed=NEVER, hours="Mon-Sun 08:00-15:00")]
    here = Installation("DMG-01", "DMG", begins(GO - 2), NEVER, "Mon-Sun 08:00-16:00", ALWAYS)
    other = life("MRD-01", taps=[tap("MRD-01", begins(GO + 1) + 9 * HOUR)], days=3)
    assert said(directory(life() + other, installations=[here, *rows], go_live={"DMG": GO, "MRD": GO})) == []


def test_a_late_tap_from_a_machine_nobody_waits_for_retracts() -> None:
    elsewhere = Installation("MRD-01", "MRD", begins(GO - 2), NEVER, "", ALWAYS)
    here = Installation("DMG-01", "DMG", begins(GO - 2), NEVER, "Mon-Sun 08:00-16:00", ALWAYS)
    late = tap("MRD-01", begins(GO + 40), arrived=begins(GO + 50) + HOUR)
    made = directory([*life(), late], installations=[here, elsewhere], go_live={"DMG": GO, "MRD": GO})
    assert said(made) == [(29, "watch"), (43, "opened"), (51, "retracted")]
    # the next periods wait for MRD-01, which never tells more


def test_leave_entered_after_the_flag_retracts_it() -> None:
    leave = Days(UNIT, GO + 28, GO + 41, begins(GO + 50))
    assert said(directory(life(), leave=[leave])) == [
        (29, "watch"), (43, "opened"), (50, "retracted"), (57, "opened"), (71, "reminded"), (99, "case"),
    ]  # fmt: skip


def test_the_end_of_the_tenancy_closes_and_the_next_tenant_has_thirty_days_and_a_run_of_his_own() -> None:
    lets = [Tenancy(UNIT, GO - 400, GO + 44, ALWAYS), Tenancy(UNIT, GO + 44, NEVER, ALWAYS)]
    assert said(directory(life(), tenancies=lets)) == [(29, "watch"), (43, "opened"), (44, "closed"), (99, "watch")]


def test_with_one_card_another_threshold_may_hold() -> None:
    strict = dict(reading.ABSENCE) | {"open_one_card": 4}
    one = directory(life(), absence=strict)
    assert said(one) == [(29, "watch"), (57, "opened"), (57, "reminded"), (85, "case")]
    assert said(replace(one, cards=[HOUSE, replace(HOUSE, card="b", obliged=False)])) == SILENCE


def test_a_day_needs_an_obliged_card_that_was_known_before_it_began() -> None:
    known = replace(HOUSE, known=begins(GO + 5))
    assert opened(directory(life(), cards=[replace(known, known=begins(GO + 4) - 1)])).days_counted[0] == GO + 4
    evidence = [line.evidence for line in Recount(directory(life(), cards=[known])).lines() if line.change == "opened"]
    assert evidence[0]["periods"][0]["from"] == "2026-01-19", "nine days of the first period are too few"
    assert said(directory(life(), cards=[replace(HOUSE, obliged=False)])) == []


def test_a_card_registered_later_makes_its_taps_known_then() -> None:
    taps = [tap("DMG-01", begins(GO + 14 * k) + 9 * HOUR, card="b") for k in range(7)]
    late = replace(HOUSE, card="b", known=begins(GO + 50))
    assert said(directory(life(taps=taps), cards=[HOUSE, late])) == [(29, "watch"), (43, "opened"), (50, "retracted")]


def test_a_tap_counts_only_while_its_card_is_valid_that_day_included() -> None:
    taps = [tap("DMG-01", begins(GO + 10) + 9 * HOUR)]
    assert said(directory(life(taps=taps), cards=[replace(HOUSE, last=GO + 9), replace(HOUSE, card="b")])) == SILENCE
    kept = directory(life(taps=taps), cards=[replace(HOUSE, last=GO + 10), replace(HOUSE, card="b")])
    assert said(kept)[0] == (43, "watch")


def test_declared_days_are_lost_and_do_not_hold_the_clock() -> None:
    """The seqs of days 20 and 21 never come; the nearest records are of days 19 and 22."""
    facts = [fact for fact in life() if not (200 < fact.body.get("seq", 0) <= 220)]
    stuck = directory(facts)
    assert said(stuck) == []
    given_up = Days("DMG-01", GO + 19, GO + 22, begins(GO + 30))
    made = replace(stuck, lost=[given_up])
    assert said(made) == [(30, "watch"), (43, "opened"), (57, "reminded"), (85, "case")]
    assert opened(made).evidence["days_not_counted"] == {"lost": 4}
    assert said(replace(stuck, lost=[replace(given_up, last=GO + 21)])) == []


def test_dropped_records_close_the_gap_and_their_days_are_lost() -> None:
    facts = [fact for fact in life() if not (200 < fact.body.get("seq", 0) <= 230)]
    event = next(fact for fact in facts if fact.body.get("seq") == 239)
    event.body["event"] = "records_dropped"
    event.body["detail"] = {
        "outbox": "o", "from_seq": 201, "to_seq": 230,
        "from": written(begins(GO + 20) + HOUR), "to": written(begins(GO + 22) + 20 * HOUR),
    }  # fmt: skip
    made = directory(facts)
    assert said(made) == SILENCE
    assert opened(made).evidence["days_not_counted"] == {"lost": 3}


def test_a_later_outbox_proves_nothing_until_the_earlier_one_is_closed_and_whole() -> None:
    """On day 20 a new outbox begins; seq 200 of the old one comes on day 60."""
    facts = life()
    missing = next(fact for fact in facts if fact.body.get("seq") == 200)
    facts = [replace(fact, arrived=begins(GO + 60)) if fact is missing else fact for fact in facts]
    for fact in facts:
        seq = fact.body.get("seq", fact.body.get("last_seq"))
        if seq > 200:
            key = "seq" if "seq" in fact.body else "last_seq"
            fact.body.update({"outbox": "p", key: seq - 200})
    assert said(directory(facts)) == [], "never closed"
    event = next(fact for fact in facts if fact.body.get("seq") == 9 and fact.body["outbox"] == "p")
    event.body.update({"event": "outbox_closed", "detail": {"outbox": "o", "last_seq": 200}})
    assert said(directory(facts)) == [(60, "watch"), (60, "opened"), (60, "reminded"), (85, "case")]


def test_a_machine_that_was_removed_need_be_complete_no_further() -> None:
    old = Installation("DMG-01", "DMG", begins(GO - 2), begins(GO + 20), "Mon-Sun 08:00-16:00", ALWAYS)
    new = replace(old, device="DMG-02", installed=begins(GO + 20), removed=NEVER)
    facts = life(days=20) + life("DMG-02")
    assert said(directory(facts, installations=[old, new])) == SILENCE
    silent = [fact for fact in facts if fact.device == "DMG-02" or fact.body.get("last_seq", 0) <= 190]
    assert said(directory(silent, installations=[old, new])) == [], "what it held of its last day may still come"


def test_a_tap_in_the_future_waits_and_holds_the_clock_until_its_time_has_come() -> None:
    ahead = tap("DMG-01", begins(GO + 20), arrived=begins(GO + 1))
    assert said(directory(life(taps=[ahead])))[:2] == [(57, "watch"), (71, "opened")]


def neighbours(number: int, *, mass: dict[str, Any] | None = None, facts: list[Fact] | None = None) -> Directory:
    """So many flats, each with a card of its own."""
    units = [f"DMG/A/01/{door:02}" for door in range(1, number + 1)]
    return directory(
        facts or life(),
        estate_of=dict.fromkeys(units, "DMG"),
        tenancies=[Tenancy(unit, GO - 400, NEVER, ALWAYS) for unit in units],
        cards=[replace(HOUSE, card=f"card {unit}", unit=unit) for unit in units],
        mass=dict(reading.MASS) | (mass or {}),
    )


def changes(made: Directory) -> Counter[tuple[int, str, str]]:
    return Counter((calendar.day_of(line.at) - GO, line.kind, line.change) for line in Recount(made).lines())


def test_five_flats_due_at_once_open_and_six_are_held_under_one_flag_of_the_estate() -> None:
    five, six = changes(neighbours(5)), changes(neighbours(6))
    assert five[43, "UNIT_NO_TAPS", "opened"] == 5
    assert not [key for key in five if key[1] == "ESTATE_TAP_DROP"]
    assert (six[43, "UNIT_NO_TAPS", "held"], six[43, "ESTATE_TAP_DROP", "opened"]) == (6, 1)
    assert {change for _, kind, change in six if kind == "UNIT_NO_TAPS"} == {"watch", "held"}
    assert changes(neighbours(6, mass={"enabled": False}))[43, "UNIT_NO_TAPS", "opened"] == 6


def test_what_is_held_ends_by_a_tap_and_the_estate_s_flag_ends_with_the_last_of_them() -> None:
    taps = [tap("DMG-01", begins(GO + 50 + day), card=f"card DMG/A/01/{day:02}") for day in range(1, 7)]
    found = changes(neighbours(6, facts=life(taps=taps)))
    ends = [key for key in sorted(found) if key[2] == "closed"]
    assert ends == [
        *((52 + day, "UNIT_NO_TAPS", "closed") for day in range(5)),
        (57, "ESTATE_TAP_DROP", "closed"),
        (57, "UNIT_NO_TAPS", "closed"),
    ]


def test_an_estate_whose_taps_fall_below_two_fifths_of_the_usual_holds_even_one() -> None:
    """Strangers tap daily for four periods and stop: the fifth has none."""
    usual = [tap("DMG-01", begins(GO + day) + 9 * HOUR, card="a stranger's") for day in range(56)]
    found = changes(neighbours(1, facts=life(taps=usual)))
    assert (found[71, "ESTATE_TAP_DROP", "opened"], found[43, "UNIT_NO_TAPS", "opened"]) == (1, 1)
    assert not [key for key in found if key[2] == "held"], "it was open before"


def test_the_recount_imports_nothing_of_the_cloud() -> None:
    for path in Path(reading.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith(("cloud", "contract", "demo", "edge"))], path
