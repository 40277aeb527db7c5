"""One suite over every adapter of the history: what it means that points are stored."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud.history import Access, History, journal, open_history
from contract import series
from contract.series import SERIES, Point, Type

NOW_NS = 1_790_000_000_000_000_000
TAG_VALUES = {"device": "DMG-01", "estate": "DMG", "hour": "07", "instance": "ingest-1", "kind": "a", "stage": "mqtt"}


@dataclass
class Subject:
    """An adapter under test: how to open it, and what it holds afterwards (measurement, time, fields)."""

    open: Callable[[], AbstractAsyncContextManager[History]]
    holds: Callable[[series.Measurement], dict[int, dict[str, object]]]


def _journal(folder: Path) -> Subject:
    def holds(measurement: series.Measurement) -> dict[int, dict[str, object]]:
        points = [point for point in journal.read(folder) if isinstance(point, Point)]
        return {point.time_ns: dict(point.fields) for point in points if point.measurement == measurement.name}

    access = Access("ingest-1")
    return Subject(lambda: open_history(f"journal:{folder}", access, now=lambda: datetime.now(UTC)), holds)


def _influx(server) -> Subject:
    def holds(measurement: series.Measurement) -> dict[int, dict[str, object]]:
        rows = server.query(measurement.bucket, f"SELECT * FROM {measurement.name}")
        names = [each.name for each in measurement.fields]
        return {int(row["time"]): {name: row[name] for name in names if row.get(name) is not None} for row in rows}

    access = Access("ingest-1", server.token, server.org)
    return Subject(lambda: open_history(server.url, access, now=lambda: datetime.now(UTC)), holds)


@pytest.fixture(params=["journal", pytest.param("influx", marks=pytest.mark.integration)])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    if request.param == "journal":
        return _journal(tmp_path / "journal")
    return _influx(request.getfixturevalue("influxdb"))


def sample(measurement: series.Measurement, number: int = 1) -> Point:
    values: dict[Type, int | float | str] = {Type.INT: number, Type.FLOAT: number + 0.5, Type.TEXT: "Mesin luring"}
    fields = {each.name: values[each.type] for each in measurement.fields}
    tags = {name: TAG_VALUES[name] for name in measurement.tags}
    return measurement.point(NOW_NS + number, tags, fields)


async def test_every_measurement_comes_back_as_it_was_written(subject: Subject) -> None:
    async with subject.open() as history:
        assert await history.write([sample(measurement) for measurement in SERIES.values()]) == []
        assert history.trouble is None
    for measurement in SERIES.values():
        assert subject.holds(measurement) == {NOW_NS + 1: dict(sample(measurement).fields)}, measurement.name


async def test_writing_again_adds_nothing_and_the_last_word_stands(subject: Subject) -> None:
    tags = {"device": "DMG-01"}
    unknown = series.TAP.point(NOW_NS, tags, {"known": 0, "unknown": 1, "seq": 1, "lag": 5})
    known = series.TAP.point(NOW_NS, tags, {"known": 1, "unknown": 0, "seq": 1, "lag": 5})
    async with subject.open() as history:
        for point in (unknown, unknown, known):
            assert await history.write([point]) == []
    assert subject.holds(series.TAP) == {NOW_NS: {"known": 1, "unknown": 0, "seq": 1, "lag": 5}}


async def test_two_taps_of_one_millisecond_stay_two(subject: Subject) -> None:
    async with subject.open() as history:
        await history.write([sample(series.TAP, 1), sample(series.TAP, 2)])
    assert len(subject.holds(series.TAP)) == 2


async def test_points_outlive_the_history_they_were_written_through(subject: Subject) -> None:
    for number in (1, 2):
        async with subject.open() as history:
            await history.write([sample(series.TAP, number)])
    assert len(subject.holds(series.TAP)) == 2


async def test_many_writers_at_once_lose_nothing(subject: Subject) -> None:
    async with subject.open() as history, asyncio.TaskGroup() as tasks:
        for begin in range(0, 200, 20):
            batch = [sample(series.TAP, number) for number in range(begin, begin + 20)]
            tasks.create_task(history.write(batch))
    assert len(subject.holds(series.TAP)) == 200


async def test_nothing_is_nothing(subject: Subject) -> None:
    async with subject.open() as history:
        assert await history.write([]) == []


@pytest.mark.integration
async def test_a_point_the_engine_refuses_comes_back_with_its_words_and_the_rest_is_stored(influxdb) -> None:
    subject = _influx(influxdb)
    as_float = series.Measurement(
        "tap",
        series.Bucket.TAPS,
        ("device",),
        tuple(series.Field(each.name, Type.FLOAT, each.meaning) for each in series.TAP.fields),
        "the same with other types",
    )
    guilty = sample(as_float, 500)
    async with subject.open() as history:
        await history.write([sample(series.TAP, 0)])
        refused = await history.write([*(sample(series.TAP, number) for number in range(1, 400)), guilty])
    assert [each.point for each in refused] == [guilty]
    assert "field type conflict" in refused[0].reason
    assert len(subject.holds(series.TAP)) == 400


@pytest.mark.integration
async def test_points_wait_for_an_engine_that_is_down(influxdb) -> None:
    subject = _influx(influxdb)
    influxdb.kill_engine()
    async with subject.open() as history:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(history.write([sample(series.TAP)]))
            async with asyncio.timeout(20):
                while history.trouble is None:  # noqa: ASYNC110  # it tells nobody when it changes
                    await asyncio.sleep(0.02)
            await asyncio.to_thread(influxdb.restart)
        assert history.trouble is None
    assert len(subject.holds(series.TAP)) == 1
