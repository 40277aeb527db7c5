"""Tells systemd that the machine is alive, but only while every named thread has shown life recently.

A card that never answers blocks its reader's thread for ever: then the pings stop and systemd starts the program anew.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import sdnotify

_log = logging.getLogger(__name__)

Notify = Callable[[str], None]

MAX_STATUS: Final = 200


def late_threads(beats: Mapping[str, float], patience_s: Mapping[str, float], now: float) -> list[str]:
    """The threads whose last beat lies further back than their patience, by name."""
    return sorted(name for name, patience in patience_s.items() if now - beats[name] > patience)


def ping_interval(watchdog_usec: str | None) -> timedelta | None:
    """A third of what systemd grants (its variable WATCHDOG_USEC), or None when it does not watch."""
    try:
        granted = int(watchdog_usec or "")
    except ValueError:
        return None
    return timedelta(microseconds=granted) / 3 if granted > 0 else None


class Watchdog:
    """Collects beats from threads and passes them on as one, in real seconds, whatever the machine's clock says."""

    def __init__(
        self, patience_s: Mapping[str, float], *, notify: Notify, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience_s = dict(patience_s)
        self._notify = notify
        self._monotonic = monotonic
        self._beats = dict.fromkeys(self._patience_s, monotonic())
        self._late: list[str] = []

    def beat(self, thread: str) -> None:
        """*thread* is alive. Call it at every turn of its loop, outside anything that may hang."""
        if thread not in self._patience_s:
            raise KeyError(f"the watchdog was not told of a thread {thread!r}")
        self._beats[thread] = self._monotonic()

    def ready(self) -> None:
        """The machine takes taps. Beats count from now on."""
        self._beats = dict.fromkeys(self._patience_s, self._monotonic())
        self._notify("READY=1")

    def say(self, status: str) -> None:
        """The line that `systemctl status` shows."""
        self._notify("STATUS=" + " ".join(status.split())[:MAX_STATUS])

    def stopping(self) -> None:
        self._notify("STOPPING=1")

    def check(self) -> list[str]:
        """Ping systemd unless a thread is late; the late ones."""
        late = late_threads(self._beats, self._patience_s, self._monotonic())
        if not late:
            self._notify("WATCHDOG=1")
        self._report(late)
        return late

    def run(self, interval: timedelta, stop: threading.Event) -> None:
        """Check until *stop*, in a thread of its own."""
        self.check()
        while not stop.wait(interval.total_seconds()):
            self.check()

    def _report(self, late: list[str]) -> None:
        if late and late != self._late:
            _log.error(
                "No sign of life from %s: systemd will restart the machine's program unless it comes back",
                ", ".join(late),
                extra={"action": "thread_late", "threads": late},
            )
        elif self._late and not late:
            _log.info("All threads show life again", extra={"action": "threads_recovered"})
        self._late = late


def systemd_notify(environ: Mapping[str, str] | None = None) -> Notify:
    """How to talk to systemd; silent where it did not start us. The library itself looks into the environment."""
    if not (os.environ if environ is None else environ).get("NOTIFY_SOCKET"):
        return lambda state: None
    notifier = sdnotify.SystemdNotifier()
    # It encodes Latin-1 and swallows the error, so any other letter would silence it.
    return lambda state: notifier.notify(state.encode("utf-8").decode("latin-1"))
