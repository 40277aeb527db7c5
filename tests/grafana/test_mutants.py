"""A query with one thing wrong is noticed: by the rules of the query language, or by its numbers."""

import json
import re
from pathlib import Path
from typing import Any

import mutants
import pytest
from panel_rows import ask, compare, window
from panel_truth import CHOICES, EXPECTED, NOTES

import grafana
from contract.series import Bucket
from demo.servers.influxdb import QueryRefused
from grafana import lint, rules

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

BOARDS = [
    json.loads(path.read_text()) for path in sorted((Path(grafana.__file__).parent / "dashboards").glob("*.json"))
]
INHERITED = "an inner SELECT inherits the outer grouping in this engine; written out for those in which it does not"
ONE_ROW = "one row a group: its sum is its mean"
SURVIVORS = [
    ("Rusun terdampak|Flag terbuka|Sebaran|Tap rata-rata", r"not grouped by .* at \d{3}", INHERITED),
    ("Mesin daring|Antrean di mesin", "not grouped by estate", "a machine stands in one estate at a time"),
    ("Versi program", "not grouped by device", "one machine is chosen"),
    ("Umur data|Dinding dapat", "lat for online", "only the time, or the number, of rows is shown"),
    ("Dinding dapat", "sum for count at 63", "rows are counted above it, whatever is inside"),
    ("Letak rusun", "first for last", "places do not move, and machines are not installed, within three minutes"),
    ("Bulan demi|Sebaran|Kehadiran per hari|Menit mampu|Tap per 15 menit A", "mean for sum", ONE_ROW),
    ("Padam", "ongoing for duration_s at 13", "rows are counted, and both fields are in every row"),
]
"""What goes unnoticed, and why that is right: panel, what is wrong with its query, reason."""


def is_noticed_by_rules(query: str, bucket: str) -> bool:
    try:
        return any(lint.violations(query, Bucket(bucket)))
    except ValueError:
        return True


def is_noticed_by_numbers(engine: Any, city: Any, board: dict[str, Any], asked: rules.Asked) -> bool:
    for chosen in CHOICES[board["uid"]]:
        span = "400d" if asked.form == "annotation" else asked.span
        w = window(city, board, span, chosen)
        truth = NOTES[asked.where] if asked.form == "annotation" else EXPECTED[board["uid"]][asked.where[:-2]]
        try:
            compare(ask(engine, asked, w), truth(w))
        except (AssertionError, QueryRefused):
            return True
    return False


def argued(where: str, wrong: str) -> set[int]:
    """The reasons that speak for a survivor."""
    return {at for at, (panel, name, _) in enumerate(SURVIVORS) if re.match(panel, where) and re.match(name, wrong)}


@pytest.fixture(scope="module")
def survivors(engine: Any, city: Any) -> set[tuple[str, str]]:
    """Panel and fault of every mutant that neither the rules nor the numbers notice."""
    found, made = set(), 0
    for board in BOARDS:
        for asked in [each for each in rules.queries(board) if each.form != "variable"]:
            for name, text in mutants.of(asked.query):
                made += 1
                wrong = rules.Asked(asked.where, text, asked.bucket, asked.span, asked.form)
                noticed = is_noticed_by_rules(text, asked.bucket) or is_noticed_by_numbers(engine, city, board, wrong)
                if not noticed:
                    found.add((asked.where, name))
    assert made > 800, made
    return found


def test_every_wrong_query_is_noticed_or_argued(survivors: set[tuple[str, str]]) -> None:
    assert [each for each in sorted(survivors) if not argued(*each)] == []


def test_every_argument_speaks_for_a_survivor(survivors: set[tuple[str, str]]) -> None:
    assert set.union(*(argued(*each) for each in survivors)) == set(range(len(SURVIVORS)))
