"""Every query of the committed dashboards on the real engine, against numbers counted in Python from plain rows."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from panel_rows import ask, compare, window
from panel_truth import CHOICES, EXPECTED, NOTES

import grafana
from contract.series import Bucket
from grafana import lint, rules
from grafana.influxql import Choice

pytestmark = pytest.mark.integration

BOARDS = [
    json.loads(path.read_text()) for path in sorted((Path(grafana.__file__).parent / "dashboards").glob("*.json"))
]


def asked(kinds: Iterable[str]) -> list[Any]:
    return [
        pytest.param(board, query, chosen, id=f"{board['uid']}: {query.where} {number}")
        for board in BOARDS
        for query in rules.queries(board)
        if query.form in kinds
        for number, chosen in enumerate(CHOICES[board["uid"]])
    ]


@pytest.mark.parametrize(("board", "query", "chosen"), asked(["table", "time_series"]))
def test_a_panel_shows_what_happened(
    engine: Any, city: Any, board: dict[str, Any], query: rules.Asked, chosen: dict[str, Choice]
) -> None:
    title = query.where.removesuffix(" A")
    w = window(city, board, query.span, chosen)
    compare(ask(engine, query, w), EXPECTED[board["uid"]][title](w))


@pytest.mark.parametrize(("board", "query", "chosen"), asked(["annotation"]))
def test_a_note_marks_what_happened(
    engine: Any, city: Any, board: dict[str, Any], query: rules.Asked, chosen: dict[str, Choice]
) -> None:
    w = window(city, board, "400d", chosen)
    compare(ask(engine, query, w), NOTES[query.where](w))


@pytest.mark.parametrize(("board", "query", "chosen"), asked(["variable"]))
def test_a_variable_offers_what_there_is(
    engine: Any, city: Any, board: dict[str, Any], query: rules.Asked, chosen: dict[str, Choice]
) -> None:
    key = query.where.removeprefix("$")
    w = window(city, board, "400d", chosen)
    rows = w.every("machine")
    if key == "device" and chosen["estate"] != "$__all":
        rows = w.here("machine")
    assert sorted({str(row["value"]) for row in ask(engine, query, w)}) == sorted({row[key] for row in rows})


def test_every_panel_that_asks_is_expected_to_show_something() -> None:
    for board in BOARDS:
        titles = {panel["title"] for panel in board["panels"] if panel.get("targets")}
        assert titles == set(EXPECTED[board["uid"]]), board["uid"]
        assert all(len(panel.get("targets", ())) <= 1 for panel in board["panels"])


def test_no_query_reaches_single_taps(engine: Any) -> None:
    assert {query.bucket for board in BOARDS for query in rules.queries(board)} == {
        bucket.value for bucket in lint.BUCKETS
    }
    assert Bucket.TAPS not in lint.BUCKETS
