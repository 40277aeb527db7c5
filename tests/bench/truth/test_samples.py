"""The directories kept in tests/samples/replay: the recount reads them from their files and says what is kept."""

import json
from pathlib import Path

import pytest

from bench.truth.recount import calendar
from bench.truth.recount.reading import read
from bench.truth.recount.running import Recount
from bench.truth.replaying import ABOUT, ENDS

SAMPLES = Path(__file__).parents[2] / "samples" / "replay"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.jsonl"))


@pytest.mark.parametrize("name", NAMES)
def test_the_recount_says_what_is_kept_of_a_sample(name: str) -> None:
    kept = [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text("utf-8").splitlines()]
    wanted = [
        (calendar.instant(line["at"]), line["subject"], line["change"], about(line["change"], line["evidence"]))
        for line in kept
        if line["kind"] == "UNIT_NO_TAPS"
    ]
    lines = Recount(read(SAMPLES / name)).lines()
    found = [(line.at, line.subject, line.change, about(line.change, line.evidence)) for line in lines]
    assert found == wanted


def about(change: str, evidence: dict[str, object]) -> dict[str, object]:
    return {} if change in ENDS else {key: evidence.get(key) for key in ABOUT}
