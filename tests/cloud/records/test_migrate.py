from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Inspector, inspect, text

from cloud.records import Records, RecordsUnavailable, marks, migrate, open_records
from cloud.records.schema import metadata


@pytest.fixture
def unprepared(empty_url: str) -> Iterator[Records]:
    with open_records(empty_url) as opened:
        yield opened


def described(connection: Connection) -> dict[str, object]:
    """All that is enforced: columns, keys, checks, indexes, per table."""
    inspector: Inspector = inspect(connection)
    return {
        table: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)],
            inspector.get_pk_constraint(table),
            sorted(inspector.get_foreign_keys(table), key=str),
            sorted(inspector.get_check_constraints(table), key=str),
            sorted(inspector.get_unique_constraints(table), key=str),
            sorted(_index(each) for each in inspector.get_indexes(table)),
        )
        for table in metadata.tables
    }


def _index(found: Mapping[str, Any]) -> str:
    """An index in words; the condition of a partial one is an object of its own each time."""
    options = {name: str(value) for name, value in found.get("dialect_options", {}).items()}
    return str(sorted({**found, "dialect_options": options}.items()))


def test_the_revisions_build_what_the_schema_says(records: Records) -> None:
    assert records.read(migrate.differences) == []


def test_checks_and_keys_are_those_of_the_schema_too(records: Records) -> None:
    migrated = records.read(described)

    def rebuild(connection: Connection) -> dict[str, object]:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        return described(connection)

    assert records.write(rebuild) == migrated


def test_a_missing_column_is_noticed(records: Records) -> None:
    records.write(lambda connection: connection.execute(text("ALTER TABLE heard DROP COLUMN status_ms")))
    assert "status_ms" in str(records.read(migrate.differences))


def test_an_upgraded_database_is_at_the_latest_revision_and_upgrading_again_changes_nothing(
    records: Records, records_url: str
) -> None:
    assert migrate.current(records) == migrate.latest() != ""
    marked = records.write(lambda connection: marks.put(connection, "kept", 7))
    migrate.upgrade(records_url)
    assert marked is None and records.read(lambda connection: marks.read(connection, "kept")) == 7


def test_several_programs_may_upgrade_at_once(unprepared: Records, empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [empty_url] * 4))
    assert migrate.current(unprepared) == migrate.latest()


def test_without_tables_the_operator_is_told_what_to_run(unprepared: Records) -> None:
    with pytest.raises(RecordsUnavailable, match="hadir-provision registry prepare"):
        unprepared.read(lambda connection: marks.read(connection, "any"))


def test_the_registry_has_a_version_to_hold_before_anything_is_registered(records: Records) -> None:
    held = records.read(lambda connection: connection.execute(text("SELECT name, value FROM marks")).all())
    assert [tuple(row) for row in held] == [(marks.REGISTRY_CHANGED, 0)]


def test_the_revisions_are_where_the_program_is_installed() -> None:
    assert (Path(migrate.__file__).parent / "migrations/script.py.mako").exists()
