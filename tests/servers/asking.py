"""The one small HTTP client for real servers: JSON out, status and JSON back. Nothing is retried."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asking:
    """A server's API below *url*, asked with these headers."""

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    def status(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the answer (None when there is none)."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode(errors="replace")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer; a refusal is the test's failure."""
        status, answer = self.status(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer
