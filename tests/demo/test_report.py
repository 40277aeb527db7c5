"""The closing table: in Indonesian, with a verdict, and faults by machine and number."""

import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from contract.topics import DeviceId
from demo import report
from demo.closing import Account
from demo.report import Run

GOOD = Account(1200, 1200, (), (), (), (), (), ())
RUN = Run(32, 23, 60.0, 60.4, 60.4, 2, 1, 0.05, 0.31, 437.0)
PLACE = (DeviceId("DMG-01"), 7)


def text(drawn: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(drawn)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_good_run_says_so() -> None:
    shown = text(report.draw(GOOD, RUN))
    assert "Semua tap tersimpan tepat satu kali dan terkonfirmasi." in shown
    assert "1.200" in shown


@pytest.mark.parametrize("fault", ["lost", "doubled", "wrong_card", "wrong_time", "unasked", "unconfirmed"])
def test_every_fault_is_named_by_machine_and_number(fault: str) -> None:
    shown = text(report.draw(replace(GOOD, **{fault: (PLACE,)}), RUN))
    assert "GAGAL" in shown
    assert "DMG-01 no. 7" in shown


def test_many_faults_are_shortened() -> None:
    shown = text(report.draw(replace(GOOD, lost=tuple((PLACE[0], seq) for seq in range(1, 9))), RUN))
    assert "DMG-01 no. 3, …" in shown
    assert "no. 4" not in shown


def test_a_run_without_taps_is_no_success() -> None:
    assert "tidak ada tap yang dibuat" in text(report.draw(replace(GOOD, made=0, stored_once=0), RUN))


@pytest.mark.parametrize(
    ("top", "said"), [(437.0, "SPEED=430"), (6.4, "SPEED=6"), (0.3, "SPEED=1"), (1234.0, "SPEED=1.200")]
)
def test_the_top_speed_is_told_with_two_digits(top: float, said: str) -> None:
    assert f"{said} untuk" in text(report.draw(GOOD, replace(RUN, top_speed=top)))


def test_where_it_cannot_be_measured_it_is_not_made_up() -> None:
    assert "tidak dapat diukur" in text(report.draw(GOOD, replace(RUN, top_speed=None)))


def test_a_search_tells_each_step_and_its_result() -> None:
    assert "tidak terkejar" in text(report.probed(RUN, keeps_up=False, is_good=True))
    assert "tidak terkejar" in text(report.probed(RUN, keeps_up=True, is_good=False))
    assert "SPEED=240" in text(report.probe_result(240, 32))
    assert "ulangi" in text(report.probe_result(None, 32))
