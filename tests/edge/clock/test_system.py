"""When the machine's own clock is believed."""

import time
from pathlib import Path

import pytest

from edge.clock import system


class Kernel:
    """Says whether it is synchronised."""

    def __init__(self, is_synchronised: bool = False) -> None:
        self.is_synchronised = is_synchronised

    def __call__(self) -> bool:
        return self.is_synchronised


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    return tmp_path / "absent"


def test_a_clock_nobody_has_set_is_not_believed(nothing) -> None:
    assert not system.SystemClock(is_synchronised=Kernel(), timesyncd=nothing).is_trusted()


def test_a_synchronised_kernel_is_believed(nothing) -> None:
    assert system.SystemClock(is_synchronised=Kernel(True), timesyncd=nothing).is_trusted()


def test_timesyncds_note_is_believed(tmp_path) -> None:
    note = tmp_path / "synchronized"
    clock = system.SystemClock(is_synchronised=Kernel(), timesyncd=note)
    assert not clock.is_trusted()
    note.touch()
    assert clock.is_trusted()


def test_once_synchronised_a_clock_stays_believed_when_the_network_goes(nothing) -> None:
    kernel = Kernel(True)
    clock = system.SystemClock(is_synchronised=kernel, timesyncd=nothing)
    assert clock.is_trusted()
    kernel.is_synchronised = False
    assert clock.is_trusted()


def test_a_restarted_program_remembers_the_synchronisation_of_this_boot(tmp_path, nothing) -> None:
    marker = tmp_path / "synchronised"
    assert system.SystemClock(marker, is_synchronised=Kernel(True), timesyncd=nothing).is_trusted()
    assert system.SystemClock(marker, is_synchronised=Kernel(), timesyncd=nothing).is_trusted()
    assert [path.name for path in tmp_path.iterdir()] == ["synchronised"]


def test_a_note_from_another_boot_proves_nothing(tmp_path, nothing) -> None:
    marker = tmp_path / "synchronised"
    marker.write_text("00000000-0000-0000-0000-000000000000")
    assert not system.SystemClock(marker, is_synchronised=Kernel(), timesyncd=nothing).is_trusted()


def test_a_note_that_cannot_be_written_costs_only_the_memory(nothing) -> None:
    clock = system.SystemClock(nothing / "marker", is_synchronised=Kernel(True), timesyncd=nothing)
    assert clock.is_trusted()


@pytest.mark.parametrize(
    ("state", "is_synchronised"),
    [(0, True), (1, True), (4, True), (5, False), (-1, False)],
    ids=["in order", "leap second ahead", "leap second over", "not synchronised", "we may not ask"],
)
def test_adjtimex_answers_with_a_state(state: int, is_synchronised: bool) -> None:
    assert system.means_synchronised(state) is is_synchronised


def test_the_kernel_can_be_asked_and_the_clock_not_set() -> None:
    before = time.time()
    assert system.is_kernel_synchronised() in (True, False)
    assert abs(time.time() - before) < 5
