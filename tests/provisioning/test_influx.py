"""`influx apply` against a small InfluxDB 2 with the documented answers; and what it decides, as a table."""

import json
import os
import re
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from contract.series import Bucket
from provisioning import influx_plan
from provisioning.__main__ import main
from provisioning.influx_plan import Found, MakeBucket, MakeToken, Right, Token

OPERATOR = "token-operator"


class FakeInflux:
    """Buckets and authorizations of one organisation; a token's text is told once, when it is made."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, Any]] = {"sys": {"id": "sys", "name": "_monitoring", "retentionRules": []}}
        self.tokens: dict[str, dict[str, Any]] = {"op": {"id": "op", "description": "admin's", "permissions": []}}
        self.refuse: dict[tuple[str, str], int] = {}
        self.writes: list[str] = []
        self._made = 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"null")
                status, answer = fake.answer(self.command, self.path, self.headers["Authorization"], body)
                text = b"" if status == 204 else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, target: str, authorization: str, body: Any) -> tuple[int, Any]:
        asked = urlsplit(target)
        path = asked.path.removeprefix("/api/v2")
        for (refused, prefix), status in self.refuse.items():
            if refused == method and path.startswith(prefix):
                return status, {"code": "refused", "message": "the server's own words"}
        if authorization != f"Token {OPERATOR}":
            return 401, {"code": "unauthorized", "message": "unauthorized access"}
        if method != "GET":
            self.writes.append(f"{method} {path}")
        if path == "/orgs":
            return 200, {"orgs": [{"id": "0rg", "name": "hadir"}]}
        if path.startswith("/buckets"):
            return self._of_buckets(method, path, parse_qs(asked.query), body)
        return self._of_tokens(method, path, body)

    def _of_buckets(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if method == "GET":
            named = [each for each in self.buckets.values() if each["name"] in query.get("name", [each["name"]])]
            return 200, {"buckets": named}
        if method == "POST":
            if body["name"] in {each["name"] for each in self.buckets.values()}:
                return 422, {"code": "conflict", "message": "bucket with name already exists"}
            number = f"{len(self.buckets):016}"
            self.buckets[number] = {"id": number, "orgID": body["orgID"], **body}
            return 201, self.buckets[number]
        (number,) = re.findall(r"/buckets/(\w+)", path)
        self.buckets[number].update(body)
        return 200, self.buckets[number]

    def _of_tokens(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            hidden = [{**token, "token": "redacted"} for token in self.tokens.values()]
            return 200, {"authorizations": hidden}
        if method == "POST":
            self._made += 1
            made = {"id": f"t{self._made}", "token": f"text-{self._made}", "status": "active", **body}
            self.tokens[made["id"]] = made
            return 201, made
        del self.tokens[path.rpartition("/")[2]]
        return 204, None

    def ours(self) -> dict[str, set[tuple[str, str]]]:
        """What each of our tokens opens."""
        names = {number: bucket["name"] for number, bucket in self.buckets.items()}
        return {
            token["description"].removeprefix("hadir: "): {
                (each["action"], names[each["resource"]["id"]]) for each in token["permissions"]
            }
            for token in self.tokens.values()
            if token["description"].startswith("hadir: ")
        }


@pytest.fixture
def server() -> Iterator[FakeInflux]:
    fake = FakeInflux()
    yield fake
    fake.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "operator").write_text(f"{OPERATOR}\n")
    (tmp_path / "secrets").mkdir()
    return tmp_path / "secrets"


def apply(server: FakeInflux, out: Path, *more: str) -> Result:
    token = str(out.parent / "operator")
    return CliRunner().invoke(
        main, ["influx", "apply", "--url", server.url, "--token-file", token, "--out", str(out), *more]
    )


def test_buckets_and_tokens_are_made(server: FakeInflux, out: Path) -> None:
    result = apply(server, out)
    assert result.exit_code == 0, result.output
    kept = {bucket["name"]: bucket["retentionRules"] for bucket in server.buckets.values()}
    assert {name: rules[0]["everySeconds"] for name, rules in kept.items() if rules} == {
        "taps": 90 * 86400,
        "ops": 400 * 86400,
        "aggregate": 1827 * 86400,
    }
    assert server.ours() == {
        "ingest": {("write", "taps"), ("write", "ops"), ("write", "aggregate")},
        "alerts": {("write", "ops"), ("write", "aggregate")},
        "grafana_ops": {("read", "ops")},
        "grafana_aggregate": {("read", "aggregate")},
    }


def test_a_secret_is_readable_by_its_owner_alone_and_grafanas_is_a_whole_header(server: FakeInflux, out: Path) -> None:
    result = apply(server, out)
    texts = {token["description"].removeprefix("hadir: "): token.get("token") for token in server.tokens.values()}
    assert (out / "influx_ingest").read_text() == texts["ingest"]
    assert (out / "influx_grafana_ops").read_text() == f"Token {texts['grafana_ops']}"
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}
    assert "text-" not in result.output


def test_an_empty_file_holds_no_secret_but_keeps_its_owner(server: FakeInflux, out: Path) -> None:
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


def test_doing_it_again_changes_nothing(server: FakeInflux, out: Path) -> None:
    apply(server, out)
    server.writes.clear()
    result = apply(server, out)
    assert (result.exit_code, server.writes, result.output) == (0, [], "nothing to do\n")


def test_the_plan_alone_changes_nothing(server: FakeInflux, out: Path) -> None:
    result = apply(server, out, "--plan")
    assert result.exit_code == 0
    assert "create the bucket taps, kept for 90 days" in result.output
    assert "make a token for grafana_aggregate (read aggregate) into influx_grafana_aggregate" in result.output
    assert server.writes == [] and list(out.iterdir()) == []


def test_what_was_changed_by_hand_is_put_right(server: FakeInflux, out: Path) -> None:
    apply(server, out)
    ops = next(bucket for bucket in server.buckets.values() if bucket["name"] == "ops")
    ops["retentionRules"] = [{"type": "expire", "everySeconds": 3600}]
    reader = next(token for token in server.tokens.values() if token["description"] == "hadir: grafana_aggregate")
    taps = next(number for number, bucket in server.buckets.items() if bucket["name"] == "taps")
    reader["permissions"].append({"action": "read", "resource": {"type": "buckets", "id": taps}})
    (out / "influx_alerts").unlink()
    result = apply(server, out)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "set the retention of the bucket ops, kept for 400 days",
        "make a token for alerts (write aggregate, write ops) into influx_alerts; 1 old one(s) are withdrawn",
        "make a token for grafana_aggregate (read aggregate) into influx_grafana_aggregate; 1 old one(s) are withdrawn",
    ]
    assert reader["id"] not in server.tokens
    assert server.ours()["grafana_aggregate"] == {("read", "aggregate")}
    assert ops["retentionRules"][0]["everySeconds"] == 400 * 86400


def test_what_is_not_ours_is_left_alone(server: FakeInflux, out: Path) -> None:
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
    server: FakeInflux, out: Path, refused: tuple[str, str], status: int, said: str
) -> None:
    server.refuse[refused] = status
    result = apply(server, out)
    assert result.exit_code == 1
    assert said in result.output
    assert OPERATOR not in result.output


def test_a_token_is_withdrawn_only_after_its_successor_lies_there(server: FakeInflux, out: Path) -> None:
    apply(server, out)
    (out / "influx_ingest").unlink()
    server.refuse["POST", "/authorizations"] = 500
    assert apply(server, out).exit_code == 1
    assert "ingest" in server.ours()
    server.refuse.clear()
    assert apply(server, out).exit_code == 0
    assert (out / "influx_ingest").exists()


def test_an_influxdb_that_is_not_there_is_said(server: FakeInflux, out: Path) -> None:
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
