"""docs/replay.md says what the program does: columns, kinds of fact, events, options."""

import re
from pathlib import Path
from typing import get_args

from cloud.replay import lines
from cloud.replay.__main__ import main
from cloud.replay.sheets import SHEETS

TEXT = (Path(__file__).parents[3] / "docs" / "replay.md").read_text()


def cell(name: str) -> str:
    (found,) = re.findall(rf"^\| `{re.escape(name)}` \| (.*) \|$", TEXT, re.MULTILINE)
    return str(found)


def test_every_sheet_has_the_columns_of_the_document() -> None:
    for sheet in SHEETS:
        assert cell(sheet.file).startswith(f"`{sheet.header}`")


def test_every_kind_of_fact_takes_the_keys_of_the_document() -> None:
    for kind in (lines.Tap, lines.Hours, lines.Event, lines.Heartbeat, lines.Status):
        (name,) = get_args(kind.model_fields["kind"].annotation)
        keys = kind.model_fields.keys() - {"arrived", "kind"}
        if kind in (lines.Event, lines.Heartbeat):
            keys -= {"clock"}  # missing, it is trusted, as in every fact that may name it
        assert {key for key in keys if not re.search(rf"\b{key}\b", cell(name))} == set()


def test_every_event_of_the_document_is_known_and_no_other() -> None:
    named = re.findall(r"[a-z_]+", cell("event").partition("(`")[2].partition("`)")[0])
    assert sorted(named) == sorted(get_args(lines.Event.model_fields["event"].annotation))


def test_every_option_is_in_the_document_and_no_other() -> None:
    options = {each.opts[0] for each in main.params if each.opts[0].startswith("--")}
    assert set(re.findall(r"--[a-z]+", TEXT)) == options
