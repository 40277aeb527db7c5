import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioning import keys
from provisioning.__main__ import main

UID = "04A1B2C3D4E5F6"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry of one estate, one unit and one card."""
    folder = tmp_path / "registry"
    folder.mkdir()
    (folder / "estates.csv").write_text("estate,name,lat,lon,go_live\nDMG,Pesakih,,,2026-01-01\n")
    (folder / "units.csv").write_text("unit,estate\nDMG/A/1,DMG\n")
    (folder / "cards.csv").write_text(f"card,unit,role,obliged,valid_from\n{UID},DMG/A/1,holder,1,2026-01-01\n")
    return folder


@pytest.fixture
def pepper(tmp_path: Path) -> Path:
    keys.new_pepper(tmp_path / "pepper")
    return tmp_path / "pepper"


@pytest.fixture
def database(empty_url: str) -> str:
    assert run("prepare", "--database", empty_url).exit_code == 0
    return empty_url


def run(*arguments: object, env: dict[str, str] | None = None) -> Result:
    return CliRunner(env=env).invoke(main, ["registry", *map(str, arguments)])


def counts(output: str) -> dict[str, list[int]]:
    return {file: list(map(int, numbers.split("│")))
            for file, numbers in re.findall(r"│ (\w+\.csv) +│([ 0-9│]+)│\n", output)}  # fmt: skip


def test_an_import_prints_counts_and_never_what_a_cell_held(database: str, folder: Path, pepper: Path) -> None:
    result = run("import", folder, "--database", database, "--pepper-file", pepper)
    assert result.exit_code == 0, result.output
    assert counts(result.output) == {"estates.csv": [1, 0, 0], "units.csv": [1, 0, 0], "cards.csv": [1, 0, 0]}
    assert "resolves again" in result.output
    assert UID not in result.output and "DMG" not in result.output


def test_importing_again_says_that_nothing_changed(database: str, folder: Path, pepper: Path) -> None:
    run("import", folder, "--database", database, "--pepper-file", pepper)
    result = run("import", folder, "--database", database, "--pepper-file", pepper)
    assert "registered already" in result.output and counts(result.output)["cards.csv"] == [0, 0, 1]


def test_a_dry_run_is_no_import(database: str, folder: Path, pepper: Path) -> None:
    for _ in range(2):
        result = run("import", folder, "--database", database, "--pepper-file", pepper, "--dry-run")
        assert "dry run" in result.output and counts(result.output)["cards.csv"] == [1, 0, 0]


def test_settings_may_come_from_the_environment_and_its_secrets_from_files(
    database: str, folder: Path, pepper: Path, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text(f"{database}\n")
    env = {"HADIR_DATABASE_URL_FILE": str(tmp_path / "url"), "HADIR_PEPPER_FILE": str(pepper)}
    assert run("import", folder, env=env).exit_code == 0


def test_a_recorded_past_needs_to_be_called_one(database: str, folder: Path, pepper: Path) -> None:
    (folder / "tenancies.csv").write_text("unit,start,end,known_from\nDMG/A/1,2026-01-01,,2026-01-01T00:00:00Z\n")
    command = ("import", folder, "--database", database, "--pepper-file", pepper)
    refused = run(*command)
    assert refused.exit_code == 1 and "tenancies.csv, line 2, known_from" in refused.output
    assert run(*command, "--history").exit_code == 0


def test_every_fault_is_a_line_of_its_own(database: str, folder: Path, pepper: Path) -> None:
    bad = "08A1B2C3"
    with (folder / "cards.csv").open("a") as cards:
        cards.write("".join(f"{bad},DMG/A/1,holder,1,2026-01-01\n" for _ in range(10)))
    result = run("import", folder, "--database", database, "--pepper-file", pepper)
    assert result.exit_code == 1 and bad not in result.output
    assert re.findall(r"cards.csv, line (\d+), card: is a number", result.output) == [
        str(line) for line in range(3, 13)
    ]
    assert "Nothing was imported; 10 fault(s)." in result.output


def test_cards_without_the_pepper_are_refused(database: str, folder: Path) -> None:
    result = run("import", folder, "--database", database)
    assert result.exit_code == 1 and "HADIR_PEPPER_FILE" in result.output


def test_a_pepper_that_is_none_is_refused_without_being_shown(database: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pepper").write_text("hunter2")
    result = run("import", folder, "--database", database, "--pepper-file", tmp_path / "pepper")
    assert result.exit_code == 2 and "64 hex digits" in result.output and "hunter2" not in result.output


def test_a_database_without_tables_is_answered_by_the_command_that_makes_them(
    empty_url: str, folder: Path, pepper: Path
) -> None:
    result = run("import", folder, "--database", empty_url, "--pepper-file", pepper)
    assert result.exit_code == 1 and "hadir-provision registry prepare" in result.output


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        ([], {}, "Missing option '--database'"),
        (["--database", "mysql://x"], {}, "no database of the kind"),
        ([], {"HADIR_DATABASE_URL_FILE": "/nowhere"}, "HADIR_DATABASE_URL_FILE cannot be read"),
    ],
    ids=["none", "unknown kind", "no such file"],
)
def test_where_the_registry_is_must_be_said(arguments: list[str], env: dict[str, str], said: str) -> None:
    result = run("prepare", *arguments, env=env)
    assert result.exit_code != 0 and said in result.output and "Traceback" not in result.output
