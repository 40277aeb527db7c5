"""Every query of the dashboards asked through a real Grafana's query API, of a real InfluxDB 2 with the synthetic city.

Runs where GRAFANA_URL, GRAFANA_PASSWORD_FILE, INFLUX_URL and INFLUX_TOKEN_FILE are given (GRAFANA_INFLUX_URL where
Grafana sees InfluxDB at another address). They have never been given in the checks; that the database's numbers are
right is shown there on Debian's engine.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import real_grafana
import real_influx
from asking import Asking
from panel_rows import Window, window
from panel_truth import CHOICES
from real_grafana import RealGrafana
from real_influx import RealInflux

import grafana
from cloud.history import Access, open_history
from contract.series import Bucket
from grafana import influxql, rules
from provisioning import grafana_plan

if not (real_grafana.IS_GIVEN and real_influx.IS_GIVEN):
    pytest.skip("no real Grafana and InfluxDB 2 are given: docs/compose.md says how", allow_module_level=True)

pytestmark = pytest.mark.integration
BOARDS = [
    json.loads(path.read_text()) for path in sorted((Path(grafana.__file__).parent / "dashboards").glob("*.json"))
]
ASKED = [
    pytest.param(board, query, id=f"{board['uid']}: {query.where}")
    for board in BOARDS
    for query in rules.queries(board)
    if query.form in ("table", "time_series")
]


@pytest.fixture(scope="module")
def influx(points: list[Any]) -> Iterator[RealInflux]:
    """The synthetic city in buckets that keep for ever."""
    server = RealInflux()
    for bucket in Bucket:
        server.make_bucket(bucket.value)
    asyncio.run(_pour(server, points))
    yield server
    server.close()


async def _pour(server: RealInflux, points: list[Any]) -> None:
    access = Access(writer="test", token=server.operator, org=server.org)
    async with open_history(server.url, access, now=lambda: datetime.now(UTC)) as history:
        assert await history.write(points) == []


@pytest.fixture(scope="module")
def api(influx: RealInflux) -> Asking:
    """An organisation whose data sources read the city. All of them by the operator's token: only here."""
    server = RealGrafana()
    as_made = dict(grafana_plan.source(server.influx_url, f"Token {influx.operator}"))
    names = {query.bucket for board in BOARDS for query in rules.queries(board)}
    sources = [
        as_made
        | {"name": name, "uid": name, "database": name, "isDefault": False}
        | {"jsonData": {**as_made["jsonData"], "dbName": name}}  # type: ignore[dict-item]
        for name in sorted(names)
    ]
    return server.new_organisation("Hadir-test", sources)


def with_choices(query: str, w: Window) -> str:
    """What the browser fills in; the macros are left to Grafana."""
    kept = query.replace("$timeFilter", "\0").replace("$__interval", "\1")
    filled = influxql.expand(kept, w.begin, w.end, interval_s=w.step, chosen=w.chosen)
    return filled.replace("\0", "$timeFilter").replace("\1", "$__interval")


@pytest.mark.parametrize(("board", "query"), ASKED)
def test_a_panel_gets_rows(api: Asking, city: Any, board: dict[str, Any], query: rules.Asked) -> None:
    w = window(city, board, query.span, CHOICES[board["uid"]][0])
    asked = {
        "refId": "A",
        "datasource": {"type": "influxdb", "uid": query.bucket},
        "query": with_choices(query.query, w),
        "rawQuery": True,
        "resultFormat": query.form,
        "intervalMs": w.step * 1000,
        "maxDataPoints": 1000,
    }
    answer = api.ask("POST", "/ds/query", {"queries": [asked], "from": str(w.begin), "to": str(w.end)})
    result = answer["results"]["A"]
    assert "error" not in result, result
    columns = [column for frame in result["frames"] for column in frame["data"]["values"]]
    assert any(value is not None for column in columns for value in column), "the panel is empty"


@pytest.mark.parametrize("source", ["ops", "aggregate"])
def test_a_data_source_says_that_it_works(api: Asking, source: str) -> None:
    assert api.ask("GET", f"/datasources/uid/{source}/health")["status"] == "OK"
