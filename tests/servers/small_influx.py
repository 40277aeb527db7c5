"""An InfluxDB 2 so small that only `influx apply` can use it; answers as the documents say."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class SmallInflux:
    """Buckets and authorizations of one organisation; a token's text is told once, when it is made."""

    def __init__(self, operator: str = "token-operator") -> None:
        self.org, self.operator = "hadir", operator
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
        if authorization != f"Token {self.operator}":
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

    def kept(self) -> dict[str, int]:
        """Seconds that each bucket keeps; 0 = for ever."""
        return {
            bucket["name"]: sum(rule["everySeconds"] for rule in bucket["retentionRules"])
            for bucket in self.buckets.values()
            if not bucket["name"].startswith("_")
        }

    def keep_for(self, bucket: str, seconds: int) -> None:
        """Somebody changes it by hand."""
        found = next(each for each in self.buckets.values() if each["name"] == bucket)
        found["retentionRules"] = [{"type": "expire", "everySeconds": seconds}]

    def open_wider(self, holder: str, bucket: str) -> None:
        """Somebody lets a token read another bucket."""
        token = next(token for token in self.tokens.values() if token["description"] == f"hadir: {holder}")
        number = next(number for number, each in self.buckets.items() if each["name"] == bucket)
        token["permissions"].append({"action": "read", "resource": {"type": "buckets", "id": number}})
