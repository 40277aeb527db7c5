"""`grafana apply` against a small Grafana with the documented answers, version 12 and 13.

What can be looked at from outside is also asked of a real one, when GRAFANA_URL and GRAFANA_PASSWORD_FILE name one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import real_grafana
from click.testing import CliRunner, Result
from real_grafana import RealGrafana
from small_grafana import SmallGrafana

from provisioning import grafana
from provisioning.__main__ import main

Either = SmallGrafana | RealGrafana


@pytest.fixture(params=["12.4.2", "13.1.3"])
def server(request: pytest.FixtureRequest) -> Iterator[SmallGrafana]:
    fake = SmallGrafana(request.param)
    yield fake
    fake.close()


REAL = [pytest.param("real", marks=pytest.mark.integration)] if real_grafana.IS_GIVEN else []


@pytest.fixture(params=["12.4.2", "13.1.3", *REAL])
def either(request: pytest.FixtureRequest) -> Iterator[Either]:
    """The small one, and the real one where it is given."""
    found: Either = RealGrafana() if request.param == "real" else SmallGrafana(request.param)
    yield found
    found.close()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("Token baca-agregat")
    return tmp_path


def apply(server: Either, secrets: Path, *more: str, password: str = "") -> Result:
    (secrets / "password").write_text(f"{password or server.password}\n")
    command = ["grafana", "apply", "--url", server.url, "--influx-url", server.influx_url]
    command += ["--password-file", str(secrets / "password"), "--token-file", str(secrets / "token"), *more]
    return CliRunner().invoke(main, command)


def test_the_officials_organisation_is_made(either: Either, secrets: Path) -> None:
    result = apply(either, secrets)
    assert result.exit_code == 0, result.output
    theirs = either.officials()
    assert set(theirs["sources"]) == {"aggregate"}
    assert theirs["sources"]["aggregate"]["database"] == "aggregate"
    assert set(theirs["dashboards"]) == {"hadir-kehadiran", "hadir-sla"}
    assert {board["meta"]["folderUid"] for board in theirs["dashboards"].values()} == {"hadir"}
    expected = {
        "homeDashboardUID": "hadir-kehadiran",
        "timezone": "Asia/Jakarta",
        "weekStart": "monday",
        "language": "id-ID",
    }
    assert expected.items() <= theirs["preferences"].items()


def test_what_was_preferred_beside_it_stays(server: SmallGrafana, secrets: Path) -> None:
    apply(server, secrets)
    assert server.officials()["preferences"]["theme"] == "dark"
    assert server.officials()["sources"]["aggregate"]["token"] == {"httpHeaderValue1": "Token baca-agregat"}


def test_the_noc_gets_its_home(either: Either, secrets: Path) -> None:
    apply(either, secrets)
    assert either.noc()["preferences"]["homeDashboardUID"] == "hadir-armada"


def test_the_noc_gets_nothing_else(server: SmallGrafana, secrets: Path) -> None:
    apply(server, secrets)
    noc = server.noc()
    assert noc["sources"] == noc["dashboards"] == noc["folders"] == {}


def test_doing_it_again_changes_nothing(either: Either, secrets: Path) -> None:
    apply(either, secrets)
    result = apply(either, secrets)
    assert result.exit_code == 0
    assert result.output.count("nothing to do") == 2, result.output


def test_doing_it_again_sends_nothing(server: SmallGrafana, secrets: Path) -> None:
    apply(server, secrets)
    server.writes.clear()
    apply(server, secrets)
    assert server.writes == []


def test_the_plan_comes_first_and_alone_on_request(either: Either, secrets: Path) -> None:
    result = apply(either, secrets, "--plan")
    assert result.exit_code == 0
    assert "Pejabat" not in either.names()
    assert "create the organisation Pejabat" in result.output
    assert "the new organisation: create the data source aggregate" in result.output
    assert "create the dashboard hadir-sla" in result.output


def test_the_plan_sends_nothing(server: SmallGrafana, secrets: Path) -> None:
    apply(server, secrets, "--plan")
    assert server.writes == []


def test_what_was_changed_by_hand_is_put_right(either: Either, secrets: Path) -> None:
    apply(either, secrets)
    either.spoil()
    result = apply(either, secrets)
    assert result.exit_code == 0
    assert "remove the data source ops: this organisation may reach aggregate alone" in result.output
    assert "put right the dashboard hadir-sla" in result.output
    assert "dashboard hadir-kehadiran" not in result.output
    theirs = either.officials()
    assert set(theirs["sources"]) == {"aggregate"}
    assert theirs["sources"]["aggregate"]["url"] == either.influx_url
    assert theirs["folders"]["hadir"]["title"] == "Hadir"
    assert theirs["dashboards"]["hadir-sla"]["dashboard"]["title"] == "Laporan · SLA Bulanan"
    assert theirs["preferences"]["language"] == "id-ID"


def test_a_token_is_sent_again_only_on_request(server: SmallGrafana, secrets: Path) -> None:
    apply(server, secrets)
    (secrets / "token").write_text("Token baru")
    apply(server, secrets)
    assert server.officials()["sources"]["aggregate"]["token"] == {"httpHeaderValue1": "Token baca-agregat"}
    apply(server, secrets, "--renew-token")
    assert server.officials()["sources"]["aggregate"]["token"] == {"httpHeaderValue1": "Token baru"}


@pytest.mark.parametrize(
    ("refused", "status", "said"),
    [
        (("GET", "/orgs/name"), 401, "user or the password is wrong"),
        (("POST", "/orgs"), 403, "no server administrator"),
        (("POST", "/orgs"), 409, "just made the same"),
        (("POST", "/datasources"), 409, "just made the same"),
        (("POST", "/dashboards/db"), 412, "changed by somebody else"),
        (("POST", "/dashboards/db"), 400, "does not accept what was sent"),
        (("PATCH", "/org/preferences"), 404, "does not know the address"),
        (("GET", "/folders"), 500, "look into its log"),
    ],
)
def test_a_refusal_says_what_it_means(
    server: SmallGrafana, secrets: Path, refused: tuple[str, str], status: int, said: str
) -> None:
    server.refuse[refused] = status
    result = apply(server, secrets)
    assert result.exit_code == 1
    assert f"({status})" in result.output and said in result.output
    assert "the server's own words" in result.output or status == 401
    assert "rahasia" not in result.output and "baca-agregat" not in result.output


def test_after_a_refusal_the_rest_is_done_by_doing_it_again(server: SmallGrafana, secrets: Path) -> None:
    server.refuse["POST", "/dashboards/db"] = 500
    assert apply(server, secrets).exit_code == 1
    server.refuse.clear()
    assert apply(server, secrets).exit_code == 0
    assert len(server.officials()["dashboards"]) == 2
    assert len(server.orgs) == 2


def test_a_wrong_password_is_said(server: SmallGrafana, secrets: Path) -> None:
    result = apply(server, secrets, password="salah")
    assert "(401)" in result.output
    assert server.writes == []


@pytest.mark.parametrize("version", ["11.6.0", "8.0.0", "", "next"])
def test_an_older_grafana_is_left_alone(server: SmallGrafana, secrets: Path, version: str) -> None:
    server.version = version
    result = apply(server, secrets)
    assert result.exit_code == 1
    assert "need 12 or newer: nothing was changed" in result.output
    assert server.writes == []


def test_a_grafana_that_is_not_there_is_said(server: SmallGrafana, secrets: Path) -> None:
    server.close()
    result = apply(server, secrets)
    assert result.exit_code == 1
    assert "gives no readable answer" in result.output


def test_a_grafana_under_a_path_is_found() -> None:
    access = grafana.Access("https://noc.example.id/grafana/", "admin", "x")
    assert grafana.Grafana(access)._face.api.url == "https://noc.example.id/grafana/api"
    assert "password" not in repr(access)
