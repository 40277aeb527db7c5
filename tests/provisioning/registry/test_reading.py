"""Files that are wrong in every way a spreadsheet knows. Each says where and why; none shows what a cell held."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloud.records.pseudonyms import Pepper
from provisioning.registry import reading
from provisioning.registry.reading import Fault, Sheet
from provisioning.registry.rows import KINDS

PEPPER = Pepper(bytes(range(32)))
KIND = {kind.table: kind for kind in KINDS}
CARDS = "card,unit,role,obliged,valid_from,valid_to,ended_because,known_from\n"
UID = "04A1B2C3D4E5F6"


def read(table: str, content: str | bytes, *, pepper: Pepper | None = PEPPER) -> Sheet:
    raw = content.encode() if isinstance(content, str) else content
    return reading.read(raw, KIND[table], pepper=pepper)


def faults(table: str, content: str | bytes) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.reason) for fault in read(table, content).faults]


def test_a_row_is_read_under_the_names_of_its_table() -> None:
    (line,) = read("tenancies", "unit,start,end,known_from\nDMG/A/1,2026-01-31,,2026-02-01T08:00:00+07:00\n").lines
    assert line.number == 2
    assert {name: str(value) for name, value in line.values.items()} == {
        "unit": "DMG/A/1",
        "start": "2026-01-31",
        "end": "None",
        "known_from_ms": "1769907600000",
    }


def test_a_card_becomes_a_pseudonym_on_the_way_in() -> None:
    (line,) = read("cards", f"{CARDS}{UID},DMG/A/1,holder,1,2026-01-01,,,\n").lines
    assert line.values["pseudonym"] == PEPPER.pseudonym(bytes.fromhex(UID))
    assert UID not in str(line.values) and UID not in repr(line)


@pytest.mark.parametrize("column", ["end", "known_from"])
def test_a_column_whose_cells_may_be_empty_may_be_left_out(column: str) -> None:
    titles = [title for title in ("unit", "start", "end", "known_from") if title != column]
    cells = ["DMG/A/1", "2026-01-31", ""]
    assert len(read("tenancies", f"{','.join(titles)}\n{','.join(cells)}\n").lines) == 1


def test_the_order_of_the_columns_is_free() -> None:
    assert len(read("units", "estate,unit\nDMG,DMG/A/1\n").lines) == 1


def test_spaces_around_cells_and_empty_lines_do_not_matter() -> None:
    sheet = read("units", "unit , estate\n\n DMG/A/1 ,DMG\n,\n   \nDMG/A/2, DMG\n")
    assert [line.number for line in sheet.lines] == [3, 6] and not sheet.faults


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(end: str) -> None:
    assert len(read("units", f"unit,estate{end}DMG/A/1,DMG{end}").lines) == 1


def test_the_mark_that_spreadsheets_put_before_utf_8_is_taken_off() -> None:
    assert len(read("units", b"\xef\xbb\xbfunit,estate\r\nDMG/A/1,DMG\r\n").lines) == 1


UNREADABLE = [
    ("no content", "", 0, "", "is empty"),
    ("UTF-16", "unit,estate\n".encode("utf-16"), 0, "", "UTF-16"),
    ("Latin-1", b"unit,estate\nDMG/A/1,DMG\nDMG/\xe9,DMG\n", 3, "", "not in UTF-8"),
    ("null character", "unit,estate\nDMG\0,DMG\n", 2, "", "null character"),
    ("semicolons", "unit;estate\nDMG/A/1;DMG\n", 1, "", "semicolons"),
    ("tabs", "unit\testate\nDMG/A/1\tDMG\n", 1, "", "tabs"),
    ("missing column", "unit\nDMG/A/1\n", 1, "estate", "missing"),
    ("unknown column", "unit,estate,note\n", 1, "", "column 3"),
    ("twice the same column", "unit,estate,unit\n", 1, "unit", "more than once"),
    ("no header", "DMG/A/1,DMG\n", 1, "", "column 1"),
    ("open quote", 'unit,estate\n"DMG/A/1,DMG\n', 2, "", "cannot be read as CSV"),
    ("endless cell", f"unit,estate\n{'x' * 200_000},DMG\n", 2, "", "cannot be read as CSV"),
]


@pytest.mark.parametrize(
    ("content", "line", "column", "reason"), [case[1:] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE]
)
def test_a_file_that_is_no_such_file(content: str | bytes, line: int, column: str, reason: str) -> None:
    (fault,) = faults("units", content)
    assert fault[:2] == (line, column) and reason in fault[2]


def test_every_bad_line_is_named_not_only_the_first() -> None:
    lines = "".join(f"DMG/A/{number},dmg\n" for number in range(10))
    found = faults("units", f"unit,estate\nDMG/OK,DMG\n{lines}")
    assert [(line, column) for line, column, _ in found] == [(number, "estate") for number in range(3, 13)]


def test_every_bad_cell_of_a_line_is_named() -> None:
    (_, bad) = f"{CARDS}{UID},DMG/A/1,landlord,yes,31-01-2026,,,\n".split("\n", 1)
    assert {column for _, column, _ in faults("cards", CARDS + bad)} == {"role", "obliged", "valid_from"}


def test_lines_are_counted_as_an_editor_counts_them_also_after_a_cell_of_two_lines() -> None:
    content = 'estate,name,lat,lon,go_live\nDMG,"two\nlines",,,2026-01-01\nMRD,Marunda,,,soon\n'
    assert [line for line, _, _ in faults("estates", content)] == [2, 4]


BAD_CARDS = [
    ("random", "08A1B2C3", "begins with 08"),
    ("leading zero lost", "4A1B2C3D4E5F6", "odd number"),
    ("wrong length", "04A1B2C3D4", "length"),
    ("made a number", "1.2E+13", "hex digits alone"),
    ("separated", "04:A1:B2:C3", "hex digits alone"),
    ("not ASCII", "０４A1B2C3", "hex digits alone"),
    ("empty", "", "hex digits alone"),
]


@pytest.mark.parametrize(("uid", "reason"), [case[1:] for case in BAD_CARDS], ids=[case[0] for case in BAD_CARDS])
def test_a_card_number_that_names_nobody_is_refused_without_being_shown(uid: str, reason: str) -> None:
    ((line, column, said),) = faults("cards", f"{CARDS}{uid},DMG/A/1,holder,1,2026-01-01,,,\n")
    assert (line, column) == (2, "card") and reason in said
    assert not uid or uid not in said


def test_a_number_that_begins_with_08_but_is_longer_is_a_card_like_any_other() -> None:
    assert not faults("cards", f"{CARDS}08A1B2C3D4E5F6,DMG/A/1,holder,1,2026-01-01,,,\n")


def test_without_the_pepper_no_card_is_read() -> None:
    sheet = read("cards", f"{CARDS}{UID},DMG/A/1,holder,1,2026-01-01,,,\n", pepper=None)
    assert not sheet.lines and "--pepper-file" in sheet.faults[0].reason


BAD_CELLS = [
    ("estates", "dmg,Pesakih,,,2026-01-01", "estate"),
    ("estates", "DMG,,,,2026-01-01", "name"),
    ("estates", "DMG,Pesakih,91,0,2026-01-01", "lat"),
    ("estates", 'DMG,Pesakih,"-6,1",0,2026-01-01', "lat"),
    ("estates", "DMG,Pesakih,nan,0,2026-01-01", "lat"),
    ("estates", "DMG,Pesakih,0,181,2026-01-01", "lon"),
    ("estates", "DMG,Pesakih,,,1767225600", "go_live"),
    ("estates", "DMG,Pesakih,,,2026-02-30", "go_live"),
    ("estates", "DMG,Pesakih,,,0001-01-01", "go_live"),
    ("estates", "DMG,Pesakih,,,20260101", "go_live"),
    ("estates", f"DMG,{'x' * 201},,,2026-01-01", "name"),
    ("units", f"{'x' * 65},DMG", "unit"),
    ("units", "DMG/A/1,D", "estate"),
    ("tenancies", "DMG/A/1,2026-01-31,2026-01-31,", "end"),
    ("tenancies", "DMG/A/1,2026-01-31,,2026-02-01T08:00:00", "known_from"),
    ("tenancies", "DMG/A/1,2026-01-31,,2026-02-01", "known_from"),
    ("tenancies", "DMG/A/1,2026-01-31,,2026-02-01T24:30:00+07:00", "known_from"),
    ("cards", f"{UID},,holder,1,2026-01-01,,,", "unit"),
    ("cards", f"{UID},DMG/A/1,test,0,2026-01-01,,,", "unit"),
    ("cards", f"{UID},,test,1,2026-01-01,,,", "obliged"),
    ("cards", f"{UID},DMG/A/1,holder,1,2026-01-02,2026-01-01,,", "valid_to"),
    ("cards", f"{UID},DMG/A/1,holder,1,2026-01-02,,stolen,", "ended_because"),
    ("cards", f"{UID},DMG/A/1,holder,1,2026-01-02,2026-01-03,eaten,", "ended_because"),
    ("installations", "DMG01,DMG,2026-01-01T00:00:00+07:00,,,", "device"),
    ("installations", "DMG-01,DMG,2026-01-01T00:00:00+07:00,2026-01-01T00:00:00+07:00,,", "removed"),
    ("installations", "DMG-01,DMG,2026-01-01T00:00:00+07:00,,office hours,", "service_hours"),
    ("calendar", "**,2026-01-01,2026-01-01,holiday,,", "scope"),
    ("calendar", "*,2026-01-02,2026-01-01,holiday,,", "to"),
    ("calendar", "*,2026-01-01,2026-01-01,picnic,,", "kind"),
    ("calendar", "*,2026-01-01,2026-01-01,holiday,\a,", "reason"),
    ("leave", "DMG/A/1,2026-01-02,2026-01-01,", "to"),
    ("declared_lost", "DMG,2026-01-02,2026-01-03,", "device"),
]


@pytest.mark.parametrize(("table", "row", "column"), BAD_CELLS)
def test_a_cell_that_cannot_be_true_is_named_by_its_column_and_never_quoted(table: str, row: str, column: str) -> None:
    titles = {
        "estates": "estate,name,lat,lon,go_live",
        "units": "unit,estate",
        "tenancies": "unit,start,end,known_from",
        "cards": CARDS.strip(),
        "installations": "device,estate,installed,removed,service_hours,known_from",
        "calendar": "scope,from,to,kind,reason,known_from",
        "leave": "unit,from,to,known_from",
        "declared_lost": "device,from,to,known_from",
    }[table]
    ((line, named, reason),) = faults(table, f"{titles}\n{row}\n")
    assert (line, named) == (2, column)
    assert UID not in reason and "office" not in reason


def test_a_card_number_in_a_wrong_column_is_not_shown_either() -> None:
    for kind in KINDS:
        row = ",".join(UID for _ in kind.columns)
        for fault in read(kind.table, f"{','.join(kind.columns)}\n{row}\n").faults:
            assert UID not in str(fault)
        assert UID not in str(read(kind.table, f"{UID},{UID}\n").faults)


def test_too_few_and_too_many_cells_are_named() -> None:
    assert [(line, reason) for line, _, reason in faults("units", "unit,estate\nDMG/A/1\nDMG/A/1,DMG,x\n")] == [
        (2, "has 1 cells; the first line has 2"),
        (3, "has 3 cells; the first line has 2"),
    ]


@pytest.mark.parametrize(
    "hours", ["", "Mon-Fri 08:00-16:00; Sat 08:00-12:00", "Mon,Wed 07:30-24:00", "Fri 20:00-04:00"]
)
def test_service_hours_are_what_the_days_rules_can_read(hours: str) -> None:
    row = f'DMG-01,DMG,2026-01-01T00:00:00+07:00,,"{hours}",'
    assert not faults("installations", f"device,estate,installed,removed,service_hours,known_from\n{row}\n")


TITLES = [",".join(kind.columns) for kind in KINDS]


@given(
    st.sampled_from(KINDS),
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.builds(
            lambda title, rows: f"{title}\n{rows}".encode("utf-8", "surrogatepass"),
            st.sampled_from(TITLES),
            st.text(alphabet=st.sampled_from('DMG/A1-08:,"\n\r*+ TZ.é\0;6'), max_size=200),
        ),
    ),
)
@example(KINDS[0], b"estate,name,lat,lon,go_live\nDMG,P,,,\xed\xa0\x80\n")
def test_whatever_the_bytes_are_they_give_lines_or_faults_and_nothing_is_raised(kind: object, content: bytes) -> None:
    sheet = reading.read(content, kind, pepper=PEPPER)  # type: ignore[arg-type]
    assert all(isinstance(fault, Fault) and fault.reason for fault in sheet.faults)
