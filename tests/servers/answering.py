"""A small HTTP server that answers as it is told and remembers what it was asked: for the channels' tests."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

HANG: Final = "hang"
"""Take the request, and never answer."""
HANG_UP: Final = "hang up"
"""Take the request, and close the connection."""


@dataclass(frozen=True)
class Asked:
    """A request."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)


@dataclass(frozen=True)
class Says:
    """An answer."""

    status: int = 200
    body: dict[str, Any] | str = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


Answering = Callable[[Asked], Says | str]


class Answerer:
    """Listens on loopback while it is entered. `script` comes first, then `otherwise`."""

    def __init__(self, otherwise: Answering) -> None:
        self.otherwise = otherwise
        self.script: list[Says | str] = []
        self.asked: list[Asked] = []
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answerer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
                answerer.asked.append(asked)
                answer = answerer.script.pop(0) if answerer.script else answerer.otherwise(asked)
                if answer == HANG:
                    answerer._released.wait(30)
                if isinstance(answer, str):
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self._say(answer)

            def _say(self, answer: Says) -> None:
                text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(text.encode()))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Silence."""

        return Handler


def telegram(asked: Asked) -> Says:
    """As the Bot API documents it: more than 4096 UTF-16 units are refused, all else is taken."""
    text = asked.body["text"]
    if len(text.encode("utf-16-le")) // 2 > 4096:
        return Says(400, {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"})
    number = asked.body.get("message_id", 4711)
    return Says(200, {"ok": True, "result": {"message_id": number, "chat": {"id": 1}, "date": 1, "text": text}})


def whatsapp(asked: Asked) -> Says:
    """As the Cloud API documents it: a template's places hold no line breaks, tabs or runs of spaces."""
    (body,) = asked.body["template"]["components"]
    texts = [place["text"] for place in body["parameters"]]
    if any("\n" in text or "\t" in text or "     " in text or not text for text in texts):
        return whatsapp_error(132018, "parameter format")
    sent = {"id": f"wamid.{asked.body['biz_opaque_callback_data']}", "message_status": "accepted"}
    return Says(200, {"messaging_product": "whatsapp", "contacts": [{"wa_id": "62"}], "messages": [sent]})


def whatsapp_error(code: int, title: str = "", status: int = 400) -> Says:
    return Says(status, {"error": {"message": f"(#{code}) {title}", "type": "OAuthException", "code": code}})


def webhook(asked: Asked) -> Says:
    return Says(204, "")


@contextmanager
def nobody_listening() -> Iterator[str]:
    """The address of a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
