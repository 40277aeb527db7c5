"""Stands before Debian's InfluxDB 1.6 and gives it the addresses of 2.x that Hadir uses: v2 write, query, health, ping.

Status and text of every answer are the engine's own; only token, body limit and health are decided here. What differs
between the versions is therefore not imitated: status codes of 2.x are the matter of a strict fake.
"""

import contextlib
import http.client
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

HOST: Final = "127.0.0.1"
LARGEST_BODY: Final = 20_000_000
"""Below the engine's own limit of 25,000,000, at which it hangs up before it has answered."""

_PRECISIONS: Final = {"ns": "n", "us": "u", "ms": "ms", "s": "s"}
_PASSED_ON: Final = ("Content-Encoding", "Content-Type", "Accept-Encoding")
_PASSED_BACK: Final = ("Content-Encoding", "Content-Type", "X-Influxdb-Version", "X-Influxdb-Error")
_HEALTH: Final = {"name": "influxdb", "message": "ready for queries and writes", "status": "pass", "version": "1.6.7"}


class Refused(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps({"code": code, "message": message}).encode()


def engine_address(method: str, target: str) -> str:
    """Where the engine has what 2.x has at *target*; raises `Refused` for all the rest of 2.x."""
    asked = urlsplit(target)
    if (method, asked.path) == ("POST", "/api/v2/write"):
        values = parse_qs(asked.query)
        precision = _PRECISIONS.get(values.get("precision", ["ns"])[0])
        if precision is None:
            raise Refused(400, "invalid", "precision must be one of ns, us, ms, s")
        return "/write?" + urlencode({"db": values.get("bucket", [""])[0], "precision": precision})
    if asked.path in ("/query", "/ping"):
        return target
    raise Refused(404, "not found", f"the engine behind this address has no {asked.path}")


class InfluxProxy:
    """Serves on *port* while started; *engine_port* and *token* do not change."""

    def __init__(self, *, port: int, engine_port: int, token: str) -> None:
        self.port = port
        self._engine_port = engine_port
        self._token = token
        self._server: _Server | None = None

    def start(self) -> None:
        """Take requests, each in a thread of its own."""
        if self._server is not None:
            return
        self._server = _Server((HOST, self.port), _handler(self._engine_port, self._token))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="influx-proxy", daemon=True).start()

    def stop(self) -> None:
        """Take no more; a connection is then refused, as it is when the database is down."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.hang_up()


class _Server(ThreadingHTTPServer):
    """Knows its open connections: a stopped database answers nobody, also where the client kept the line open."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:  # Any: the standard library's signature
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client or we hung up: no fault of anyone
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _handler(engine_port: int, token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_HEAD(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            try:
                status, headers, body = self._answer()
            except Refused as refused:
                status, headers, body = refused.status, {"Content-Type": "application/json"}, refused.body
            self._send(status, headers, body)

        def _answer(self) -> tuple[int, dict[str, str], bytes]:
            body = self._body()  # read before anything is refused: a client that cannot finish sending hears no answer
            if urlsplit(self.path).path == "/health":
                return 200, {"Content-Type": "application/json"}, json.dumps(_HEALTH).encode()
            target = engine_address(self.command, self.path)
            if urlsplit(self.path).path != "/ping" and self.headers["Authorization"] != f"Token {token}":
                raise Refused(401, "unauthorized", "unauthorized access")
            return self._ask_engine(target, body)

        def _body(self) -> bytes:
            length = int(self.headers["Content-Length"] or 0)
            if length > LARGEST_BODY:
                while length > 0 and (part := self.rfile.read(min(length, 1_000_000))):
                    length -= len(part)
                raise Refused(413, "request too large", f"a body may have {LARGEST_BODY} bytes")
            return self.rfile.read(length)

        def _ask_engine(self, target: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
            engine = http.client.HTTPConnection(HOST, engine_port, timeout=60)
            headers = {name: self.headers[name] for name in _PASSED_ON if self.headers[name]}
            try:
                engine.request(self.command, target, body, headers)
                answer = engine.getresponse()
                kept = {name: value for name in _PASSED_BACK if (value := answer.headers[name])}
                return answer.status, kept, answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise Refused(502, "unavailable", f"the engine does not answer: {error}") from error
            finally:
                engine.close()

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
            """Say nothing: the engine has its own log."""

    return Handler
