"""How a clock is named."""

import pytest

from edge import clock
from edge.clock import simulated, system


@pytest.mark.parametrize("address", ["", "system", "simulated:", "ntp:pool", "simulated"])
def test_an_address_that_names_no_clock_is_refused_with_the_ones_that_do(address: str) -> None:
    with pytest.raises(clock.BadClockAddress, match="use system:, system:MARKER or simulated:FILE"):
        clock.open_clock(address)


def test_each_address_opens_its_clock(tmp_path) -> None:
    simulated.write(tmp_path / "clock", simulated.start(0))
    assert isinstance(clock.open_clock("system:"), system.SystemClock)
    assert isinstance(clock.open_clock(f"system:{tmp_path}/marker"), system.SystemClock)
    assert isinstance(clock.open_clock(f"simulated:{tmp_path}/clock"), simulated.SimulatedClock)


def test_a_missing_simulated_clock_stops_the_start(tmp_path) -> None:
    with pytest.raises(clock.BadClockAddress, match="write it anew"):
        clock.open_clock(f"simulated:{tmp_path}/none")
