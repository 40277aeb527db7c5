"""The plain city of the measurement is a directory that can be replayed, of the size that was asked for."""

from pathlib import Path

from bench.replaying import Size, write
from cloud.days import HOUR
from cloud.replay.directory import open_directory


def test_the_city_can_be_replayed_and_has_the_size_asked_for(tmp_path: Path) -> None:
    size = Size(units=40, days=15, machines=3, estates=2, beat_ms=HOUR)
    facts = write(tmp_path / "city", size)
    found = open_directory(tmp_path / "city")
    assert (len(found.registry["units"]), len(found.registry["installations"])) == (40, 3)
    assert (found.until - found.first).days == 15
    kinds = [each.fact.kind for each in found.arrivals()]
    assert len(kinds) == facts
    assert kinds.count("heartbeat") == 3 * (15 * 24 + 1)
    assert 40 <= kinds.count("tap") <= 80


def test_it_is_the_same_city_every_time(tmp_path: Path) -> None:
    size = Size(units=40, days=3, machines=2, estates=2, beat_ms=HOUR)
    for name in ("one", "other"):
        write(tmp_path / name, size)
    one, other = ([*(tmp_path / name).rglob("*.*")] for name in ("one", "other"))
    assert sorted(path.read_bytes() for path in one) == sorted(path.read_bytes() for path in other)
