"""A whole system of real parts: TLS broker, InfluxDB engine, PostgreSQL. The test starts ingesters and machines."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from demo.servers.influxdb import InfluxDB
from demo.servers.mosquitto import Mosquitto
from demo.servers.system import System


@pytest.fixture
def system(tmp_path: Path, mosquitto: Mosquitto, influxdb: InfluxDB, postgres_url: str) -> Iterator[System]:
    """Nothing is registered yet, and none of our programs runs."""
    with System(tmp_path / "system", mosquitto, influxdb, postgres_url) as built:
        yield built


@pytest.fixture
def fast(tmp_path: Path, mosquitto: Mosquitto, influxdb: InfluxDB, postgres_url: str) -> Iterator[System]:
    """The same, in which a minute takes three seconds."""
    with System(tmp_path / "system", mosquitto, influxdb, postgres_url, pace=20) as built:
        yield built


@pytest.fixture
def records(postgres_url: str) -> Iterator[sqlalchemy.Connection]:
    """A look into the same database; every statement sees what is committed by then."""
    engine = sqlalchemy.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()
