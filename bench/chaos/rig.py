"""Everything one row needs, standing: broker, databases, ingester, machines, the registry and the book of truth."""

import queue
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, Self

from bench.chaos.book import Book
from bench.chaos.centre import Centre, History, Influx, Journal, Ledger, SqliteFile
from bench.chaos.lone import basic_settings
from bench.chaos.machine import START_PATIENCE, Machine
from bench.chaos.score import Score, judge
from bench.chaos.stage import Stage
from bench.chaos.town import LONG_AGO, MACHINES, Town
from cloud.ingest import answers
from contract.topics import DeviceId
from demo.servers.influxdb import InfluxDB
from demo.servers.mosquitto import Mosquitto
from demo.servers.postgres import Postgres
from demo.servers.process import wait_for

MOST_AT_ONCE: Final = 20
UNHURRIED_S: Final = 0.05
"""With so much time between two cards of a machine they come one by one."""
PER_TAP: Final = timedelta(milliseconds=20)
"""How much longer a row may take for each tap, on a busy computer."""
CLOCKS_AGREE_MS: Final = 60
"""The machine's clock and the rig's are read by two processes a moment apart."""
_SENT: Final = re.compile(r"(\d+) records sent")
STILL_S: Final = answers.ASK_AGAIN_MS / 1000 + 30
"""The cloud may ask a machine for what it lacks no more often; only then is what is missing lost."""
PATIENCE: Final = timedelta(seconds=STILL_S + 60)


@dataclass
class Rig:
    """One row's world. `mended` notes when everything was whole again."""

    stage: Stage
    broker: Mosquitto
    centre: Centre
    town: Town
    machines: list[Machine]
    book: Book = field(default_factory=Book)
    postgres: Postgres | None = None
    influxdb: InfluxDB | None = None
    whole_since: float = field(default_factory=time.monotonic)
    recovery_s: float = 0.0

    @property
    def patience(self) -> timedelta:
        """How long anything may take that all taps have a part in."""
        return PATIENCE + PER_TAP * self.stage.taps

    @property
    def at_once(self) -> int:
        """How many residents stand ready with their cards before a machine: with many taps nobody waits for a hand."""
        return max(1, min(MOST_AT_ONCE, self.stage.taps // 500))

    def start(self) -> Self:
        """Start ingester and machines."""
        self.centre.start()
        self.start_machines()
        return self

    def start_machines(self) -> None:
        """Start all machines, and return when their readers take cards."""
        for machine in self.machines:
            machine.launch()
        for machine in self.machines:
            wait_for(machine.is_serving, f"{machine.device}'s start", patience=START_PATIENCE)

    def machine(self, device: str) -> Machine:
        """The machine of that name."""
        return next(machine for machine in self.machines if machine.device == device)

    def share(self, part: float) -> int:
        """So many of the row's taps, at least one per machine."""
        return max(len(self.machines), round(self.stage.taps * part))

    def lay(self, part: float, *, at: Sequence[Machine] | None = None) -> None:
        """Lay *part* of the row's cards on, all machines at once, as fast as they take them."""
        with self.laying(part, at=at):
            pass

    @contextmanager
    def laying(
        self, part: float, *, at: Sequence[Machine] | None = None, seconds: float = 0.0, no_longer: bool = False
    ) -> Iterator["Hands"]:
        """The same in the background, spread over at least *seconds*; ends when all are laid on, or *no_longer*."""
        hands = Hands(self, self.share(part), at or self.machines, seconds)
        if no_longer:
            hands.end_after(seconds)
        hands.start()
        try:
            yield hands
        finally:
            hands.join()
        self.stage.tell(f"{len(self.book.made)} taps")

    def mended(self) -> None:
        """Everything is whole again, from now on."""
        self.whole_since = time.monotonic()

    def settle(self, *, besides: int = 0, still_s: float = STILL_S) -> None:
        """Wait until every tap made is stored and answered; *besides*: rows that nobody can ever answer.

        Gives up when nothing has changed for *still_s*: what is missing then, is lost.
        """
        patience = self.patience.total_seconds()
        began = last_change = time.monotonic()
        state: tuple[int, int] | None = None
        while time.monotonic() - began < patience:
            waiting = self.unanswered()
            now = (self.centre.taps(), waiting)
            if now[0] >= len(self.book.made) and waiting <= besides:
                break
            if now != state:
                state, last_change = now, time.monotonic()
                self.stage.tell(f"{now[0]} of {len(self.book.made)} stored")
            if waiting <= besides and time.monotonic() - last_change > still_s:
                break
            time.sleep(0.1)
        self.recovery_s = time.monotonic() - self.whole_since

    def unanswered(self) -> int:
        """Rows of all outboxes that wait for an answer."""
        return sum(machine.waiting() for machine in self.machines)

    def score(self, *, tolerance_ms: int = CLOCKS_AGREE_MS, note: str = "") -> Score:
        """Stop everything that could still write, and compare book and databases."""
        self.stage.tell("counting")
        resent = self.resent()
        for machine in self.machines:
            if machine.is_running:
                machine.stop()
        self.centre.stop()
        score = judge(self.book, self.centre.stored(self.town), self.town.meaning, tolerance_ms=tolerance_ms)
        return score.but(resent=resent, recovery_s=self.recovery_s, note=note)

    def resent(self) -> int:
        """Records that were sent more than once, counted once per repetition."""
        sent = sum(int(found) for machine in self.machines for found in _SENT.findall(machine.log.read_text()))
        rows = sum(int(machine.ask("SELECT total(last_seq) FROM stream")[0][0]) for machine in self.machines)
        return max(0, sent - rows)


class Hands:
    """People at the machines, one thread each; a machine that is down finds them waiting."""

    def __init__(self, rig: Rig, count: int, machines: Sequence[Machine], seconds: float) -> None:
        self._rig = rig
        self._left = queue.SimpleQueue[int]()
        for _ in range(count):
            self._left.put(rig.book.next_card())
        self._count = count
        self._pause = seconds * len(machines) / count
        self._at_once = 1 if self._pause > UNHURRIED_S else rig.at_once
        self._threads = [threading.Thread(target=self._serve, args=(machine,), daemon=True) for machine in machines]
        self._broken: list[BaseException] = []
        self._end = float("inf")

    def end_after(self, seconds: float) -> None:
        """Nobody lays a card on later, even if some are left."""
        self._end = time.monotonic() + seconds

    @property
    def done(self) -> float:
        """Which part of the cards was laid on."""
        return 1 - self._left.qsize() / self._count

    @property
    def are_busy(self) -> bool:
        """Whether cards are left."""
        return any(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for(self, done: float) -> None:
        """Return when that part of the cards was laid on."""
        wait_for(lambda: self.done >= done or not self.are_busy, "Laying cards", patience=timedelta(hours=2))

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        if self._broken:
            raise self._broken[0]

    def _serve(self, machine: Machine) -> None:
        try:
            while (began := time.monotonic()) < self._end:
                cards = [self._left.get_nowait()]
                with suppress(queue.Empty):
                    while len(cards) < self._at_once:
                        cards.append(self._left.get_nowait())
                self._lay(machine, cards)
                time.sleep(max(0.0, len(cards) * self._pause - (time.monotonic() - began)))
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 - told by `join`, in the scenario's own thread
            self._broken.append(error)

    def _lay(self, machine: Machine, cards: Sequence[int]) -> None:
        """A card is laid once; whoever finds the machine down comes back when it is up."""
        while cards:
            wait_for(machine.is_serving, f"{machine.device}'s coming back", patience=START_PATIENCE)
            cards = machine.lay_in_turn(cards, self._rig.book)


@contextmanager
def standing(
    stage: Stage,
    *,
    database: Literal["sqlite", "postgres"] = "sqlite",
    history: Literal["journal", "influx"] = "journal",
    devices: Sequence[DeviceId] = MACHINES,
    cards: int = 0,
) -> Iterator[Rig]:
    """A rig whose servers run; ingester and machines do not yet. Everything is ended at the end."""
    with ExitStack() as stack:
        broker = Mosquitto(stage.folder / "broker")
        broker.admit(*devices)
        stack.enter_context(broker)
        postgres = stack.enter_context(Postgres(stage.folder / "postgres")) if database == "postgres" else None
        influxdb = stack.enter_context(InfluxDB(stage.folder / "influxdb")) if history == "influx" else None
        ledger: Ledger = SqliteFile(stage.folder / "hadir.db") if postgres is None else Cluster(postgres)
        points: History = (
            Journal(stage.folder / "journal") if influxdb is None else Influx(influxdb, stage.folder / "token")
        )
        centre = Centre(stage.folder, broker, ledger, points)
        stack.callback(centre.stop)
        town = Town(max(round(1.1 * stage.taps) + 500, cards), datetime.now(UTC) - LONG_AGO, devices)
        centre.register(town)
        machines = [_machine(stage.folder, broker, device) for device in devices]
        for machine in machines:
            stack.callback(machine.kill)
        yield Rig(stage, broker, centre, town, machines, postgres=postgres, influxdb=influxdb)


@dataclass(frozen=True)
class Cluster:
    """Records in PostgreSQL."""

    server: Postgres

    @property
    def url(self) -> str:
        """For `open_records`."""
        return self.server.url


def _machine(folder: Path, broker: Mosquitto, device: DeviceId) -> Machine:
    files = broker.issue(device)
    own = folder / device
    environment = basic_settings(device, own) | {
        "HADIR_BROKER": f"mqtts://{broker.host}:{broker.port}",
        "HADIR_CA_FILE": str(files.ca),
        "HADIR_CERT_FILE": str(files.certificate),
        "HADIR_KEY_FILE": str(files.key),
        "HADIR_SEALING_KEY_FILE": str(folder / "secrets" / "k1.pub"),
    }
    return Machine(device, own, environment)
