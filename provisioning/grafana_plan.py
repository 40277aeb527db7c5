"""What Grafana should hold, compared with what it holds: the changes, in the order in which they are made. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Json = Mapping[str, object]

FOLDER: Final = "hadir"
FOLDER_TITLE: Final = "Hadir"
BUCKET: Final = "aggregate"
"""All that officials may reach."""
OLDEST: Final = 12
_OFTEN_CHANGED: Final = frozenset({"id", "version", "iteration"})
"""What Grafana itself writes into a dashboard."""


class Kind(StrEnum):
    """What is done to what."""

    SOURCE = "data source"
    STRAY_SOURCE = "stray data source"
    FOLDER = "folder"
    DASHBOARD = "dashboard"
    PREFERENCES = "preferences"


@dataclass(frozen=True, slots=True)
class Change:
    """One step. `is_new` = it was not there; `body` is what Grafana is sent."""

    kind: Kind
    name: str
    is_new: bool
    body: Json

    def sentence(self) -> str:
        """The step as an operator reads it."""
        if self.kind is Kind.STRAY_SOURCE:
            return f"remove the data source {self.name}: this organisation may reach {BUCKET} alone"
        return f"{'create' if self.is_new else 'put right'} the {self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an organisation should be. `source` is None where files provision the data sources and dashboards."""

    home: str
    source: Json | None = None
    dashboards: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """How it is. A name that is missing is not there."""

    sources: Mapping[str, Json] = field(default_factory=dict)
    folder_title: str | None = None
    dashboards: Mapping[str, Json] = field(default_factory=dict)
    preferences: Json = field(default_factory=dict)


def source(influx_url: str, header: str) -> Json:
    """The officials' data source; *header* is the whole Authorization header of the bucket's read token."""
    return {
        "name": BUCKET,
        "uid": BUCKET,
        "type": "influxdb",
        "access": "proxy",
        "url": influx_url,
        "database": BUCKET,
        "isDefault": True,
        "jsonData": {
            "version": "InfluxQL",
            "dbName": BUCKET,
            "httpMode": "POST",
            "timeInterval": "60s",
            "httpHeaderName1": "Authorization",
        },
        "secureJsonData": {"httpHeaderValue1": header},
    }


def changes(found: Found, wanted: Wanted, *, renew_token: bool = False) -> Iterator[Change]:
    """The steps from *found* to *wanted*; none when they agree."""
    if wanted.source is not None:
        yield from _of_sources(found, wanted.source, renew_token=renew_token)
    if wanted.dashboards:
        yield from _of_dashboards(found, wanted)
    preferences: Json = {
        "homeDashboardUID": wanted.home,
        "timezone": "Asia/Jakarta",
        "weekStart": "monday",
        "language": "id-ID",
    }
    if not _agrees(found.preferences, preferences):
        yield Change(Kind.PREFERENCES, f"(home {wanted.home}, Jakarta, Indonesian)", False, preferences)


def _of_sources(found: Found, wanted: Json, *, renew_token: bool) -> Iterator[Change]:
    for uid in sorted(found.sources.keys() - {BUCKET}):
        yield Change(Kind.STRAY_SOURCE, uid, False, {})
    present = found.sources.get(BUCKET)
    visible = {name: value for name, value in wanted.items() if name != "secureJsonData"}
    if present is None:
        yield Change(Kind.SOURCE, BUCKET, True, wanted)
    elif renew_token or not _agrees(present, visible):
        yield Change(Kind.SOURCE, BUCKET, False, wanted)


def _of_dashboards(found: Found, wanted: Wanted) -> Iterator[Change]:
    if found.folder_title != FOLDER_TITLE:
        body: Json = {"uid": FOLDER, "title": FOLDER_TITLE, "overwrite": True}
        yield Change(Kind.FOLDER, FOLDER_TITLE, found.folder_title is None, body)
    for uid, dashboard in wanted.dashboards.items():
        present = found.dashboards.get(uid)
        if present is None or not _same_dashboard(present, dashboard):
            body = {"dashboard": {**dashboard, "id": None}, "folderUid": FOLDER, "overwrite": True}
            yield Change(Kind.DASHBOARD, uid, present is None, body)


def _same_dashboard(present: Json, wanted: Json) -> bool:
    def content(dashboard: Json) -> Json:
        return {name: value for name, value in dashboard.items() if name not in _OFTEN_CHANGED}

    return content(present) == content(wanted)


def _agrees(present: object, wanted: object) -> bool:
    """Everything wanted is there; what Grafana adds is its own."""
    if isinstance(wanted, Mapping):
        return isinstance(present, Mapping) and all(_agrees(present.get(key), each) for key, each in wanted.items())
    return present == wanted
