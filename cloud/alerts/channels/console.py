"""Channel to a terminal, or to the end of a file: for the demo, and for who wants to see what would be sent."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Final, TextIO

from cloud.alerts.channels import Outgoing, Taken, Traits

_WIDTH: Final = 72


class ConsoleChannel:
    """Writes each message as its reader would get it."""

    traits: Final = Traits(max_chars=3500)

    def __init__(self, out: TextIO | None = None, *, file: Path | None = None) -> None:
        self._own = file.open("a", encoding="utf-8") if file is not None else None
        self._out = self._own or out or sys.stdout
        self._one_at_a_time = threading.Lock()

    def send(self, message: Outgoing) -> Taken:
        """Write *message*."""
        title = f"── kepada {message.address} "
        with self._one_at_a_time:
            self._out.write(f"{title:─<{_WIDTH}}\n{message.text.plain()}\n{'─' * _WIDTH}\n")
            self._out.flush()
        return Taken(message.key, is_delivered=True)

    def close(self) -> None:
        """Close the file, if it is one."""
        if self._own is not None:
            self._own.close()
