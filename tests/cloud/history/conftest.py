"""A strict, small stand-in for the write endpoint of InfluxDB 2, for the answers that the engine here never gives."""

import http.server
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest

TOKEN = "the-token"
BUCKETS = ("taps", "ops", "aggregate")


@dataclass
class Answer:
    """What the server says to one request, and whether it keeps the lines all the same."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    keeps: bool = False


@dataclass
class Write2:
    """Refuses as 2.x does: unknown bucket, wrong token, too many bytes, lines that contain `refuse`."""

    limit: int = 10**6
    token: str = TOKEN
    partial: bool = True
    """True: 422 with the good lines stored; False: 400 with nothing stored."""
    buckets: set[str] = field(default_factory=lambda: set(BUCKETS))
    script: list[Answer] = field(default_factory=list)
    """Answered first, one a request."""
    stored: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    requests: int = 0
    refuse: str = "seq=13i"
    url: str = ""

    def answers_next(self, status: int, body: str = "", *, keeps: bool = False, **headers: str) -> None:
        """Have the next request not yet spoken for answered like this; *keeps* = and its lines stored."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.append(Answer(status, body, named, keeps))

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.requests += 1
        asked = parse_qs(urlsplit(path).query)
        bucket = asked.get("bucket", [""])[0]
        if self.script:
            answer = self.script.pop(0)
            if answer.keeps or answer.status == 204:
                self.stored[bucket].update(body.decode().splitlines())
            return answer
        if urlsplit(path).path != "/api/v2/write" or asked.get("precision") != ["ns"]:
            return Answer(404, '{"code":"not found","message":"no such address"}')
        return self._write(bucket, headers, body)

    def _write(self, bucket: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers.get("Authorization") != f"Token {self.token}":
            return Answer(401, '{"code":"unauthorized","message":"unauthorized access"}')
        if bucket not in self.buckets:
            return Answer(404, f'{{"code":"not found","message":"bucket \\"{bucket}\\" not found"}}')
        if len(body) > self.limit:
            return Answer(413, "<html>too large</html>")
        lines = set(body.decode().splitlines())
        guilty = {line for line in lines if self.refuse in line}
        if not guilty:
            self.stored[bucket] |= lines
            return Answer(204)
        if self.partial:
            self.stored[bucket] |= lines - guilty
            return Answer(422, '{"code":"unprocessable entity","message":"failure writing points: conflict dropped=1"}')
        return Answer(400, '{"code":"invalid","message":"unable to parse"}')


@pytest.fixture
def server() -> Iterator[Write2]:
    """The stand-in, at a free port of loopback."""
    write = Write2()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = write.answer(self.path, dict(self.headers), body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            text = answer.body.encode("latin-1")
            if answer.status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if answer.status != 204:
                self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    write.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield write
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
