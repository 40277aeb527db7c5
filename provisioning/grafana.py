"""`hadir-provision grafana apply`: the Officials' organisation, and the home dashboards. Only importer of grafana_api.

Organisation 1 (NOC) comes from provisioning files; only its preferences are set here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import click
from grafana_api.grafana_api import GrafanaException
from grafana_api.grafana_face import GrafanaFace

from provisioning import grafana_plan
from provisioning.grafana_plan import Change, Found, Json, Kind, Wanted

NOC_ORGANISATION: Final = 1
NOC_HOME: Final = "hadir-armada"
OFFICIALS: Final = "Pejabat"
OFFICIALS_HOME: Final = "hadir-kehadiran"
OFFICIALS_SEE: Final = ("hadir-kehadiran", "hadir-sla")
TIMEOUT_S: Final = 15.0


class GrafanaRefused(click.ClickException):
    """Grafana did not do what was asked; the message says what that means and what to do."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where Grafana is, and a server administrator's name and password."""

    url: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Access(url={self.url!r})"


class Grafana:
    """Asks a Grafana, one organisation at a time. Every refusal is a `GrafanaRefused`."""

    def __init__(self, access: Access) -> None:
        address = urlsplit(access.url)
        prefix = address.path.strip("/")
        self._face = GrafanaFace(
            (access.user, access.password),
            host=address.hostname or "localhost",
            port=address.port,
            protocol=address.scheme,
            url_path_prefix=f"{prefix}/" if prefix else "",
            timeout=TIMEOUT_S,
        )

    def version(self) -> str:
        """The server's version."""
        health = _asked(lambda: self._face.api.GET("/health"), "its health")
        return str(health.get("version", "0")) if isinstance(health, Mapping) else "0"

    def organisation(self, name: str) -> int | None:
        """The number of the organisation called *name*, or None."""
        known = _or_none(lambda: self._face.organization.find_organization(quote(name)), f"the organisation {name}")
        return None if known is None else int(known["id"])

    def create_organisation(self, name: str) -> int:
        """Make it; returns its number."""
        made = _asked(
            lambda: self._face.organization.create_organization({"name": name}), f"to create the organisation {name}"
        )
        return int(made["orgId"])

    def enter(self, organisation: int) -> None:
        """Speak of this organisation from now on; the library itself knows only the user's current one."""
        self._face.api.s.headers["X-Grafana-Org-Id"] = str(organisation)

    def found(self, dashboards: Iterable[str]) -> Found:
        """What the organisation holds of what we look after."""
        listed = _asked(self._face.datasource.list_datasources, "its data sources")
        folder = _or_none(lambda: self._face.folder.get_folder(grafana_plan.FOLDER), "its folder")
        boards = {uid: board for uid in dashboards if (board := self._dashboard(uid)) is not None}
        return Found(
            sources={str(source["uid"]): source for source in listed},
            folder_title=None if folder is None else str(folder["title"]),
            dashboards=boards,
            preferences=_asked(lambda: self._face.api.GET("/org/preferences"), "its preferences"),
        )

    def _dashboard(self, uid: str) -> Json | None:
        answer = _or_none(lambda: self._face.dashboard.get_dashboard(uid), f"the dashboard {uid}")
        return None if answer is None else answer["dashboard"]

    def make(self, change: Change) -> None:
        """Carry out one step."""
        _asked(lambda: self._send(change), f"to {change.sentence()}")

    def _send(self, change: Change) -> object:
        face, body = self._face, change.body
        match change.kind, change.is_new:
            case Kind.SOURCE, True:
                return face.datasource.create_datasource(body)
            case Kind.SOURCE, False:  # the library's own update goes by number, which Grafana 13 no longer answers
                return face.api.PUT(f"/datasources/uid/{change.name}", json=body)
            case Kind.STRAY_SOURCE, _:
                return face.api.DELETE(f"/datasources/uid/{change.name}")
            case Kind.FOLDER, True:
                return face.folder.create_folder(body["title"], body["uid"])
            case Kind.FOLDER, False:
                return face.folder.update_folder(body["uid"], body["title"], overwrite=True)
            case Kind.DASHBOARD, _:
                return face.dashboard.update_dashboard(body)
            case _:
                return face.api.PATCH("/org/preferences", json=body)


def _or_none(ask: Callable[[], Any], what: str) -> Any:  # Any: the library has no types
    """The answer, or None when there is no such thing."""
    try:
        return _asked(ask, what)
    except GrafanaRefused as refused:
        if getattr(refused.__cause__, "status_code", None) == 404:
            return None
        raise


def _asked(ask: Callable[[], Any], what: str) -> Any:
    try:
        return ask()
    except GrafanaException as error:
        raise GrafanaRefused(_advice(int(error.status_code), what, str(error.message))) from error
    except OSError as error:  # the library lets requests' own exceptions through; they are OSErrors
        raise GrafanaRefused(
            f"Grafana gives no readable answer ({type(error).__name__}) when asked for {what}: "
            "check the address, and that it has started. Nothing is half done; run the command again."
        ) from error


_ADVICE: Final = {
    401: "the user or the password is wrong",
    403: "the user is no server administrator, and only one may do this",
    404: "this Grafana does not know the address; is it older than 12?",
    409: "somebody else has just made the same; run the command again",
    412: "it was changed by somebody else in the meantime; run the command again",
}


def _advice(status: int, what: str, message: str) -> str:
    known = "Grafana itself is in trouble; look into its log and run the command again" if status >= 500 else ""
    meaning = _ADVICE.get(status, known) or "it does not accept what was sent"
    return f"Grafana refused ({status}) when asked for {what}: {meaning}. It says: {message}"


def check_version(version: str) -> None:
    """Raises `GrafanaRefused` for a Grafana that our dashboards were not written for."""
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) < grafana_plan.OLDEST:
        raise GrafanaRefused(
            f"This Grafana is {version}, and the dashboards need 12 or newer: nothing was changed. Upgrade it first."
        )


def officials(influx_url: str, header: str) -> Wanted:
    """How the Officials' organisation should be."""
    folder = resources.files("grafana") / "dashboards"
    dashboards = {uid: json.loads((folder / f"{uid}.json").read_text(encoding="utf-8")) for uid in OFFICIALS_SEE}
    return Wanted(OFFICIALS_HOME, grafana_plan.source(influx_url, header), dashboards)


@click.group("grafana")
def group() -> None:
    """Grafana: what provisioning files cannot do."""


_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@group.command("apply")
@click.option("--url", required=True, help="Grafana's address, such as http://grafana:3000.")
@click.option("--user", default="admin", show_default=True, help="A server administrator.")
@click.option("--password-file", required=True, type=_FILE)
@click.option("--influx-url", required=True, help="InfluxDB's address as Grafana sees it.")
@click.option("--token-file", required=True, type=_FILE, help="influx_grafana_aggregate, made by `influx apply`.")
@click.option("--renew-token", is_flag=True, help="Send the token again; Grafana never says which one it has.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done, and do nothing.")
def apply(
    url: str, user: str, password_file: Path, influx_url: str, token_file: Path, renew_token: bool, only_plan: bool
) -> None:
    """Make the Officials' organisation and set the home dashboards; says first what it will do. Harmless to repeat."""
    server = Grafana(Access(url, user, password_file.read_text().strip()))
    check_version(server.version())
    theirs = officials(influx_url, token_file.read_text().strip())
    number = server.organisation(OFFICIALS)
    if number is None:
        click.echo(f"create the organisation {OFFICIALS}")
        number = None if only_plan else server.create_organisation(OFFICIALS)
    _bring_to(server, number, theirs, renew_token=renew_token, only_plan=only_plan)
    _bring_to(server, NOC_ORGANISATION, Wanted(NOC_HOME), renew_token=False, only_plan=only_plan)


def _bring_to(server: Grafana, number: int | None, wanted: Wanted, *, renew_token: bool, only_plan: bool) -> None:
    found = Found()
    if number is not None:
        server.enter(number)
        found = server.found(wanted.dashboards)
    steps = list(grafana_plan.changes(found, wanted, renew_token=renew_token))
    label = "the new organisation" if number is None else f"organisation {number}"
    for step in steps:
        click.echo(f"{label}: {step.sentence()}")
    if not steps:
        click.echo(f"{label}: nothing to do")
    for step in [] if only_plan else steps:
        server.make(step)
