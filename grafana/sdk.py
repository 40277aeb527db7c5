"""The only importer of grafana-foundation-sdk, and the one query type it lacks."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass

with warnings.catch_warnings():
    # The library prefers its second dashboard model, which Grafana 12 stores only behind a switch.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.variants import Dataquery
    from grafana_foundation_sdk.models import (
        barchart,
        common,
        dashboard,
        stat,
        statetimeline,
        table,
        text,
        timeseries,
        xychart,
    )

__all__ = [
    "InfluxQuery",
    "barchart",
    "common",
    "dashboard",
    "dumps",
    "stat",
    "statetimeline",
    "table",
    "text",
    "timeseries",
    "xychart",
]


@dataclass(frozen=True, slots=True)
class InfluxQuery(Dataquery):
    """An InfluxQL query of a panel or an annotation, as Grafana's InfluxDB data source reads it."""

    ref: str
    query: str
    bucket: str
    form: str
    extra: tuple[tuple[str, object], ...] = ()

    def to_json(self) -> dict[str, object]:
        """As it stands in a dashboard."""
        return {
            "refId": self.ref,
            "datasource": {"type": "influxdb", "uid": self.bucket},
            "query": self.query,
            "rawQuery": True,
            "resultFormat": self.form,
            **dict(self.extra),
        }


def dumps(board: dashboard.Dashboard) -> str:
    """The dashboard's file, keys in the order in which the library writes them."""
    return json.dumps(board, cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"
