"""The layers hold, and the checks would notice if they did not: each contract is broken once, in a copy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("contract", "edge", "cloud", "provisioning", "grafana", "demo", "bench")

VIOLATIONS = [
    ("contract/planted.py", "import edge", "Imports point down"),
    ("cloud/records/planted.py", "import cloud.ingest", "Imports point down"),
    ("edge/planted.py", "import provisioning", "Imports point down"),
    ("provisioning/planted.py", "import edge", "Imports point down"),
    ("cloud/ingest/planted.py", "import cloud.alerts.planted", "Imports point down"),
    ("cloud/ingest/planted.py", "import demo", "Imports point down"),
    ("edge/planted.py", "import cloud.records", "The machine knows the contract alone"),
    ("edge/planted.py", "import rich", "The machine knows the contract alone"),
    ("provisioning/planted.py", "import cloud.ingest", "Of the cloud, provisioning knows only records and history"),
    ("contract/planted.py", "import socket", "The contract is pure"),
    ("contract/planted.py", "from asyncio import Queue", "The contract is pure"),
    ("cloud/ingest/planted.py", "import aiomqtt", "Only cloud.feed speaks aiomqtt"),
    ("cloud/ingest/planted.py", "from sqlalchemy import select", "Only cloud.records speaks SQL"),
    (
        "cloud/history/planted.py",
        "import influxdb_client",
        "Only cloud.history.influx and provisioning.influx speak to InfluxDB",
    ),
    ("grafana/planted.py", "import cloud.records", "The dashboards know the contract alone"),
    ("grafana/boards/planted.py", "import grafana_foundation_sdk", "Only grafana.sdk speaks to the foundation SDK"),
    ("bench/planted.py", "import atheris", "Only bench.fuzz.one speaks atheris, only bench.picture matplotlib"),
    ("provisioning/planted.py", "import grafana_api", "Only provisioning.grafana speaks to Grafana"),
    ("edge/planted.py", "import paho.mqtt.client", "Only the machine's link speaks paho"),
    ("edge/planted.py", "from smartcard.System import readers", "Only the PC/SC adapters speak pyscard"),
]

NEIGHBOURS = [
    ("provisioning/planted.py", "import cloud.records, cloud.history, contract"),
    ("cloud/records/planted.py", "import sqlalchemy, alembic, contract"),
    ("demo/planted.py", "import edge, cloud.ingest, provisioning, bench"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages and their configuration, free to be spoilt; `cloud.alerts` is there even before it is written."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "cloud/alerts").mkdir(exist_ok=True)
    (tmp_path / "cloud/alerts/__init__.py").touch()
    (tmp_path / "cloud/alerts/planted.py").touch()
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def broken(report: str) -> set[str]:
    return {line.partition(" BROKEN")[0] for line in report.splitlines() if " BROKEN" in line}


def test_the_layers_hold(copy: Path) -> None:
    report = lint(copy)
    assert report.returncode == 0, report.stdout + report.stderr


@pytest.mark.parametrize(("path", "line", "contract"), VIOLATIONS, ids=[f"{p}: {i}" for p, i, _ in VIOLATIONS])
def test_an_import_against_the_layers_is_noticed(copy: Path, path: str, line: str, contract: str) -> None:
    (copy / path).write_text(f"{line}\n")
    report = lint(copy)
    assert report.returncode == 1, report.stdout + report.stderr
    assert contract in broken(report.stdout)


@pytest.mark.parametrize(("path", "line"), NEIGHBOURS, ids=[p for p, _ in NEIGHBOURS])
def test_an_import_along_the_layers_is_free(copy: Path, path: str, line: str) -> None:
    (copy / path).write_text(f"{line}\n")
    report = lint(copy)
    assert report.returncode == 0, report.stdout + report.stderr
