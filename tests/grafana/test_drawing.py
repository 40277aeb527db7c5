"""The pictures show every panel where it stands; the page names every dashboard and links what is there."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import grafana
from grafana import boards, drawing, handbook

ROOT = Path(grafana.__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_has_a_box_for_every_panel_inside_its_frame(dashboards: list[dict[str, Any]]) -> None:
    for board in dashboards:
        root = ElementTree.fromstring(drawing.svg(board))
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        boxes = root.findall(f"{SVG}rect")[1:]
        assert len(boxes) == len(board["panels"])
        for box in boxes:
            x, y, w, h = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
            assert x >= 0 and x + w <= width and y >= 0 and y + h <= height


def test_a_picture_says_every_title(dashboards: list[dict[str, Any]]) -> None:
    for board in dashboards:
        said = " ".join(text.text or "" for text in ElementTree.fromstring(drawing.svg(board)).iter(f"{SVG}text"))
        assert all(word in said for panel in board["panels"] for word in panel["title"].split())


def test_what_would_break_the_picture_is_escaped(dashboards: list[dict[str, Any]]) -> None:
    dashboards[0]["panels"][0]["title"] = "<script> & co"
    assert "<script>" not in drawing.svg(dashboards[0])
    ElementTree.fromstring(drawing.svg(dashboards[0]))


@pytest.mark.parametrize("board", boards.BOARDS, ids=lambda board: board.uid)
def test_the_page_answers_for_every_dashboard(board: Any) -> None:
    page = handbook.text(boards.BOARDS)
    assert page.count(board.question) == 2
    assert all(f"- {advice}" in page for advice in board.when_red)


def test_every_link_of_the_page_leads_somewhere() -> None:
    page = handbook.text(boards.BOARDS)
    assert all((ROOT / "docs" / picture).exists() for picture in re.findall(r"!\[.*\]\((.+)\)", page))
    headings = {handbook._anchor(heading) for heading in re.findall(r"^## (.+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\(#(.+?)\)", page)) <= headings
