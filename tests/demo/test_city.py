"""The city: 32 machines in 23 estates, the same for the same seed."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import demo
from demo import city

SITES = city.read_sites((Path(demo.__file__).parent / "data" / "rusun.csv").read_text("utf-8"))
FEW = tuple(site for site in SITES if site.code in ("DMG", "JNK", "PBB"))


@pytest.fixture(scope="module")
def jakarta() -> city.City:
    return city.build(SITES, seed=1)


def test_32_machines_stand_in_23_estates(jakarta: city.City) -> None:
    assert (len(jakarta.machines), len(jakarta.estates)) == (32, 23)
    assert len(set(jakarta.machines)) == 32


def test_at_least_14_estates_have_exactly_one_machine(jakarta: city.City) -> None:
    assert sum(len(estate.machines) == 1 for estate in jakarta.estates) >= 14


def test_the_units_add_up_to_what_the_press_said(jakarta: city.City) -> None:
    assert len(jakarta.flats) == sum(estate.units for estate in jakarta.estates) == 13_731


def test_about_69_per_cent_are_registered(jakarta: city.City) -> None:
    share = sum(flat.is_registered for flat in jakarta.flats) / len(jakarta.flats)
    assert share == pytest.approx(0.689, abs=0.015)


def test_a_few_registered_flats_are_sublet(jakarta: city.City) -> None:
    sublet = [flat for flat in jakarta.flats if flat.is_sublet]
    assert all(flat.is_registered for flat in sublet)
    assert 0.01 < len(sublet) / len(jakarta.flats) < 0.03


def test_no_two_flats_share_a_card_or_an_address(jakarta: city.City) -> None:
    assert len({flat.uid for flat in jakarta.flats}) == len({flat.unit for flat in jakarta.flats}) == len(jakarta.flats)


def test_an_address_is_estate_block_floor_and_door(jakarta: city.City) -> None:
    units = [flat.unit for flat in jakarta.flats if flat.estate == "MRD"]
    assert (units[0], units[119], units[1799]) == ("MRD/A/01/01", "MRD/B/01/20", "MRD/R/05/20")


def test_everybody_taps_at_a_machine_of_their_estate(jakarta: city.City) -> None:
    machines = {estate.code: estate.machines for estate in jakarta.estates}
    assert all(flat.machine in machines[flat.estate] for flat in jakarta.flats)


def test_a_card_number_is_on_no_repr(jakarta: city.City) -> None:
    flat = jakarta.flats[0]
    assert repr(flat.uid) not in repr(flat)


def test_the_same_seed_builds_the_same_city_and_another_seed_another() -> None:
    assert city.build(FEW, seed=7, machines=3) == city.build(FEW, seed=7, machines=3)
    assert city.build(FEW, seed=7, machines=3) != city.build(FEW, seed=8, machines=3)


def test_estates_without_a_count_share_what_is_missing_to_the_total() -> None:
    units = city.estimated_units(SITES)
    assumed = [units[site.code] for site in SITES if site.units is None]
    assert sum(units.values()) == city.UNITS
    assert max(assumed) - min(assumed) <= 1


@given(
    st.dictionaries(st.text("ABCDEF", min_size=2, max_size=4), st.integers(1, 2000), min_size=1, max_size=23),
    st.integers(1, 60),
)
def test_every_machine_is_given_to_somebody(units: dict[str, int], machines: int) -> None:
    counts = city.spread(units, machines)
    assert sum(counts.values()) == machines
    assert min(counts.values()) >= (machines >= len(units))


@given(st.dictionaries(st.text("ABCDEF", min_size=2, max_size=4), st.integers(1, 2000), min_size=2, max_size=23))
def test_a_larger_estate_never_has_fewer_machines(units: dict[str, int]) -> None:
    counts = city.spread(units, 32)
    ordered = sorted(units, key=lambda code: units[code])
    assert all(counts[small] <= counts[large] for small, large in pairwise(ordered) if units[small] < units[large])
