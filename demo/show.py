"""The show: what happened becomes pictures, and pictures go to a terminal, or as plain lines to a log."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.live import Live

from contract.topics import DeviceId
from demo import screen, words
from demo.city import City
from demo.fleet import Said
from demo.ledger import Ledger
from demo.screen import EstateLine, News, Picture, Totals
from demo.watch import Seen
from edge.clock.simulated import SimulatedClock
from edge.signals import WORDINGS, Signal

FRAME_S: Final = 0.25
PLAIN_S: Final = 5.0
KEPT_NEWS: Final = 50
NOTHING: Final = Seen(frozenset(), 0, {})
_TOLD: Final = frozenset({Signal.STORED_OFFLINE, Signal.CONFIRMED, Signal.UNKNOWN_CARD, Signal.FAULT})


@dataclass(frozen=True, slots=True)
class Stage:
    """What every picture shows besides news and taps."""

    city: City
    clock: SimulatedClock
    speed: float
    footer: str


class Show:
    """Collects what happened and draws it."""

    def __init__(self, stage: Stage, ledger: Ledger) -> None:
        self._stage = stage
        self._ledger = ledger
        self._news: deque[News] = deque(maxlen=KEPT_NEWS)
        self._chatter: deque[News] = deque(maxlen=2)
        self.seen = NOTHING

    def tell(self, text: str, is_trouble: bool) -> None:
        """Something happened that a person should read."""
        self._news.append(News(self._stage.clock.now(), text, is_trouble))

    def told(self, machine: DeviceId, said: Said) -> None:
        """A machine said something to a resident: only the last of these are shown."""
        if said.signal in _TOLD:
            estate = self._stage.city.estate_of(machine).name
            self._chatter.append(News(self._stage.clock.now(), f"{estate}: {WORDINGS[said.signal]}"))

    def saw(self, seen: Seen) -> None:
        """The cloud was looked at; the first time everything is new, and nothing news."""
        if self.seen is not NOTHING:
            for machine in sorted(self.seen.online - seen.online):
                self.tell(f"Mesin {machine} luring", True)
            for machine in sorted(seen.online - self.seen.online):
                self.tell(f"Mesin {machine} daring kembali", False)
        self.seen = seen

    def picture(self) -> Picture:
        """What is to be seen now."""
        ledger, stage = self._ledger, self._stage
        waiting = Counter(machine for machine, _ in ledger.waiting)
        taps = Counter(machine for machine, _ in ledger.made)
        lines = tuple(
            EstateLine(
                estate.name.partition(" (")[0],
                tuple(machine in self.seen.online for machine in estate.machines),
                sum(taps[machine] for machine in estate.machines),
                sum(waiting[machine] for machine in estate.machines),
            )
            for estate in stage.city.estates
        )
        made, confirmed = len(ledger.made), len(ledger.made) - waiting.total()
        stored = max(self.seen.stored, confirmed)  # a confirmation is younger news than the last look into SQL
        totals = Totals(made, stored, confirmed, waiting.total(), ledger.slowest_s, ledger.typical_s)
        news = (*list(self._news)[-screen.NEWS_SHOWN + len(self._chatter) :], *self._chatter)
        return Picture(stage.clock.now(), stage.speed, lines, totals, news, stage.footer)


async def live(console: Console, picture: Callable[[], Picture]) -> None:
    """Draw until cancelled; the last picture stays on the terminal."""
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as view:
        while True:
            view.update(screen.draw(picture(), height=console.height), refresh=True)
            await asyncio.sleep(FRAME_S)


async def plain(console: Console, picture: Callable[[], Picture]) -> None:
    """A line every few seconds, and every piece of news, until cancelled."""
    told: News | None = None
    while True:
        now = picture()
        console.print(screen.plain(now), soft_wrap=True)
        for item in now.news:
            if item.is_trouble and (told is None or item.at > told.at):
                console.print(f"    {words.clock(item.at)} {item.text}", soft_wrap=True)
                told = item
        await asyncio.sleep(PLAIN_S)
