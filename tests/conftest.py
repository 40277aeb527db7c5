"""Real servers as fixtures. A missing program skips the test and says how to get it; HADIR_NO_SKIP=1 makes it fail."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from cloud.records import Records, migrate, open_records
from demo.servers.influxdb import InfluxDB
from demo.servers.mosquitto import Mosquitto
from demo.servers.pcscd import Pcscd
from demo.servers.postgres import Postgres
from demo.servers.process import MissingProgram


def skip_or_fail(reason: str, *, strict: bool) -> NoReturn:
    """Where everything must run (*strict*), something missing is a failure; elsewhere a skip that says what to do."""
    if strict:
        pytest.fail(f"{reason} (HADIR_NO_SKIP is set, so this is a failure)", pytrace=False)
    pytest.skip(reason)


def missing(error: MissingProgram | str) -> NoReturn:
    """Give up on a test because of a missing program."""
    skip_or_fail(str(error), strict=os.environ.get("HADIR_NO_SKIP") == "1")


@pytest.fixture(scope="session")
def give_up() -> Callable[[MissingProgram | str], NoReturn]:
    """For fixtures elsewhere that start a program: what to do when it is missing."""
    return missing


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of its own, TLS and ACL as in production; `issue` and `admit` whom the test needs."""
    try:
        server = Mosquitto(tmp_path / "mosquitto")
    except MissingProgram as error:
        missing(error)
    with server:
        yield server


@pytest.fixture
def influxdb(tmp_path: Path) -> Iterator[InfluxDB]:
    """An engine of its own with the three buckets; `url`, `token`, `org`, and `query` to look at what was stored."""
    try:
        server = InfluxDB(tmp_path / "influxdb")
    except MissingProgram as error:
        missing(error)
    with server:
        yield server


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A cluster of its own, for tests that stop or kill it; all others take `postgres_url`."""
    yield from _cluster()


@pytest.fixture(scope="session")
def _shared_postgres() -> Iterator[Postgres]:
    yield from _cluster()


_databases = itertools.count(1)


@pytest.fixture
def postgres_url(_shared_postgres: Postgres) -> Iterator[str]:
    """The address of a new, empty database in a cluster that all tests share."""
    name = f"test_{next(_databases)}"
    yield _shared_postgres.create_database(name)
    _shared_postgres.drop_database(name)


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with this version's tables, to be copied: migrating takes far longer."""
    file = tmp_path_factory.mktemp("migrated") / "records.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def _migrated_database(_shared_postgres: Postgres) -> str:
    """The name of a database with this version's tables, to be copied."""
    migrate.upgrade(_shared_postgres.create_database("migrated"))
    return "migrated"


@pytest.fixture
def migrated_postgres_url(_shared_postgres: Postgres, _migrated_database: str) -> Iterator[str]:
    """The address of a new database with this version's tables, in a cluster that all tests share."""
    name = f"test_{next(_databases)}"
    yield _shared_postgres.create_database(name, template=_migrated_database)
    _shared_postgres.drop_database(name)


def _cluster() -> Iterator[Postgres]:
    # Not under tmp_path: pytest closes that to all but its user, and PostgreSQL does not run as root.
    folder = Path(tempfile.mkdtemp(prefix="hadir-postgres-"))
    folder.chmod(0o755)
    try:
        with Postgres(folder / "cluster", fsync=False) as server:
            yield server
    except MissingProgram as error:
        missing(error)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session", autouse=True)
def _pcscd_socket() -> Iterator[Path]:
    """Where PC/SC clients of this process look for pcscd, so that no test ever speaks to the computer's own.

    One path for all: the client library reads the variable once per process.
    """
    folder = Path(tempfile.mkdtemp(prefix="hadir-pcscd-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PCSCLITE_CSOCK_NAME", str(folder / "pcscd.comm"))
        yield folder / "pcscd.comm"
    shutil.rmtree(folder)


@pytest.fixture
def pcscd(tmp_path: Path, _pcscd_socket: Path) -> Iterator[Pcscd]:
    """A pcscd of its own with one virtual reader (`reader`); `card(uid)` makes a card to lay on it."""
    try:
        server = Pcscd(tmp_path / "pcscd", listen_at=_pcscd_socket)
    except MissingProgram as error:
        missing(error)
    with server:
        yield server


# ---- one suite, both engines: whoever asks for `records` runs on SQLite and PostgreSQL, each with fresh tables -----


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def _on_engine(request: pytest.FixtureRequest) -> str:
    """Which engine the records are on."""
    return str(request.param)


@pytest.fixture
def empty_url(_on_engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if _on_engine == "sqlite":
        return f"sqlite:///{tmp_path}/records.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def records_url(_on_engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with this version's tables."""
    if _on_engine == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('_migrated_file'), tmp_path / 'records.db')}"
    return str(request.getfixturevalue("migrated_postgres_url"))


@pytest.fixture
def records(records_url: str) -> Iterator[Records]:
    """A migrated database, open."""
    with open_records(records_url) as opened:
        yield opened


@pytest.fixture
def new_records(tmp_path: Path, _migrated_file: Path) -> Iterator[Callable[[], Records]]:
    """As many empty databases as are asked for, in files."""
    opened: list[Records] = []

    def another() -> Records:
        file = shutil.copy(_migrated_file, tmp_path / f"records-{len(opened)}.db")
        opened.append(open_records(f"sqlite:///{file}"))
        return opened[-1]

    yield another
    for each in opened:
        each.close()
