"""A database goes away under the ingester: nothing is answered that is not in both of them."""

import contextlib
import sqlite3
import time

from bench.chaos.centre import SqliteFile
from bench.chaos.rig import Rig, standing
from bench.chaos.scenarios.pipe import LAYING_S
from bench.chaos.score import Score
from bench.chaos.stage import Stage

RARELY_S = "3600"
LOCKED_S = 12.0
"""Longer than SQLite waits for a lock, so that the ingester sees the error."""


def history_down(stage: Stage) -> Score:
    """InfluxDB is killed; then its engine alone, behind a gateway that answers 502; taps go on meanwhile."""
    with standing(stage, history="influx") as rig:
        rig.start()
        influxdb = rig.influxdb
        assert influxdb is not None
        with rig.laying(1, seconds=LAYING_S) as hands:
            for done, end in ((0.2, influxdb.kill), (0.6, influxdb.kill_engine)):
                hands.wait_for(done)
                end()
                hands.wait_for(done + 0.2)
                influxdb.start()
        rig.mended()
        rig.settle()
        return rig.score()


def postgres_stopped(stage: Stage) -> Score:
    """PostgreSQL is stopped in good order, and later crashes."""
    with standing(stage, database="postgres") as rig:
        rig.start()
        postgres = rig.postgres
        assert postgres is not None
        with rig.laying(1, seconds=LAYING_S) as hands:
            for done, end in ((0.2, postgres.stop), (0.6, postgres.kill)):
                hands.wait_for(done)
                end()
                hands.wait_for(done + 0.2)
                postgres.start()
        rig.mended()
        rig.settle()
        return rig.score()


def sqlite_locked(stage: Stage) -> Score:
    """Another program holds SQLite's write lock for longer than anybody waits for it."""
    with standing(stage) as rig:
        for machine in rig.machines:
            machine.environment["HADIR_HEARTBEAT_S"] = RARELY_S  # a heartbeat that waits would keep records waiting
        rig.start()
        with rig.laying(1, seconds=LAYING_S) as hands:
            hands.wait_for(0.3)
            _hold_lock(rig)
        rig.mended()
        rig.settle()
        return rig.score()


def _hold_lock(rig: Rig) -> None:
    ledger = rig.centre.ledger
    assert isinstance(ledger, SqliteFile)
    with contextlib.closing(sqlite3.connect(ledger.path, isolation_level=None, timeout=30)) as db:
        db.execute("BEGIN IMMEDIATE")
        time.sleep(LOCKED_S)
        db.execute("ROLLBACK")
