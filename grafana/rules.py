"""House rules over a dashboard's JSON: what would mislead a reader, or show what may not be seen. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.series import Bucket
from grafana import influxql, lint

FOLD: Final = 24
"""Grid rows a wall screen shows without scrolling."""
ABOVE_THE_FOLD: Final = 12
_WIDTH: Final = 24
_ABOUT_A_PERSON: Final = re.compile(r"\b(nama|nik|uid|nomor kartu|pseudonym|penghuni_id|unit_id)\b", re.IGNORECASE)
_LINKS_TO: Final = re.compile(r"/d/([\w-]+)")
_ALLOWED_IN_LINKS: Final = frozenset({"__value.text", "__url_time_range", "__field.labels.device"})

Json = Mapping[str, Any]  # Any: a dashboard is whatever somebody put into the file


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as it stands in a dashboard, and where."""

    where: str
    query: str
    bucket: str
    span: str = ""
    form: str = ""


def violations(boards: Sequence[Json], *, buckets: frozenset[Bucket] = lint.BUCKETS) -> Iterator[str]:
    """Every rule that one of *boards*, shown together in one organisation with data sources for *buckets*, breaks."""
    uids = [board.get("uid", "") for board in boards]
    if len(set(uids)) < len(uids) or not all(uids):
        yield "every dashboard needs a uid of its own"
    for board in boards:
        for broken in _in_board(board, set(uids), buckets):
            yield f"{board.get('title')}: {broken}"


def queries(board: Json) -> Iterator[Asked]:
    """Every query of panels, variables and notes."""
    for panel in board.get("panels", ()):
        for target in panel.get("targets", ()):
            where = f"{panel['title']} {target['refId']}"
            source = target.get("datasource", panel.get("datasource", {}))
            form = target.get("resultFormat", "")
            yield Asked(where, target.get("query", ""), source.get("uid", ""), panel.get("timeFrom", ""), form)
    for variable in board.get("templating", {}).get("list", ()):
        yield Asked(f"${variable['name']}", variable["query"], variable["datasource"]["uid"], form="variable")
    for note in board.get("annotations", {}).get("list", ()):
        target = note["target"]
        yield Asked(f"@{note['name']}", target["query"], target["datasource"]["uid"], form="annotation")


def _in_board(board: Json, uids: set[str], buckets: frozenset[Bucket]) -> Iterator[str]:
    yield from _in_settings(board)
    yield from _in_queries(board, buckets)
    yield from _in_layout(board.get("panels", ()))
    for panel in board.get("panels", ()):
        for broken in _in_panel(panel):
            yield f"{panel.get('title')}: {broken}"
    for uid in sorted(set(_LINKS_TO.findall("\n".join(_urls(board)))) - uids):
        yield f"links to {uid}, which is not there"
    for url in _urls(board):
        for name in set(re.findall(r"\$\{?([\w.]+)", url)) - _ALLOWED_IN_LINKS:
            yield f"a link names ${name}"


def _in_settings(board: Json) -> Iterator[str]:
    for name, expected in (("timezone", "Asia/Jakarta"), ("weekStart", "monday"), ("editable", False)):
        if board.get(name) != expected:
            yield f"{name} must be {expected}"
    if not board.get("description"):
        yield "says no question that it answers"
    if board.get("id") is not None:
        yield "has a number of one server; only uids move between servers"
    if not any(link.get("type") == "dashboards" and link.get("includeVars") for link in board.get("links", ())):
        yield "does not lead to the other dashboards with its variables"


def _in_queries(board: Json, buckets: frozenset[Bucket]) -> Iterator[str]:
    declared = {variable["name"] for variable in board.get("templating", {}).get("list", ())}
    for asked in queries(board):
        if asked.bucket not in buckets:
            yield f"{asked.where}: there is no data source {asked.bucket} here"
            continue
        for broken in _in_query(asked):
            yield f"{asked.where}: {broken}"
        for name in sorted(lint.variables(asked.query) - declared):
            yield f"{asked.where}: the dashboard has no variable {name}"


def _in_query(asked: Asked) -> Iterator[str]:
    try:
        yield from lint.violations(asked.query, Bucket(asked.bucket))
    except influxql.BadQuery as error:
        yield str(error)


def _in_layout(panels: Sequence[Json]) -> Iterator[str]:
    yield from sorted(set(_overlaps(panels)))
    for panel in panels:
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > _WIDTH:
            yield f"{panel['title']}: reaches over the edge"
    above = sum(panel["gridPos"]["y"] < FOLD for panel in panels)
    if above > ABOVE_THE_FOLD:
        yield f"{above} panels above the fold; a reader takes in {ABOVE_THE_FOLD}"
    for name in ("id", "title"):
        if len({panel.get(name) for panel in panels}) < len(panels):
            yield f"two panels have one {name}"


def _overlaps(panels: Sequence[Json]) -> Iterator[str]:
    taken: dict[tuple[int, int], Json] = {}
    for panel in panels:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel)
                if other is not panel:
                    yield f"{panel['title']} lies over {other['title']}"


def _in_panel(panel: Json) -> Iterator[str]:
    if not panel.get("title"):
        yield "has no title"
    if panel.get("type") == "text":
        return
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    if not panel.get("description"):
        yield "has no description"
    if not defaults.get("noValue") or defaults["noValue"] not in panel.get("description", ""):
        yield "does not say what it means when there is nothing"
    if not defaults.get("unit"):
        yield "has no unit"
    if not panel.get("targets"):
        yield "asks nothing"
    yield from _colours_without_words(panel)
    if any(_ABOUT_A_PERSON.search(text) for text in _said(panel)):
        yield "speaks of a person, a card or a unit"


def _said(panel: Json) -> Iterator[str]:
    yield panel.get("title", "")
    yield from (target.get("query", "") for target in panel.get("targets", ()))
    for field in panel.get("fieldConfig", {}).get("overrides", ()):
        yield str(field["matcher"].get("options", ""))
        yield from (str(each["value"]) for each in field["properties"] if each["id"] == "displayName")


def _colours_without_words(panel: Json) -> Iterator[str]:
    """Each set of thresholds has the same steps in words, in the same field; and the description says them."""
    config = panel.get("fieldConfig", {})
    fields = [config.get("defaults", {})]
    fields += [{each["id"]: each["value"] for each in field["properties"]} for field in config.get("overrides", ())]
    for field in fields:
        steps = field.get("thresholds", {}).get("steps", ())
        words = list(_words(field.get("mappings", ())))
        if len(steps) > 1 and [step.get("value") for step in steps] != [begin for begin, _ in words]:
            yield "has colours without words"
        for _, word in words:
            if word not in panel.get("description", ""):
                yield f"does not explain {word}"


def _words(mappings: Sequence[Json]) -> Iterator[tuple[float | None, str]]:
    for mapping in mappings:
        if mapping["type"] == "range":
            yield mapping["options"]["from"], mapping["options"]["result"]["text"]


def _urls(node: object) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("url"), str):
            yield node["url"]
        for value in node.values():
            yield from _urls(value)
    elif isinstance(node, list):
        for value in node:
            yield from _urls(value)
