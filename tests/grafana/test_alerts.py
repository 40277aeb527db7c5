"""The alert rules fire when their watcher is silent and stay quiet while it writes; provisioning opens nothing more."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import grafana
from contract.series import Bucket
from grafana import alerts, influxql, lint

FOLDER = Path(grafana.__file__).parent / "provisioning"
COMMITTED = json.loads((FOLDER / "alerting/hadir.json").read_text())
RULES = {rule["uid"]: rule for group in COMMITTED["groups"] for rule in group["rules"]}
SOURCES = yaml.safe_load((FOLDER / "datasources/hadir.yaml").read_text())["datasources"]


def answer(engine: Any, rule: dict[str, Any], at: int) -> list[int]:
    """What the rule's query gives when it is evaluated at *at* (ms)."""
    question = rule["data"][0]
    begin = at - question["relativeTimeRange"]["from"] * 1000
    text = influxql.expand(question["model"]["query"], begin, at, interval_s=60, chosen={})
    return [row["menit"] for row in engine.query(question["datasourceUid"], text)]


@pytest.mark.integration
def test_a_working_pipe_is_quiet(engine: Any, city: Any) -> None:
    assert answer(engine, RULES["hadir-pipa-diam"], round(city.now.timestamp() * 1000)) == [10]


@pytest.mark.integration
def test_a_working_alert_worker_is_quiet_and_a_stopped_one_gives_no_row(engine: Any, city: Any) -> None:
    rule = RULES["hadir-alert-diam"]
    before = city.now - timedelta(minutes=55)
    assert answer(engine, rule, round(before.timestamp() * 1000)) == [10]
    fading = city.now - timedelta(minutes=44)
    assert answer(engine, rule, round(fading.timestamp() * 1000))[0] < alerts.FRESH_MINUTES
    assert answer(engine, rule, round(city.now.timestamp() * 1000)) == []
    assert rule["noDataState"] == "Alerting"


@pytest.mark.parametrize("uid", RULES)
def test_a_rule_fires_when_too_few_minutes_or_none_were_written(uid: str) -> None:
    rule = RULES[uid]
    question, reduced, threshold = rule["data"]
    assert list(lint.violations(question["model"]["query"], Bucket(question["datasourceUid"]))) == []
    assert lint.variables(question["model"]["query"]) == set()
    assert reduced["model"]["expression"] == "A"
    assert threshold["model"]["expression"] == "B" and rule["condition"] == "C"
    assert threshold["model"]["conditions"][0]["evaluator"] == {"type": "lt", "params": [alerts.FRESH_MINUTES]}
    assert (rule["noDataState"], rule["execErrState"], rule["isPaused"]) == ("Alerting", "Alerting", False)
    assert len({json.dumps(step["relativeTimeRange"]) for step in rule["data"]}) == 1


def test_only_the_watchers_are_watched_and_one_contact_point_hears_it() -> None:
    assert set(RULES) == {"hadir-pipa-diam", "hadir-alert-diam"}
    (contact,) = COMMITTED["contactPoints"]
    (receiver,) = contact["receivers"]
    (policy,) = COMMITTED["policies"]
    assert policy["receiver"] == contact["name"]
    assert receiver["settings"]["url"].startswith("$"), "an address is a secret and stands in no file"


def test_everything_provisioned_by_file_is_for_the_first_organisation() -> None:
    providers = yaml.safe_load((FOLDER / "dashboards/hadir.yaml").read_text())["providers"]
    owners = [*SOURCES, *providers, *COMMITTED["groups"], *COMMITTED["contactPoints"], *COMMITTED["policies"]]
    assert {owner["orgId"] for owner in owners} == {1}


def test_there_is_a_data_source_for_each_bucket_a_dashboard_may_ask_and_none_for_single_taps() -> None:
    assert {source["uid"] for source in SOURCES} == set(lint.BUCKETS)
    for source in SOURCES:
        assert source["database"] == source["jsonData"]["dbName"] == source["uid"]
        assert source["jsonData"]["version"] == "InfluxQL"
        assert source["secureJsonData"]["httpHeaderValue1"] == f"$__file{{/run/secrets/influx_grafana_{source['uid']}}}"
        assert not source["editable"]
