"""What every clock keeps to."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from edge import clock
from edge.clock import Clock, simulated


def system(folder: Path) -> Clock:
    return clock.open_clock(f"system:{folder}/marker")


def at_real_pace(folder: Path) -> Clock:
    simulated.write(folder / "clock", simulated.start(1_557_190_800_000))
    return clock.open_clock(f"simulated:{folder}/clock")


def fast(folder: Path) -> Clock:
    simulated.write(folder / "clock", simulated.start(0, speed=600, trusted=False))
    return clock.open_clock(f"simulated:{folder}/clock")


@pytest.fixture(params=[system, at_real_pace, fast], ids=lambda make: make.__name__)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Clock:
    make: Callable[[Path], Clock] = request.param
    return make(tmp_path)


def test_monotonic_time_never_steps_back(subject) -> None:
    times = [subject.mono_ms() for _ in range(500)]
    assert times == sorted(times)
    assert times[0] >= 0


def test_wall_and_monotonic_time_run_at_one_pace(subject) -> None:
    wall, mono = subject.wall_ms(), subject.mono_ms()
    time.sleep(0.1)
    assert subject.wall_ms() - wall == pytest.approx(subject.mono_ms() - mono, rel=0.2, abs=20)


def test_what_a_thread_waits_passes_on_the_clock(subject) -> None:
    mono, real = subject.mono_ms(), time.monotonic()
    time.sleep(0.1)
    passed_ms = subject.mono_ms() - mono
    assert subject.real_seconds(passed_ms) == pytest.approx(time.monotonic() - real, rel=0.2)


def test_times_are_whole_milliseconds(subject) -> None:
    assert type(subject.wall_ms()) is int
    assert type(subject.mono_ms()) is int


def test_a_boot_has_one_id_that_stays(subject) -> None:
    assert uuid.UUID(subject.boot)
    assert subject.boot == subject.boot


def test_trust_is_a_plain_yes_or_no(subject) -> None:
    assert subject.is_trusted() in (True, False)
