"""What a server's answer to a write means. One rule for InfluxDB 1.8 to 3; never decided by the answer's text.

204 = done. 400, 413, 422 = something in it cannot be taken: halve. 401, 403, 404 = a person must act. Else wait.
"""

from __future__ import annotations

import json
from enum import Enum, auto
from typing import Final

MAX_REASON: Final = 500
_UNACCEPTABLE: Final = frozenset({400, 413, 422})
_NEEDS_A_PERSON: Final = frozenset({401, 403, 404})


class Meaning(Enum):
    """What to do next."""

    STORED = auto()
    UNACCEPTABLE = auto()
    NEEDS_A_PERSON = auto()
    NOT_NOW = auto()


def meaning(status: int) -> Meaning:
    """What *status* says about the batch."""
    if status == 204:
        return Meaning.STORED
    if status in _UNACCEPTABLE:
        return Meaning.UNACCEPTABLE
    return Meaning.NEEDS_A_PERSON if status in _NEEDS_A_PERSON else Meaning.NOT_NOW


def reason(status: int, body: str) -> str:
    """The server's own words, shortened: `message` (2.x) or `error` (1.x, 3.x) of a JSON body, or the body as it is."""
    return (_words(body) or f"the server answered {status} without words")[:MAX_REASON]


def _words(body: str) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return body.strip()
    if not isinstance(answer, dict):
        return body.strip()
    return str(answer.get("message") or answer.get("error") or body.strip())


def retry_after_s(header: str | None) -> float | None:
    """The seconds a `Retry-After` header asks for; None without one, or when it names a date."""
    text = (header or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
