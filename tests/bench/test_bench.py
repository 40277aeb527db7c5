"""Every measurement runs, small: whether it works, never how fast."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("part", ["outbox", "history"])
def test_a_part_that_needs_no_server_prints_its_ratio(part: str) -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--only", part]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "load before it began" in done.stdout


@pytest.mark.integration
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", ["ingest", "agents", "fleet", "idle"])
def test_a_part_with_servers_prints_its_figures(part: str) -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--only", part]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "load before it began" in done.stdout
