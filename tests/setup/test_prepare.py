"""`setup/prepare` on machines that lack something. Package managers, root and Python are stand-ins that take notes."""

import os
import pty
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("cat", "cmp", "cut", "dirname", "env", "grep", "ls", "sed", "sh", "tail", "tr", "true")
NOTE = '#!/bin/sh\necho "${0##*/} $*" >>"$NOTES"\n'


@dataclass(frozen=True)
class Machine:
    """A copy of the project, and a PATH with nothing but what a test puts there (and Debian's servers, in sbin)."""

    tree: Path

    def provide(self, name: str, script: str = "exit 0") -> None:
        program = self.tree / "bin" / name
        program.write_text(f"{NOTE}{script}\n")
        program.chmod(0o755)

    def prepare(
        self, purpose: str, *, stdin: int = subprocess.DEVNULL, ci: str = "true"
    ) -> subprocess.CompletedProcess[str]:
        surroundings = {"PATH": str(self.tree / "bin"), "NOTES": str(self.tree / "notes"), "CI": ci}
        return subprocess.run(
            ["/bin/sh", self.tree / "setup/prepare", purpose],
            stdin=stdin,
            env=surroundings,
            capture_output=True,
            text=True,
            check=False,
        )

    def notes(self) -> list[str]:
        notes = self.tree / "notes"
        return notes.read_text().splitlines() if notes.exists() else []

    def installed(self) -> list[str]:
        return [note for note in self.notes() if "apt-get" in note and " install " in note]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    shutil.copytree(ROOT / "locks", tmp_path / "locks")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or pytest.fail(f"{tool} is missing on this machine"))
    machine = Machine(tmp_path)
    machine.provide("python3")
    return machine


def with_apt(machine: Machine, *, uid: int) -> Machine:
    machine.provide("apt-get")
    machine.provide("id", f"echo {uid}")
    return machine


def test_without_a_package_manager_each_missing_program_gets_a_sentence(machine: Machine) -> None:
    answer = machine.prepare("test")
    assert answer.returncode == 1
    sentences = answer.stderr.splitlines()
    assert any(sentence.startswith("swig is missing (the wrapper generator") for sentence in sentences)
    assert any("strace is missing" in sentence and "Debian calls it strace" in sentence for sentence in sentences)
    assert not (machine.tree / ".venv").exists()


def test_homebrew_is_asked_only_for_what_it_has(machine: Machine) -> None:
    machine.provide("brew")
    answer = machine.prepare("test")
    assert answer.returncode == 1
    assert "brew install influxdb@1" in answer.stderr
    assert "strace" not in answer.stderr
    assert "pcscd" not in answer.stderr
    assert not machine.notes() or all(note.startswith("python3") for note in machine.notes())


def test_the_demo_needs_no_compiler(machine: Machine) -> None:
    with_apt(machine, uid=0).provide("mosquitto")
    machine.prepare("demo")
    assert machine.installed() == []


def test_root_installs_what_is_missing_without_a_question_in_ci(machine: Machine) -> None:
    with_apt(machine, uid=0).prepare("test")
    (install,) = machine.installed()
    assert "--no-install-recommends" in install
    assert {"influxdb", "swig", "strace"} <= set(install.split())


def test_what_apt_could_not_bring_is_named(machine: Machine) -> None:
    answer = with_apt(machine, uid=0).prepare("test")
    assert answer.returncode == 1
    assert "swig is missing" in answer.stderr
    assert "apt-get install swig" in answer.stderr


def test_others_install_through_sudo(machine: Machine) -> None:
    with_apt(machine, uid=1000).provide("sudo", 'test "$1" = -n && shift; exec "$@"')
    machine.prepare("test")
    assert any(note.startswith("sudo -n env ") and "influxdb" in note for note in machine.notes())


def test_without_root_and_sudo_nothing_is_installed(machine: Machine) -> None:
    answer = with_apt(machine, uid=1000).prepare("test")
    assert answer.returncode == 1
    assert "apt-get install influxdb" in answer.stderr
    assert machine.installed() == []


@pytest.mark.parametrize(("reply", "installs"), [("y", 1), ("Yes", 1), ("n", 0), ("", 0)])
def test_at_a_terminal_it_asks_first(machine: Machine, reply: str, installs: int) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{reply}\n".encode())
        answer = with_apt(machine, uid=0).prepare("test", stdin=theirs, ci="")
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Install now? [y/N]" in answer.stdout
    assert len(machine.installed()) == installs


def ready_for_the_demo(machine: Machine) -> None:
    """As after a first `make demo`: an environment that remembers what it was made from."""
    machine.provide("mosquitto")
    programs = machine.tree / ".venv/bin"
    programs.mkdir(parents=True)
    shutil.copy(machine.tree / "bin/python3", programs / "python")
    (programs / "pip").write_text(f"#!{programs}/python\n")
    parts = ["pyproject.toml", "locks/build.txt", "locks/demo.txt"]
    recipe = f"{machine.tree.resolve()}\n" + "".join((machine.tree / part).read_text() for part in parts)
    (machine.tree / ".venv/demo.recipe").write_text(recipe)


def pip_installs(machine: Machine) -> list[str]:
    return [note for note in machine.notes() if "pip" in note and " install " in note]


def test_a_second_run_installs_nothing(machine: Machine) -> None:
    ready_for_the_demo(machine)
    assert machine.prepare("demo").returncode == 0
    assert pip_installs(machine) == []


def test_a_changed_lock_is_installed_with_hashes_and_remembered(machine: Machine) -> None:
    ready_for_the_demo(machine)
    with (machine.tree / "locks/demo.txt").open("a") as lock:
        lock.write("# changed\n")
    assert machine.prepare("demo").returncode == 0
    build, locked, ours = pip_installs(machine)
    assert "--require-hashes" in build
    assert "--require-hashes" in locked
    assert ours.endswith("-e .")
    assert machine.prepare("demo").returncode == 0
    assert len(pip_installs(machine)) == 3


def test_an_unknown_purpose_is_refused(machine: Machine) -> None:
    answer = machine.prepare("coffee")
    assert answer.returncode == 2
    assert "usage" in answer.stderr


def test_the_scripts_are_plain_shell() -> None:
    for script in ("prepare", "lock"):
        subprocess.run(["/bin/sh", "-n", ROOT / "setup" / script], check=True)
