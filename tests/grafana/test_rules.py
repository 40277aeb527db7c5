"""The committed dashboards keep the house rules; each rule, broken once in them, is noticed."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.series import Bucket
from grafana import boards, rules

Board = dict[str, Any]
OFFICIALS = {board.uid for board in boards.BOARDS if board.for_officials}
AGGREGATE = frozenset({Bucket.AGGREGATE})


def wall(dashboards: list[Board]) -> Board:
    return next(board for board in dashboards if board["uid"] == "hadir-armada")


def defaults(board: Board) -> dict[str, Any]:
    found: dict[str, Any] = board["panels"][0]["fieldConfig"]["defaults"]
    return found


def test_the_committed_dashboards_keep_the_rules(dashboards: list[Board]) -> None:
    assert list(rules.violations(dashboards)) == []


def test_what_officials_get_works_with_the_aggregates_alone(dashboards: list[Board]) -> None:
    theirs = [board for board in dashboards if board["uid"] in OFFICIALS]
    assert len(theirs) == 2
    assert list(rules.violations(theirs, buckets=AGGREGATE)) == []


def test_a_noc_dashboard_among_the_officials_is_noticed(dashboards: list[Board]) -> None:
    said = "\n".join(rules.violations(dashboards, buckets=AGGREGATE))
    assert "there is no data source ops here" in said


def first_target(board: Board) -> dict[str, Any]:
    found: dict[str, Any] = board["panels"][0]["targets"][0]
    return found


def spoil_query(text: str) -> Callable[[Board], None]:
    def spoil(board: Board) -> None:
        first_target(board)["query"] = text

    return spoil


def drop_words(board: Board) -> None:
    for field in board["panels"][0]["fieldConfig"]["overrides"]:
        field["properties"] = [each for each in field["properties"] if each["id"] != "mappings"]


def shift_a_word(board: Board) -> None:
    for field in board["panels"][0]["fieldConfig"]["overrides"]:
        for each in field["properties"]:
            if each["id"] == "mappings":
                each["value"][1]["options"]["from"] = 2


def rename_a_word(board: Board) -> None:
    for field in board["panels"][0]["fieldConfig"]["overrides"]:
        for each in field["properties"]:
            if each["id"] == "mappings":
                each["value"][0]["options"]["result"]["text"] = "BERES"


def more_panels(board: Board) -> None:
    board["panels"].append(board["panels"][0])
    for panel in board["panels"]:
        panel["gridPos"]["y"] = 0


def add_field(name: str) -> Callable[[Board], None]:
    def spoil(board: Board) -> None:
        field = {"matcher": {"id": "byName", "options": name}, "properties": []}
        board["panels"][0]["fieldConfig"]["overrides"].append(field)

    return spoil


def link(url: str) -> Callable[[Board], None]:
    def spoil(board: Board) -> None:
        defaults(board)["links"] = [{"url": url}]

    return spoil


SPOILT: list[tuple[str, Callable[[Board], Any], str]] = [
    ("no uid", lambda board: board.pop("uid"), "uid of its own"),
    ("uid twice", lambda board: board.update(uid="hadir-sla"), "uid of its own"),
    ("zone", lambda board: board.update(timezone="browser"), "timezone must be"),
    ("week", lambda board: board.update(weekStart="sunday"), "weekStart must be"),
    ("editable", lambda board: board.update(editable=True), "editable must be"),
    ("no question", lambda board: board.update(description=""), "no question"),
    ("number", lambda board: board.update(id=7), "number of one server"),
    ("no way on", lambda board: board.update(links=[]), "does not lead to the other"),
    ("way without variables", lambda board: board["links"][0].update(includeVars=False), "does not lead"),
    ("flux", spoil_query("x |> y"), "Flux"),
    ("series", spoil_query("SELECT sum(n) FROM nothing WHERE $timeFilter"), "no series nothing"),
    ("unreadable", spoil_query("SELECT ("), "parenthesis"),
    ("variable", lambda board: board["templating"].update(list=[]), "has no variable estate"),
    ("taps", lambda board: first_target(board)["datasource"].update(uid="taps"), "no data source taps"),
    ("overlap", lambda board: board["panels"][1]["gridPos"].update(x=0), "lies over"),
    ("edge", lambda board: board["panels"][0]["gridPos"].update(x=20), "reaches over the edge"),
    ("too many above", more_panels, "above the fold"),
    ("one id twice", lambda board: board["panels"][1].update(id=1), "one id"),
    ("one title twice", lambda board: board["panels"][1].update(title=board["panels"][0]["title"]), "one title"),
    ("no title", lambda board: board["panels"][0].update(title=""), "has no title"),
    ("no description", lambda board: board["panels"][0].update(description=""), "has no description"),
    ("no meaning of nothing", lambda board: defaults(board).pop("noValue"), "when there is nothing"),
    ("meaning not said", lambda board: defaults(board).update(noValue="lain"), "when there is nothing"),
    ("no unit", lambda board: defaults(board).pop("unit"), "has no unit"),
    ("no target", lambda board: board["panels"][0].update(targets=[]), "asks nothing"),
    ("colours alone", drop_words, "colours without words"),
    ("words at other steps", shift_a_word, "colours without words"),
    ("unexplained word", rename_a_word, "does not explain BERES"),
    ("a name", add_field("Nama"), "speaks of a person"),
    ("a card", add_field("nomor kartu"), "speaks of a person"),
    ("dead link", link("/d/hadir-lama"), "links to hadir-lama"),
    ("unknown variable in a link", link("/d/hadir-sla?var-x=${__data.fields.x}"), "a link names $__data.fields.x"),
]


@pytest.mark.parametrize(("spoil", "expected"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT])
def test_a_spoilt_dashboard_is_noticed(dashboards: list[Board], spoil: Callable[[Board], Any], expected: str) -> None:
    spoil(wall(dashboards))
    assert expected in "\n".join(rules.violations(dashboards))


def test_the_first_screen_of_the_wall_needs_no_scrolling(dashboards: list[Board]) -> None:
    above = [panel for panel in wall(dashboards)["panels"] if panel["gridPos"]["y"] < rules.FOLD]
    assert len(above) <= rules.ABOVE_THE_FOLD
    assert {"Mesin daring", "Dinding dapat dipercaya?"} <= {panel["title"] for panel in above}
