"""One run from nothing to the account: build the city, tell its past, open the screen, close the book, clear away."""

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Final

from rich.console import Console

from cloud.records import Records, open_records
from demo import city as cities
from demo import incidents, performance, picture, residents, story, town
from demo.foundation import Folder, Series
from demo.ledger import Ledger
from demo.letters import Letters
from demo.life import Residents
from demo.performance import Company, Outcome
from demo.show import Show, Stage
from demo.story import Shelf
from demo.town import Blueprint, Town

FOOTER: Final = "Broker, TLS, mesin dan penyimpanan nyata; penghuni dan kartu rekaan. Ctrl-C = selesai"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line. `for_s` None = until Ctrl-C; `share` = part of the flats."""

    speed: float
    for_s: float | None
    seed: int
    machines: int
    share: float
    weeks: int
    series: Series
    picture: Path | None = None


def blueprint(wishes: Wishes, *, now: datetime) -> Blueprint:
    """The city and its plan, from the beginning of its past to two weeks after the opening."""
    opening = town.last_tuesday(now)
    length = timedelta(weeks=wishes.weeks)
    sites = cities.read_sites((resources.files("demo") / "data" / "rusun.csv").read_text("utf-8"))
    city = cities.build(sites, seed=wishes.seed, share=wishes.share, machines=wishes.machines)
    go_live = (opening - length).astimezone(residents.JAKARTA).date()
    plan = residents.plan(city, go_live=go_live, periods=range(length // residents.PERIOD + 1), seed=wishes.seed)
    when = incidents.times(wishes.for_s)
    cast = incidents.cast(plan, city, opening=opening, when=when, speed=wishes.speed)
    return Blueprint(city, plan, opening, length, wishes.speed, wishes.seed, cast)


class Curtain:
    """Whether the show is on, and the wish to end it."""

    def __init__(self) -> None:
        self.is_open = False
        self.stop = asyncio.Event()


async def run(wishes: Wishes, console: Console, *, now: datetime, curtain: Curtain) -> Outcome:
    """Everything. Raises `MissingProgram`, `ServerFailed`, `MachineEnded` (perhaps in a group)."""
    with tempfile.TemporaryDirectory(prefix="hadir-demo-", ignore_cleanup_errors=True) as path:
        async with town.standing(blueprint(wishes, now=now), Folder(Path(path)), wishes.series) as standing:
            return await _play(standing, wishes, console, curtain)


async def _play(standing: Town, wishes: Wishes, console: Console, curtain: Curtain) -> Outcome:
    with open_records(standing.folder.database_url) as records:
        company = _company(standing, records)
        early = [machine for machine in standing.machines if machine not in standing.latecomers]
        await standing.switch_on(early, company.residents.hear)
        shelf = Shelf(standing.folder, standing.secrets, records, wishes.series)
        company.residents.remember(
            standing.blueprint.cast.isolated, await story.tell(standing.blueprint, shelf, console)
        )
        await asyncio.to_thread(standing.start_ingest)
        await asyncio.to_thread(standing.start_alerts)
        await performance.gather(standing, company)
        curtain.is_open = True
        async with picture.taken(company.show.picture, wishes.picture, for_s=wishes.for_s):
            return await performance.perform(standing, company, console, for_s=wishes.for_s, stop=curtain.stop)


def _company(standing: Town, records: Records) -> Company:
    plans, ledger = standing.blueprint, Ledger()
    show = Show(Stage(plans.city, standing.clocks.city, plans.speed, FOOTER), ledger)
    pepper = standing.secrets.pepper
    guests = Residents(plans.city, standing.clocks.city, ledger, pseudonym=pepper.pseudonym, told=show.told)
    return Company(guests, ledger, show, records, Letters(standing.folder.messages))
