"""What a scenario is given, and what a row of the table is."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.chaos.score import Score


class CannotRun(RuntimeError):
    """This computer lacks something that the row needs; the message says what, and how to get it."""


@dataclass(frozen=True)
class Stage:
    """Where one row plays: an empty folder, how many taps, and whom to tell how far it is."""

    folder: Path
    taps: int
    tell: Callable[[str], None]
    chance: random.Random = field(default_factory=lambda: random.Random(20))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what happens, the guard that must hold, and the scenario that tries it."""

    name: str
    title: str
    guard: str
    play: Callable[[Stage], Score]
    destroys_unsent: bool = False
    """It destroys taps that nobody else has: outside the exit code, but their loss must be declared or reported."""
    in_namespaces: bool = False
    """Its network and its mounts are its own."""
    slow: bool = False
    """It mostly waits for real time-outs: started first, so that others run meanwhile."""
