"""The list of people: read as a whole, or refused with every fault and no name."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cloud.alerts import roster
from cloud.alerts.__main__ import main
from cloud.alerts.roster import BadRoster
from cloud.records import open_records, people
from cloud.records.people import Duty, Role

GOOD = """
[[person]]
person = "noc-01"
name = "Siti Rahayu"
duties = ["noc"]
addresses = ["telegram:-100123", "smtp:noc@example.org"]
[[person]]
person = "noc-02"
name = "Budi Santoso"
duties = ["supervisor", "uprs_head"]
addresses = ["console:noc-02"]
"""


def entry(**more: object) -> str:
    values = {"person": '"tek-01"', "name": '"Siti Rahayu"', "duties": '["noc"]', "addresses": '["console:a"]'}
    return "[[person]]\n" + "\n".join(f"{key} = {value}" for key, value in (values | more).items())


def test_the_example_can_be_read() -> None:
    (person,) = roster.parse(roster.EXAMPLE, ["PSK"])
    assert person.duties == {Duty(Role.TECHNICIAN, "PSK"), Duty(Role.NOC)}
    assert [address.channel for address in person.addresses] == ["whatsapp", "smtp"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[person", "no TOML"),
        ("", "person"),
        (entry(person='"Siti Rahayu"'), r"person\.0\.person"),
        (entry(duties='["boss"]'), "'boss'"),
        (entry(duties="[]"), "duties"),
        (entry(duties='["noc:XYZ"]'), "no estate XYZ"),
        (entry(addresses='["fax:1"]'), "CHANNEL:WHERE"),
        (entry(addresses='["smtp:"]'), "CHANNEL:WHERE"),
        (entry(phone='"1"'), "phone"),
        (entry() + "\n" + entry(), "2 times"),
    ],
)
def test_a_bad_list_is_refused_and_says_why_without_a_name(text: str, words: str) -> None:
    with pytest.raises(BadRoster, match=words) as caught:
        roster.parse(text, ["PSK"])
    assert "Siti Rahayu" not in str(caught.value) or "person.0.person" in str(caught.value)


@pytest.fixture
def run(records_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HADIR_DATABASE_URL", records_url)
    return lambda *words: CliRunner().invoke(main, ["people", *words])


def test_a_list_is_loaded_and_shown_without_names_and_addresses(run, tmp_path: Path, records_url: str) -> None:
    file = tmp_path / "people.toml"
    file.write_text(GOOD, "utf-8")
    loaded, shown = run("load", str(file)), run("list")
    assert (loaded.exit_code, loaded.output) == (0, "2 penerima tercatat.\n")
    assert shown.output == "noc-01\tnoc:*\ttelegram, smtp\nnoc-02\tsupervisor:*, uprs_head:*\tconsole\n"


def test_whoever_is_no_longer_in_the_list_is_told_nothing_more(run, tmp_path: Path, records_url: str) -> None:
    file = tmp_path / "people.toml"
    for text in (GOOD, "[[person]]" + GOOD.split("[[person]]")[2]):
        file.write_text(text, "utf-8")
        assert run("load", str(file)).exit_code == 0
    assert run("list").output.startswith("noc-02\t")


def test_a_disabled_address_is_enabled_again_by_hand(run, tmp_path: Path, records_url: str) -> None:
    file = tmp_path / "people.toml"
    file.write_text(GOOD, "utf-8")
    run("load", str(file))
    with open_records(records_url) as records:
        (first, _) = records.read(lambda connection: people.named(connection, "noc-01")).addresses
        records.write(lambda connection: people.disable(connection, first.id, because="blocked", now_ms=1))
    assert "telegram (nonaktif), smtp" in run("list").output
    run("load", str(file))
    assert "telegram (nonaktif), smtp" in run("list").output
    assert run("enable", "noc-01", "telegram").output == "1 alamat diaktifkan kembali.\n"
    assert "telegram, smtp" in run("list").output


def test_a_bad_list_leaves_everybody_as_they_were(run, tmp_path: Path) -> None:
    file = tmp_path / "people.toml"
    file.write_text(GOOD, "utf-8")
    run("load", str(file))
    file.write_text(entry(duties='["noc:XYZ"]'), "utf-8")
    refused = run("load", str(file))
    assert refused.exit_code == 1 and "no estate XYZ" in refused.output
    assert run("list").output.count("\n") == 2
