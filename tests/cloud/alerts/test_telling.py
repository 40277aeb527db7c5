"""From a change to what its readers get: telling and sending together, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from postal import HOUR, MINUTE, NOON, Rig, Scripted, draft, person

from cloud.alerts import policy, stored, telling
from cloud.alerts.channels import Traits
from cloud.alerts.flags.changes import Change, What
from cloud.alerts.flags.flag import Condition, Flag
from cloud.alerts.kinds import NATURE, Kind, Severity
from cloud.records import Records, flags, registrar
from cloud.records.people import Role

FLAG = "FLG-26-00417"
POLICIES = policy.shipped()
NIGHT = NOON + 9 * HOUR


def row(device: str, number: int) -> dict[str, Any]:
    place = {"device": device, "estate": "PSK", "installed_ms": 0, "removed_ms": None, "service_hours": ""}
    return {"id": number, **place, "known_from_ms": 0}


@pytest.fixture
def rig(records: Records) -> Rig:
    made = Rig(
        records, {"chat": Scripted(traits=Traits(can_amend=True)), "smtp": Scripted(traits=Traits(is_chat=False))}
    )
    made.know(
        person("noc", Role.NOC),
        person("tek", Role.TECHNICIAN, scope="PSK"),
        person("uprs", Role.UPRS, "chat:uprs", "smtp:uprs@example", scope="PSK"),
    )
    estate = {"estate": "PSK", "name": "Pesakih", "lat": None, "lon": None, "go_live": date(2026, 1, 1)}
    rows = [("estates", estate, True), ("installations", row("PSK-01", 1), True)]
    records.write(lambda connection: registrar.write(connection, rows, touched=[], now_ms=1))
    return made


def change(what: What, kind: Kind = Kind.DEVICE_OFFLINE, **more: Any) -> Change:
    subject = "PSK/B/03/12" if NATURE[kind].is_about_people else "PSK-01"
    values = {"at_ms": NOON, "subject": subject, "severity": NATURE[kind].severity, "evidence": {}, "flag": FLAG}
    return Change(kind=kind, what=what, **(values | {"estate": "PSK", "since_ms": NOON - 15 * MINUTE} | more))


def tell(rig: Rig, *changes: Change) -> None:
    rig.records.write(lambda connection: telling.tell(connection, POLICIES, now_ms=rig.now_ms, changes=changes))


def test_one_message_when_it_begins_and_one_when_it_ends(rig: Rig) -> None:
    tell(rig, change(What.OPENED))
    rig.run()
    rig.later(20 * MINUTE)
    tell(rig, change(What.CLOSED, at_ms=rig.now_ms, evidence={"cause": "listrik"}))
    rig.run()
    rig.later(100 * HOUR)
    rig.run()
    assert [(message.address, message.text.headline) for message in rig.chat.sent] == [
        ("noc", f"[P2 · {FLAG}] Mesin Rusun Pesakih luring sejak 12 Mei 2026 11.45 WIB"),
        ("noc", f"[P2 · {FLAG}] Mesin Rusun Pesakih pulih 12 Mei 2026 12.20 WIB, setelah luring 35 menit"),
    ]


def test_the_technician_hears_after_an_hour_and_then_of_the_end_too(rig: Rig) -> None:
    tell(rig, change(What.OPENED))
    rig.run()
    rig.later(45 * MINUTE)
    rig.run()
    tell(rig, change(What.CLOSED, at_ms=rig.now_ms))
    rig.run()
    assert [message.address for message in rig.chat.sent] == ["noc", "tek", "noc", "tek"]
    assert "belum pulih" in rig.chat.headlines[1]


def test_telling_twice_writes_nothing_new(rig: Rig) -> None:
    tell(rig, change(What.OPENED))
    before = rig.notices()
    tell(rig, change(What.OPENED))
    assert rig.notices() == before


def test_taken_in_hand_the_technician_is_spared_until_it_expires(rig: Rig) -> None:
    tell(rig, change(What.OPENED))
    rig.run()
    until_ms = NOON + 3 * HOUR

    def take(connection: Any) -> None:
        telling.put_in_hand(connection, FLAG, by="tek", until_ms=until_ms, now_ms=rig.now_ms)

    rig.records.write(take)
    rig.run()
    assert rig.chat.sent[1].amends == "ref-1"
    assert "ditangani oleh tek" in rig.chat.sent[1].text.plain()
    rig.later(3 * HOUR - 1)
    rig.run()
    assert len(rig.chat.sent) == 2
    rig.later(1)
    rig.run()
    assert [message.address for message in rig.chat.sent[2:]] == ["tek"]


def test_what_somebody_unknown_calls_himself_is_in_no_chat(rig: Rig) -> None:
    tell(rig, change(What.OPENED))
    rig.run()

    def take(connection: Any) -> None:
        telling.put_in_hand(connection, FLAG, by="Siti Rahayu", until_ms=NOON + HOUR, now_ms=rig.now_ms)

    rig.records.write(take)
    rig.run()
    assert "Siti" not in rig.chat.sent[1].text.plain()


def test_the_unit_is_named_in_a_mail_alone(rig: Rig) -> None:
    evidence = {"missed_periods": 3, "days_counted": 38, "days_not_counted": {"machine": 4}}
    tell(rig, change(What.OPENED, Kind.UNIT_NO_TAPS, evidence=evidence))
    rig.run()
    (chat,) = rig.chat.sent
    assert "PSK/B/03/12" not in chat.text.plain()
    uprs_by_mail = person("uprs", Role.UPRS, "smtp:uprs@example", scope="PSK")
    rig.know(uprs_by_mail)
    tell(rig, change(What.REMINDED, Kind.UNIT_NO_TAPS, evidence=evidence, at_ms=NOON + 1))
    rig.run()
    (letter,) = rig.channels["smtp"].sent
    assert "PSK/B/03/12" in letter.text.plain()
    assert "Yth. Bapak/Ibu" in letter.letter and "Yth. Bapak/Ibu" in letter.html


def test_a_retraction_apologises_and_strikes_the_message_in_the_chat(rig: Rig) -> None:
    tell(rig, change(What.OPENED, Kind.UNIT_NO_TAPS))
    rig.run()
    tell(rig, change(What.RETRACTED, Kind.UNIT_NO_TAPS))
    rig.run()
    shown = [message.text.plain() for message in rig.chat.sent]
    assert "Kami mohon maaf" in shown[1] + shown[2]
    assert [message.amends for message in rig.chat.sent].count("ref-1") == 1


def test_a_fault_of_one_night_is_in_the_digest_alone(rig: Rig) -> None:
    """S16: from 21.00 to 05.00."""
    rig.now_ms = NIGHT + 15 * MINUTE
    began = {"at_ms": rig.now_ms, "since_ms": NIGHT}
    rig.records.write(lambda connection: telling.write_digests(connection, now_ms=rig.now_ms))
    tell(rig, change(What.OPENED, **began))
    rig.run()
    rig.now_ms = NIGHT + 8 * HOUR
    tell(rig, change(What.CLOSED, at_ms=rig.now_ms, since_ms=NIGHT))
    _store(rig, opened_ms=NIGHT + 15 * MINUTE, ended_ms=rig.now_ms)
    for _ in range(8):
        rig.later(HOUR // 2)
        rig.records.write(lambda connection: telling.write_digests(connection, now_ms=rig.now_ms))
        rig.run()
    assert rig.chat.sent == []
    (digest,) = rig.channels["smtp"].sent
    assert "Laporan harian Rusun Pesakih, Rabu, 13 Mei 2026: 1 selesai" in digest.text.headline
    assert f"Selesai: [P2 · {FLAG}] Mesin Rusun Pesakih pulih 13 Mei 2026 05.00 WIB" in digest.text.plain()


def _store(rig: Rig, *, opened_ms: int, ended_ms: int) -> None:
    began = Flag(Kind.DEVICE_OFFLINE, "PSK-01", "PSK", "", NIGHT, NIGHT, Severity.P2, condition=Condition.CLOSED)
    ended = replace(began, opened_ms=opened_ms, ended_ms=ended_ms, number=FLAG, flag_id=1)
    rig.records.write(lambda connection: flags.add(connection, [stored.flag_row(ended)]))


def test_on_a_holiday_p3_waits_for_the_next_working_day(rig: Rig) -> None:
    day = date(2026, 5, 12)
    holiday = {"scope": "*", "from_day": day, "to_day": day, "kind": "holiday", "reason": "x", "known_from_ms": 0}
    rows = [("calendar", {"id": 1, **holiday}, True)]
    rig.records.write(lambda connection: registrar.write(connection, rows, touched=[], now_ms=2))
    tell(rig, change(What.OPENED, Kind.UNIT_NO_TAPS))
    assert rig.run() == 0
    rig.later(20 * HOUR)
    assert rig.run() == 1


def test_what_a_sender_has_in_hand_is_not_withdrawn_but_ended(rig: Rig) -> None:
    tell(rig, change(What.OPENED))
    post = rig.post()
    errand = post.errand(rig.now_ms)
    assert errand is not None
    tell(rig, change(What.CLOSED))
    post.settle(errand, post.deliver(errand), rig.now_ms)
    rig.run()
    assert ["luring sejak" in line for line in rig.chat.headlines] == [True, False]


def test_rows_that_are_there_do_not_hide_other_flags(rig: Rig) -> None:
    rig.say(draft("noc", "FLG-26-00001"))
    tell(rig, change(What.OPENED), change(What.OPENED, flag="FLG-26-00418", subject="PSK-02"))
    assert len([key for key, _ in rig.states() if key.endswith(":noc")]) == 3
