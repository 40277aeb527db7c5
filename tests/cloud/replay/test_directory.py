"""A directory is read whole or refused in one sentence with file, line, column and reason."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.alerts import policy
from cloud.replay import directory
from cloud.replay.directory import open_directory
from cloud.replay.faults import BadReplay
from cloud.replay.sheets import SHEETS

BEAT = {
    "arrived": "2026-03-02T00:30:00+07:00", "kind": "heartbeat", "outbox": "", "boot": "b1", "uptime_s": 1800,
    "last_seq": 1, "confirmed": 0, "oldest_unsent": None, "backlog": 1, "clock_offset_ms": 3, "reader": "ok",
    "disk_free_pct": 80.5,
}  # fmt: skip
TAP = {
    "arrived": "2026-03-02T08:00:01+07:00",
    "kind": "tap",
    "seq": 1,
    "at": "2026-03-02T08:00:00+07:00",
    "card": "one",
}
HOURS = {"arrived": "2026-03-02T09:00:00+07:00", "kind": "hours", "seq": 2, "hour": "2026-03-02T08:00:00+07:00",
         "able_min": 60}  # fmt: skip


def without(fact: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in fact.items() if name != key}


def test_a_good_directory_is_read(written) -> None:
    written.add(BEAT, TAP, HOURS)
    found = written.opened()
    assert (found.first.isoformat(), found.until.isoformat()) == ("2026-03-02", "2026-03-09")
    assert {table: len(rows) for table, rows in found.registry.items()} == {
        "estates": 1, "units": 2, "tenancies": 2, "cards": 3, "installations": 1, "calendar": 1, "leave": 1,
        "declared_lost": 0,
    }  # fmt: skip
    assert [type(each.fact).__name__ for each in found.arrivals()] == ["Heartbeat", "Tap", "Hours"]


def test_without_a_policy_of_its_own_the_shipped_one_judges(written) -> None:
    assert written.opened().policies == policy.shipped()


def test_its_own_policy_keeps_the_defaults_of_what_it_leaves_out(written) -> None:
    written.files["policy.toml"] = 'version = "try"\n[absence]\nopen = 4\n'
    found = written.opened().policies.at(written.opened().first)
    assert (found.version, found.absence.open, found.absence.watch) == ("try", 4, 2)


def test_an_empty_known_from_is_the_start_and_a_later_one_counts_as_the_next_millisecond(written) -> None:
    written.row("leave.csv", "DMG/A/01/02,2026-03-04,2026-03-05,2026-03-06T00:00:00.0001+00:00")
    rows = written.opened().registry["leave"]
    assert [row["known_from_ms"] for row in rows] == [0, 1_772_755_200_001]


def test_a_test_card_stands_for_no_unit_whatever_its_row_says(written) -> None:
    written.row("cards.csv", "spare,DMG/A/01/01,test,1,2025-01-01,,,")
    assert [(row["unit"], row["obliged"]) for row in written.opened().registry["cards"]][-1] == (None, False)


def test_columns_may_stand_in_any_order_and_empty_lines_and_a_byte_order_mark_do_no_harm(written) -> None:
    written.files["units.csv"] = "\ufeffestate,unit\n\nDMG,DMG/A/01/01\nDMG,DMG/A/01/02\n"
    assert [row["unit"] for row in written.opened().registry["units"]] == ["DMG/A/01/01", "DMG/A/01/02"]


def test_a_directory_without_machines_is_one_in_which_nothing_was_heard(written) -> None:
    written.facts.clear()
    assert list(written.opened().arrivals()) == []


def test_facts_of_all_machines_come_in_order_of_arrival(written) -> None:
    written.add(BEAT, HOURS)
    written.add(TAP, device="RWB-01")
    assert [(each.device, each.number) for each in written.opened().arrivals()] == [
        ("DMG-01", 1), ("RWB-01", 1), ("DMG-01", 2)
    ]  # fmt: skip


def test_lines_are_whole_wherever_a_chunk_of_the_file_ends(written, monkeypatch: pytest.MonkeyPatch) -> None:
    written.add(*[TAP | {"seq": seq, "card": "é" * (seq % 50 + 1)} for seq in range(1, 100)])
    for chunk in (7, 64, 193):
        monkeypatch.setattr(directory, "CHUNK", chunk)
        assert [each.number for each in written.opened().arrivals()] == list(range(1, 100))


def test_a_last_line_needs_no_end(written) -> None:
    folder = written.write()
    (folder / "devices" / "DMG-01.jsonl").write_text(json.dumps(BEAT) + "\n\n" + json.dumps(TAP))
    assert [each.number for each in open_directory(folder).arrivals()] == [1, 3]


# ---- what is refused -------------------------------------------------------------------------------------------------

META = [
    ({"format": "hadir-replay/2"}, "meta.json, format: is not hadir-replay/1, the only version this program knows"),
    ({"from": "2 March"}, "meta.json, from: is no date: expected YYYY-MM-DD"),
    ({"from": "2026-02-30"}, "meta.json, from: is a date that no calendar has"),
    ({"until": "2026-03-01"}, "meta.json: until is before from"),
    ({"untill": "2026-03-01"}, "meta.json, untill: does not belong here"),
]


@pytest.mark.parametrize(("change", "sentence"), META)
def test_what_it_says_of_itself_is_checked(written, change: dict[str, object], sentence: str) -> None:
    written.meta |= change
    assert refusal(written.opened) == sentence


ROWS = [
    ("estates.csv", "dmg,Rusun,,,2026-03-02", 3, "estate", "is no estate code: 2 to 8 of A-Z and 0-9, beginning"),
    ("estates.csv", "RWB,,,,2026-03-02", 3, "name", "is empty"),
    ("estates.csv", "RWB,Rusun,91,,2026-03-02", 3, "lat", "is no number between -90 and 90"),
    ("estates.csv", "RWB,Rusun,,,", 3, "go_live", "is no date: expected YYYY-MM-DD"),
    ("estates.csv", "DMG,Rusun,,,2026-03-02", 3, "estate", "is there already, in line 2"),
    ("units.csv", "RWB/A/01/01,RWB", 4, "estate", "RWB is not in estates.csv"),
    ("units.csv", "DMG/A/01/01,DMG", 4, "unit", "is there already, in line 2"),
    ("tenancies.csv", "DMG/A/01/03,2026-01-01,,", 4, "unit", "DMG/A/01/03 is not in units.csv"),
    ("tenancies.csv", "DMG/A/01/01,2026-01-01,2026-01-01,", 4, "end", "is not after start"),
    ("tenancies.csv", "DMG/A/01/01,2026-01-01,,yesterday", 4, "known_from", "is no instant with its offset"),
    ("tenancies.csv", "DMG/A/01/01,2026-01-01,,2026-01-01T00:00:00", 4, "known_from", "is no instant with its offset"),
    ("tenancies.csv", "DMG/A/01/01,2026-01-01,,2026-01-01T25:00:00Z", 4, "known_from", "is an instant that no"),
    ("tenancies.csv", "DMG/A/01/01,2026-01-01", 4, "", "has 2 cells; the first line has 4"),
    ("cards.csv", ",DMG/A/01/01,holder,1,2026-01-01,,,", 5, "card", "is empty"),
    ("cards.csv", "x,DMG/A/01/01,owner,1,2026-01-01,,,", 5, "role", "is none of holder, member, test"),
    ("cards.csv", "x,,holder,1,2026-01-01,,,", 5, "role", "is the card of a resident, but unit is empty"),
    ("cards.csv", "x,DMG/A/01/09,holder,1,2026-01-01,,,", 5, "unit", "DMG/A/01/09 is not in units.csv"),
    ("cards.csv", "x,DMG/A/01/01,holder,yes,2026-01-01,,,", 5, "obliged", "is neither 0 nor 1"),
    ("cards.csv", "x,DMG/A/01/01,holder,1,2026-01-02,2026-01-01,,", 5, "valid_to", "is before valid_from"),
    ("cards.csv", "x,DMG/A/01/01,holder,1,2026-01-02,,sold,", 5, "ended_because", "is none of (empty), replaced, lost"),
    ("installations.csv", "DMG,DMG,2026-01-01T00:00:00+07:00,,,", 3, "device", "is no machine: expected ESTATE-NN"),
    ("installations.csv", "RWB-01,RWB,2026-01-01T00:00:00+07:00,,,", 3, "estate", "RWB is not in estates.csv"),
    (
        "installations.csv", "DMG-02,DMG,2026-01-02T00:00:00+07:00,2026-01-01T00:00:00+07:00,,",
        3, "removed", "is not after installed",
    ),
    (
        "installations.csv", "DMG-02,DMG,2026-01-02T00:00:00+07:00,,Mon 8-16,",
        3, "service_hours", "'Mon 8-16' is no service hours",
    ),
    ("calendar.csv", "all,2026-03-20,2026-03-21,holiday,Nyepi,", 3, "scope", "is no estate code"),
    ("calendar.csv", "*,2026-03-20,2026-03-19,holiday,Nyepi,", 3, "to", "is before from"),
    ("calendar.csv", "*,2026-03-20,2026-03-21,party,Nyepi,", 3, "kind", "is none of holiday, lebaran, flood, closure"),
    ("leave.csv", "DMG/A/01/01,2026-03-20,,", 3, "to", "is no date"),
    ("leave.csv", "DMG/A/01/01,0026-03-20,2026-03-21,", 3, "from", "lies before 1970 or after 2199"),
    ("declared_lost.csv", "DMG-02,2026-03-20,2026-03-21,", 2, "device", "DMG-02 is not in installations.csv"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "row", "line", "column", "reason"), ROWS)
def test_a_bad_row_is_refused(written, file: str, row: str, line: int, column: str, reason: str) -> None:
    written.row(file, row)
    place = f"{file}, line {line}, {column}: " if column else f"{file}, line {line}: "
    assert refusal(written.opened).startswith(place + reason)


HEADERS = [
    ("", "leave.csv: is empty; the first line must be unit,from,to,known_from"),
    ("unit,from,to\n", "leave.csv, line 1, known_from: this column is missing"),
    ("unit,from,to,known_from,from\n", "leave.csv, line 1, from: this column is there more than once"),
    ("unit,from,to,known_from,why\n", "leave.csv, line 1: the column 'why' does not belong here"),
    ("unit;from;to;known_from\n", "leave.csv, line 1: the column 'unit;from;to;known_from' does not belong here"),
    ('unit,from,to,known_from\n"x,y\n', "leave.csv, line 2: cannot be read as CSV"),
]


@pytest.mark.parametrize(("text", "sentence"), HEADERS)
def test_a_bad_sheet_is_refused(written, text: str, sentence: str) -> None:
    written.files["leave.csv"] = text
    assert refusal(written.opened).startswith(sentence)


def test_the_headers_name_the_fields_of_their_rows() -> None:
    for sheet in SHEETS:
        assert sorted(sheet.columns) == sorted(sheet.column(name) for name in sheet.row.model_fields)


def test_a_missing_sheet_is_refused_not_taken_for_an_empty_one(written) -> None:
    del written.files["calendar.csv"]
    assert refusal(written.opened) == "calendar.csv: is missing; a file without rows still needs its first line"


def test_a_misspelt_sheet_is_refused(written) -> None:
    written.files["calender.csv"] = "scope,from,to,kind,reason,known_from\n"
    assert refusal(written.opened).startswith("calender.csv: is no file of a replay")


def test_a_sheet_that_is_not_in_utf8_is_refused(written) -> None:
    folder = written.write()
    (folder / "estates.csv").write_bytes(b"estate,name,lat,lon,go_live\nDMG,Rusun \xe9,,,2026-03-02\n")
    assert "is not in UTF-8" in refusal(lambda: open_directory(folder))


def test_a_policy_that_cannot_be_used_is_refused(written) -> None:
    written.files["policy.toml"] = "[absence]\nopen = 'many'\n"
    assert refusal(written.opened).startswith("policy.toml: absence.open: ")


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(lambda: open_directory(tmp_path / "nowhere")).endswith("is no directory")
    (tmp_path / "empty").mkdir()
    assert refusal(lambda: open_directory(tmp_path / "empty")).startswith("meta.json: is missing")


@pytest.mark.parametrize("name", ["DMG-01.json", "dmg-01.jsonl", "README.md"])
def test_a_file_that_is_no_machines_is_refused(written, name: str) -> None:
    folder = written.write()
    (folder / "devices" / name).write_text("")
    assert refusal(lambda: open_directory(folder)).startswith(f"devices/{name}: is no machine's file")


LINES = [
    ("{", "", "is no JSON"),
    ("[]", "", "is no JSON object"),
    (BEAT | {"kind": "beat"}, "kind", "is none of tap, hours, event, heartbeat, status"),
    (without(BEAT, "kind"), "kind", "is none of tap, hours, event, heartbeat, status"),
    (without(TAP, "arrived"), "arrived", "is missing"),
    (TAP | {"arrived": "2026-03-02"}, "arrived", "is no instant with its offset"),
    (TAP | {"arrived": 1_772_000_000}, "arrived", "is no instant with its offset"),
    (TAP | {"arrived": "2026-03-02T00:29:59+07:00"}, "arrived", "lies before the line above"),
    (TAP | {"at": "1969-12-31T00:00:00+00:00"}, "at", "lies before 1970"),
    (TAP | {"seq": 0}, "seq", "input should be greater than or equal to 1"),
    (TAP | {"seq": 1.0}, "seq", "should be a whole number"),
    (TAP | {"seq": "1"}, "seq", "should be a whole number"),
    (TAP | {"card": ""}, "card", "is empty"),
    (TAP | {"crad": "x"}, "crad", "does not belong here"),
    (TAP | {"clock": "redated"}, "clock", "input should be 'trusted' or 'untrusted'"),
    (TAP | {"clock": "untrusted"}, "", "uncertainty_s is missing"),
    (TAP | {"uncertainty_s": 1}, "", "uncertainty_s must be 0 where the clock is trusted"),
    (TAP | {"clock": "untrusted", "uncertainty_s": -1}, "uncertainty_s", "input should be greater than or equal to 0"),
    (HOURS | {"able_min": 61}, "able_min", "input should be less than or equal to 60"),
    (HOURS | {"hour": "2026-03-02T08:30:00+07:00"}, "hour", "is no instant at which an hour starts"),
    (HOURS | {"kind": "event", "event": "party"}, "at", "is missing"),
    (BEAT | {"reader": "dead"}, "reader", "input should be 'ok' or 'fault'"),
    (BEAT | {"disk_free_pct": 101}, "disk_free_pct", "input should be less than or equal to 100"),
    (without(BEAT, "uptime_s"), "uptime_s", "is missing"),
    (
        {"arrived": BEAT["arrived"], "kind": "status", "online": True, "session": 1, "reason": "will"},
        "", "online goes with birth, and only with birth",
    ),
    (
        {"arrived": BEAT["arrived"], "kind": "status", "online": False, "session": 1, "reason": "goodbye"},
        "", "a goodbye names boot, uptime_s and last_seq",
    ),
    (
        {"arrived": BEAT["arrived"], "kind": "event", "seq": 3, "at": TAP["at"], "event": "party"},
        "event", "input should be 'boot', 'clock_step'",
    ),
    (
        {"arrived": BEAT["arrived"], "kind": "event", "seq": 3, "at": TAP["at"], "event": "records_dropped",
         "detail": {"outbox": "", "from_seq": 1, "to_seq": 2, "from": 1, "to": TAP["at"]}},
        "", "its detail cannot be read: from is no instant with its offset",
    ),
    (
        {"arrived": BEAT["arrived"], "kind": "event", "seq": 3, "at": TAP["at"], "event": "outbox_closed"},
        "", "its detail cannot be read: last_seq is missing",
    ),
    (
        {"arrived": BEAT["arrived"], "kind": "event", "seq": 3, "at": TAP["at"], "event": "boot",
         "detail": {"a": [1]}},
        "detail.a", "",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "column", "reason"), LINES)
def test_a_bad_line_is_refused(written, fact: object, column: str, reason: str) -> None:
    written.add(BEAT)
    folder = written.write()
    with (folder / "devices" / "DMG-01.jsonl").open("a") as file:
        file.write(fact if isinstance(fact, str) else json.dumps(fact))
    place = "devices/DMG-01.jsonl, line 2, " + f"{column}: " if column else "devices/DMG-01.jsonl, line 2: "
    assert refusal(lambda: open_directory(folder)).startswith(place + reason)


def test_a_line_longer_than_any_fact_is_refused_before_it_fills_the_memory(written) -> None:
    folder = written.write()
    (folder / "devices" / "DMG-01.jsonl").write_text(json.dumps(BEAT) + "\n" + "x" * 1_000_000)
    sentence = refusal(lambda: open_directory(folder))
    assert sentence == "devices/DMG-01.jsonl, line 2: is longer than any fact"


def test_no_sentence_shows_a_card(written) -> None:
    written.row("cards.csv", "secret-card,,holder,1,2026-01-01,,,")
    assert "secret" not in refusal(written.opened)


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(BadReplay) as caught:
        read()
    return str(caught.value)
