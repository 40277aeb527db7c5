"""The command line: what officials read is Indonesian, lists name no household, and each exit code means something."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, text

from cloud.alerts import __main__ as program
from cloud.alerts import evaluating
from cloud.alerts.evaluating import Circumstances
from cloud.alerts.findings import Finding, Findings, Standing
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policies
from cloud.records import Connection, Records, migrate, open_records
from cloud.records.schema import estates, installations

NOW = datetime(2026, 5, 29, 3, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
UNIT = "DMG/B/03/12"
Call = Callable[..., Result]


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/records.db"
    migrate.upgrade(url)
    return url


@pytest.fixture
def records(url: str) -> Iterator[Records]:
    with open_records(url) as opened:
        yield opened


@pytest.fixture
def call(url: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(program, "now", lambda: NOW)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(program.main, arguments, env={"HADIR_DATABASE_URL": url, "COLUMNS": "200"})

    return run


@pytest.fixture
def two_flags(records: Records) -> None:
    """FLG-26-00001 of a machine, FLG-26-00002 of a unit; another unit is held."""

    def judge(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
        return Findings(
            (
                Finding(Kind.DEVICE_OFFLINE, "DMG-01", "DMG", NOW_MS - 3_600_000, {"heard_ms": 1}),
                Finding(Kind.UNIT_NO_TAPS, UNIT, "DMG", NOW_MS, {"missed_periods": 3}),
                Finding(Kind.UNIT_NO_TAPS, "PSK/A/01/01", "PSK", NOW_MS, is_held=True),
            )
        )

    evaluating.evaluate(records, Policies(), now_ms=NOW_MS, circumstances=Circumstances((judge,)))


@pytest.mark.usefixtures("two_flags")
def test_a_list_names_machines_and_no_household(call: Call) -> None:
    shown = call("flags")
    assert shown.exit_code == 0 and "FLG-26-00001" in shown.output and "DMG-01" in shown.output
    assert "terbuka" in shown.output and "belum diambil" in shown.output and "WIB" in shown.output
    assert UNIT not in shown.output and UNIT not in call("flags", "--json").output
    (machine,) = json.loads(call("flags", "--kind", "DEVICE_OFFLINE", "--json").output)
    assert (machine["flag"], machine["subject"]) == ("FLG-26-00001", "DMG-01")
    assert json.loads(call("flags", "--estate", "PSK", "--json").output) == []


@pytest.mark.usefixtures("two_flags")
def test_one_flag_is_shown_with_its_evidence_and_history_to_whoever_says_who_they_are(call: Call) -> None:
    assert call("show", "FLG-26-00002").exit_code == 2
    shown = call("show", "FLG-26-00002", "--by", "budi")
    assert UNIT in shown.output and "Periode tanpa tap" in shown.output and "dibuka" in shown.output
    told = json.loads(call("show", "FLG-26-00002", "--by", "budi", "--json").output)
    assert (told["subject"], [event["what"] for event in told["history"]]) == (UNIT, ["watch", "opened"])


@pytest.mark.usefixtures("two_flags")
def test_a_flag_is_taken_given_and_decided(call: Call) -> None:
    taken = call("ack", "FLG-26-00001", "--by", "budi", "--hours", "2")
    assert taken.output == "FLG-26-00001 diambil oleh budi sampai 29 Mei 2026 12.00 WIB.\n"
    assert call("assign", "FLG-26-00001", "siti", "--by", "budi").output == "FLG-26-00001 ditugaskan kepada siti.\n"
    decided = json.loads(call("decide", "FLG-26-00001", "repaired", "--by", "siti", "--json").output)
    assert (decided["handling"], decided["outcome"]) == ("decided", "repaired")
    refused = call("ack", "FLG-26-00001", "--by", "budi")
    assert (refused.exit_code, refused.output) == (1, "Error: FLG-26-00001 sudah diputuskan.\n")


def test_what_is_not_there_is_one_sentence(call: Call) -> None:
    for arguments in (
        ("show", "FLG-26-00009", "--by", "budi"),
        ("gate", "release", "DMG", "--by", "budi", "--reason", "x"),
        ("test-message", "nobody"),
    ):
        refused = call(*arguments)
        assert refused.exit_code == 1 and refused.output.count("\n") == 1 and "Traceback" not in refused.output


@pytest.mark.usefixtures("two_flags")
def test_the_gate_is_opened_or_shut_by_a_human_with_a_reason(call: Call) -> None:
    assert call("gate", "release", "PSK", "--by", "budi").exit_code == 2
    assert call("gate", "release", "PSK", "--by", "budi", "--reason", "diperiksa").output == "1 flag di PSK dilepas.\n"
    assert call("gate", "dismiss", "PSK", "--by", "budi", "--reason", "pasar").exit_code == 1


def test_a_silence_says_of_what_and_until_when(call: Call) -> None:
    words = ("--by", "budi", "--reason", "pemeliharaan", "--hours", "2")
    assert call("silence", *words).exit_code == 2
    assert call("silence", *words, "--estate", "DMG").output.endswith("29 Mei 2026 12.00 WIB.\n")


def test_the_policy_is_checked_against_the_registry(call: Call, records: Records, tmp_path: Path) -> None:
    def register(connection: Connection) -> None:
        place = {"estate": "DMG", "name": "Damai", "go_live": date(2026, 1, 1)}
        connection.execute(insert(estates), place)
        stood = {"device": "DMG-01", "estate": "DMG", "installed_ms": 0, "known_from_ms": 0}
        connection.execute(insert(installations), stood)

    assert call("policy", "check").output.startswith("Kebijakan ")
    records.write(register)
    assert call("policy", "check").exit_code == 0
    file = tmp_path / "policy.toml"
    file.write_text("[absence]\nmin_able_share = 1\n")
    found = call("policy", "check", str(file), "--json")
    assert (found.exit_code, json.loads(found.output)[0]["obstacle"]) == (3, "every_minute")
    file.write_text("[absence]\nopen = 0\n")
    bad = call("policy", "check", str(file))
    assert bad.exit_code == 1 and "absence.open" in bad.output


@pytest.mark.usefixtures("two_flags")
def test_a_forgery_is_found(call: Call, records: Records) -> None:
    assert json.loads(call("verify", "--json").output)["broken_at"] is None

    def forge(connection: Connection) -> None:
        connection.execute(text("DROP TRIGGER flag_events_no_update"))
        connection.execute(text("UPDATE flag_events SET what = 'closed' WHERE id = 1"))

    records.write(forge)
    found = call("verify")
    assert found.exit_code == 3 and "kejadian 1" in found.output


def test_settings_that_are_missing_are_named() -> None:
    refused = CliRunner().invoke(program.main, ["run"], env={})
    assert refused.exit_code == 1 and "HADIR_BROKER" in refused.output and "HADIR_HISTORY" in refused.output
    twice = CliRunner().invoke(program.main, ["flags"], env={"HADIR_DATABASE_URL": ""})
    assert twice.exit_code == 1 and "HADIR_DATABASE_URL_FILE" in twice.output


def test_every_command_explains_itself() -> None:
    for name in program.main.commands:
        assert CliRunner().invoke(program.main, [name, "--help"]).exit_code == 0
