"""The alert rules in Grafana: only what watches the watchers. Everything else is said by the alert worker.

A rule counts the minutes in which somebody wrote, so it also fires when nothing at all arrives.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from contract import series
from grafana import queries
from grafana.queries import Query

CONTACT: Final = "hadir-noc"
FOLDER: Final = "Hadir"
WINDOW_S: Final = 600
FRESH_MINUTES: Final = 5
"""Of the last ten; fewer means silence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Somebody must write every minute; `says` is what the NOC reads when they do not."""

    uid: str
    title: str
    query: Query
    says: str


_MINUTES: Final = queries.select(series.FLEET, "count(online) AS c", by=["time(1m)"], tail="fill(none)")
RULES: Final = (
    Rule(
        "hadir-pipa-diam",
        "Pipa data diam",
        queries.select(_MINUTES, "count(c) AS menit"),
        "Tidak ada data baru dalam 10 menit. Tap tetap tersimpan di mesin. Periksa ingest, broker, dan InfluxDB.",
    ),
    Rule(
        "hadir-alert-diam",
        "Pekerja alert diam",
        queries.select(series.PIPELINE, "count(msgs_total) AS menit", where=["stage = 'alerts'"]),
        "Pekerja alert tidak menulis dalam 10 menit: gangguan mesin tidak diumumkan. Periksa hadir-alerts.",
    ),
)


def provisioning() -> str:
    """The provisioning file: rules, the one contact point, and the policy that leads to it."""
    return (
        json.dumps(
            {"apiVersion": 1, "groups": [_group()], "contactPoints": [_contact()], "policies": [_policy()]},
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


def _group() -> dict[str, object]:
    rules = [_rule(rule) for rule in RULES]
    return {"orgId": 1, "name": "penjaga", "folder": FOLDER, "interval": "1m", "rules": rules}


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "C",
        "for": "5m",
        "noDataState": "Alerting",
        "execErrState": "Alerting",
        "annotations": {"summary": rule.says},
        "labels": {"severity": "P1"},
        "isPaused": False,
        "data": [
            _step("A", rule.query.bucket.value, _question(rule.query)),
            _step("B", "__expr__", {"type": "reduce", "expression": "A", "reducer": "last"}),
            _step("C", "__expr__", {"type": "threshold", "expression": "B", "conditions": [_fewer()]}),
        ],
    }


def _question(query: Query) -> dict[str, object]:
    return {
        "datasource": {"type": "influxdb", "uid": query.bucket.value},
        "query": query.text,
        "rawQuery": True,
        "resultFormat": "time_series",
        "intervalMs": 60_000,
        "maxDataPoints": 100,
    }


def _step(ref: str, source: str, model: dict[str, object]) -> dict[str, object]:
    where = {} if "datasource" in model else {"datasource": {"type": "__expr__", "uid": "__expr__"}}
    return {
        "refId": ref,
        "datasourceUid": source,
        "relativeTimeRange": {"from": WINDOW_S, "to": 0},
        "model": {"refId": ref, **where, **model},
    }


def _fewer() -> dict[str, object]:
    return {"evaluator": {"type": "lt", "params": [FRESH_MINUTES]}}


def _contact() -> dict[str, object]:
    settings = {"url": "$HADIR_ALARM_URL", "httpMethod": "POST"}
    receiver = {"uid": CONTACT, "type": "webhook", "settings": settings, "disableResolveMessage": False}
    return {"orgId": 1, "name": CONTACT, "receivers": [receiver]}


def _policy() -> dict[str, object]:
    return {
        "orgId": 1,
        "receiver": CONTACT,
        "group_by": ["alertname"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
    }
