"""`influx apply` against a small InfluxDB 2 with the documented answers; and what it decides, as a table.

What can be looked at from outside is also asked of a real one, when INFLUX_URL and INFLUX_TOKEN_FILE name one.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import real_influx
from click.testing import CliRunner, Result
from real_influx import RealInflux
from small_influx import SmallInflux

from contract.series import Bucket
from provisioning import influx_plan
from provisioning.__main__ import main
from provisioning.influx_plan import Found, MakeBucket, MakeToken, Right, Token

Either = SmallInflux | RealInflux


@pytest.fixture
def server() -> Iterator[SmallInflux]:
    fake = SmallInflux()
    yield fake
    fake.close()


REAL = [pytest.param("real", marks=pytest.mark.integration)] if real_influx.IS_GIVEN else []


@pytest.fixture(params=["small", *REAL])
def either(request: pytest.FixtureRequest) -> Iterator[Either]:
    """The small one, and the real one where it is given."""
    found: Either = RealInflux() if request.param == "real" else SmallInflux()
    yield found
    found.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    return tmp_path / "secrets"


def apply(server: Either, out: Path, *more: str) -> Result:
    operator = out.parent / "operator"
    operator.write_text(f"{server.operator}\n")
    command = ["influx", "apply", "--url", server.url, "--org", server.org, "--token-file", str(operator)]
    return CliRunner().invoke(main, [*command, "--out", str(out), *more])


def test_buckets_and_tokens_are_made(either: Either, out: Path) -> None:
    result = apply(either, out)
    assert result.exit_code == 0, result.output
    assert either.kept() == {"taps": 90 * 86400, "ops": 400 * 86400, "aggregate": 1827 * 86400}
    assert either.ours() == {
        "ingest": {("write", "taps"), ("write", "ops"), ("write", "aggregate")},
        "alerts": {("write", "ops"), ("write", "aggregate")},
        "grafana_ops": {("read", "ops")},
        "grafana_aggregate": {("read", "aggregate")},
    }


def test_a_secret_is_readable_by_its_owner_alone_and_grafanas_is_a_whole_header(server: SmallInflux, out: Path) -> None:
    result = apply(server, out)
    texts = {token["description"].removeprefix("hadir: "): token.get("token") for token in server.tokens.values()}
    assert (out / "influx_ingest").read_text() == texts["ingest"]
    assert (out / "influx_grafana_ops").read_text() == f"Token {texts['grafana_ops']}"
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert "text-" not in result.output


def test_an_empty_file_holds_no_secret_but_keeps_its_owner(server: SmallInflux, out: Path) -> None:
    (out / "influx_ingest").touch()
    owned = os.geteuid() == 0
    if owned:
        os.chown(out / "influx_ingest", 10001, 10001)
    apply(server, out)
    (out / "influx_ingest").write_text("")
    result = apply(server, out)
    assert "make a token for ingest" in result.output
    assert (out / "influx_ingest").read_text().startswith("text-")
    assert (out / "influx_ingest").stat().st_uid == (10001 if owned else os.geteuid())


def test_doing_it_again_changes_nothing(either: Either, out: Path) -> None:
    apply(either, out)
    result = apply(either, out)
    assert (result.exit_code, result.output) == (0, "nothing to do\n")


def test_doing_it_again_sends_nothing(server: SmallInflux, out: Path) -> None:
    apply(server, out)
    server.writes.clear()
    apply(server, out)
    assert server.writes == []


def test_the_plan_alone_changes_nothing(either: Either, out: Path) -> None:
    result = apply(either, out, "--plan")
    assert result.exit_code == 0
    assert "create the bucket taps, kept for 90 days" in result.output
    assert "make a token for grafana_aggregate (read aggregate) into influx_grafana_aggregate" in result.output
    assert either.kept() == {} and list(out.iterdir()) == []


def test_what_was_changed_by_hand_is_put_right(either: Either, out: Path) -> None:
    apply(either, out)
    either.keep_for("ops", 3600)
    either.open_wider("grafana_aggregate", "taps")
    (out / "influx_alerts").unlink()
    result = apply(either, out)
    assert result.exit_code == 0
    retention, alerts, reader = result.output.splitlines()
    assert retention == "set the retention of the bucket ops, kept for 400 days"
    assert alerts.startswith("make a token for alerts (write aggregate, write ops) into influx_alerts; 1 old")
    assert reader.startswith("make a token for grafana_aggregate (read aggregate) into influx_grafana_aggregate;")
    assert either.ours()["grafana_aggregate"] == {("read", "aggregate")}
    assert either.kept()["ops"] == 400 * 86400


def test_what_is_not_ours_is_left_alone(server: SmallInflux, out: Path) -> None:
    apply(server, out)
    apply(server, out)
    assert "op" in server.tokens and "sys" in server.buckets


@pytest.mark.parametrize(
    ("refused", "status", "said"),
    [
        (("GET", "/buckets"), 401, "not an operator's"),
        (("POST", "/buckets"), 403, "use the operator's"),
        (("POST", "/buckets"), 409, "just made the same"),
        (("POST", "/buckets"), 422, "taken or not allowed"),
        (("POST", "/authorizations"), 412, "does not accept"),
        (("POST", "/authorizations"), 500, "look into its log"),
        (("GET", "/buckets"), 404, "influxdb3 create database ops --retention-period 400d"),
    ],
)
def test_a_refusal_says_what_it_means(
    server: SmallInflux, out: Path, refused: tuple[str, str], status: int, said: str
) -> None:
    server.refuse[refused] = status
    result = apply(server, out)
    assert result.exit_code == 1
    assert said in result.output
    assert server.operator not in result.output


def test_a_token_is_withdrawn_only_after_its_successor_lies_there(server: SmallInflux, out: Path) -> None:
    apply(server, out)
    (out / "influx_ingest").unlink()
    server.refuse["POST", "/authorizations"] = 500
    assert apply(server, out).exit_code == 1
    assert "ingest" in server.ours()
    server.refuse.clear()
    assert apply(server, out).exit_code == 0
    assert (out / "influx_ingest").exists()


def test_an_influxdb_that_is_not_there_is_said(server: SmallInflux, out: Path) -> None:
    server.close()
    result = apply(server, out)
    assert result.exit_code == 1
    assert "gives no answer" in result.output


def test_nobody_may_read_single_taps() -> None:
    assert Right("read", "taps") not in {right for holder in influx_plan.HOLDERS for right in holder.rights}


COMPLETE = Found(
    {bucket.value: round(bucket.keeps.total_seconds()) for bucket in Bucket},
    {holder.name: (Token("1", holder.rights),) for holder in influx_plan.HOLDERS},
    frozenset(holder.file for holder in influx_plan.HOLDERS),
)
INGEST = influx_plan.HOLDERS[0]


def with_tokens(*tokens: Token) -> Found:
    return Found(COMPLETE.buckets, {**COMPLETE.tokens, "ingest": tokens}, COMPLETE.files)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(COMPLETE, [], id="all there"),
        pytest.param(
            Found({**COMPLETE.buckets, "ops": 0}, COMPLETE.tokens, COMPLETE.files),
            [MakeBucket(Bucket.OPS, False)],
            id="keeps for ever",
        ),
        pytest.param(with_tokens(), [MakeToken(INGEST)], id="no token"),
        pytest.param(with_tokens(Token("1", INGEST.rights, False)), [MakeToken(INGEST, ("1",))], id="inactive"),
        pytest.param(
            with_tokens(Token("1", INGEST.rights), Token("2", INGEST.rights)),
            [MakeToken(INGEST, ("1", "2"))],
            id="two of them",
        ),
        pytest.param(with_tokens(Token("1", frozenset())), [MakeToken(INGEST, ("1",))], id="opens too little"),
    ],
)
def test_what_is_missing_is_made(found: Found, expected: list[influx_plan.Change]) -> None:
    assert list(influx_plan.changes(found)) == expected
