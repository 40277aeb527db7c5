from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contract import topics
from contract.topics import DeviceId
from provisioning import ca
from provisioning.__main__ import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    assert run("ca", "init", tmp_path / "ca").exit_code == 0
    return tmp_path / "ca"


def test_a_fleet_is_set_up_by_five_commands(authority: Path, tmp_path: Path) -> None:
    broker = tmp_path / "broker"
    assert run("ca", "server", authority, "--host", "broker.example.id", "--out", broker / "tls").exit_code == 0
    assert run("ca", "issue", authority, "ingest", "--out", tmp_path).exit_code == 0
    assert run("keys", "new", "k2026", "--out", tmp_path).exit_code == 0
    assert run("keys", "pepper", tmp_path / "pepper").exit_code == 0
    assert run("broker", "acl", broker, "DMG-01").exit_code == 0
    assert {file.name for file in (broker / "tls").iterdir()} == {"ca.pem", "crl.pem", "server.key", "server.pem"}
    assert str(topics.records(DeviceId("DMG-01"))) in (broker / "acl").read_text()
    assert {"ingest.key", "ingest.pem", "ca.pem", "k2026.key", "k2026.pub", "pepper"} <= {
        file.name for file in tmp_path.iterdir()
    }


def test_a_request_made_on_the_machine_is_signed_without_a_key_leaving_it(authority: Path, tmp_path: Path) -> None:
    (tmp_path / "csr.pem").write_bytes(ca.pem(ca.request(ca.new_key(), "DMG-01")))
    out = tmp_path / "out"
    out.mkdir()
    assert run("ca", "issue", authority, "DMG-01", "--csr", tmp_path / "csr.pem", "--out", out).exit_code == 0
    assert [file.name for file in out.iterdir()] == ["DMG-01.pem"]


def test_one_command_issues_to_many_but_a_request_is_one_machines(authority: Path, tmp_path: Path) -> None:
    assert run("ca", "issue", authority, "DMG-01", "DMG-02", "--out", tmp_path).exit_code == 0
    assert {"DMG-01.key", "DMG-01.pem", "DMG-02.key", "DMG-02.pem"} <= {file.name for file in tmp_path.iterdir()}
    (tmp_path / "csr.pem").write_bytes(ca.pem(ca.request(ca.new_key(), "DMG-03")))
    refused = run("ca", "issue", authority, "DMG-03", "DMG-04", "--csr", tmp_path / "csr.pem", "--out", tmp_path)
    assert refused.exit_code == 2
    assert "give one NAME with --csr" in refused.output


def test_revoking_says_how_many_and_what_is_next(authority: Path, tmp_path: Path) -> None:
    run("ca", "issue", authority, "DMG-01", "--out", tmp_path)
    result = run("ca", "revoke", authority, "DMG-01")
    assert result.exit_code == 0
    assert "1 certificate(s) of DMG-01 revoked" in result.output and "--reload" in result.output
    assert run("ca", "crl", authority).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ca", "init", "{ca}"], "already holds an authority"),
        (["ca", "issue", "{ca}", "a/b"], "cannot name a machine"),
        (["ca", "revoke", "{ca}", "DMG-09"], "check the name"),
        (["ca", "crl", "{empty}"], "hadir-provision ca init"),
        (["broker", "acl", "{empty}", "no device"], "no device id"),
        (["broker", "acl", "{empty}", "DMG-01", "--reload"], "no mosquitto.pid"),
        (["keys", "new", "TOO LOUD", "--out", "{empty}"], "no key id"),
    ],
    ids=["second authority", "bad name", "unknown name", "no authority", "bad device", "no broker", "bad key id"],
)
def test_a_mistake_is_answered_by_a_sentence_and_a_non_zero_exit(
    authority: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    result = run(*(one.format(ca=authority, empty=tmp_path / "empty") for one in arguments))
    assert result.exit_code == 1
    assert said in result.output and "Traceback" not in result.output
