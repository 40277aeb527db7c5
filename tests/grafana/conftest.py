"""The committed dashboards, and the engine that holds the synthetic city."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
import synthetic_city
from synthetic_city import City, Row

import grafana
from cloud.history import Access, open_history
from contract.series import SERIES
from demo.servers.influxdb import InfluxDB
from demo.servers.process import MissingProgram

DASHBOARDS = Path(grafana.__file__).parent / "dashboards"


@pytest.fixture(scope="session")
def city() -> City:
    """The same city in every run."""
    return synthetic_city.build()


@pytest.fixture(scope="session")
def points(city: City) -> list[Any]:
    """Everything the city wrote, as ingest hands it to the port."""
    return [_point(series, row) for series, rows in city.rows.items() for row in rows]


@pytest.fixture(scope="session")
def engine(
    points: list[Any], tmp_path_factory: pytest.TempPathFactory, give_up: Callable[[MissingProgram | str], NoReturn]
) -> Iterator[InfluxDB]:
    """Debian's InfluxDB with everything the city wrote, through the port ingest writes by."""
    try:
        server = InfluxDB(tmp_path_factory.mktemp("influxdb"))
    except MissingProgram as error:
        give_up(error)
    with server:
        asyncio.run(_pour(points, server))
        yield server


async def _pour(points: list[Any], server: InfluxDB) -> None:
    access = Access(writer="test", token=server.token, org=server.org)
    async with open_history(server.url, access, now=lambda: datetime.now(UTC)) as history:
        assert await history.write(points) == []


def _point(series: str, row: Row) -> Any:
    measurement = SERIES[series]
    tags = {name: row[name] for name in measurement.tags}
    fields = {name: value for name, value in row.items() if name not in tags and name != "time"}
    # A tap_15m of a machine without a past, and a day that is not complete yet, have optional fields open.
    return measurement.point(row["time"] * 10**6, tags, fields)


@pytest.fixture
def dashboards() -> list[dict[str, Any]]:
    """All six, fresh, free to be spoilt."""
    return [json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))]
