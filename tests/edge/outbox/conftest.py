"""An outbox in a temporary folder, and records to put into it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.messages import Clock, Tap
from edge.dating import Stamp
from edge.outbox import Limits, Outbox, open_outbox

BOOT = "00000001-0000-4000-8000-000000000000"
STAMP = Stamp(1_800_000_000_000, 1000, BOOT, Clock.TRUSTED)


@pytest.fixture
def stamp() -> Stamp:
    return STAMP


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    one = open_outbox(path, Limits(reserve_bytes=0), STAMP)
    yield one
    one.close()


@pytest.fixture
def tap() -> Callable[..., Tap]:
    def make(card: str = "k1.x", *, at: int = STAMP.at, mono: int = 1000, clock: Clock = Clock.TRUSTED) -> Tap:
        return Tap(seq=1, at=at, mono=mono, boot=BOOT, clock=clock, card=card)

    return make
