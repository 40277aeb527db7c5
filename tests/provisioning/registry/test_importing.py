"""An import on both engines: all or none, the same files again change nothing, and everybody is told."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.records import Records, dirty, migrate, open_records, registrar, registry
from cloud.records.pseudonyms import Pepper
from provisioning.registry import importing
from provisioning.registry.importing import Imported
from provisioning.registry.planning import RegistryRefused
from provisioning.registry.rows import KINDS

NOW = datetime(2026, 7, 3, 3, tzinfo=UTC)
PEPPER = Pepper(bytes(range(32)))
A = "04A1B2C3D4E5F6"
WHOLE = {
    "estates": "estate,name,lat,lon,go_live\nDMG,Pesakih,-6.1618,106.7166,2026-07-01\nMRD,Marunda,,,2026-07-01\n",
    "units": "unit,estate\nDMG/A/1,DMG\nMRD/A/1,MRD\n",
    "tenancies": "unit,start,end\nDMG/A/1,2025-01-01,\n",
    "cards": f"card,unit,role,obliged,valid_from\n{A},DMG/A/1,holder,1,2026-07-02\n04A1B2C3,,test,0,2026-07-01\n",
    "installations": "device,estate,installed,service_hours\nDMG-01,DMG,2026-07-01T00:00:00+07:00,Mon 08:00-16:00\n",
    "calendar": "scope,from,to,kind,reason\n*,2026-07-02,2026-07-02,holiday,Pilkada\n",
    "leave": "unit,from,to\nDMG/A/1,2026-07-01,2026-07-20\n",
    "declared_lost": "device,from,to\nDMG-01,2026-07-01,2026-07-01\n",
}


def bring(
    records: Records, folder: Path, files: Mapping[str, str | bytes], *, after: timedelta = timedelta()
) -> Imported:
    """Write *files* into *folder* and import it."""
    for old in folder.glob("*.csv"):
        old.unlink()
    for table, content in files.items():
        (folder / f"{table}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return importing.carry_out(records, importing.read_folder(folder, pepper=PEPPER), now=NOW + after)


def contents(records: Records) -> dict[str, list[registrar.Row]]:
    return records.read(registrar.everything)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "registry").mkdir()
    return tmp_path / "registry"


def test_all_files_are_imported_in_one_go(records: Records, folder: Path) -> None:
    bring(records, folder, WHOLE)
    assert {table: len(rows) for table, rows in contents(records).items()} == {
        **dict.fromkeys(WHOLE, 1),
        "estates": 2,
        "units": 2,
        "cards": 2,
    }
    (card,) = records.read(lambda c: registry.cards_of(c, [PEPPER.pseudonym(bytes.fromhex(A))])).values()
    assert [(one.unit, one.role, one.valid_from, one.valid_to) for one in card] == [
        ("DMG/A/1", "holder", date(2026, 7, 2), None)
    ]


def test_the_same_files_again_change_nothing_and_tell_nobody(records: Records, folder: Path) -> None:
    first = bring(records, folder, WHOLE)
    before, days = contents(records), records.read(lambda c: dirty.waiting(c, until=date(2200, 1, 1), limit=100))
    again = bring(records, folder, WHOLE, after=timedelta(days=1))
    assert again.plan.changes == () and again.version == first.version
    assert contents(records) == before
    assert records.read(lambda c: dirty.waiting(c, until=date(2200, 1, 1), limit=100)) == days


def test_a_change_raises_the_version_and_says_which_cards_and_machines_it_is_about(
    records: Records, folder: Path
) -> None:
    first = bring(records, folder, WHOLE)
    ended = f"card,unit,role,obliged,valid_from,valid_to\n{A},DMG/A/1,holder,1,2026-07-02,2026-07-02\n"
    second = bring(records, folder, {"cards": ended})
    assert second.version > first.version == int(NOW.timestamp() * 1000)
    changed = records.read(lambda c: registry.changed_after(c, first.version))
    assert changed == registry.Changed(second.version, frozenset([PEPPER.pseudonym(bytes.fromhex(A))]), frozenset())
    assert records.read(lambda c: registry.changed_after(c, 0)).devices == {"DMG-01"}


def test_the_days_it_touches_are_rolled_up_again(records: Records, folder: Path) -> None:
    bring(records, folder, WHOLE)
    waiting = records.read(lambda c: dirty.waiting(c, until=date(2200, 1, 1), limit=100))
    assert sorted((one.estate, one.day.day) for one in waiting) == [("DMG", 1), ("DMG", 2), ("DMG", 3), ("MRD", 2)]


def test_a_preview_says_the_same_and_changes_nothing(records: Records, folder: Path) -> None:
    empty = contents(records)
    for table, content in WHOLE.items():
        (folder / f"{table}.csv").write_text(content)
    lines = importing.read_folder(folder, pepper=PEPPER)
    looked = importing.preview(records, lines, now=NOW)
    assert contents(records) == empty
    assert looked.plan.tallies == importing.carry_out(records, lines, now=NOW).plan.tallies


@pytest.mark.parametrize("guilty", WHOLE)
def test_one_bad_line_in_any_file_and_nothing_is_applied(records: Records, folder: Path, guilty: str) -> None:
    empty = contents(records)
    spoilt = WHOLE | {guilty: WHOLE[guilty] + "?,?\n"}
    with pytest.raises(RegistryRefused):
        bring(records, folder, spoilt)
    assert contents(records) == empty and records.read(registry.version) == 0


def test_ten_faults_of_a_file_are_all_told(records: Records, folder: Path) -> None:
    bad = "".join(f"DMG/A/{number},KRA\n" for number in range(10))
    with pytest.raises(RegistryRefused) as refused:
        bring(records, folder, WHOLE | {"units": f"unit,estate\nDMG/A/1,DMG\nMRD/A/1,MRD\n{bad}"})
    assert [(fault.file, fault.line) for fault in refused.value.faults] == [("units.csv", 4 + at) for at in range(10)]


def test_a_folder_without_registry_files_and_a_file_of_another_name_are_refused(records: Records, folder: Path) -> None:
    with pytest.raises(RegistryRefused, match=r"holds no file of the registry"):
        bring(records, folder, {})
    with pytest.raises(RegistryRefused, match=r"card.csv: is no file of the registry"):
        bring(records, folder, WHOLE | {"card": WHOLE["cards"]})


def test_two_imports_at_once_give_what_one_after_the_other_gives(records: Records, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for each in folders:
        each.mkdir()
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda each: bring(records, each, WHOLE), folders))
    assert sorted(len(imported.plan.changes) for imported in done) == [0, 11]
    assert len(contents(records)["cards"]) == 2


CELLS = st.one_of(
    st.sampled_from(
        ["", "DMG", "KRA", "DMG/A/1", "DMG-01", A, "08A1B2C3", "test", "holder", "0", "1", "2026-07-01", "*"]
    ),
    st.sampled_from(["2026-07-01T00:00:00+07:00", "9999-12-31", "lebaran", "'", '"', "\u202e", "1e400", "-0"]),
    st.text(max_size=5),
)


@st.composite
def garbage(draw: st.DrawFn) -> dict[str, bytes]:
    """Some files whose titles may be right and whose cells are anything."""
    files = {}
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique_by=lambda kind: kind.table)):
        rows = draw(st.lists(st.lists(CELLS, min_size=len(kind.columns), max_size=len(kind.columns)), max_size=3))
        text = "\n".join([",".join(kind.columns), *(",".join(row) for row in rows)])
        files[kind.table] = draw(st.one_of(st.just(text.encode("utf-8", "surrogatepass")), st.binary(max_size=40)))
    return files


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("garbage")
    url = f"sqlite:///{folder}/records.db"
    migrate.upgrade(url)
    return url, folder


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=garbage())
def test_garbage_is_refused_by_a_sentence_or_applied_as_a_whole(
    filled: tuple[str, Path], files: dict[str, bytes]
) -> None:
    url, folder = filled
    with open_records(url) as records:
        before = contents(records)
        try:
            done = bring(records, folder, files)
        except RegistryRefused as refused:
            assert refused.faults and A not in str(refused)
            assert contents(records) == before
        else:
            added = sum(len(rows) for rows in contents(records).values()) - sum(len(rows) for rows in before.values())
            assert added == sum(change.before is None for change in done.plan.changes)
