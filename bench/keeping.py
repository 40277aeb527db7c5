"""A tap from the reader's hand to the disk: `Outbox.keep` beside a bare SQLite commit of the same bytes."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.figures import Figure, millis, percentile
from contract import codec
from contract.cards import OpeningKey
from contract.messages import Clock, Tap
from contract.topics import DeviceId
from edge.dating import Stamp
from edge.outbox import Limits, open_outbox

BOOT: Final = "00000001-0000-4000-8000-000000000000"
AIM: Final = 1.3


def measure(taps: int = 3000) -> list[Figure]:
    """Both in turn, each on its own file of the same disk."""
    tap = _tap()
    body = codec.body(tap)
    with tempfile.TemporaryDirectory(prefix="hadir-bench-") as folder:
        bare = _bare(Path(folder) / "bare.db")
        outbox = open_outbox(Path(folder) / "outbox.db", Limits(reserve_bytes=0), Stamp(tap.at, 1, BOOT, tap.clock))
        ours, theirs = [], []
        for number in range(taps):
            began = time.perf_counter()
            _insert(bare, number, body)
            between = time.perf_counter()
            outbox.keep(tap)
            ended = time.perf_counter()
            theirs.append(between - began)
            ours.append(ended - between)
        outbox.close()
        bare.close()
    return [_figure("p50", ours, theirs, 0.5), _figure("p99", ours, theirs, 0.99)]


def _figure(name: str, ours: list[float], theirs: list[float], share: float) -> Figure:
    mine, bare = percentile(ours, share), percentile(theirs, share)
    limit = (
        "the flush is the same for both; ours writes six pages instead of two (row, its number, its outbox's position, "
        "three indexes that keep every look-up short beside 35 days of confirmed rows) and makes the text and "
        "its digest; smaller pages change nothing. A tap a second leaves 99.9 % of the time free"
    )
    return Figure(
        f"outbox, insert to safe, {name}",
        millis(mine),
        f"bare SQLite commit {millis(bare)}",
        mine / bare,
        f"≤ {AIM} ×",
        mine / bare <= AIM,
        limit if name == "p50" else "",
    )


def _tap() -> Tap:
    key, device = OpeningKey.generate("k1"), DeviceId("DMG-01")
    card = str(key.public().seal(bytes.fromhex("04a1b2c3d4e5f6"), device))
    return Tap(seq=1, at=1_800_000_000_000, mono=1000, boot=BOOT, clock=Clock.TRUSTED, card=card)


def _bare(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 256")
    db.execute("CREATE TABLE row (id INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, body TEXT NOT NULL)")
    return db


def _insert(db: sqlite3.Connection, number: int, body: str) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO row (seq, body) VALUES (?, ?)", (number, body))
    db.execute("COMMIT")
