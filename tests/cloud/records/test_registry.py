"""Reading the registry; the version under which taps are resolved; what a change leaves to be resolved again."""

import threading
from datetime import date
from typing import Any

import pytest

from cloud.records import Connection, Records, marks, registrar, registry

DAY = date(2026, 7, 1)
Row = dict[str, Any]


def card(pseudonym: str, unit: str | None = "DMG/A/1", valid_from: date = DAY, **more: object) -> Row:
    role = "holder" if unit else "test"
    row: Row = {"pseudonym": pseudonym, "unit": unit, "role": role, "obliged": unit is not None}
    ends: Row = {"valid_from": valid_from, "valid_to": None, "ended_because": "", "known_from_ms": 0}
    return row | ends | more


def place(device: str, estate: str = "DMG", installed_ms: int = 0, removed_ms: int | None = None) -> Row:
    row: Row = {"device": device, "estate": estate, "installed_ms": installed_ms, "removed_ms": removed_ms}
    return row | {"service_hours": "", "known_from_ms": 0}


def write(records: Records, table: str, *rows: Row, new: bool = True, now_ms: int = 1000) -> int:
    changes = [(table, row, new) for row in rows]
    return records.write(lambda c: registrar.write(c, changes, touched=[], now_ms=now_ms))


@pytest.fixture
def estate(records: Records) -> Records:
    write(records, "estates", {"estate": "DMG", "name": "Pesakih", "lat": None, "lon": None, "go_live": DAY})
    write(records, "estates", {"estate": "MRD", "name": "Marunda", "lat": -6.1, "lon": 106.9, "go_live": DAY})
    write(records, "units", {"unit": "DMG/A/1", "estate": "DMG"}, {"unit": "MRD/A/1", "estate": "MRD"})
    return records


def test_estates_come_as_they_were_written(estate: Records) -> None:
    assert estate.read(registry.all_estates) == [
        registry.Estate("DMG", "Pesakih", None, None, DAY),
        registry.Estate("MRD", "Marunda", -6.1, 106.9, DAY),
    ]


def test_a_card_comes_with_all_its_registrations_earliest_first(estate: Records) -> None:
    write(estate, "cards", card("b", valid_from=date(2026, 8, 1)), card("b", valid_to=date(2026, 7, 5)), card("c"))
    write(estate, "cards", card("t", None))
    found = estate.read(lambda c: registry.cards_of(c, ["b", "t", "nobody"]))
    assert {name: [one.valid_from.month for one in those] for name, those in found.items()} == {"b": [7, 8], "t": [7]}
    assert found["t"][0].unit is None and found["t"][0].role == "test"


def test_more_cards_than_a_statement_can_hold_are_still_found(estate: Records) -> None:
    names = [f"{number:064x}" for number in range(2 * registry.CHUNK + 1)]
    write(estate, "cards", *(card(name) for name in names))
    assert len(estate.read(lambda c: registry.cards_of(c, names))) == len(names)


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 6, 30), False), (DAY, True), (date(2026, 7, 5), True), (date(2026, 7, 6), False)],
)
def test_a_card_counts_on_its_first_and_last_day(day: date, expected: bool) -> None:
    assert registry.Card("p", "DMG/A/1", "holder", True, DAY, date(2026, 7, 5)).is_valid_on(day) is expected


@pytest.mark.parametrize(("at_ms", "expected"), [(9, False), (10, True), (19, True), (20, False)])
def test_a_machine_stands_there_until_just_before_it_is_removed(at_ms: int, expected: bool) -> None:
    assert registry.Installation("DMG-01", "DMG", 10, 20).covers(at_ms) is expected
    assert registry.Installation("DMG-01", "DMG", 10, None).covers(at_ms) is (at_ms >= 10)


def test_a_machine_comes_with_all_places_it_stood_at(estate: Records) -> None:
    write(estate, "installations", place("DMG-01", "MRD", 20), place("DMG-01", "DMG", 10, 20), place("DMG-02"))
    found = estate.read(lambda c: registry.installations_of(c, ["DMG-01", "MRD-09"]))
    assert {device: [one.estate for one in those] for device, those in found.items()} == {"DMG-01": ["DMG", "MRD"]}
    assert set(estate.read(lambda c: registry.installations_at(c, "MRD"))) == {"DMG-01"}
    assert len(estate.read(registry.all_installations)) == 3


def test_units_are_found_at_their_estates(estate: Records) -> None:
    found = estate.read(lambda c: registry.estates_of(c, ["MRD/A/1", "KRA/A/1"]))
    assert found == {"MRD/A/1": "MRD"}


# ---- the version -----------------------------------------------------------------------------------------------------


def test_the_version_is_about_now_and_rises_even_if_the_clock_does_not(records: Records) -> None:
    def raised(now_ms: int) -> int:
        return records.write(lambda c: registry.raise_version(c, now_ms=now_ms))

    assert [raised(1000), raised(1000), raised(500), raised(2000)] == [1000, 1001, 1002, 2000]
    assert records.read(registry.version) == 2000


def test_only_what_changed_after_a_version_is_to_be_resolved_again(estate: Records) -> None:
    write(estate, "cards", card("old"), now_ms=2000)
    seen = write(estate, "installations", place("DMG-01"), now_ms=2000)
    later = write(estate, "cards", card("new"), now_ms=3000)
    assert estate.read(lambda c: registry.changed_after(c, seen)) == registry.Changed(
        later, frozenset({"new"}), frozenset()
    )
    assert estate.read(lambda c: registry.changed_after(c, later)) == registry.Changed(later, frozenset(), frozenset())


def test_a_row_that_is_written_again_is_changed(estate: Records) -> None:
    seen = write(estate, "cards", card("p"), now_ms=2000)
    (row,) = estate.read(registrar.everything)["cards"]
    write(estate, "cards", {**row, "valid_to": DAY}, new=False, now_ms=3000)
    assert estate.read(lambda c: registry.changed_after(c, seen)).pseudonyms == {"p"}
    (again,) = estate.read(registrar.everything)["cards"]
    assert again == {**row, "valid_to": DAY}


def test_who_stores_under_an_old_version_is_told(estate: Records) -> None:
    before = estate.read(registry.version)
    write(estate, "cards", card("p"), now_ms=2000)
    with pytest.raises(marks.StaleFacts):
        estate.write(lambda c: marks.require(c, marks.REGISTRY_CHANGED, before))


def test_a_change_waits_for_who_is_storing_under_the_present_version(estate: Records) -> None:
    order: list[str] = []
    holding, change = threading.Event(), threading.Thread(target=lambda: _change(estate, order))

    def store(connection: Connection) -> None:
        marks.require(connection, marks.REGISTRY_CHANGED, registry.version(connection))
        change.start()
        holding.wait(0.3)
        order.append("stored")

    estate.write(store)
    change.join()
    assert order == ["stored", "changed"]


def _change(records: Records, order: list[str]) -> None:
    write(records, "cards", card("p"), now_ms=5000)
    order.append("changed")
