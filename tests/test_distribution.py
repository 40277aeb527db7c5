"""What a kiosk gets when it installs `hadir[edge,pcsc]`: a working `hadir-edge`, and nothing of the cloud."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
OF_THE_CLOUD = {
    *("aiomqtt", "alembic", "grafana-api", "influxdb-client", "mako"),
    *("psycopg", "psycopg-binary", "rich", "sqlalchemy", "tenacity"),
}
NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info")

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def run(*command: str | Path, cwd: Path) -> str:
    """What the command printed; its complaint is the failure."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pins() -> str:
    """The locked versions as constraints: without hashes, which pip would then ask of our own wheel too."""
    return "\n".join(
        re.findall(r"^[a-z0-9._-]+==\S+(?: ; [^\\\n]+)?", (ROOT / "locks/dev.txt").read_text(), re.MULTILINE)
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that no build folder is left in the tree and no older one gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=NOT_SOURCE)
    pip = [sys.executable, "-m", "pip", "-q"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, folder / "source", cwd=folder)
    return next(folder.glob("hadir-*.whl"))


@pytest.fixture(scope="module")
def kiosk(wheel: Path) -> Iterator[Path]:
    """The programs folder of a clean environment with `hadir[edge,pcsc]` in it."""
    folder = wheel.parent / "kiosk"
    venv.create(folder, with_pip=True)
    (wheel.parent / "pins.txt").write_text(pins())
    pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check", "--retries", "1"]
    try:
        run(*pip, "install", "-c", wheel.parent / "pins.txt", f"hadir[edge,pcsc] @ {wheel.as_uri()}", cwd=wheel.parent)
    except AssertionError as error:
        if "Failed to establish a new connection" in str(error) and os.environ.get("HADIR_NO_SKIP") != "1":
            pytest.skip("the package registry cannot be reached; connect this machine to a network and run again")
        raise
    yield folder / "bin"
    shutil.rmtree(folder)


def installed(programs: Path) -> set[str]:
    names = run(programs / "python", "-m", "pip", "list", "--format=freeze", cwd=programs).splitlines()
    return {re.split(r"==| @ ", name)[0].lower().replace("_", "-") for name in names}


def test_a_machine_gets_the_reader_and_the_link(kiosk: Path) -> None:
    assert {"hadir", "paho-mqtt", "pyscard", "pydantic", "cryptography"} <= installed(kiosk)


def test_a_machine_gets_nothing_of_the_cloud(kiosk: Path) -> None:
    assert not installed(kiosk) & OF_THE_CLOUD


def test_the_machine_explains_itself_from_any_folder(kiosk: Path, tmp_path: Path) -> None:
    assert "Usage" in run(kiosk / "hadir-edge", "--help", cwd=tmp_path)
    assert "doctor" in run(kiosk / "hadir-edge", "--help", cwd=tmp_path)


def test_every_program_of_the_distribution_is_in_the_wheel(kiosk: Path) -> None:
    assert {"hadir-edge", "hadir-ingest", "hadir-provision", "hadir-demo"} <= {
        program.name for program in kiosk.iterdir()
    }


def test_the_locks_name_no_package_index() -> None:
    for lock in (ROOT / "locks").glob("*.txt"):
        assert "://" not in lock.read_text(), lock.name


def test_every_locked_package_has_its_hashes() -> None:
    for lock in (ROOT / "locks").glob("*.txt"):
        packages = re.findall(
            r"^[a-z0-9._-]+==.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)*", lock.read_text(), re.MULTILINE
        )
        assert packages
        assert all("--hash=sha256:" in package for package in packages), lock.name


def wanted(extra: str) -> list[Requirement]:
    """What *extra* asks for by name, its own extras followed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [Requirement(line) for line in project["dependencies"] + project["optional-dependencies"][extra]]
    nested = [inner for outer in found if outer.name == "hadir" for name in outer.extras for inner in wanted(name)]
    return [requirement for requirement in found if requirement.name != "hadir"] + nested


@pytest.mark.parametrize("extra", ["demo", "dev"])
def test_the_lock_has_all_that_is_wanted(extra: str) -> None:
    lines = (ROOT / "locks" / f"{extra}.txt").read_text()
    locked = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lines, re.MULTILINE))
    lacking = [str(r) for r in wanted(extra) if r.name not in locked or locked[r.name] not in r.specifier]
    assert not lacking, f"run setup/lock: {lacking}"


def test_the_demo_is_locked_to_the_versions_that_are_tested() -> None:
    demo, dev = ((ROOT / "locks" / name).read_text() for name in ("demo.txt", "dev.txt"))
    versions = set(re.findall(r"^[a-z0-9._-]+==\S+", demo, re.MULTILINE))
    assert versions <= set(re.findall(r"^[a-z0-9._-]+==\S+", dev, re.MULTILINE))
