"""Stories in a world of their own (tests/servers/storytelling.py), compared with what a founder has read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from storytelling import World

from cloud.alerts import policy
from cloud.records import Records

SAMPLES = Path(__file__).parents[3] / "samples" / "scenarios"


@pytest.fixture
def another(new_records: Callable[[], Records]) -> Callable[[], World]:
    """As many worlds as are asked for, each at its beginning."""
    return lambda: World(new_records(), policy.shipped())


@pytest.fixture
def world(another: Callable[[], World]) -> World:
    return another()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[World, str], None]:
    """Compares a story with the one that was read and approved; HADIR_WRITE_SAMPLES=1 writes it anew."""

    def check(world: World, title: str) -> None:
        name = request.node.name.split("_")[1].upper()
        told = f"{title}\n{'=' * len(title)}\n\n{world.said.getvalue().strip()}\n"
        file = SAMPLES / f"{name}.txt"
        if os.environ.get("HADIR_WRITE_SAMPLES") == "1":
            file.write_text(told, "utf-8")
        assert told == file.read_text("utf-8"), f"read {file.name}, then write it anew with HADIR_WRITE_SAMPLES=1"

    return check
