"""One POST over HTTP, for the channels that need it. The only module of the alerts that knows urllib3.

No retries, no redirects, no kept connections: whether a message may have arrived must be known from this one call.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from urllib3 import exceptions

from cloud.alerts.channels import Trouble, Undelivered

TIMEOUT_S: Final = 15.0
_MOST_BYTES: Final = 64 * 1024
_NEVER_LEFT: Final = (
    exceptions.NewConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.SSLError,
    exceptions.ProxyError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    body: Mapping[str, Any]  # Any: JSON
    """Empty when it is no JSON object."""
    retry_after_s: float

    @property
    def is_good(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300


class Poster:
    """Posts JSON. Safe to use from several threads."""

    def __init__(self, channel: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._channel = channel
        timeout = urllib3.Timeout(connect=timeout_s, read=timeout_s)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, headers={"User-Agent": "hadir"})
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # below it, it writes URLs: ours are secrets

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST *body* to *url*. Raises `Undelivered` when no answer came; it has no cause, that would quote the URL."""
        try:
            response = self._pool.request(
                "POST",
                url,
                body=body,
                headers={"Content-Type": "application/json", "Connection": "close", **headers},
                redirect=False,
                preload_content=False,
            )
            text = response.read(_MOST_BYTES, decode_content=True)
            response.release_conn()
        except _NEVER_LEFT as error:
            raise Undelivered(Trouble.TEMPORARY, self._unreachable(error)) from None
        except (exceptions.HTTPError, OSError) as error:
            raise Undelivered(Trouble.UNKNOWN, self._unanswered(error)) from None
        return Answer(response.status, _object(text), _seconds(response.headers.get("Retry-After")))

    def close(self) -> None:
        """Give the connections back."""
        self._pool.clear()

    def _unreachable(self, error: Exception) -> str:
        return f"{self._channel} cannot be reached ({type(error).__name__}): nothing was sent, it is tried again"

    def _unanswered(self, error: Exception) -> str:
        return f"{self._channel} took the message and did not answer ({type(error).__name__}): it may have arrived"


def encoded(body: Mapping[str, object]) -> bytes:
    """*body* as JSON; the same bytes for the same body."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _seconds(header: str | None) -> float:
    """The wish in `Retry-After`; a date in it counts as none."""
    return float(header) if header is not None and header.strip().isdigit() else 0.0
