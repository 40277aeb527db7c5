import asyncio
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud.history import Access, BadHistoryUrl, journal, open_history
from cloud.history.journal import Illegible, JournalHistory, JournalInUse
from cloud.history.patience import Pace
from contract import series
from contract.series import Point
from demo.servers import process

NOON = datetime(2026, 5, 12, 12, tzinfo=UTC)
AT_ONCE = Pace(first_s=0.001, longest_s=0.002, person_first_s=0.001, person_longest_s=0.002)


def tap(seq: int) -> Point:
    return series.TAP.point(seq, {"device": "DMG-01"}, {"known": 1, "unknown": 0, "seq": seq, "lag": 5})


def fleet(registered: int) -> Point:
    return series.FLEET.point(1, {"estate": "DMG"}, {"registered": registered, "online": 1})


def opened(folder: Path, writer: str = "ingest-1", now: datetime = NOON) -> JournalHistory:
    return JournalHistory(folder, writer, now=lambda: now, pace=AT_ONCE)


async def test_a_line_is_in_the_file_of_its_bucket_day_and_writer(tmp_path: Path) -> None:
    async with opened(tmp_path) as history:
        await history.write([tap(1), fleet(1), tap(2)])
    assert (tmp_path / "taps/2026-05-12.ingest-1.lp").read_text() == f"{tap(1).line()}\n{tap(2).line()}\n"
    assert (tmp_path / "ops/2026-05-12.ingest-1.lp").read_text() == f"{fleet(1).line()}\n"


async def test_a_new_day_begins_a_new_file(tmp_path: Path) -> None:
    days = iter([NOON, NOON + timedelta(hours=11, minutes=59), NOON + timedelta(hours=12)])
    async with JournalHistory(tmp_path, "ingest-1", now=lambda: next(days)) as history:
        for seq in (1, 2, 3):
            await history.write([tap(seq)])
    assert [path.name for path in sorted((tmp_path / "taps").iterdir())] == [
        "2026-05-12.ingest-1.lp",
        "2026-05-13.ingest-1.lp",
    ]
    assert list(journal.read(tmp_path)) == [tap(1), tap(2), tap(3)]


async def test_two_ingesters_write_side_by_side(tmp_path: Path) -> None:
    async with opened(tmp_path, "ingest-1") as one, opened(tmp_path, "ingest-2") as other:
        await asyncio.gather(one.write([tap(1)]), other.write([tap(2)]))
    assert set(journal.read(tmp_path)) == {tap(1), tap(2)}


async def test_two_under_one_name_are_told_to_part(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(JournalInUse, match="a name of its own"):
            async with opened(tmp_path):
                pass
    async with opened(tmp_path):
        pass  # free again


@pytest.mark.parametrize("torn", ["tap,dev", "x" * 200_000, "\0" * 100], ids=["half-a-line", "many-blocks", "zeros"])
async def test_a_torn_tail_is_cut_when_the_file_is_opened(tmp_path: Path, torn: str) -> None:
    async with opened(tmp_path) as history:
        await history.write([tap(1)])
    path = tmp_path / "taps/2026-05-12.ingest-1.lp"
    with path.open("a") as file:
        file.write(torn)
    async with opened(tmp_path) as history:
        await history.write([tap(2)])
    assert list(journal.read(tmp_path)) == [tap(1), tap(2)]


async def test_a_file_that_is_all_torn_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "taps/2026-05-12.ingest-1.lp"
    path.parent.mkdir()
    path.write_text("tap,dev")
    async with opened(tmp_path) as history:
        await history.write([tap(2)])
    assert path.read_text() == f"{tap(2).line()}\n"


async def test_a_reader_does_not_see_a_line_that_is_still_being_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as history:
        await history.write([tap(1)])
    with (tmp_path / "taps/2026-05-12.ingest-1.lp").open("a") as file:
        file.write(tap(2).line())
    assert list(journal.read(tmp_path)) == [tap(1)]


async def test_a_line_that_is_no_point_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    async with opened(tmp_path) as history:
        await history.write([tap(1)])
        path = tmp_path / "taps/2026-05-12.ingest-1.lp"
        with path.open("ab") as file:
            file.write("kacau\n\xff\n".encode("latin-1"))
        await history.write([tap(2)])
    first, *bad, last = journal.read(tmp_path)
    assert (first, last) == (tap(1), tap(2))
    assert [(line.path, line.line_number) for line in bad if isinstance(line, Illegible)] == [(path, 2), (path, 3)]


async def test_a_disk_that_takes_nothing_is_waited_for_and_told_of(tmp_path: Path) -> None:
    async with opened(tmp_path) as history:
        blocked = tmp_path / "taps"
        blocked.write_text("a file where a folder must be")
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(history.write([tap(1)]))
            async with asyncio.timeout(10):
                while history.trouble is None:  # noqa: ASYNC110  # it tells nobody when it changes
                    await asyncio.sleep(0.002)
            assert "journal" in history.trouble
            assert not writing.done()
            blocked.unlink()
        assert history.trouble is None
    assert list(journal.read(tmp_path)) == [tap(1)]


async def test_what_was_half_written_by_a_failed_attempt_is_not_left_behind(tmp_path: Path) -> None:
    """The lines that made it are written again: the same points."""
    async with opened(tmp_path) as history:
        (tmp_path / "ops").write_text("")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(history.write([tap(1), fleet(1)]))
            async with asyncio.timeout(10):
                while history.trouble is None:  # noqa: ASYNC110  # it tells nobody when it changes
                    await asyncio.sleep(0.002)
            (tmp_path / "ops").unlink()
    assert set(journal.read(tmp_path)) == {tap(1), fleet(1)}


def test_a_history_is_chosen_by_its_address(tmp_path: Path) -> None:
    access = Access("ingest-1", "secret")
    assert type(open_history(f"journal:{tmp_path}", access, now=lambda: NOON)).__name__ == "JournalHistory"
    assert type(open_history("http://127.0.0.1:8086", access, now=lambda: NOON)).__name__ == "InfluxHistory"
    assert type(open_history("https://influx.example", access, now=lambda: NOON)).__name__ == "InfluxHistory"


@pytest.mark.parametrize("url", ["", "journal:", "file:/tmp/x", "influx", "user:word@host"])
def test_an_address_that_is_none_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(BadHistoryUrl, match="journal:DIR") as refused:
        open_history(url, Access("ingest-1", "secret"), now=lambda: NOON)
    assert "word" not in str(refused.value)


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(Access("ingest-1", "secret"))


_PROGRAM = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from cloud.history.journal import JournalHistory
from contract import series

async def main() -> None:
    now = datetime(2026, 5, 12, tzinfo=UTC)
    point = series.TAP.point(1, {"device": "DMG-01"}, {"known": 1, "unknown": 0, "seq": 1, "lag": 5})
    async with JournalHistory(Path(sys.argv[1]), "ingest-1", now=lambda: now) as history:
        await history.write([point])
        os.write(1, b"WRITE RETURNED")

asyncio.run(main())
"""


@pytest.mark.integration
def test_a_line_is_on_the_disk_before_write_returns(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    try:
        strace = process.find("strace", package="strace")
    except process.MissingProgram as error:
        suite = request.config.pluginmanager.get_plugin(str(Path(__file__).parents[2] / "conftest.py"))
        suite.missing(error)  # type: ignore[union-attr]
    command = [strace, "-f", "-y", "-e", "trace=write,fsync", "-s", "20", sys.executable, "-c", _PROGRAM, str(tmp_path)]
    traced = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    calls = [
        line for line in traced.stderr.splitlines() if ".lp>" in line or str(tmp_path) in line or "RETURNED" in line
    ]
    steps = [re.sub(r".*?(write|fsync)\(\d+<([^>]*)>.*", r"\1 \2", line) for line in calls]
    file = tmp_path / "taps/2026-05-12.ingest-1.lp"
    assert steps.index(f"write {file}") < steps.index(f"fsync {file}") < len(steps) - 1
    assert f"fsync {file.parent}" in steps  # the file's name too
    assert "RETURNED" in calls[-1]
