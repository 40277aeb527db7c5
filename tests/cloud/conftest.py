"""One suite, both engines: whoever asks for `records` runs on SQLite and on PostgreSQL, each with fresh tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.records import Records, migrate, open_records

ENGINES = [
    pytest.param("sqlite"),
    pytest.param("postgresql", marks=pytest.mark.integration),
]


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def records_url(empty_url: str) -> str:
    """The address of a database with this version's tables."""
    migrate.upgrade(empty_url)
    return empty_url


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    """A migrated database, open."""
    with open_records(records_url) as opened:
        yield opened
