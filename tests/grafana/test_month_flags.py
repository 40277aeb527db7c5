"""What the alert worker must have told of the month: worked out apart from it, and enough to tell right from wrong."""

import re
from pathlib import Path
from typing import Any

import month_flags
import month_story
import month_unwritten
import pytest
from synthetic_city import City

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    made = City(now=month_story.NOW)
    month_unwritten.add(made)
    return made.rows


def test_the_truth_about_flags_shares_nothing_with_the_programs() -> None:
    found = re.findall(r"^\s*(?:from|import) (\w+)", Path(str(month_flags.__file__)).read_text(), re.MULTILINE)
    assert not {"cloud", "contract", "demo", "provisioning", "edge"} & set(found)


def test_each_thing_that_goes_wrong_has_its_flag(rows: Rows) -> None:
    opened = {(row["estate"], row["kind"]) for row in rows["flag"] if row["opened_total"]}
    assert opened == {
        ("JNK", "WATERMARK_STUCK"),
        ("JNK", "DEVICE_OFFLINE"),
        ("KRA", "READER_FAULT"),
        ("MRD", "DEVICE_OFFLINE"),
        ("MRD", "CLOCK_SKEW"),
        ("DMG", "DEVICE_OFFLINE"),
        ("DMG", "ESTATE_OFFLINE"),
        ("MRD", "ESTATE_OFFLINE"),
        ("KOTA", "INGEST_DOWN"),
    }
    (twice,) = {row["opened_total"] for row in rows["flag"] if row["kind"] == "READER_FAULT"} - {0, 1}
    assert twice == 2


def test_flags_are_taken_hushed_and_over(rows: Rows) -> None:
    for name in ("unacknowledged", "hushed", "closed_total", "oldest_s"):
        assert any(row[name] for row in rows["flag"]), name
    assert any(row["unacknowledged"] < row["open"] for row in rows["flag"])
    hushed = {row["kind"] for row in rows["flag"] if row["hushed"]}
    assert hushed == {"WATERMARK_STUCK", "DEVICE_OFFLINE"}


def test_an_estate_has_outages_closures_and_another_policy(rows: Rows) -> None:
    kinds = sorted(row["kind"] for row in rows["estate_event"])
    assert kinds == ["closure"] * 5 + ["outage"] * 3 + ["policy"] * 4
    assert [row["estate"] for row in rows["estate_event"] if row["ongoing"]] == ["JNK"]


def test_the_worker_starts_again_and_stops_before_the_end(rows: Rows) -> None:
    cycles = [row["msgs_total"] for row in rows["pipeline"]]
    assert cycles.count(1) == 2
    assert rows["pipeline"][-1]["time"] == month_story.WORKER_STOPPED // 60_000 * 60_000
