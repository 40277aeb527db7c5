"""What may be logged of an exception nobody expected: its kind and where it came from, never its text.

The text of a stranger's exception may quote what it choked on: a card, a pseudonym, a unit.
"""

from __future__ import annotations

import traceback
from pathlib import Path

FRAMES = 6


def told(error: BaseException) -> str:
    """The kind of *error* and the last frames it passed through."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    way = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__} at {way}" if way else type(error).__name__
