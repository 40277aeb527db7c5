"""Named threads and how they end: one that breaks takes the program with it, and systemd starts it anew."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

_log = logging.getLogger(__name__)

JOIN_S: Final = 10.0


class Lines(logging.Formatter):
    """A line for a person, with the stable word for a program at its end."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} [{getattr(record, 'action', '-')}]"


def log_to_stderr(level: str) -> None:
    """Where systemd picks it up and adds the time."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines("%(levelname)s %(threadName)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


class Threads:
    """Named threads that run until told to stop; the first one that fails stops all."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._failed = False
        self._threads: dict[str, threading.Thread] = {}

    @property
    def has_failed(self) -> bool:
        """Whether a thread ended by an error."""
        return self._failed

    def start(self, bodies: Mapping[str, Callable[[], None]]) -> None:
        """Start a thread for each name."""
        for name, body in bodies.items():
            thread = threading.Thread(target=self._guarded, args=(name, body), name=name, daemon=True)
            self._threads[name] = thread
            thread.start()

    def join(self, *names: str) -> None:
        """Wait for these to end; one that hangs (a mute card) is left behind."""
        for name in names:
            self._threads[name].join(JOIN_S)

    def is_hung(self, name: str) -> bool:
        """Whether that thread still does not end."""
        return self._threads[name].is_alive()

    def _guarded(self, name: str, body: Callable[[], None]) -> None:
        try:
            body()
        except Exception:  # noqa: BLE001 - the top of a service loop
            _log.exception("The thread %s broke: the program ends", name, extra={"action": "thread_broke"})
            self._failed = True
            self.stop.set()
