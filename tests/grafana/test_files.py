"""What is committed is what the generator writes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import grafana
from grafana import __main__ as program
from grafana import boards, files, render, specs
from grafana.specs import Board, Kind, Panel

ROOT = Path(grafana.__file__).parents[1]


@pytest.mark.parametrize("name", files.generated())
def test_the_committed_file_is_the_generated_one(name: str) -> None:
    assert (ROOT / name).read_text() == files.generated()[name], "run `python -m grafana write`"


def test_no_dashboard_lies_about_that_is_not_generated() -> None:
    lying = [path for folder in ("grafana/dashboards", "docs/dashboards") for path in (ROOT / folder).iterdir()]
    assert {str(path.relative_to(ROOT)) for path in lying} <= files.generated().keys()


def test_generating_twice_gives_the_same() -> None:
    assert files.generated() == files.generated()


def test_a_stale_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "ROOT", tmp_path)
    assert CliRunner().invoke(program.main, ["write"]).exit_code == 0
    assert CliRunner().invoke(program.main, ["check"]).exit_code == 0
    (tmp_path / "grafana/dashboards/hadir-sla.json").write_text("{}")
    result = CliRunner().invoke(program.main, ["check"])
    assert result.exit_code == 1
    assert "hadir-sla.json" in result.output
    assert "hadir-pipa.json" not in result.output


def test_six_dashboards_each_answer_one_question() -> None:
    assert len(boards.BOARDS) == 6
    assert all(board.question.endswith("?") and board.question.count("?") == 1 for board in boards.BOARDS)
    assert all(board.when_red for board in boards.BOARDS)


def test_officials_see_attendance_and_the_monthly_report() -> None:
    assert [board.uid for board in boards.BOARDS if board.for_officials] == ["hadir-kehadiran", "hadir-sla"]


def test_a_row_wider_than_the_grid_is_refused() -> None:
    wide = Panel(kind=Kind.TEXT, title="a", width=13)
    board = Board(uid="x", title="x", question="x?", when_red=(), begin="now-1h", rows=((wide, wide),))
    with pytest.raises(ValueError, match="26 wide"):
        render.board(board)


def test_a_ladder_says_its_steps_in_one_line() -> None:
    assert specs.rising(1, 2.5).legend() == "AMAN; WASPADA mulai 1; GANGGUAN mulai 2,5"
