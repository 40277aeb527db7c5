"""`hadir-replay` as its users meet it: lines, options, refusals, and that neither order nor repetition matters."""

import json
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cloud.replay.__main__ import main
from cloud.replay.cells import instant

SAMPLES = Path(__file__).parents[2] / "samples" / "replay"
SMALL = SAMPLES / "small"
ABOUT = ("missed_periods", "periods", "days_counted", "days_not_counted")
"""What the document promises of the evidence."""
ENDS = ("closed", "retracted")
Line = dict[str, Any]


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, [str(folder), *options])


def said(folder: Path, *options: str) -> list[Line]:
    """What it says about units without taps."""
    result = run(folder, "--kinds", "UNIT_NO_TAPS", *options)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def promised(line: Line, names: Iterable[str]) -> Line:
    """The keys *names* of a line; of its evidence what the document promises, where something rises."""
    evidence = line["evidence"]
    assert isinstance(evidence, dict)
    about = () if line["change"] in ENDS else ABOUT
    return {name: line[name] for name in names} | {"evidence": {name: evidence[name] for name in about}}


@pytest.fixture(scope="module")
def usual() -> list[Line]:
    """What it says of the sample as it is."""
    return said(SMALL)


def told(lines: list[Line]) -> list[tuple[str, object, object]]:
    """Day, unit and change."""
    return [(str(line["at"])[8:10], line["subject"], line["change"]) for line in lines]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the sample, to be changed."""
    return Path(shutil.copytree(SMALL, tmp_path / "small"))


def rewrite(folder: Path, change: Callable[[list[Line]], list[Line]]) -> None:
    """Write the facts of each machine anew, in order of arrival."""
    for path in sorted((folder / "devices").glob("*.jsonl")):
        facts = change([json.loads(line) for line in path.read_text().splitlines()])
        facts.sort(key=lambda fact: instant(fact["arrived"]))
        path.write_text("".join(json.dumps(fact) + "\n" for fact in facts))


# ---- what it says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("*.jsonl")))
def test_it_says_of_a_sample_what_is_kept_beside_it(name: str) -> None:
    golden = [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text().splitlines()]
    names = golden[0].keys()
    assert [promised(line, names) for line in said(SAMPLES / name)] == [promised(line, names) for line in golden]


def test_nothing_has_a_flag_before_it_opens(usual: list[Line]) -> None:
    assert all((line["flag"] is None) is (line["change"] == "watch") for line in usual)


def test_all_evidence_names_the_rule_and_the_policy_it_was_judged_by(usual: list[Line]) -> None:
    assert all(line["evidence"]["policy"] == "small-1" and line["evidence"]["rule"] for line in usual)


def test_the_same_directory_says_the_same_to_the_letter_flags_included(usual: list[Line]) -> None:
    assert said(SMALL) == usual
    assert {line["flag"] for line in usual} == {None, "FLG-26-00001", "FLG-26-00002", "FLG-26-00003"}


@pytest.mark.parametrize("seed", range(2))
def test_the_order_in_which_the_same_records_arrived_does_not_matter(small: Path, usual: list[Line], seed: int) -> None:
    chance = random.Random(seed)

    def permuted(facts: list[Line]) -> list[Line]:
        by_day: dict[str, list[Line]] = defaultdict(list)
        for fact in facts:
            if fact["kind"] != "heartbeat":
                by_day[str(fact["arrived"])[:10]].append(fact)
        for those in by_day.values():
            arrivals = [fact["arrived"] for fact in those]
            chance.shuffle(arrivals)
            for fact, arrived in zip(those, arrivals, strict=True):
                fact["arrived"] = arrived
        return facts

    rewrite(small, permuted)
    assert said(small) == usual


def test_what_arrives_again_changes_nothing(small: Path, usual: list[Line]) -> None:
    def doubled(facts: list[Line]) -> list[Line]:
        records = [fact for fact in facts if fact["kind"] != "heartbeat"]
        again = [fact | {"arrived": f"2026-03-{10 + number % 4}T12:00:00+07:00"} for number, fact in enumerate(records)]
        return [*facts, *facts, *again]

    rewrite(small, doubled)
    assert said(small) == usual


def test_a_record_that_never_arrived_leaves_a_gap_beyond_which_nobody_is_accused(
    small: Path, usual: list[Line]
) -> None:
    rewrite(small, lambda facts: [fact for fact in facts if not str(fact.get("at")).startswith("2026-03-07")])
    later = [("13", "DMG/A/01/04", "watch")]
    assert told(said(small)) == [
        each for each in told(usual) if each[2] not in ("reminded", "case") and each not in later
    ]


# ---- options ---------------------------------------------------------------------------------------------------------


def test_until_ends_it_earlier(usual: list[Line]) -> None:
    assert said(SMALL, "--until", "2026-03-09") == [line for line in usual if str(line["at"]) < "2026-03-10"]


def test_judged_more_often_it_says_things_as_soon_as_they_are_so() -> None:
    found = said(SMALL, "--every", "6h", "--until", "2026-03-06T08:00:00+07:00")
    assert [(line["at"], line["change"]) for line in found] == [
        ("2026-03-04T06:00:00+07:00", "watch"), ("2026-03-04T06:00:00+07:00", "watch"),
        ("2026-03-04T06:00:00+07:00", "watch"), ("2026-03-06T06:00:00+07:00", "opened"),
        ("2026-03-06T06:00:00+07:00", "opened"), ("2026-03-06T06:00:00+07:00", "opened"),
    ]  # fmt: skip


def test_only_the_kinds_asked_for_are_said(small: Path) -> None:
    lines = run(small, "--kinds", "DEVICE_OFFLINE", "--until", "2026-03-03").stdout.splitlines()
    kinds = {json.loads(line)["kind"] for line in lines}
    assert kinds <= {"DEVICE_OFFLINE"}


def test_of_two_policies_it_says_what_only_one_opens(tmp_path: Path, usual: list[Line]) -> None:
    other = tmp_path / "other.toml"
    other.write_text((SMALL / "policy.toml").read_text().replace("open = 2", "open = 3").replace("small-1", "other"))
    lines = said(SMALL, "--compare", str(other))
    only = {(line["subject"], line["change"], str(line["at"])[8:10], line.get("only_in")) for line in lines}
    assert ("DMG/A/01/02", "opened", "07", "a") in only
    assert ("DMG/A/01/02", "opened", "09", "b") in only
    assert ("DMG/A/01/03", "opened", "07", "a") in only and ("DMG/A/01/03", "retracted", "09", "a") in only
    assert ("DMG/A/01/02", "case", "11", None) in only
    assert [line for line in lines if line.get("only_in") != "b"] == [
        line | ({"only_in": "a"} if (line["subject"], line["change"], str(line["at"])[8:10], "a") in only else {})
        for line in usual
    ]


def test_the_summary_is_a_table_instead_of_the_lines() -> None:
    result = run(SMALL, "--kinds", "UNIT_NO_TAPS", "--summary")
    assert result.exit_code == 0, result.output
    assert "{" not in result.stdout
    (row,) = [line for line in result.stdout.splitlines() if "UNIT_NO_TAPS" in line]
    assert row.replace("│", " ").split()[1:] == ["5", "3", "1", "1", "1", "2"]


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_a_bad_line_of_the_last_day_is_refused_before_anything_is_said(small: Path) -> None:
    with (small / "devices" / "RWB-01.jsonl").open("a") as file:
        file.write("{}\n")
    result = run(small)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "devices/RWB-01.jsonl, line 32, kind: is none of tap, hours" in result.stderr


def test_a_policy_to_compare_with_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[absence]\nopen = 0\n")
    result = run(SMALL, "--compare", str(tmp_path / "bad.toml"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "absence.open" in result.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--every", "often"), "write such as 1d, 6h or 30m"),
        (("--until", "2026-04-01"), "is not between 2026-03-02T00:00:00+07:00 and 2026-03-14T00:00:00+07:00"),
        (("--kinds", "UNIT_NO_TAP"), "known kinds are INGEST_DOWN"),
    ],
)
def test_wrong_use_is_explained(options: tuple[str, ...], complaint: str) -> None:
    result = run(SMALL, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in " ".join(result.stderr.replace("│", " ").split())
