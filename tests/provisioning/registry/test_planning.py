"""The registry must hold together afterwards; whatever prevents it is named by its line."""

from collections.abc import Mapping, Sequence

import pytest

from cloud.records.pseudonyms import Pepper
from provisioning.registry import planning, reading
from provisioning.registry.planning import Plan, RegistryRefused, Values
from provisioning.registry.reading import Line
from provisioning.registry.rows import KINDS

NOW = 1_800_000_000_000  # 15 January 2027
PEPPER = Pepper(bytes(range(32)))
TITLES = {kind.table: ",".join(kind.columns) for kind in KINDS}
A, B = "04A1B2C3", "04A1B2C4"
BASE = {
    "estates": ["DMG,Pesakih,,,2026-01-01", "MRD,Marunda,,,2026-01-01"],
    "units": ["DMG/A/1,DMG", "DMG/A/2,DMG"],
    "installations": [",DMG-01,DMG,2026-01-01T00:00:00Z,,"],
}
HEADERS = {
    "estates": "estate,name,lat,lon,go_live",
    "units": "unit,estate",
    "tenancies": "unit,start,end,known_from",
    "cards": "card,unit,role,obliged,valid_from,valid_to,ended_because,known_from",
    "installations": "known_from,device,estate,installed,removed,service_hours",
    "calendar": "scope,from,to,kind,reason,known_from",
    "leave": "unit,from,to,known_from",
    "declared_lost": "device,from,to,known_from",
}


def lines(files: Mapping[str, Sequence[str]]) -> dict[str, Sequence[Line]]:
    found: dict[str, Sequence[Line]] = {}
    for kind in KINDS:
        if kind.table in files:
            text = "\n".join([HEADERS[kind.table], *files[kind.table]])
            sheet = reading.read(text.encode(), kind, pepper=PEPPER)
            assert not sheet.faults
            found[kind.table] = sheet.lines
    return found


def registered(files: Mapping[str, Sequence[str]], *, at: int = NOW - 1000) -> dict[str, list[Values]]:
    """The registry after an import of *files*, as the database would give it back."""
    plan = planning.plan({}, lines(files), now_ms=at, history=True)
    return {
        table: [row if table in ("estates", "units") else {**row, "id": number} for number, row in enumerate(rows)]
        for table, rows in plan.registry.items()
    }


PRESENT = registered(BASE)


def plan(files: Mapping[str, Sequence[str]], *, history: bool = False, present: object = PRESENT) -> Plan:
    return planning.plan(present, lines(files), now_ms=NOW, history=history)  # type: ignore[arg-type]


def faults(files: Mapping[str, Sequence[str]], *, present: object = PRESENT) -> list[tuple[str, int, str]]:
    with pytest.raises(RegistryRefused) as refused:
        plan(files, present=present)
    return [(fault.file, fault.line, fault.column) for fault in refused.value.faults]


def test_what_is_registered_already_changes_nothing() -> None:
    again = plan(BASE)
    assert again.changes == ()
    assert [(tally.new, tally.changed, tally.unchanged) for tally in again.tallies] == [(0, 0, 2), (0, 0, 2), (0, 0, 1)]


def test_a_fact_that_now_ends_is_changed_and_keeps_when_it_was_learnt() -> None:
    present = registered({**BASE, "cards": [f"{A},DMG/A/1,holder,1,2026-01-01,,,"]})
    (change,) = plan({"cards": [f"{A},DMG/A/1,holder,1,2026-01-01,2026-06-30,replaced,"]}, present=present).changes
    assert change.before is not None and change.after["id"] == change.before["id"]
    assert change.after["known_from_ms"] == NOW - 1000
    assert (str(change.after["valid_to"]), change.after["ended_because"]) == ("2026-06-30", "replaced")


def test_an_empty_known_from_means_now() -> None:
    (change,) = plan({"tenancies": ["DMG/A/1,2026-01-01,,"]}).changes
    assert change.after["known_from_ms"] == NOW


def test_an_earlier_known_from_is_refused_unless_a_past_is_loaded() -> None:
    early = {"tenancies": ["DMG/A/1,2026-01-01,,2026-01-01T00:00:00Z"]}
    assert faults(early) == [("tenancies.csv", 2, "known_from")]
    (change,) = plan(early, history=True).changes
    assert change.after["known_from_ms"] == 1_767_225_600_000


def test_a_known_from_that_is_registered_already_is_no_news() -> None:
    early = {"tenancies": ["DMG/A/1,2026-01-01,,2026-01-01T00:00:00Z"]}
    assert plan(early, present=registered({**BASE, **early})).changes == ()


def test_nothing_is_known_from_the_future_also_not_in_a_loaded_past() -> None:
    with pytest.raises(RegistryRefused, match="future"):
        plan({"tenancies": ["DMG/A/1,2026-01-01,,2028-01-01T00:00:00Z"]}, history=True)


@pytest.mark.parametrize(
    ("table", "row", "column"),
    [
        ("units", "KRA/A/1,KRA", "estate"),
        ("tenancies", "KRA/A/1,2026-01-01,,", "unit"),
        ("cards", f"{A},KRA/A/1,holder,1,2026-01-01,,,", "unit"),
        ("installations", ",KRA-01,KRA,2026-01-01T00:00:00Z,,", "estate"),
        ("calendar", "KRA,2026-01-01,2026-01-01,holiday,,", "scope"),
        ("leave", "KRA/A/1,2026-01-01,2026-01-01,", "unit"),
        ("declared_lost", "KRA-01,2026-01-01,2026-01-01,", "device"),
    ],
)
def test_a_reference_to_nothing_is_named(table: str, row: str, column: str) -> None:
    assert faults({table: [row]}) == [(f"{table}.csv", 2, column)]


def test_a_reference_may_be_to_another_file_of_the_same_import() -> None:
    new = {
        "estates": ["KRA,Karang Anyar,,,2026-01-01"],
        "units": ["KRA/A/1,KRA"],
        "tenancies": ["KRA/A/1,2026-01-01,,"],
    }
    assert len(plan(new).changes) == 3


def test_a_calendar_for_all_and_a_test_card_refer_to_nothing() -> None:
    rows = {"calendar": ["*,2026-01-01,2026-01-01,holiday,,"], "cards": [f"{A},,test,0,2026-01-01,,,"]}
    assert len(plan(rows).changes) == 2


OVERLAPS = [
    ("tenancies", "DMG/A/1,2026-01-01,2026-06-01,", "DMG/A/1,2026-05-31,,", "start"),
    ("tenancies", "DMG/A/1,2026-01-01,,", "DMG/A/1,2027-01-01,,", "start"),
    ("cards", f"{A},DMG/A/1,holder,1,2026-01-01,2026-06-01,,", f"{A},DMG/A/2,holder,1,2026-06-01,,,", "valid_from"),
    ("cards", f"{A},DMG/A/1,holder,1,2026-01-01,,,", f"{A},,test,0,2026-06-01,2026-06-02,,", "valid_from"),
    (
        "installations",
        ",DMG-02,DMG,2026-01-01T00:00:00Z,2026-06-01T00:00:01Z,",
        ",DMG-02,MRD,2026-06-01T00:00:00Z,,",
        "installed",
    ),
]
TOUCHING = [
    ("tenancies", "DMG/A/1,2026-01-01,2026-06-01,", "DMG/A/1,2026-06-01,,"),
    ("tenancies", "DMG/A/1,2026-01-01,,", "DMG/A/2,2026-01-01,,"),
    ("cards", f"{A},DMG/A/1,holder,1,2026-01-01,2026-06-01,,", f"{A},DMG/A/2,holder,1,2026-06-02,,,"),
    ("cards", f"{A},DMG/A/1,holder,1,2026-01-01,,,", f"{B},DMG/A/1,member,0,2026-01-01,,,"),
    (
        "installations",
        ",DMG-02,DMG,2026-01-01T00:00:00Z,2026-06-01T00:00:00Z,",
        ",DMG-02,MRD,2026-06-01T00:00:00Z,,",
    ),
]


@pytest.mark.parametrize(("table", "earlier", "later", "column"), OVERLAPS)
def test_of_two_overlapping_lines_the_later_is_named_in_either_order(
    table: str, earlier: str, later: str, column: str
) -> None:
    assert faults({table: [earlier, later]}) == [(f"{table}.csv", 3, column)]
    assert faults({table: [later, earlier]}) == [(f"{table}.csv", 2, column)]


@pytest.mark.parametrize(("table", "earlier", "later", "column"), OVERLAPS)
def test_a_line_that_overlaps_what_is_registered_is_named_whichever_is_later(
    table: str, earlier: str, later: str, column: str
) -> None:
    for before, line in ((earlier, later), (later, earlier)):
        assert faults({table: [line]}, present=registered({**BASE, table: [before]})) == [(f"{table}.csv", 2, column)]


@pytest.mark.parametrize(("table", "earlier", "later"), TOUCHING)
def test_spans_that_only_touch_are_fine(table: str, earlier: str, later: str) -> None:
    assert len(plan({table: [later, earlier]}).changes) == 2


def test_a_long_span_is_not_hidden_by_a_short_one_inside_it() -> None:
    rows = ["DMG/A/1,2026-01-01,2026-12-01,", "DMG/A/1,2026-02-01,2026-03-01,", "DMG/A/1,2026-06-01,,"]
    assert [line for _, line, _ in faults({"tenancies": rows})] == [3, 4]


def test_what_overlapped_before_is_not_held_against_an_import_about_something_else() -> None:
    present = registered(BASE)
    present["tenancies"] = [
        {"id": number, "unit": "DMG/A/1", "start": start, "end": None, "known_from_ms": 0}
        for number, start in enumerate([_day("2026-01-01"), _day("2026-02-01")])
    ]
    assert len(plan({"tenancies": ["DMG/A/2,2026-01-01,,"]}, present=present).changes) == 1


def _day(text: str) -> object:
    (line,) = lines({"tenancies": [f"DMG/A/1,{text},,"]})["tenancies"]
    return line.values["start"]


def test_the_same_fact_twice_is_named_even_if_both_agree() -> None:
    assert faults({"leave": ["DMG/A/1,2026-05-01,2026-05-02,"] * 2}) == [("leave.csv", 3, "")]


def test_a_unit_never_changes_its_estate() -> None:
    assert faults({"units": ["DMG/A/1,MRD"]}) == [("units.csv", 2, "estate")]


def test_an_estate_may_change_its_name() -> None:
    (change,) = plan({"estates": ["DMG,Daan Mogot,,,2026-01-01"]}).changes
    assert change.after["name"] == "Daan Mogot"


def test_all_faults_of_all_files_are_told_at_once() -> None:
    bad = {"tenancies": ["KRA/A/1,2026-01-01,,"], "leave": ["KRA/A/1,2026-01-01,2026-01-01,"]}
    assert [file for file, _, _ in faults(bad)] == ["leave.csv", "tenancies.csv"]
    with pytest.raises(RegistryRefused, match=r"Nothing was imported; 2 fault\(s\)"):
        plan(bad)
