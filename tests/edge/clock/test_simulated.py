"""A clock in a file: its arithmetic, and a machine that watches it change."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import BadClockAddress, simulated
from edge.clock.simulated import Setting

TUESDAY = 1_557_190_800_000  # 7 May 2019, 08.00 WIB
HOUR = 3_600_000
AT_START = Setting(anchor_ms=1000, wall_ms=TUESDAY, mono_ms=0, speed=60.0, boot="b")


def test_time_runs_at_its_speed() -> None:
    assert AT_START.wall_at(2000) == TUESDAY + 60_000
    assert AT_START.mono_at(2000) == 60_000


def test_a_reboot_starts_monotonic_time_anew_and_leaves_the_clock_unset() -> None:
    after = AT_START.rebooted(2000, boot="c")
    assert (after.mono_at(2000), after.boot, after.trusted) == (0, "c", False)
    assert after.wall_at(2000) == AT_START.wall_at(2000)


@given(
    real=st.integers(0, 10**9),
    later=st.integers(0, 10**6),
    speed=st.floats(0.01, 1000),
    new_speed=st.floats(0.01, 1000),
)
def test_a_new_speed_moves_neither_clock(real: int, later: int, speed: float, new_speed: float) -> None:
    before = replace(AT_START, anchor_ms=0, speed=speed)
    after = replace(before.moved(real), speed=new_speed)
    assert (after.wall_at(real), after.mono_at(real)) == (before.wall_at(real), before.mono_at(real))
    assert after.mono_at(real + later) >= before.mono_at(real)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "clock.json"
    simulated.write(path, simulated.start(TUESDAY))
    return path


def near(value: int, expected: int) -> bool:
    return 0 <= value - expected < 20_000


def test_the_wall_clock_starts_where_it_was_set_and_monotonic_time_at_nought(path) -> None:
    clock = simulated.SimulatedClock(path)
    assert near(clock.wall_ms(), TUESDAY)
    assert near(clock.mono_ms(), 0)
    assert clock.now().replace(second=0, microsecond=0) == datetime(2019, 5, 7, 1, 0, tzinfo=UTC)


CHANGES = [
    pytest.param(lambda path: simulated.set_wall(path, 0), 0, id="1970"),
    pytest.param(lambda path: simulated.step(path, -HOUR), TUESDAY - HOUR, id="an hour back"),
    pytest.param(lambda path: simulated.step(path, HOUR), TUESDAY + HOUR, id="an hour forward"),
]


@pytest.mark.parametrize(("change", "wall_ms"), CHANGES)
def test_a_running_machine_sees_its_clock_jump_and_monotonic_time_stay(
    path: Path, change: Callable[[Path], None], wall_ms: int
) -> None:
    clock = simulated.SimulatedClock(path)
    boot, before = clock.boot, clock.mono_ms()
    change(path)
    assert near(clock.wall_ms(), wall_ms)
    assert near(clock.mono_ms(), before)
    assert clock.boot == boot


def test_trust_comes_and_goes_while_the_machine_runs(path) -> None:
    clock = simulated.SimulatedClock(path)
    assert clock.is_trusted()
    simulated.set_trusted(path, False)
    assert not clock.is_trusted()
    simulated.set_trusted(path, True)
    assert clock.is_trusted()


def test_a_faster_clock_makes_waiting_shorter(path) -> None:
    clock = simulated.SimulatedClock(path)
    assert clock.real_seconds(30_000) == 30
    simulated.set_speed(path, 60)
    assert clock.real_seconds(30_000) == 0.5


def test_a_change_of_speed_makes_no_clock_jump(path) -> None:
    ten_seconds_ago = simulated.read(path).anchor_ms - 10_000
    simulated.write(path, replace(simulated.read(path), anchor_ms=ten_seconds_ago))
    simulated.set_speed(path, 600)
    clock = simulated.SimulatedClock(path)
    assert near(clock.wall_ms(), TUESDAY + 10_000)
    assert near(clock.mono_ms(), 10_000)


def test_a_reboot_is_another_boot_with_a_clock_nobody_has_set(path) -> None:
    clock = simulated.SimulatedClock(path)
    boot = clock.boot
    simulated.reboot(path, wall_ms=0)
    assert clock.boot != boot
    assert not clock.is_trusted()
    assert near(clock.mono_ms(), 0)
    assert near(clock.wall_ms(), 0)


def test_monotonic_time_stands_still_rather_than_step_back(path) -> None:
    clock = simulated.SimulatedClock(path)
    simulated.write(path, replace(simulated.read(path), mono_ms=5 * HOUR))
    latest = clock.mono_ms()
    simulated.write(path, replace(simulated.read(path), mono_ms=HOUR))
    assert clock.mono_ms() == latest
    simulated.reboot(path)
    assert clock.mono_ms() < HOUR


BAD = [
    pytest.param("", id="empty"),
    pytest.param("{", id="torn"),
    pytest.param("[]", id="a list"),
    pytest.param("{}", id="nothing set"),
    pytest.param(json.dumps({**asdict(AT_START), "speed": 0}), id="standing still"),
    pytest.param(json.dumps({**asdict(AT_START), "speed": "fast"}), id="a word for a speed"),
    pytest.param(json.dumps({**asdict(AT_START), "wall_ms": 1.5}), id="half a millisecond"),
    pytest.param(json.dumps({**asdict(AT_START), "trusted": "no"}), id="a word for trust"),
    pytest.param(json.dumps({**asdict(AT_START), "boot": ""}), id="no boot id"),
    pytest.param(json.dumps({**asdict(AT_START), "zone": "WIB"}), id="an unknown key"),
]


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_stops_the_start(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(BadClockAddress, match="write it anew"):
        simulated.SimulatedClock(path)


def test_a_file_that_turns_bad_or_vanishes_changes_nothing(path, caplog) -> None:
    clock = simulated.SimulatedClock(path)
    path.write_text("{")
    assert near(clock.wall_ms(), TUESDAY)
    assert near(clock.wall_ms(), TUESDAY)
    path.unlink()
    assert near(clock.wall_ms(), TUESDAY)
    assert near(clock.wall_ms(), TUESDAY)
    assert {record.action for record in caplog.records} == {"clock_file_unreadable"}
    assert len(caplog.records) == 2
    simulated.write(path, simulated.start(0))
    assert near(clock.wall_ms(), 0)
