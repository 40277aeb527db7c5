"""The show itself: time starts to run, residents come, two machines get into trouble.

Then everybody goes home, what waits is waited for, and the account is made.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from rich.console import Console

from cloud.records import Records
from contract.ranges import Ranges
from demo import closing, cost, flagged, incidents, letters, past, show, watch
from demo.closing import Account
from demo.ledger import Ledger
from demo.letters import Letters
from demo.life import Residents
from demo.report import Run
from demo.servers.process import ServerFailed
from demo.show import Show
from demo.town import Town
from demo.watch import Seen

LOOK_S: Final = 0.5
DRAIN_S: Final = 60.0
GATHER_S: Final = 60.0
SLACK_S: Final = 1.0
"""Real seconds by which a stored time may be off: at SPEED=60 a journey of 10 ms is 0.6 s of the city's time."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who takes part, beside the town itself."""

    residents: Residents
    ledger: Ledger
    show: Show
    records: Records
    letters: Letters
    told: list[str] = field(default_factory=list)
    """The messages that went out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a show."""

    account: Account
    run: Run
    keeps_up: bool


async def gather(town: Town, company: Company) -> None:
    """Wait until the cloud sees every machine that can reach it. Raises `ServerFailed`."""
    expected = set(town.blueprint.city.machines) - {machine.device for machine in town.latecomers}
    give_up = time.monotonic() + GATHER_S
    while not expected <= (await _look(town, company)).online:  # what is seen here is no news yet
        if time.monotonic() > give_up:
            raise ServerFailed(f"Not every machine came online within {GATHER_S:.0f} s: is this computer very busy?")
        await asyncio.sleep(LOOK_S / 2)


async def perform(
    town: Town, company: Company, console: Console, *, for_s: float | None, stop: asyncio.Event
) -> Outcome:
    """From the opening to the account; *stop* ends it early."""
    used, started = _use(town), time.monotonic()
    town.clocks.run(town.blueprint.speed)
    reading = letters.show(console, company.letters, company.told)
    async with _meanwhile(_watch(town, company), _draw(console, company.show), reading):
        await town.switch_on(town.latecomers, company.residents.hear)
        async with asyncio.TaskGroup() as residents:
            for machine in town.machines:
                residents.create_task(company.residents.visit(machine, town.blueprint.plan.of(machine.device)))
            async with _meanwhile(*_troubles(town, company.show, for_s)):
                await _until(stop, for_s)
            company.residents.go_home()
        real_s, used_after = time.monotonic() - started, _use(town)
        await _drain(town, company, stop)
    account = await asyncio.to_thread(_account, town, company)
    top = cost.top_speed(used, used_after, real_s=real_s, speed=town.blueprint.speed)
    keeps_up = cost.keeps_up(company.residents.late_s, company.ledger.waits_s.values())
    flags = await asyncio.to_thread(flagged.look, company.records)
    run = replace(
        _run(town, company.ledger, real_s, top),
        messages=len(company.told),
        units=flags.units,
        holidays_counted=flags.holidays_counted,
    )
    return Outcome(account, run, keeps_up)


@asynccontextmanager
async def _meanwhile(*work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run *work* until the block ends; if one of it fails, so does the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        yield
        for task in tasks:
            task.cancel()


async def _until(stop: asyncio.Event, for_s: float | None) -> None:
    try:
        async with asyncio.timeout(for_s):
            await stop.wait()
    except TimeoutError:
        return


def _troubles(town: Town, stage: Show, for_s: float | None) -> list[Coroutine[None, None, None]]:
    when, cast = incidents.times(for_s), town.blueprint.cast
    troubles = [incidents.lose_network(cast.cut_off, town.cables[cast.cut_off], when, stage.tell)]
    troubles += [incidents.bring_backlog(cast.isolated, town.cables[cast.isolated], when, stage.tell)]
    cable = town.cables[cast.forgetful]
    return [*troubles, incidents.find_time(cast.forgetful, cable, town.clocks, when=when, tell=stage.tell)]


async def _watch(town: Town, company: Company) -> None:
    while True:
        company.show.saw(await _look(town, company))
        await asyncio.sleep(LOOK_S)


async def _look(town: Town, company: Company) -> Seen:
    """See the city as the cloud does, and note what machines say is confirmed."""
    for name, program in (("ingest", town.ingest), ("the alert worker", town.alerts)):
        if not program.is_running():
            raise ServerFailed(f"{name} ended by itself. The end of its log:\n{program.logged()[-1000:]}")
    seen = await asyncio.to_thread(
        watch.look,
        company.records,
        since_ms=past.milliseconds(town.blueprint.opening),
        now_ms=town.clocks.city.wall_ms(),
    )
    for machine, confirmed in seen.confirmed.items():
        company.ledger.confirm(machine, Ranges.upto(confirmed))
    return seen


async def _draw(console: Console, stage: Show) -> None:
    await (show.live if console.is_terminal else show.plain)(console, stage.picture)


async def _drain(town: Town, company: Company, stop: asyncio.Event) -> None:
    """Put right what is out of order, and wait until every machine knows that its taps are stored. Bounded."""
    for cable in town.cables.values():
        await cable.mend()
    town.clocks.find(town.blueprint.cast.forgetful)
    company.show.tell("Penghuni pulang; menunggu sisa tap terkirim", False)
    give_up = time.monotonic() + DRAIN_S
    while time.monotonic() < give_up and not _is_drained(company):  # noqa: ASYNC110  # what is awaited is in SQL
        await asyncio.sleep(LOOK_S / 2)
    company.show.saw(await _look(town, company))


def _is_drained(company: Company) -> bool:
    return not company.ledger.waiting and company.show.seen.stored >= len(company.ledger.made)


def _account(town: Town, company: Company) -> Account:
    ledger = company.ledger
    return closing.account(
        ledger.made,
        watch.sightings(company.records, since_ms=past.milliseconds(town.blueprint.opening)),
        confirmed={place for place in ledger.made if ledger.is_confirmed(place)},
        slack_ms=round(SLACK_S * 1000 * town.blueprint.speed),
    )


def _use(town: Town) -> cost.Use | None:
    return cost.use(town.ingest.pid, town.pids)


def _run(town: Town, ledger: Ledger, real_s: float, top_speed: float | None) -> Run:
    city = town.blueprint.city
    return Run(
        machines=len(city.machines),
        estates=len(city.estates),
        speed=town.blueprint.speed,
        real_s=real_s,
        city_minutes=real_s * town.blueprint.speed / 60,
        turned_away=ledger.turned_away.total(),
        unanswered=ledger.unanswered,
        typical_s=ledger.typical_s,
        slowest_s=ledger.slowest_s,
        top_speed=top_speed,
    )
