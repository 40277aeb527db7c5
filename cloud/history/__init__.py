"""Port: points out, to InfluxDB or to line-protocol files.

`write` returns only when every point is stored or refused for good; until then it waits, and says in `trouble` why.
Writing a point twice is harmless: same series and time, same point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from contract.series import Point

__all__ = ["Access", "BadHistoryUrl", "History", "Refused", "open_history"]


class BadHistoryUrl(ValueError):
    """The address of the history is none; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A point that will never be taken, and the server's words for it: a dead letter to be."""

    point: Point
    reason: str


class History(Protocol):
    """Where observations are kept."""

    @property
    def trouble(self) -> str | None:
        """Why a write is waiting, in words for an operator; None when nothing is wrong."""
        ...

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Store *points*; returns when all are stored or refused. Waits for as long as it takes; may be cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """Who writes: the ingester's name (a slug), and what InfluxDB wants to see of it."""

    writer: str
    token: str = ""
    org: str = "hadir"

    def __repr__(self) -> str:
        return f"Access(writer={self.writer!r})"


def open_history(url: str, access: Access, *, now: Callable[[], datetime]) -> AbstractAsyncContextManager[History]:
    """The history at `http://...`, `https://...` or `journal:DIR`. Raises `BadHistoryUrl`, `JournalInUse`."""
    # An adapter brings its library along; only the one that is used is loaded.
    scheme = urlsplit(url).scheme
    if scheme in ("http", "https"):
        from cloud.history.influx import InfluxHistory

        return InfluxHistory(url, access)
    if scheme == "journal" and len(url) > len("journal:"):
        from cloud.history.journal import JournalHistory

        return JournalHistory(Path(url.removeprefix("journal:")), access.writer, now=now)
    raise BadHistoryUrl(
        f"{url.split('@')[-1]!r} is no history: give http://HOST:PORT (InfluxDB) or journal:DIR (files)"
    )
