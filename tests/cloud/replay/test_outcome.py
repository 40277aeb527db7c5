"""Lines, their order, what only one of two policies says, and the table."""

import json

import pytest
from rich.console import Console

from cloud.alerts.flags.changes import Change, What
from cloud.alerts.kinds import Kind, Severity
from cloud.days import DAY
from cloud.replay import outcome, summary
from cloud.replay.outcome import Tally

AT = 1_772_384_400_000
EVERY = frozenset(Kind)


def change(
    what: What = What.OPENED, subject: str = "DMG/A/01/01", kind: Kind = Kind.UNIT_NO_TAPS, **more: object
) -> Change:
    return Change(AT, kind, subject, what, Severity.P3, more, flag="FLG-26-00001")


def test_a_line_has_the_keys_of_the_document_in_their_order() -> None:
    (told,) = outcome.told([[change(missed_periods=3)]], kinds=EVERY)
    assert told.line() == json.dumps(
        {
            "at": "2026-03-02T00:00:00+07:00",
            "kind": "UNIT_NO_TAPS",
            "subject": "DMG/A/01/01",
            "change": "opened",
            "flag": "FLG-26-00001",
            "severity": "P3",
            "evidence": {"missed_periods": 3},
        }
    )


@pytest.mark.parametrize("what", [What.WATCH, What.HELD])
def test_what_is_only_watched_or_held_names_no_flag(what: What) -> None:
    (told,) = outcome.told([[change(what)]], kinds=EVERY)
    assert json.loads(told.line())["flag"] is None


def test_lines_come_by_kind_subject_and_threshold_whatever_order_they_were_found_in() -> None:
    found = [
        change(What.REMINDED, "B"),
        change(What.OPENED, "B"),
        change(What.OPENED, "A"),
        change(What.OPENED, "Z", Kind.DEVICE_OFFLINE),
    ]
    told = outcome.told([found], kinds=EVERY)
    assert [(each.change.subject, str(each.change.what)) for each in told] == [
        ("Z", "opened"), ("A", "opened"), ("B", "opened"), ("B", "reminded")
    ]  # fmt: skip


def test_only_the_kinds_asked_for_are_said() -> None:
    found = [change(), change(subject="DMG-01", kind=Kind.DEVICE_OFFLINE)]
    told = outcome.told([found], kinds=frozenset({Kind.DEVICE_OFFLINE}))
    assert [each.change.kind for each in told] == [Kind.DEVICE_OFFLINE]


def test_of_two_policies_what_both_say_is_said_once_and_the_rest_is_marked() -> None:
    ours = [change(subject="A", policy="1"), change(subject="B", policy="1")]
    theirs = [change(subject="A", policy="2"), change(subject="C", policy="2")]
    lines = [json.loads(each.line()) for each in outcome.told([ours, theirs], kinds=EVERY)]
    assert [(line["subject"], line.get("only_in"), line["evidence"]["policy"]) for line in lines] == [
        ("A", None, "1"), ("B", "a", "1"), ("C", "b", "2")
    ]  # fmt: skip


def test_another_change_of_the_same_flag_is_not_the_same_thing() -> None:
    told = outcome.told([[change(What.OPENED)], [change(What.HELD)]], kinds=EVERY)
    assert [(str(each.change.what), each.only_in) for each in told] == [("opened", "a"), ("held", "b")]


def shown(tally: Tally, *names: str) -> str:
    console = Console(width=160, force_terminal=False)
    with console.capture() as capture:
        console.print(summary.table(tally, (AT, AT + 7 * DAY), names))
    return capture.get()


def test_the_table_counts_in_indonesian() -> None:
    tally = Tally()
    tally.add(outcome.told([[change(subject=f"unit {number}") for number in range(1200)]], kinds=EVERY))
    tally.add(outcome.told([[change(What.RETRACTED)]], kinds=EVERY))
    text = shown(tally, "2026-1")
    assert "Putar ulang 2 Maret 2026 – 9 Maret 2026" in text
    assert "dibuka" in text and "dicabut" in text and "kebijakan 2026-1" in text
    (row,) = [line for line in text.splitlines() if "UNIT_NO_TAPS" in line]
    assert row.replace("│", " ").split() == ["UNIT_NO_TAPS", "1.200", "1"]


def test_the_table_leaves_out_what_never_happened() -> None:
    tally = Tally()
    tally.add(outcome.told([[change()]], kinds=EVERY))
    assert "ditahan" not in shown(tally, "2026-1")


def test_the_table_of_two_policies_has_rows_of_both() -> None:
    tally = Tally()
    tally.add(outcome.told([[change(subject="A"), change(subject="B")], [change(subject="A")]], kinds=EVERY))
    rows = [line for line in shown(tally, "2026-1", "try").splitlines() if "UNIT_NO_TAPS" in line]
    assert [row.replace("│", " ").split() for row in rows] == [
        ["a", "UNIT_NO_TAPS", "2"], ["b", "UNIT_NO_TAPS", "1"]
    ]  # fmt: skip
