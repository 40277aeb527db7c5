"""The tables: what must be zero decides, and nothing else."""

from collections import Counter

import pytest

from bench.truth import table
from bench.truth.measuring import Judged, Outages, Seed


def seed(**changed: object) -> Seed:
    three = Judged(openings=5, families=3, due=2, caught=2, after_days=[43, 57], honest=Counter({"elderly": 2}))
    made = Seed(1, 40, 2, 1000, {"elderly": 100.0, "hajj": 50.0}, Counter({"UNIT_NO_TAPS": 5}), three, Judged())
    for name, value in changed.items():
        setattr(made, name, value)
    return made


def test_all_is_good_when_nothing_differs() -> None:
    assert table.is_good([seed(), seed(outages=Outages(by_late_elsewhere=3, prevented=2, lost=1))])


@pytest.mark.parametrize(
    "changed",
    [
        {"three": Judged(not_replayed=1)},
        {"three": Judged(not_recounted=1)},
        {"four": Judged(not_replayed=1)},
        {"three": Judged(due_not_caught=1)},
        {"three": Judged(lebaran=1)},
        {"outages": Outages(by_own=1)},
    ],
    ids=lambda changed: str(next(iter(changed.values())))[:40],
)
def test_one_of_what_must_be_zero_is_enough_to_fail(changed: dict[str, object]) -> None:
    assert not table.is_good([seed(), seed(**changed)])


def test_the_short_table_says_rate_recall_and_days() -> None:
    rows = {row[0]: row[1:] for row in table.short([seed(), seed()]).rows}
    assert rows["openings per 1,000 honest unit-months"][:2] == ("13.3", "0.0")
    assert rows["… of those with 3 judgeable missed periods"][0] == "4 of 4"
    assert rows["… after days, median (most)"][0] == "50 (57)"


def test_every_sheet_is_a_markdown_table() -> None:
    for sheet in table.sheets([seed()]):
        head, line, *rows = sheet.markdown().strip().splitlines()[2:]
        assert head.count("|") == line.count("|") == len(sheet.head) + 1
        assert len(rows) == len(sheet.rows)
        assert sheet.rich().row_count == len(sheet.rows)
