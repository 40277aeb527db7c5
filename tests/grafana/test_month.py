"""A month through the ingest service: its series, and every query of the dashboards, show what really happened."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import month_broker
import month_calendar
import month_day
import month_feeding
import month_life
import month_story
import month_truth
import month_unwritten
import panel_figures
import panel_rows
import panel_truth
import pytest
from panel_rows import ask, compare, window
from panel_truth import CHOICES, EXPECTED, NOTES
from series_rows import same_rows
from synthetic_city import City

import grafana
from cloud.history import Access, open_history
from cloud.records import migrate, open_records
from contract.series import SERIES
from demo.servers.influxdb import InfluxDB
from demo.servers.process import MissingProgram
from grafana import alerts, influxql, rules
from grafana.influxql import Choice

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

BOARDS = [
    json.loads(path.read_text()) for path in sorted((Path(grafana.__file__).parent / "dashboards").glob("*.json"))
]
ALERTS = json.loads((Path(grafana.__file__).parent / "provisioning" / "alerting" / "hadir.json").read_text())


@pytest.fixture(scope="module")
def told() -> month_story.Story:
    return month_story.tell()


@pytest.fixture(scope="module")
def city(told: month_story.Story) -> City:
    """What must be there, and what has no writer yet."""
    made = month_truth.rows(told)
    month_unwritten.add(made)
    return made


@pytest.fixture(scope="module")
def fed(
    told: month_story.Story, tmp_path_factory: pytest.TempPathFactory, give_up: Callable[..., NoReturn]
) -> Iterator[InfluxDB]:
    """The engine after the month; nothing in it but what the service wrote and what has no writer yet."""
    folder = tmp_path_factory.mktemp("month")
    try:
        server = InfluxDB(folder / "influxdb")
    except MissingProgram as error:
        give_up(error)
    with server:
        asyncio.run(_live(told, server, folder))
        yield server


async def _live(told: month_story.Story, server: InfluxDB, folder: Path) -> None:
    url = f"sqlite:///{folder}/records.db"
    migrate.upgrade(url)
    access = Access(writer="ingest-1", token=server.token, org=server.org)
    with open_records(url) as records:
        async with open_history(server.url, access, now=lambda: datetime.now(UTC)) as history:
            await month_feeding.Ingester(records, history).live(told, folder)
            await month_unwritten.write(records, history)


# ---- the series themselves -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("series", SERIES)
def test_a_series_holds_what_happened_and_nothing_else(fed: InfluxDB, city: City, series: str) -> None:
    same_rows(fed, city, series)


@pytest.mark.parametrize(
    "module",
    [
        month_story,
        month_broker,
        month_calendar,
        month_truth,
        month_day,
        month_life,
        panel_figures,
        panel_truth,
        panel_rows,
    ],
    ids=lambda m: m.__name__,
)
def test_the_truth_shares_nothing_with_ingest(module: ModuleType) -> None:
    found = re.findall(r"^\s*(?:from|import) (\w+)", Path(str(module.__file__)).read_text(), re.MULTILINE)
    assert not {"cloud", "demo", "provisioning", "edge"} & set(found)


def test_everything_that_was_to_go_wrong_went_wrong(city: City) -> None:
    machine, day = city.rows["machine"], city.rows["attendance_day"]
    for name in ("held", "missing", "rejected", "parked", "backlog", "oldest_unsent_s"):
        assert any(row[name] for row in machine), name
    assert {row["device"] for row in machine if not row["heard"]} >= {month_story.NEVER_HEARD}
    assert any(not row["clock_trusted"] for row in machine)
    assert {row["device"] for row in machine} >= {"DMG-03", "DMG-04"}
    last = [row for row in machine if row["time"] > month_story.NOW_MS - 3 * month_story.MINUTE]
    turned = {row["device"] for row in last if row["online"]} & {row["device"] for row in last if not row["online"]}
    assert turned == {"KRA-01", "MRD-02"}
    for name in ("late_taps", "completed_at", "unknown_taps", "silent_units_14d"):
        assert any(row.get(name) for row in day), name
    for reason in set(month_day.UNSEEN) - {"not_live", "no_machine", "closed"}:
        assert any(row[f"uncounted_{reason}"] for row in day), reason
    assert any(row["withheld"] for row in city.rows["tap_hour"])
    assert max(row["dlq_total"] for row in city.rows["pipeline"]) == 2
    assert max(row["duplicates_total"] for row in city.rows["pipeline"]) > 0


# ---- every query -----------------------------------------------------------------------------------------------------


def asked(*forms: str) -> list[Any]:
    return [
        pytest.param(board, query, chosen, id=f"{board['uid']}: {query.where} {number}")
        for board in BOARDS
        for query in rules.queries(board)
        if query.form in forms
        for number, chosen in enumerate(CHOICES[board["uid"]])
    ]


@pytest.mark.parametrize(("board", "query", "chosen"), asked("table", "time_series", "annotation"))
def test_a_query_shows_what_happened(
    fed: InfluxDB, city: City, board: dict[str, Any], query: rules.Asked, chosen: dict[str, Choice]
) -> None:
    is_note = query.form == "annotation"
    w = window(city, board, "400d" if is_note else query.span, chosen)
    truth = NOTES[query.where] if is_note else EXPECTED[board["uid"]][query.where.removesuffix(" A")]
    compare(ask(fed, query, w), truth(w))


@pytest.mark.parametrize(("board", "query", "chosen"), asked("variable"))
def test_a_variable_offers_every_estate_and_machine_that_was_there(
    fed: InfluxDB, city: City, board: dict[str, Any], query: rules.Asked, chosen: dict[str, Choice]
) -> None:
    wanted = chosen["estate"]
    estates = set(month_story.FLEET) if wanted == "$__all" else {wanted} if isinstance(wanted, str) else set(wanted)
    expected = {device for device, estate in month_story.ESTATE_OF.items() if estate in estates}
    if query.where == "$estate":
        expected = set(month_story.FLEET)
    rows = ask(fed, query, window(city, board, "400d", chosen))
    assert {str(row["value"]) for row in rows} == expected


@pytest.mark.parametrize(
    "rule", [each for group in ALERTS["groups"] for each in group["rules"]], ids=lambda r: r["uid"]
)
def test_an_alert_rule_is_quiet_while_its_watcher_writes(fed: InfluxDB, rule: dict[str, Any]) -> None:
    question = rule["data"][0]
    now = month_story.NOW_MS - (50 if "alert" in rule["uid"] else 0) * month_story.MINUTE
    begin = now - question["relativeTimeRange"]["from"] * 1000
    text = influxql.expand(question["model"]["query"], begin, now, interval_s=60, chosen={})
    (row,) = fed.query(question["datasourceUid"], text)
    assert int(str(row["menit"])) >= alerts.FRESH_MINUTES
