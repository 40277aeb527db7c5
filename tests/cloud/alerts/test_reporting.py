"""What the history is told of a minute, from real tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert

from cloud.alerts import evaluating, policy, reporting
from cloud.alerts.evaluating import Circumstances
from cloud.alerts.findings import Finding, Findings, Standing
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policies
from cloud.days import DAY, HOUR, MINUTE, starts
from cloud.records import Connection, Records, migrate, open_records
from cloud.records.schema import calendar, estates, installations

TODAY = date(2026, 5, 29)
NOW = starts(TODAY) + 10 * HOUR


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    url = f"sqlite:///{tmp_path}/records.db"
    migrate.upgrade(url)
    with open_records(url) as opened:
        opened.write(_register)
        yield opened


def _register(connection: Connection) -> None:
    for code, machines in (("DMG", 1), ("PSK", 2)):
        connection.execute(insert(estates), {"estate": code, "name": code, "go_live": date(2026, 1, 1)})
        stood = [{"device": f"{code}-{number:02}", "estate": code} for number in range(1, machines + 1)]
        connection.execute(insert(installations), [{**each, "installed_ms": 0, "known_from_ms": 0} for each in stood])
    for scope, kind, known_ms in (("*", "holiday", 0), ("PSK", "flood", 0), ("DMG", "closure", NOW + HOUR)):
        days = {"from_day": TODAY, "to_day": TODAY, "reason": "kata orang"}
        connection.execute(insert(calendar), {**days, "scope": scope, "kind": kind, "known_from_ms": known_ms})


def judge(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
    machines = [("DMG-01", "DMG"), ("PSK-01", "PSK")]
    return Findings(tuple(Finding(Kind.DEVICE_OFFLINE, *each, NOW - HOUR) for each in machines))


def test_flags_outages_closures_and_policies_are_told_and_nothing_of_whom(records: Records) -> None:
    evaluating.evaluate(records, Policies(), now_ms=NOW, circumstances=Circumstances((judge,)))
    policies = policy.parse('[[amendment]]\nversion = "2026-2"\neffective = 2026-05-29')
    rows = records.read(lambda connection: reporting.read(connection, policies, minute_ms=NOW + MINUTE))
    told = [(dict(row.tags)["estate"], dict(row.tags)["kind"], dict(row.fields)) for row in rows]
    opened = {(estate, kind): fields["open"] for estate, kind, fields in told if "open" in fields}
    assert opened == {
        ("DMG", "DEVICE_OFFLINE"): 1,
        ("DMG", "UNIT_NO_TAPS"): 0,
        ("PSK", "DEVICE_OFFLINE"): 1,
        ("PSK", "UNIT_NO_TAPS"): 0,
    }
    events = sorted((estate, kind, fields["text"]) for estate, kind, fields in told if "text" in fields)
    assert events == [
        ("DMG", "closure", "Hari libur"),
        ("DMG", "outage", "Mesin rusun luring"),
        ("DMG", "policy", "Kebijakan 2026-2 berlaku"),
        ("PSK", "closure", "Banjir, Hari libur"),
        ("PSK", "policy", "Kebijakan 2026-2 berlaku"),
    ]


def test_what_is_long_over_is_not_written_again(records: Records) -> None:
    rows = records.read(lambda connection: reporting.read(connection, Policies(), minute_ms=NOW + 3 * DAY))
    assert [row for row in rows if "text" in dict(row.fields)] == []
