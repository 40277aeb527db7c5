"""Time runs backwards: the cloud comes back from an old backup, an outbox is sent again from an old copy."""

import shutil
from pathlib import Path

from bench.chaos.centre import SqliteFile
from bench.chaos.rig import Rig, standing
from bench.chaos.score import Score
from bench.chaos.stage import Stage
from demo.servers.process import wait_for

CONNECTED = "Connected"


def while_connected(stage: Stage) -> Score:
    """The database is restored under an ingester that was down for a moment; the machines stayed connected."""
    with standing(stage, history="influx") as rig:
        backup = _with_backup(rig)
        rig.centre.stop()
        _ledger(rig).restore(backup)
        rig.centre.start()
        return _settled(rig)


def reconnected_first(stage: Stage) -> Score:
    """The same, but broker and machines are back, and their births said, before the restored cloud listens."""
    with standing(stage) as rig:
        backup = _with_backup(rig)
        rig.centre.stop()
        before = [machine.logged(CONNECTED) for machine in rig.machines]
        rig.broker.restart()
        wait_for(
            lambda: all(machine.logged(CONNECTED) > old for machine, old in zip(rig.machines, before, strict=True)),
            "The machines' return",
        )
        rig.lay(0.1)
        _ledger(rig).restore(backup)
        rig.centre.start()
        return _settled(rig)


def replayed_twice(stage: Stage) -> Score:
    """An outbox full of unanswered taps is sent; then the same file is put back and sent again, twice."""
    with standing(stage) as rig:
        rig.start_machines()
        rig.lay(0.6)
        copies = {machine.device: rig.stage.folder / f"copy-{machine.device}" for machine in rig.machines}
        for machine in rig.machines:
            machine.stop()
            shutil.copytree(machine.outbox.parent, copies[machine.device])
            machine.start()
        rig.centre.start()
        rig.settle()
        for _ in range(2):
            for machine in rig.machines:
                machine.kill()
                shutil.rmtree(machine.outbox.parent)
                shutil.copytree(copies[machine.device], machine.outbox.parent)
            rig.start_machines()
            rig.mended()
            rig.lay(0.2)
            rig.settle()
        return rig.score()


def _with_backup(rig: Rig) -> Path:
    """Taps, a backup, more taps, all of them confirmed."""
    backup = rig.stage.folder / "backup.db"
    rig.start()
    rig.lay(0.3)
    rig.settle()
    _ledger(rig).back_up(backup)
    rig.lay(0.4)
    rig.settle()
    return backup


def _settled(rig: Rig) -> Score:
    rig.mended()
    rig.lay(0.2)
    rig.settle()
    return rig.score()


def _ledger(rig: Rig) -> SqliteFile:
    assert isinstance(rig.centre.ledger, SqliteFile)
    return rig.centre.ledger
