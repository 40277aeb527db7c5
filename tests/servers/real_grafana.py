"""A real Grafana (GRAFANA_URL, GRAFANA_PASSWORD_FILE of `admin`): one that was started for the tests.

They make organisations in it and set the preferences of the first one. It has never been met in the checks.
"""

import base64
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asking import Asking

IS_GIVEN = bool(os.environ.get("GRAFANA_URL") and os.environ.get("GRAFANA_PASSWORD_FILE"))
NOC = 1


class RealGrafana:
    """Like the small one, as far as both can be looked at."""

    def __init__(self) -> None:
        self.url = os.environ["GRAFANA_URL"].rstrip("/")
        self.password = Path(os.environ["GRAFANA_PASSWORD_FILE"]).read_text().strip()
        self.influx_url = os.environ.get("GRAFANA_INFLUX_URL") or os.environ.get("INFLUX_URL", "http://influxdb:8086")
        self._remove("Pejabat")

    def close(self) -> None:
        self._remove("Pejabat")

    def organisation(self, number: int) -> Asking:
        """The API as the administrator sees it there."""
        name = base64.b64encode(f"admin:{self.password}".encode()).decode()
        return Asking(f"{self.url}/api", {"Authorization": f"Basic {name}", "X-Grafana-Org-Id": str(number)})

    def officials(self) -> dict[str, Any]:
        number = self._number("Pejabat")
        assert number is not None, "there is no such organisation"
        return self._seen(number)

    def noc(self) -> dict[str, Any]:
        return self._seen(NOC)

    def names(self) -> list[str]:
        return [each["name"] for each in self.organisation(NOC).ask("GET", "/orgs")]

    def spoil(self) -> None:
        """Somebody changes by hand what can be changed."""
        number = self._number("Pejabat")
        assert number is not None
        api = self.organisation(number)
        source = api.ask("GET", "/datasources/uid/aggregate")
        api.ask("PUT", "/datasources/uid/aggregate", {**source, "url": "http://elsewhere"})
        stray = {"name": "ops", "uid": "ops", "type": "influxdb", "access": "proxy", "url": "http://elsewhere"}
        api.ask("POST", "/datasources", {**stray, "database": "ops"})
        api.ask("PUT", "/folders/hadir", {"title": "Lain", "overwrite": True})
        board = api.ask("GET", "/dashboards/uid/hadir-sla")["dashboard"]
        changed = {"dashboard": {**board, "title": "Lain"}, "folderUid": "hadir", "overwrite": True}
        api.ask("POST", "/dashboards/db", changed)
        api.ask("PATCH", "/org/preferences", {"language": "en-US"})

    def new_organisation(self, name: str, sources: Iterable[dict[str, Any]]) -> Asking:
        """An organisation with these data sources, made anew."""
        self._remove(name)
        api = self.organisation(self.organisation(NOC).ask("POST", "/orgs", {"name": name})["orgId"])
        for source in sources:
            api.ask("POST", "/datasources", source)
        return api

    def _seen(self, number: int) -> dict[str, Any]:
        api = self.organisation(number)
        boards = api.ask("GET", "/search?type=dash-db&limit=100")
        return {
            "sources": {each["uid"]: each for each in api.ask("GET", "/datasources")},
            "folders": {each["uid"]: each for each in api.ask("GET", "/folders")},
            "dashboards": {each["uid"]: api.ask("GET", f"/dashboards/uid/{each['uid']}") for each in boards},
            "preferences": api.ask("GET", "/org/preferences"),
        }

    def _number(self, name: str) -> int | None:
        status, answer = self.organisation(NOC).status("GET", f"/orgs/name/{name}")
        return int(answer["id"]) if status == 200 else None

    def _remove(self, name: str) -> None:
        number = self._number(name)
        if number is not None:
            self.organisation(NOC).ask("DELETE", f"/orgs/{number}")
