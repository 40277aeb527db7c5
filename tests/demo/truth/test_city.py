"""The city of known truth: the same for the same seed, and every misfortune on the list befalls somebody."""

import csv
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from demo.truth import days, writing
from demo.truth.__main__ import make
from demo.truth.city import City, Size
from demo.truth.habits import HABITS, SUBLET
from demo.truth.machines import Fault, Misfortune

SIZE = Size(estates=6, units=40, heartbeat_min=120)


@pytest.fixture(scope="module")
def city() -> City:
    return make(SIZE, seed=3)


@pytest.fixture(scope="module")
def folder(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name = tmp_path_factory.mktemp("truth") / "city"
    writing.write(city, name)
    return name


@pytest.fixture(scope="module")
def untroubled(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name = tmp_path_factory.mktemp("truth") / "untroubled"
    writing.write(city, name, untroubled=[estate.code for estate in city.estates])
    return name


def lines(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted((folder / "devices").iterdir()):
        found += [json.loads(line) | {"device": path.stem} for line in path.read_text("utf-8").splitlines()]
    return found


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_seed_makes_the_same_bytes(city: City, folder: Path, tmp_path: Path) -> None:
    writing.write(make(SIZE, seed=3), tmp_path)
    for path in sorted(folder.rglob("*.*")):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path
    assert make(SIZE, seed=4).taps != city.taps


def test_shares_of_habits_make_a_whole() -> None:
    assert sum(habit.share for habit in HABITS) == pytest.approx(1)
    assert len({habit.name for habit in HABITS}) == len(HABITS)


def test_every_estate_has_families_that_have_left(city: City) -> None:
    gone = Counter(home.estate for home in city.homes if home.habit.event in SUBLET)
    assert all(gone[estate.code] >= 2 for estate in city.estates)
    assert all((home.sublet_from is not None) == (home.habit.event in SUBLET) for home in city.homes)


def test_nobody_taps_for_a_family_that_has_left(city: City) -> None:
    left = {home.unit: home.sublet_from for home in city.homes if home.sublet_from is not None and not home.is_courier}
    assert left
    assert not [tap for tap in city.taps if tap.unit in left and days.day_of(tap.at) >= left[tap.unit]]


def test_every_tap_was_made_at_a_machine_that_could_take_it(city: City) -> None:
    devices = {device.name: device for device in city.devices}
    assert all(devices[tap.device].takes(tap.at) for tap in city.taps)
    assert {each.because for each in city.prevented} == {"machine", "closed"}
    assert all(each.because == "closed" or not devices[each.device].takes(each.at) for each in city.prevented)


def test_a_wrong_clock_is_wrong_by_no_more_than_it_admits(city: City) -> None:
    wrong = [tap for tap in city.taps if tap.uncertainty_s]
    assert wrong
    assert all(abs(tap.recorded - tap.at) <= tap.uncertainty_s * 1000 for tap in wrong)


def test_each_fault_and_misfortune_befalls_some_machine(city: City) -> None:
    assert {cut.fault for device in city.devices for cut in device.cuts} == set(Fault)
    assert {device.misfortune for device in make(Size(estates=8, units=20), seed=3).devices} == set(Misfortune)


def test_taps_are_made_elsewhere_lost_late_and_by_members(city: City) -> None:
    estate_of = {home.unit: home.estate for home in city.homes}
    assert any(tap.unit and not tap.device.startswith(estate_of[tap.unit]) for tap in city.taps)
    assert any(tap.is_lost for tap in city.taps)


def test_every_record_has_a_seq_of_its_own_without_a_gap_but_for_what_was_lost(city: City, untroubled: Path) -> None:
    seqs: dict[tuple[str, str], set[int]] = {}
    for line in lines(untroubled):
        if "seq" in line:
            seqs.setdefault((line["device"], line["outbox"]), set()).add(line["seq"])
    assert len(seqs) == len(city.devices)
    for found in seqs.values():
        assert found == set(range(1, len(found) + 1))


def test_where_nothing_fails_a_machine_says_goodbye_of_nothing_that_never_came(untroubled: Path) -> None:
    arrived: dict[tuple[str, str], set[int]] = {}
    goodbyes = [line for line in lines(untroubled) if line.get("reason") == "goodbye"]
    for line in lines(untroubled):
        if "seq" in line:
            arrived.setdefault((line["device"], line["outbox"]), set()).add(line["seq"])
    assert goodbyes
    for line in goodbyes:
        assert arrived[line["device"], line["outbox"]] >= set(range(1, line["last_seq"] + 1))


def test_lines_come_in_order_of_arrival_some_twice_and_some_out_of_the_order_of_their_making(folder: Path) -> None:
    for path in sorted((folder / "devices").iterdir()):
        told = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert [line["arrived"] for line in told] == sorted(line["arrived"] for line in told)
        seqs = [line["seq"] for line in told if "seq" in line]
        assert len(seqs) > len(set(seqs)) or path.stat().st_size < 100_000
        assert seqs != sorted(seqs)


def test_a_backlog_of_nine_and_one_of_thirty_days_arrive(folder: Path) -> None:
    late = [days_late(line) for line in lines(folder) if line["kind"] == "hours"]
    assert any(8 <= each < 11 for each in late)
    assert any(28 <= each < 34 for each in late)


def days_late(line: dict[str, Any]) -> float:
    made, arrived = (datetime.fromisoformat(line[key]) for key in ("hour", "arrived"))
    return float((arrived - made).total_seconds() / 86_400)


def test_the_city_without_outages_has_the_same_taps_and_no_delay(city: City, folder: Path, untroubled: Path) -> None:
    def taps(of: Path) -> set[tuple[str, ...]]:
        return {
            (line["device"], line["at"], line["card"], line["clock"]) for line in lines(of) if line["kind"] == "tap"
        }

    before = taps(folder)
    assert before <= taps(untroubled), "what was still on its way at the end arrives in time there"
    assert len(taps(untroubled)) == sum(not tap.is_lost for tap in city.taps)
    assert max(days_late(line) for line in lines(untroubled) if line["kind"] == "hours") < 3, "the clerk's weekends"
    assert rows(untroubled, "declared_lost.csv") == []
    for name in ("cards.csv", "leave.csv", "calendar.csv", "installations.csv", "tenancies.csv"):
        assert rows(folder, name) == rows(untroubled, name)


def test_what_is_lost_is_told_by_the_machine_or_declared_by_an_official(folder: Path) -> None:
    events = {line["event"] for line in lines(folder) if line["kind"] == "event"}
    assert {"boot", "clock_step", "reader_fault", "reader_ok", "records_dropped", "outbox_closed"} <= events
    assert rows(folder, "declared_lost.csv")


def test_lebaran_was_moved_after_it_was_decreed(folder: Path) -> None:
    lebaran = [row for row in rows(folder, "calendar.csv") if row["kind"] == "lebaran"]
    assert [bool(row["known_from"]) for row in lebaran] == [False, True]


def test_the_truth_names_every_unit_and_stands_outside_the_directory(city: City, folder: Path) -> None:
    truth = writing.truth(city)
    assert set(truth["units"]) == {home.unit for home in city.homes}
    assert json.loads(json.dumps(truth)) == truth
    assert not (folder / "truth.json").exists()
