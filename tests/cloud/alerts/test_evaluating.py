"""One evaluation over real tables: what is written, what is returned, and what a second worker finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from cloud.alerts import evaluating, stored
from cloud.alerts.evaluating import Circumstances, TooBusy
from cloud.alerts.findings import Ended, Finding, Findings, Standing
from cloud.alerts.flags import chain
from cloud.alerts.flags.changes import Change, What
from cloud.alerts.kinds import Ending, Kind, Level
from cloud.alerts.policy import Policies
from cloud.days import DAY, MINUTE
from cloud.records import Connection, Records, flags

NOW = 1_780_000_000_000  # 29 May 2026
UNIT = "DMG/B/03/12"


@dataclass
class Rules:
    """Says what it is told to say; notes what stood when it was asked."""

    findings: Findings = field(default_factory=Findings)
    stood: list[Standing] = field(default_factory=list)

    def __call__(self, connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
        self.stood.append(standing)
        return self.findings


@dataclass
class Told:
    """Keeps what it is given to tell."""

    changes: list[Change] = field(default_factory=list)

    def __call__(
        self, connection: Connection, policies: Policies, /, *, now_ms: int, changes: Sequence[Change]
    ) -> None:
        self.changes += changes


def missed(level: Level, *, is_held: bool = False, run: str = "2026-03-01") -> Finding:
    return Finding(
        Kind.UNIT_NO_TAPS, UNIT, "DMG", NOW - DAY, {"missed_periods": 3}, level=level, run=run, is_held=is_held
    )


def offline(device: str, estate: str = "DMG") -> Finding:
    return Finding(Kind.DEVICE_OFFLINE, device, estate, NOW - 20 * MINUTE, {"heard_ms": NOW - 20 * MINUTE})


def evaluate(records: Records, rules: Rules, now_ms: int = NOW, *, tell: Told | None = None) -> list[Change]:
    around = Circumstances((rules,), tell, is_replay=True)
    return evaluating.evaluate(records, Policies(), now_ms=now_ms, circumstances=around)


def chain_of(records: Records) -> list[chain.Event]:
    return records.read(lambda connection: [stored.event(row) for row in flags.all_events(connection)])


def whats(changes: Sequence[Change]) -> list[str]:
    return [str(each.what) for each in changes]


def test_each_threshold_passed_gives_its_own_change_and_the_opening_a_number(records: Records) -> None:
    changes = evaluate(records, Rules(Findings((missed(Level.REMIND),))))
    assert whats(changes) == ["watch", "opened", "reminded"]
    assert {each.flag for each in changes} == {"FLG-26-00001"}
    assert changes[0].evidence == {"rule": "1", "policy": "default", "missed_periods": 3}


def test_the_same_facts_again_write_nothing(records: Records) -> None:
    rules = Rules(Findings((missed(Level.OPEN), offline("DMG-01"))))
    assert whats(evaluate(records, rules)) == ["opened", "watch", "opened"]
    before = chain_of(records)
    assert evaluate(records, rules) == [] == evaluate(records, rules, NOW + MINUTE)
    assert chain_of(records) == before


def test_where_nothing_changes_no_transaction_writes(records: Records) -> None:
    rules = Rules(Findings((missed(Level.OPEN),)))
    evaluate(records, rules)

    class ReadOnly:
        read = records.read

    around = Circumstances((rules,), is_replay=True)
    assert evaluating.evaluate(ReadOnly(), Policies(), now_ms=NOW, circumstances=around) == []  # type: ignore[arg-type]


def test_a_root_that_is_over_is_remembered_until_it_is_settled(records: Records) -> None:
    root = Finding(Kind.ESTATE_OFFLINE, "DMG", "DMG", NOW)
    evaluate(records, Rules(Findings((root, offline("DMG-01")))))
    over = Ended(Kind.ESTATE_OFFLINE, "DMG", Ending.SUPERSEDED)
    assert whats(evaluate(records, Rules(Findings((offline("DMG-01"),), (over,))), NOW + MINUTE)) == ["superseded"]
    still = Rules(Findings((offline("DMG-01"),)))
    assert evaluate(records, still, NOW + 10 * MINUTE) == []
    assert whats(evaluate(records, still, NOW + 11 * MINUTE)) == ["opened"]


def test_numbers_follow_kind_and_subject_so_that_replays_agree(records: Records) -> None:
    changes = evaluate(records, Rules(Findings((missed(Level.OPEN), offline("PSK-02", "PSK"), offline("DMG-01")))))
    opened = [(each.subject, each.flag) for each in changes if each.what is What.OPENED]
    assert opened == [("DMG-01", "FLG-26-00001"), ("PSK-02", "FLG-26-00002"), (UNIT, "FLG-26-00003")]


def test_a_rule_is_told_what_stands(records: Records) -> None:
    rules = Rules(Findings((missed(Level.OPEN),)))
    evaluate(records, rules)
    evaluate(records, rules, NOW + MINUTE)
    (stands,) = rules.stood[-1].values()
    assert (stands.run, stands.level, stands.is_open, stands.opened_ms) == ("2026-03-01", Level.OPEN, True, NOW)


def test_an_end_and_another_episode_are_two_flags(records: Records) -> None:
    evaluate(records, Rules(Findings((missed(Level.OPEN),))))
    over = Ended(Kind.UNIT_NO_TAPS, UNIT, Ending.CLOSED, {"reason": "tap"})
    again = Rules(Findings((missed(Level.OPEN, run="2026-06-01"),), (over,)))
    changes = evaluate(records, again, NOW + DAY)
    assert [(str(each.what), each.flag) for each in changes] == [
        ("closed", "FLG-26-00001"),
        ("watch", "FLG-26-00002"),
        ("opened", "FLG-26-00002"),
    ]


def test_the_chain_holds_and_shows_what_was_changed_behind_its_back(records: Records) -> None:
    rules = Rules(Findings((missed(Level.OPEN),)))
    evaluate(records, rules)
    evaluate(records, Rules(Findings(ended=(Ended(Kind.UNIT_NO_TAPS, UNIT, Ending.RETRACTED),))), NOW + DAY)
    events = chain_of(records)
    assert [event.what for event in events] == ["watch", "opened", "retracted"]
    assert chain.broken(events) is None


def test_what_another_wrote_between_reading_and_writing_is_read_first(records: Records) -> None:
    rules, rival = Rules(Findings((missed(Level.OPEN),))), Rules(Findings((missed(Level.OPEN),)))

    def meanwhile(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
        if not rival.stood:
            evaluate(records, rival)
        return rules(connection, policies, now_ms=now_ms, standing=standing)

    around = Circumstances((meanwhile,), is_replay=True)
    assert evaluating.evaluate(records, Policies(), now_ms=NOW, circumstances=around) == []
    assert [event.what for event in chain_of(records)] == ["watch", "opened"]


def test_nothing_is_told_of_what_was_not_written(records: Records) -> None:
    told, number = Told(), iter(range(100))

    def restless(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
        evaluate(records, Rules(Findings((offline(f"DMG-{next(number):02}"),))))
        return Findings((missed(Level.OPEN),))

    with pytest.raises(TooBusy):
        evaluating.evaluate(records, Policies(), now_ms=NOW, circumstances=Circumstances((restless,), told))
    assert told.changes == []
