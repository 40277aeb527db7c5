"""`grafana apply` against a small Grafana with the documented answers, version 12 and 13."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provisioning import grafana
from provisioning.__main__ import main

PASSWORD = "rahasia"


class FakeGrafana:
    """Organisations with their data sources, folders, dashboards and preferences; answers as the documents say."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.orgs: dict[int, dict[str, Any]] = {1: self._org("Main Org.")}
        self.refuse: dict[tuple[str, str], int] = {}
        self.writes: list[str] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"null")
                status, answer = fake.answer(self.command, self.path.removeprefix("/api"), dict(self.headers), body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @staticmethod
    def _org(name: str) -> dict[str, Any]:
        return {"name": name, "sources": {}, "folders": {}, "dashboards": {}, "preferences": {"theme": "dark"}}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, Any]:
        expected = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        for (refused, prefix), status in self.refuse.items():
            if refused == method and path.startswith(prefix):
                return status, {"message": "the server's own words"}
        if path == "/health":
            return 200, {"version": self.version, "database": "ok"}
        if headers.get("Authorization") != expected:
            return 401, {"message": "Invalid username or password"}
        if method != "GET":
            self.writes.append(f"{method} {path}")
        org = self.orgs.get(int(headers.get("X-Grafana-Org-Id", "1")), self.orgs[1])
        return self._routed(method, path, org, body)

    def _routed(self, method: str, path: str, org: dict[str, Any], body: Any) -> tuple[int, Any]:
        for pattern, route in self._routes().items():
            if match := re.fullmatch(pattern, f"{method} {path}"):
                return route(org, body, *match.groups())
        return 404, {"message": "Not found"}

    def _routes(self) -> dict[str, Any]:
        return {
            r"GET /orgs/name/(.+)": lambda org, body, name: self._find_org(name),
            r"POST /orgs": lambda org, body: self._create_org(body["name"]),
            r"GET /datasources": lambda org, body: (200, list(org["sources"].values())),
            r"POST /datasources": lambda org, body: self._keep(org["sources"], body["uid"], body),
            r"PUT /datasources/uid/(.+)": lambda org, body, uid: self._keep(org["sources"], uid, body),
            r"DELETE /datasources/uid/(.+)": lambda org, body, uid: (200, {"id": org["sources"].pop(uid) and 1}),
            r"GET /folders/(.+)": lambda org, body, uid: self._get(org["folders"], uid),
            r"POST /folders": lambda org, body: self._keep(org["folders"], body["uid"], body),
            r"PUT /folders/(.+)": lambda org, body, uid: self._keep(org["folders"], uid, body),
            r"GET /dashboards/uid/(.+)": lambda org, body, uid: self._get(org["dashboards"], uid),
            r"POST /dashboards/db": lambda org, body: self._save(org, body),
            r"GET /org/preferences": lambda org, body: (200, org["preferences"]),
            r"PATCH /org/preferences": lambda org, body: (200, org["preferences"].update(body) or {"message": "ok"}),
        }

    def _find_org(self, name: str) -> tuple[int, Any]:
        known = [number for number, org in self.orgs.items() if org["name"] == name]
        return (200, {"id": known[0], "name": name}) if known else (404, {"message": "Organization not found"})

    def _create_org(self, name: str) -> tuple[int, Any]:
        number = max(self.orgs) + 1
        self.orgs[number] = self._org(name)
        return 200, {"orgId": number, "message": "Organization created"}

    @staticmethod
    def _get(kept: dict[str, Any], uid: str) -> tuple[int, Any]:
        return (200, kept[uid]) if uid in kept else (404, {"message": "not found"})

    @staticmethod
    def _keep(kept: dict[str, Any], uid: str, body: dict[str, Any]) -> tuple[int, Any]:
        secrets = dict.fromkeys(body.get("secureJsonData", {}), True)
        shown = {name: value for name, value in body.items() if name != "secureJsonData"}
        kept[uid] = {**shown, "id": 7, "secureJsonFields": secrets, "token": body.get("secureJsonData")}
        return 200, {"id": 7, "uid": uid}

    @staticmethod
    def _save(org: dict[str, Any], body: dict[str, Any]) -> tuple[int, Any]:
        if body["folderUid"] not in org["folders"]:
            return 400, {"message": "folder not found"}
        board = {**body["dashboard"], "id": 12, "version": 3}
        org["dashboards"][board["uid"]] = {"dashboard": board, "meta": {"folderUid": body["folderUid"]}}
        return 200, {"uid": board["uid"], "status": "success"}


@pytest.fixture(params=["12.4.2", "13.1.3"])
def server(request: pytest.FixtureRequest) -> Iterator[FakeGrafana]:
    fake = FakeGrafana(request.param)
    yield fake
    fake.close()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    (tmp_path / "token").write_text("Token baca-agregat")
    return tmp_path


def apply(server: FakeGrafana, secrets: Path, *more: str) -> Result:
    command = ["grafana", "apply", "--url", server.url, "--influx-url", "http://influxdb:8086"]
    command += ["--password-file", str(secrets / "password"), "--token-file", str(secrets / "token"), *more]
    return CliRunner().invoke(main, command)


def officials(server: FakeGrafana) -> dict[str, Any]:
    return next(org for org in server.orgs.values() if org["name"] == "Pejabat")


def test_the_officials_organisation_is_made(server: FakeGrafana, secrets: Path) -> None:
    result = apply(server, secrets)
    assert result.exit_code == 0, result.output
    theirs = officials(server)
    assert set(theirs["sources"]) == {"aggregate"}
    assert theirs["sources"]["aggregate"]["database"] == "aggregate"
    assert theirs["sources"]["aggregate"]["token"] == {"httpHeaderValue1": "Token baca-agregat"}
    assert set(theirs["dashboards"]) == {"hadir-kehadiran", "hadir-sla"}
    assert {board["meta"]["folderUid"] for board in theirs["dashboards"].values()} == {"hadir"}
    expected = {
        "homeDashboardUID": "hadir-kehadiran",
        "timezone": "Asia/Jakarta",
        "weekStart": "monday",
        "language": "id-ID",
    }
    assert theirs["preferences"] == {"theme": "dark", **expected}


def test_the_noc_gets_its_home_and_nothing_else(server: FakeGrafana, secrets: Path) -> None:
    apply(server, secrets)
    noc = server.orgs[1]
    assert noc["preferences"]["homeDashboardUID"] == "hadir-armada"
    assert noc["sources"] == noc["dashboards"] == noc["folders"] == {}


def test_doing_it_again_changes_nothing(server: FakeGrafana, secrets: Path) -> None:
    apply(server, secrets)
    server.writes.clear()
    result = apply(server, secrets)
    assert result.exit_code == 0
    assert server.writes == []
    assert result.output.count("nothing to do") == 2


def test_the_plan_comes_first_and_alone_on_request(server: FakeGrafana, secrets: Path) -> None:
    result = apply(server, secrets, "--plan")
    assert result.exit_code == 0
    assert server.writes == []
    assert "create the organisation Pejabat" in result.output
    assert "the new organisation: create the data source aggregate" in result.output
    assert "create the dashboard hadir-sla" in result.output


def test_what_was_changed_by_hand_is_put_right(server: FakeGrafana, secrets: Path) -> None:
    apply(server, secrets)
    theirs = officials(server)
    theirs["sources"]["aggregate"]["url"] = "http://elsewhere"
    theirs["sources"]["ops"] = {"uid": "ops", "database": "ops"}
    theirs["folders"]["hadir"]["title"] = "Lain"
    theirs["dashboards"]["hadir-sla"]["dashboard"]["title"] = "Lain"
    theirs["preferences"]["language"] = "en-US"
    result = apply(server, secrets)
    assert result.exit_code == 0
    assert "remove the data source ops: this organisation may reach aggregate alone" in result.output
    assert "put right the dashboard hadir-sla" in result.output
    assert "dashboard hadir-kehadiran" not in result.output
    assert set(theirs["sources"]) == {"aggregate"}
    assert theirs["sources"]["aggregate"]["url"] == "http://influxdb:8086"
    assert theirs["folders"]["hadir"]["title"] == "Hadir"
    assert theirs["dashboards"]["hadir-sla"]["dashboard"]["title"] == "Laporan · SLA Bulanan"
    assert theirs["preferences"]["language"] == "id-ID"


def test_a_token_is_sent_again_only_on_request(server: FakeGrafana, secrets: Path) -> None:
    apply(server, secrets)
    (secrets / "token").write_text("Token baru")
    apply(server, secrets)
    assert officials(server)["sources"]["aggregate"]["token"] == {"httpHeaderValue1": "Token baca-agregat"}
    apply(server, secrets, "--renew-token")
    assert officials(server)["sources"]["aggregate"]["token"] == {"httpHeaderValue1": "Token baru"}


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
    server: FakeGrafana, secrets: Path, refused: tuple[str, str], status: int, said: str
) -> None:
    server.refuse[refused] = status
    result = apply(server, secrets)
    assert result.exit_code == 1
    assert f"({status})" in result.output and said in result.output
    assert "the server's own words" in result.output or status == 401
    assert "rahasia" not in result.output and "baca-agregat" not in result.output


def test_after_a_refusal_the_rest_is_done_by_doing_it_again(server: FakeGrafana, secrets: Path) -> None:
    server.refuse["POST", "/dashboards/db"] = 500
    assert apply(server, secrets).exit_code == 1
    server.refuse.clear()
    assert apply(server, secrets).exit_code == 0
    assert len(officials(server)["dashboards"]) == 2
    assert len(server.orgs) == 2


def test_a_wrong_password_is_said(server: FakeGrafana, secrets: Path) -> None:
    (secrets / "password").write_text("salah")
    result = apply(server, secrets)
    assert "(401)" in result.output
    assert server.writes == []


@pytest.mark.parametrize("version", ["11.6.0", "8.0.0", "", "next"])
def test_an_older_grafana_is_left_alone(server: FakeGrafana, secrets: Path, version: str) -> None:
    server.version = version
    result = apply(server, secrets)
    assert result.exit_code == 1
    assert "need 12 or newer: nothing was changed" in result.output
    assert server.writes == []


def test_a_grafana_that_is_not_there_is_said(server: FakeGrafana, secrets: Path) -> None:
    server.close()
    result = apply(server, secrets)
    assert result.exit_code == 1
    assert "gives no readable answer" in result.output


def test_a_grafana_under_a_path_is_found() -> None:
    access = grafana.Access("https://noc.example.id/grafana/", "admin", "x")
    assert grafana.Grafana(access)._face.api.url == "https://noc.example.id/grafana/api"
    assert "password" not in repr(access)
