"""hadir-replay and the recount say the same of a small city with its misfortunes, and nothing else is wrong."""

from pathlib import Path

from bench.truth import table
from bench.truth.measuring import measure
from demo.truth.city import Size


def test_one_small_city_from_the_seed_to_the_tables(tmp_path: Path) -> None:
    found = measure(Size(estates=2, units=8, days=75, heartbeat_min=720), 2, tmp_path)
    assert found.differences == []
    assert found.three.openings > 0
    assert table.is_good([found])
    assert [sheet.rich().row_count > 0 for sheet in table.sheets([found])] == [True] * 5
