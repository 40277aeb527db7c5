"""A Grafana so small that only `grafana apply` can use it; answers as the documents say."""

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class SmallGrafana:
    """Organisations with their data sources, folders, dashboards and preferences; answers as the documents say."""

    def __init__(self, version: str, password: str = "rahasia") -> None:
        self.version, self.password, self.influx_url = version, password, "http://influxdb:8086"
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
        expected = "Basic " + base64.b64encode(f"admin:{self.password}".encode()).decode()
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

    def officials(self) -> dict[str, Any]:
        return next(org for org in self.orgs.values() if org["name"] == "Pejabat")

    def noc(self) -> dict[str, Any]:
        return self.orgs[1]

    def names(self) -> list[str]:
        return [org["name"] for org in self.orgs.values()]

    def spoil(self) -> None:
        """Somebody changes by hand what can be changed."""
        theirs = self.officials()
        theirs["sources"]["aggregate"]["url"] = "http://elsewhere"
        theirs["sources"]["ops"] = {"uid": "ops", "database": "ops"}
        theirs["folders"]["hadir"]["title"] = "Lain"
        theirs["dashboards"]["hadir-sla"]["dashboard"]["title"] = "Lain"
        theirs["preferences"]["language"] = "en-US"
