"""Cards on a real pcscd: the daemon restarted, the reader unplugged, a card torn away. Each card is one of its own."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from bench.chaos.book import Laid, uid_of
from bench.chaos.machine import KEPT, Machine, now_ms
from bench.chaos.rig import Rig, standing
from bench.chaos.score import Score
from bench.chaos.stage import Stage
from contract.topics import DeviceId
from demo.servers.pcscd import Pcscd
from edge.signals import Signal

DEVICES: Final = tuple(DeviceId(f"DMG-{number:02}") for number in range(1, 6))
MOST_CARDS: Final = 400
LEAST_CARDS: Final = 20
BREAKS: Final = (0.3, 0.6)
"""At which part of a machine's cards its pcscd is restarted or killed."""
TEAR_EVERY: Final = 5
CARD_S: Final = 20.0


def readers_broken(stage: Stage) -> Score:
    """Machines with a pcscd each. After a card was torn away or the reader broke, its resident lays it on again."""
    cards = min(max(LEAST_CARDS, stage.taps), MOST_CARDS)
    with standing(stage, devices=DEVICES, cards=2 * cards) as rig, _readers(rig) as readers:
        rig.start()
        queues = [list(range(cards))[number :: len(DEVICES)] for number in range(len(DEVICES))]
        threads = [
            threading.Thread(target=_Queue(rig, machine, pcscd).serve, args=(queue,), daemon=True)
            for machine, pcscd, queue in zip(rig.machines, readers, queues, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rig.mended()
        rig.settle()
        faults = rig.centre.ask("SELECT count(*) FROM device_events WHERE event = 'reader_fault'")[0][0]
        score = rig.score(note=f"{cards} cards, {faults} reader faults reported")
        missing = cards - len(rig.book.made)
        return score.blamed(f"{missing} cards were never read", lost=missing) if missing else score


@contextmanager
def _readers(rig: Rig) -> Iterator[list[Pcscd]]:
    with ExitStack() as stack:
        found = []
        for machine in rig.machines:
            pcscd = stack.enter_context(Pcscd(machine.folder / "pcscd"))
            machine.environment |= {"HADIR_READER": "pcsc:", **pcscd.environment}
            found.append(pcscd)
        yield found


class _Queue:
    """The residents before one machine."""

    def __init__(self, rig: Rig, machine: Machine, pcscd: Pcscd) -> None:
        self._rig = rig
        self._machine = machine
        self._pcscd = pcscd

    def serve(self, cards: list[int]) -> None:
        """Everybody taps; meanwhile the reader breaks."""
        kill_at, restart_at = (round(part * len(cards)) for part in BREAKS)
        for number, card in enumerate(cards):
            if number == kill_at:
                self._pcscd.kill()
                self._pcscd.start()
            elif number == restart_at:
                self._pcscd.restart()
            if number % TEAR_EVERY == 0:
                self._tear(card)
            self._tap(card)

    def _tear(self, card: int) -> None:
        """Lay it on, and tear it away in the middle of the reading."""
        with self._pcscd.card(uid_of(card), tear=True):
            self._machine.next_of({Signal.TRY_AGAIN}, patience_s=2.0)

    def _tap(self, card: int) -> None:
        """Lay it on until the machine has said something; again if it asked for that."""
        before, give_up = now_ms(), time.monotonic() + CARD_S
        while time.monotonic() < give_up:
            with self._pcscd.card(uid_of(card)):
                said = self._machine.next_of(KEPT | {Signal.ALREADY_READ}, patience_s=2.0)
            if said is not None and said.signal in KEPT:
                self._rig.book.made.append(Laid(card, self._machine.device, before, now_ms(), said.seq))
            if said is not None:
                return
        self._rig.stage.tell(f"card {card} was never read")
