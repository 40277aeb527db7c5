"""A small run of every row of the loss table. `make chaos` runs the same rows with more taps."""

import subprocess
from collections.abc import Iterator

import pytest

from bench.chaos import play
from bench.chaos.rows import ROWS
from bench.chaos.table import Result, notes

TAPS = 40
JOBS = 3
"""More than the processors: most rows wait for something most of the time."""

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def results(needs) -> dict[str, Result]:
    """Every row, played once."""
    return {result.row.name: result for result in play.several(ROWS, TAPS, jobs=JOBS, told=lambda *_: None)}


@pytest.fixture(scope="module")
def needs() -> Iterator[None]:
    """Rows with a network of their own need namespaces."""
    tried = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False)
    if tried.returncode and subprocess.run(["unshare", "-rnm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this computer allows no namespaces: run as root")
    yield


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_no_tap_is_lost_wrong_or_doubled(results, name) -> None:
    assert results[name].is_good, notes(results[name])


def test_every_row_names_its_guard_once() -> None:
    assert len({row.guard for row in ROWS}) == len(ROWS)
