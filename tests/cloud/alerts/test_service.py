"""The worker's cycles: one judges, the history and the switch are told after, and what fails is tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloud.alerts import running, service
from cloud.alerts.evaluating import Judge
from cloud.alerts.findings import Finding, Findings, Standing
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policies
from cloud.alerts.service import Duties, Outside, Service
from cloud.days import DAY, HOUR, MINUTE
from cloud.history import Refused
from cloud.records import Connection, Records, RecordsUnavailable, flags, migrate, open_records
from contract.series import Point

NOW = 1_780_000_000_000


@dataclass
class Kept:
    """A history that keeps what it is given."""

    points: list[Point] = field(default_factory=list)
    trouble: str | None = None

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        self.points += points
        return []


@dataclass
class Scene:
    """One worker and what surrounds it."""

    records: Records
    now_ms: int = NOW
    history: Kept = field(default_factory=Kept)
    pings: list[int] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)
    asked: list[Collection[Kind]] = field(default_factory=list)
    digests: list[int] = field(default_factory=list)
    trouble: Exception | None = None

    def worker(self, name: str = "alerts-1", *, ping: Callable[[], None] | None = None) -> Service:
        outside = Outside(
            self.history, lambda: self.now_ms, ping or (lambda: self.pings.append(self.now_ms)), self.shown.append
        )
        duties = Duties(
            (self._judge,),
            self._seldom,
            {Kind.REVOKED_CARD: HOUR, Kind.PROXY_PATTERN: DAY},
            digest=lambda connection, now_ms: self.digests.append(now_ms),
            waiting=lambda connection, now_ms: 5,
        )
        return Service(self.records, Policies(), duties, outside=outside, read=_nothing, instance=name)

    def _judge(self, connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
        if self.trouble is not None:
            raise self.trouble
        return Findings((Finding(Kind.DEVICE_OFFLINE, "DMG-01", "DMG", NOW),))

    def _seldom(self, kinds: Collection[Kind]) -> Judge:
        def judge(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
            self.asked.append(sorted(kinds))
            return Findings()

        return judge


def _nothing(connection: Connection, policies: Policies, /, *, minute_ms: int) -> list[Point]:
    return []


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    url = f"sqlite:///{tmp_path}/records.db"
    migrate.upgrade(url)
    with open_records(url) as records:
        yield Scene(records)


async def test_a_cycle_judges_then_tells_the_history_then_calls_the_switch(scene: Scene) -> None:
    assert await scene.worker().try_cycle()
    assert len(scene.records.read(flags.alive)) == 1
    (stage,) = scene.history.points
    assert (dict(stage.tags)["stage"], dict(stage.fields)["msgs_total"], dict(stage.fields)["backlog"]) == (
        "alerts",
        1,
        5,
    )
    assert (scene.pings, scene.shown, scene.digests) == ([NOW], [True], [NOW])


async def test_of_two_workers_one_judges_until_its_lease_is_over(scene: Scene) -> None:
    first, second = scene.worker("alerts-1"), scene.worker("alerts-2")
    assert await first.cycle() and not await second.cycle()
    scene.now_ms += service.LEASE_MS
    assert await second.cycle() and not await first.cycle()
    await second.give_back()
    assert await first.cycle()


async def test_card_rules_are_asked_when_their_time_has_come(scene: Scene) -> None:
    worker = scene.worker()
    for minutes in (0, 1, 59, 60, 24 * 60):
        scene.now_ms = NOW + minutes * MINUTE
        await worker.cycle()
    both = [Kind.PROXY_PATTERN, Kind.REVOKED_CARD]
    assert scene.asked == [both, [Kind.REVOKED_CARD], both]


async def test_a_clock_set_back_makes_no_rule_wait_for_ever(scene: Scene) -> None:
    worker = scene.worker()
    await worker.cycle()
    scene.now_ms -= 400 * DAY
    await worker.cycle()
    assert len(scene.asked) == 2


@pytest.mark.parametrize("trouble", [RecordsUnavailable("the database is away"), ZeroDivisionError()])
async def test_a_cycle_that_fails_calls_no_switch_and_is_said_once(
    scene: Scene, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    worker, scene.trouble = scene.worker(), trouble
    with caplog.at_level(logging.INFO):
        assert not await worker.try_cycle() and not await worker.try_cycle()
    assert [record.action for record in caplog.records] == ["cycle_failed"]  # type: ignore[attr-defined]
    assert (scene.pings, scene.history.points, scene.shown) == ([], [], [False, False])
    scene.trouble = None
    assert await worker.try_cycle()
    assert worker.tally.failures == 2 and scene.asked  # what was due while it failed is still due


async def test_a_switch_that_does_not_answer_spoils_nothing_and_its_address_is_not_logged(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    def ping() -> None:
        raise OSError("https://secret.example/uuid")

    assert await scene.worker(ping=ping).try_cycle()
    assert "ping_failed" in [getattr(record, "action", "") for record in caplog.records]
    assert "secret" not in caplog.text


def test_the_ready_file_is_there_while_cycles_end_well(tmp_path: Path) -> None:
    show = running.shower(tmp_path / "ready")
    show(True)
    assert (tmp_path / "ready").exists()
    show(False)
    show(False)
    assert not (tmp_path / "ready").exists()


def test_without_a_switch_nothing_is_called() -> None:
    running.pinger("")()
