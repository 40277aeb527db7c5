"""What each answer of InfluxDB means for the points, against a strict stand-in for 2.x."""

import asyncio
import logging

import pytest

from cloud.history import Access
from cloud.history.influx import LINES, InfluxHistory
from cloud.history.patience import Pace
from contract import series
from contract.series import Point

AT_ONCE = Pace(first_s=0.001, longest_s=0.002, person_first_s=0.001, person_longest_s=0.002)


def tap(seq: int) -> Point:
    fields = {"known": 1, "unknown": 0, "seq": seq, "lag": 5}
    return series.TAP.point(1_790_000_000_000_000_000 + seq, {"device": "DMG-01"}, fields)


def fleet(registered: int) -> Point:
    return series.FLEET.point(1_790_000_000_000_000_000, {"estate": "DMG"}, {"registered": registered, "online": 1})


def history(server, token: str = "the-token") -> InfluxHistory:
    return InfluxHistory(server.url, Access("ingest-1", token), pace=AT_ONCE)


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # the history tells nobody when it changes
            await asyncio.sleep(0.002)


async def test_points_are_stored_each_in_its_bucket_with_one_request_each(server) -> None:
    async with history(server) as writer:
        assert await writer.write([tap(1), fleet(2), tap(3)]) == []
        assert writer.trouble is None
    assert server.stored == {"taps": {tap(1).line(), tap(3).line()}, "ops": {fleet(2).line()}}
    assert server.requests == 2


async def test_nothing_to_write_asks_for_nothing(server) -> None:
    async with history(server) as writer:
        assert await writer.write([]) == []
    assert server.requests == 0


@pytest.mark.parametrize("partial", [True, False], ids=["422-rest-stored", "400-nothing-stored"])
async def test_a_line_the_server_refuses_comes_back_alone_with_its_reason(server, partial: bool) -> None:
    server.partial = partial
    async with history(server) as writer:
        refused = await writer.write([tap(seq) for seq in range(1, 51)])
    assert [(each.point, each.reason) for each in refused] == [
        (tap(13), "failure writing points: conflict dropped=1" if partial else "unable to parse")
    ]
    assert server.stored["taps"] == {tap(seq).line() for seq in range(1, 51) if seq != 13}


async def test_several_refused_lines_come_back_and_all_others_are_stored(server) -> None:
    server.refuse = "seq=7"  # 7, 70-79
    server.partial = False
    async with history(server) as writer:
        refused = await writer.write([tap(seq) for seq in range(1, 101)])
    assert {each.point for each in refused} == {tap(7), *map(tap, range(70, 80))}
    assert len(server.stored["taps"]) == 89


async def test_what_is_too_large_is_halved_until_it_fits(server) -> None:
    server.limit = 200
    async with history(server) as writer:
        assert await writer.write([tap(seq) for seq in range(20, 40)]) == []
    assert len(server.stored["taps"]) == 20


async def test_a_single_line_that_is_too_large_is_refused(server) -> None:
    server.limit = 10
    async with history(server) as writer:
        assert [each.reason for each in await writer.write([tap(1)])] == ["<html>too large</html>"]


async def test_no_request_carries_more_lines_than_agreed(server) -> None:
    async with history(server) as writer:
        assert await writer.write([tap(seq) for seq in range(20_000, 20_000 + LINES + 1)]) == []
    assert server.requests == 2
    assert len(server.stored["taps"]) == LINES + 1


@pytest.mark.parametrize("status", [200, 202, 302, 408, 429, 500, 502, 503, 504])
async def test_any_other_answer_is_asked_again_until_all_is_stored(server, status: int) -> None:
    for _ in range(3):
        server.answers_next(status, "<html>\xe4</html>")
    async with history(server) as writer:
        assert await writer.write([tap(1)]) == []
        assert writer.trouble is None
    assert server.requests == 4
    assert server.stored["taps"] == {tap(1).line()}


async def test_an_answer_that_was_stored_but_not_heard_is_repeated_without_harm(server) -> None:
    server.answers_next(503, keeps=True)
    async with history(server) as writer:
        assert await writer.write([tap(1)]) == []
    assert server.stored["taps"] == {tap(1).line()}


async def test_the_server_says_how_long_to_wait(server) -> None:
    server.answers_next(429, Retry_After="1")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with history(server) as writer:
        await writer.write([tap(1)])
    assert loop.time() - begun >= 1


async def test_a_wrong_token_holds_the_points_until_it_is_right(server, caplog: pytest.LogCaptureFixture) -> None:
    server.token = "another"
    with caplog.at_level(logging.INFO, "cloud.history"):
        async with history(server) as writer, asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(writer.write([tap(1), tap(2)]))
            await until(lambda: server.requests > 5)
            assert writer.trouble is not None
            assert "token" in writer.trouble
            assert not writing.done()
            server.token = "the-token"
        assert writing.result() == []
        assert writer.trouble is None
    assert server.stored["taps"] == {tap(1).line(), tap(2).line()}
    told = [(record.levelname, record.action) for record in caplog.records]  # type: ignore[attr-defined]
    assert told == [("ERROR", "history_waiting"), ("INFO", "history_works")]
    assert "the-token" not in caplog.text


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_a_person_must_mend_is_never_a_dead_letter(server, status: int) -> None:
    server.answers_next(status, '{"message":"no"}')
    async with history(server) as writer:
        assert await writer.write([tap(1)]) == []
    assert server.requests == 2


async def test_a_bucket_that_is_missing_is_named(server) -> None:
    server.buckets = {"taps"}
    async with history(server) as writer, asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.write([fleet(1)]))
        await until(lambda: writer.trouble is not None)
        assert writer.trouble is not None
        assert "bucket ops" in writer.trouble
        assert await writer.write([tap(1)]) == []  # the others go on
        assert writer.trouble is not None
        server.buckets = {"taps", "ops"}
    assert writer.trouble is None


async def test_waiting_can_be_cancelled(server) -> None:
    server.token = "another"
    async with history(server) as writer:
        writing = asyncio.create_task(writer.write([tap(1)]))
        await until(lambda: server.requests > 1)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing


async def test_a_server_that_is_not_there_is_waited_for() -> None:
    async with InfluxHistory("http://127.0.0.1:9", Access("ingest-1", "t"), pace=AT_ONCE) as writer:
        writing = asyncio.create_task(writer.write([tap(1)]))
        await until(lambda: writer.trouble is not None)
        assert writer.trouble is not None
        assert "no answer" in writer.trouble
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
