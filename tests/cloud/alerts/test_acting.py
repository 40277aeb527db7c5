"""What people do, over real tables: the flag, its event, and that somebody looked."""

from __future__ import annotations

import json

import pytest

from cloud.alerts import acting, evaluating, stored
from cloud.alerts.acting import Desk, NothingHeld, UnknownFlag, UnknownPerson
from cloud.alerts.evaluating import Circumstances
from cloud.alerts.findings import Finding, Findings, Standing
from cloud.alerts.flags.flag import Gate, Handling, Outcome
from cloud.alerts.flags.hushes import Silence
from cloud.alerts.kinds import Kind, Level
from cloud.alerts.policy import Policies
from cloud.days import DAY, HOUR, MINUTE
from cloud.records import BadData, Connection, Records, disclosures, flags

NOW = 1_780_000_000_000
UNIT = "DMG/B/03/12"
FIRST = "FLG-26-00001"


def judged(records: Records, *found: Finding, now_ms: int = NOW) -> list[str]:
    def judge(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
        return Findings(found)

    around = Circumstances((judge,))
    return [str(each.what) for each in evaluating.evaluate(records, Policies(), now_ms=now_ms, circumstances=around)]


def missed(unit: str = UNIT, *, level: Level = Level.OPEN, is_held: bool = False) -> Finding:
    return Finding(Kind.UNIT_NO_TAPS, unit, "DMG", NOW, level=level, run="r", is_held=is_held)


def offline() -> Finding:
    return Finding(Kind.DEVICE_OFFLINE, "DMG-01", "DMG", NOW)


def desk(records: Records, *, minutes: int = 1) -> Desk:
    return Desk(records, "budi", NOW + minutes * MINUTE)


def events(records: Records, number: str) -> list[tuple[str, str]]:
    return [(event.what, event.by) for event in desk(records).look(number)[1]]


def test_each_act_is_an_event_with_its_author_and_the_chain_holds(records: Records) -> None:
    judged(records, offline())
    assert desk(records).acknowledge(FIRST, expiry_h=2).acknowledged_until_ms == NOW + MINUTE + 2 * HOUR
    assert desk(records).assign(FIRST, to="siti", expiry_h=72).owner == "siti"
    assert desk(records).decide(FIRST, Outcome.REPAIRED).handling is Handling.DECIDED
    assert events(records, FIRST) == [
        ("opened", ""),
        ("acknowledged", "budi"),
        ("assigned", "budi"),
        ("decided", "budi"),
    ]
    broken, head = records.read(acting.verified)
    assert (broken, head.event_id) == (None, 4)


def test_an_unknown_number_is_said(records: Records) -> None:
    with pytest.raises(UnknownFlag, match="FLG-26-00009"):
        desk(records).acknowledge("FLG-26-00009", expiry_h=1)
    with pytest.raises(UnknownPerson, match="nobody"):
        desk(records).test("nobody")


def test_an_acknowledgement_runs_out_at_the_next_evaluation(records: Records) -> None:
    judged(records, offline())
    desk(records).acknowledge(FIRST, expiry_h=1)
    judged(records, offline(), now_ms=NOW + 2 * HOUR)
    assert events(records, FIRST)[-1] == ("ack_expired", "")


def test_what_a_human_releases_opens_at_the_next_evaluation_and_what_he_dismisses_does_not(records: Records) -> None:
    held = missed(is_held=True)
    assert judged(records, held) == ["watch", "held"]
    with pytest.raises(NothingHeld):
        desk(records).release("PSK", "looked")
    assert desk(records).release("DMG", "looked") == 1
    other = missed("DMG/B/03/13", is_held=True)
    assert judged(records, held, other, now_ms=NOW + MINUTE) == ["opened", "watch", "held"]
    assert desk(records).dismiss("DMG", "a fair that day") == 1
    assert judged(records, held, other, now_ms=NOW + 2 * MINUTE) == []
    gates = records.read(lambda connection: [stored.flag(row).gate for row in flags.alive(connection)])
    assert sorted(gates) == [Gate.DISMISSED, Gate.RELEASED]


def test_looking_at_a_household_leaves_a_row_and_looking_at_a_machine_none(records: Records) -> None:
    judged(records, missed(), offline())
    machine, unit = (FIRST, "FLG-26-00002")
    assert desk(records).look(machine)[0].subject == "DMG-01"
    assert records.read(lambda connection: disclosures.since(connection, 0)) == []
    assert desk(records).look(unit)[0].subject == UNIT
    (read,) = records.read(lambda connection: disclosures.since(connection, 0))
    assert (read.reader, read.what, read.subject, read.purpose) == ("budi", "flag", UNIT, unit)


def test_a_card_is_not_named_in_who_looked_at_it(records: Records) -> None:
    judged(records, Finding(Kind.REVOKED_CARD, "c" * 64, "DMG", NOW))
    desk(records).look(FIRST)
    (read,) = records.read(lambda connection: disclosures.since(connection, 0))
    assert read.subject == ""


def test_whoever_looks_says_who_they_are(records: Records) -> None:
    judged(records, missed())
    with pytest.raises(BadData):
        Desk(records, "", NOW).look(FIRST)


def test_a_silence_hushes_from_the_next_evaluation_and_is_in_the_chain(records: Records) -> None:
    desk(records, minutes=0).silence(Silence(NOW, NOW + HOUR, "maintenance", "budi", estate="DMG"))
    judged(records, offline(), now_ms=NOW + MINUTE)
    flag, history = desk(records).look(FIRST)
    assert [str(hush) for hush in flag.hushed] == ["silence"] and not flag.is_told
    assert json.loads(history[0].detail)["speaks"] is False
    assert records.read(acting.verified)[1].event_id == 3  # silenced, opened, hushed


def test_a_silence_has_an_end_a_reason_and_an_author(records: Records) -> None:
    for silence in (
        Silence(NOW, NOW, "because", "budi"),
        Silence(NOW, NOW + 1, "", "budi"),
        Silence(NOW, NOW + 1, "because", ""),
    ):
        with pytest.raises(BadData):
            desk(records).silence(silence)
    assert records.read(acting.verified)[1].event_id == 0


def test_a_unit_found_inhabited_is_left_alone(records: Records) -> None:
    judged(records, missed())
    desk(records).decide(FIRST, Outcome.INHABITED)
    judged(records, missed(level=Level.REMIND), now_ms=NOW + DAY)
    history = desk(records).look(FIRST)[1]
    reminded = next(event for event in history if event.what == "reminded")
    assert json.loads(reminded.detail)["speaks"] is False
