"""Signals as lines on standard output: the words for a person, or one JSON object a line for a program.

The JSON form is the record of what a resident was told; it carries the outbox number of a tap and nothing about a card.
"""

import json
import sys
import threading
from typing import TextIO

from edge.signals import WORDINGS, Signal, SignalFailed


class ConsoleSignals:
    """A line per signal, flushed at once, so that it survives a kill that follows it."""

    def __init__(self, stream: TextIO | None = None, *, as_json: bool = False) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._as_json = as_json
        self._one_at_a_time = threading.Lock()

    def show(self, signal: Signal, *, seq: int | None = None) -> None:
        line = json.dumps({"signal": signal.value, "seq": seq}) if self._as_json else str(WORDINGS[signal])
        try:
            with self._one_at_a_time:
                self._stream.write(line + "\n")
                self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream was closed, or cannot encode the words
            raise SignalFailed(f"standard output takes no more lines ({error}): nobody sees what it says") from error

    def close(self) -> None:
        """The stream is not ours to close."""
