"""The registry changes while taps are under way: what is told at last agrees with what the registry says at last."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta

from bench.chaos.centre import KEY_ID, SqliteFile
from bench.chaos.machine import now_ms
from bench.chaos.rig import Rig, standing
from bench.chaos.score import Score, local_day
from bench.chaos.stage import Stage
from bench.chaos.town import Place, Registration, ms_of
from contract.topics import DeviceId
from demo.servers.process import wait_for
from provisioning import keys

MOVED = DeviceId("DMG-01")
MISPLACED = DeviceId("RWB-01")
NEW_KEY = "k2"
RARELY_S = "3600"


def machine_moved(stage: Stage) -> Score:
    """A machine with a backlog is carried to another estate: old taps belong to the old one, new ones to the new."""
    with standing(stage) as rig:
        rig.broker.stop()
        rig.start_machines()
        rig.lay(0.4)
        moved_ms = now_ms() + 1
        wait_for(lambda: now_ms() > moved_ms, "The move")
        first = rig.town.places[MOVED][0]
        rig.town.places[MOVED] = [Place("DMG", first.from_ms, moved_ms), Place("RWB", moved_ms)]
        rig.centre.register(rig.town)
        rig.lay(0.4)
        rig.broker.start()
        rig.centre.start()
        rig.mended()
        rig.lay(0.2)
        rig.settle()
        return rig.score()


def changed_between_sends(stage: Stage) -> Score:
    """Points are written, the commit is not: the ingester dies. Cards and a place change, and all is sent again."""
    with standing(stage, history="influx") as rig:
        for machine in rig.machines:
            machine.environment["HADIR_HEARTBEAT_S"] = RARELY_S  # a heartbeat that waits would keep records waiting
        rig.start()
        rig.lay(0.3)
        rig.settle()
        before = rig.centre.history.points()
        with _locked(rig):
            rig.lay(0.4)
            wait_for(lambda: rig.centre.history.points() > before, "Points without a commit", patience=rig.patience)
            rig.centre.kill()
        _change(rig)
        rig.centre.start()
        rig.mended()
        rig.lay(0.3)
        rig.settle()
        _await_sweep(rig)
        return rig.score()


def _change(rig: Rig) -> None:
    """Unknown cards are registered, others handed on since yesterday, and a machine always stood at another estate."""
    today, since = local_day(now_ms()), local_day(ms_of(rig.town.since))
    yesterday = today - timedelta(days=1)
    for laid in rig.book.made:
        if laid.card % 5 == 4:
            rig.town.registered[laid.card] = [Registration("DMG/B/01", since)]
        elif laid.card % 5 == 0:
            (first,) = rig.town.registrations(laid.card)
            rig.town.registered[laid.card] = [
                Registration(first.unit, first.first, yesterday),
                Registration("RWB/B/02", today),
            ]
    (place,) = rig.town.places[MISPLACED]
    rig.town.places[MISPLACED] = [Place("DMG", place.from_ms)]
    rig.centre.register(rig.town)


@contextlib.contextmanager
def _locked(rig: Rig) -> Iterator[None]:
    ledger = rig.centre.ledger
    assert isinstance(ledger, SqliteFile)
    with contextlib.closing(sqlite3.connect(ledger.path, isolation_level=None, timeout=30)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


def key_rotated(stage: Stage) -> Score:
    """Machines get a new sealing key in the middle of a backlog; the ingester gets its other half only later."""
    with standing(stage) as rig:
        new = rig.stage.folder / "new-key"
        keys.new_sealing_key(new, NEW_KEY)
        rig.broker.stop()
        rig.start_machines()
        rig.lay(0.4)
        for machine in rig.machines:
            machine.stop()
            machine.environment["HADIR_SEALING_KEY_FILE"] = str(new / f"{NEW_KEY}.pub")
        rig.start_machines()
        rig.lay(0.4)
        rig.broker.start()
        rig.centre.start()
        wait_for(lambda: all(machine.waiting() == 0 for machine in rig.machines), "The answers", patience=rig.patience)
        held = rig.centre.ask("SELECT count(*) FROM held WHERE reason = 'unknown_key'")[0][0]
        rig.centre.stop()
        shutil.copy(new / f"{NEW_KEY}.key", rig.centre.secrets)
        rig.centre.start()
        rig.mended()
        rig.lay(0.2)
        rig.settle()
        return rig.score(note=f"{held} held for the key {NEW_KEY}, none for {KEY_ID}")


def _await_sweep(rig: Rig) -> None:
    """Until ingest has resolved everything again that the registry changed."""

    def is_swept() -> bool:
        marks = dict(rig.centre.ask("SELECT name, value FROM marks"))
        return int(marks.get("sweep_finished", -1)) >= int(marks["registry_changed"])

    wait_for(is_swept, "The sweep after a change of the registry", patience=rig.patience)
