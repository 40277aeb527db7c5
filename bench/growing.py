"""What a tap costs the ingester when 1, 10 and 100 times as much is stored already. It should always be the same."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from bench.figures import Figure
from bench.fleet import seal, tap_record, uid
from cloud.history import Refused
from cloud.ingest.opening import Opener
from cloud.ingest.requests import Incoming
from cloud.ingest.store import Store
from cloud.records import Connection, Records, migrate, open_records
from cloud.records.pseudonyms import Pepper
from contract import codec
from contract.cards import Keyring, OpeningKey
from contract.messages import Envelope
from contract.series import Point
from contract.topics import DeviceId
from provisioning.registry import importing, reading
from provisioning.registry.rows import KINDS

KEY: Final = OpeningKey.generate("k1")
PEPPER: Final = Pepper(b"p" * 32)
DEVICES: Final = [DeviceId(f"DMG-{number:02}") for number in range(32)]
CARDS: Final = 200
NOW_MS: Final = 1_800_000_000_000
SIZES: Final = (10_000, 100_000, 1_000_000)
BATCHES: Final = 60
FLAT: Final = 1.25


class NoHistory:
    """The points cost nothing here: how much SQL holds is the question."""

    trouble: str | None = None

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        return []


@dataclass
class Cloud:
    """A store on a file, and how far each machine's outbox has come."""

    records: Records
    store: Store = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        opener = Opener(Keyring({KEY.key_id: KEY}), PEPPER)
        now = datetime.fromtimestamp(NOW_MS / 1000, UTC)
        self.store = Store(self.records, NoHistory(), opener=opener, now=lambda: now)
        self.cards = {device: seal(KEY.public(), device, range(CARDS)) for device in DEVICES}

    def next_batch(self, device: DeviceId, size: int) -> Incoming:
        """The next records of a machine, made in the last hours."""
        first = self.made + 1
        self.made += size
        cards = self.cards[device]
        bodies = [
            codec.body(tap_record(seq, cards[seq % CARDS], at=NOW_MS - 7_200_000 + seq % 3_600_000))
            for seq in range(first, first + size)
        ]
        envelope = Envelope(device=device, outbox=outbox_of(device), confirmed=first - 1)
        batch = codec.decode_batch(codec.encode_batch(envelope, bodies), device=device)
        return Incoming(device, batch, NOW_MS)


def measure(sizes: Sequence[int] = SIZES, *, batches: int = BATCHES) -> list[Figure]:
    """Batches of 100 into databases of each size."""
    costs: list[float] = []
    with tempfile.TemporaryDirectory(prefix="hadir-bench-") as folder:
        path = Path(folder) / "records.db"
        stored = 0
        for size in sizes:
            with closing(open_records(f"sqlite:///{path}")) as records:
                if not stored:
                    prepare(records)
                _fill(records, stored, size)
                stored = size
                costs.append(_cost(Cloud(records, made=10**7 * (len(costs) + 1)), batches))
    return [_figure(costs, sizes)]


def _figure(costs: Sequence[float], sizes: Sequence[int]) -> Figure:
    ratio = costs[-1] / costs[0]
    texts = [f"{cost * 1e6:.0f} µs at {size:,} taps" for cost, size in zip(costs, sizes, strict=True)]
    limit = "decode, open, resolve, one transaction a batch; every look-up is by a key, so only indexes get deeper"
    return Figure(
        "cost of a tap, 100 × the history",
        texts[-1],
        ", ".join(texts[:-1]),
        ratio,
        f"flat (≤ {FLAT} ×)",
        ratio <= FLAT,
        limit,
    )


def _cost(cloud: Cloud, batches: int) -> float:
    """Seconds a tap."""
    waiting = [cloud.next_batch(DEVICES[number % len(DEVICES)], 100) for number in range(batches)]

    async def take() -> list[float]:
        times: list[float] = []
        for batch in waiting:
            began = time.perf_counter()
            await cloud.store.take([batch])
            times.append(time.perf_counter() - began)
        return times

    times = sorted(asyncio.run(take()))
    return times[len(times) // 2] / 100


def outbox_of(device: DeviceId) -> str:
    """The outbox id of a machine."""
    return f"{DEVICES.index(device):08x}-0000-4000-8000-000000000000"


def prepare(records: Records) -> None:
    """Tables and a registry."""
    migrate.upgrade_records(records)
    known = "2025-01-01T00:00:00+07:00"
    texts = {
        "estates": "estate,name,go_live\nDMG,DMG,2025-01-01",
        "units": "\n".join(["unit,estate", *(f"DMG/A/{number:04},DMG" for number in range(CARDS))]),
        "cards": "\n".join(
            ["card,unit,role,obliged,valid_from,known_from"]
            + [f"{uid(number).hex()},DMG/A/{number:04},holder,1,2025-01-01,{known}" for number in range(CARDS)]
        ),
        "installations": "\n".join(
            ["device,estate,installed,known_from", *(f"{d},DMG,{known},{known}" for d in DEVICES)]
        ),
    }
    lines = {
        kind.table: reading.read(texts[kind.table].encode(), kind, pepper=PEPPER).lines
        for kind in KINDS
        if kind.table in texts
    }
    importing.carry_out(records, lines, now=datetime.now(UTC), history=True)


def _fill(records: Records, have: int, want: int) -> None:
    """Rows as if that many taps had been stored over the last 90 days, an equal share from each machine."""
    names = ", ".join(
        f"({number}, '{device}', '{outbox_of(device)}')" for number, device in enumerate(DEVICES, start=1)
    )
    first, last = have // len(DEVICES) + 1, want // len(DEVICES)
    step = 90 * 86_400_000 // last
    numbers = (
        f"WITH RECURSIVE n(seq) AS (SELECT {first} UNION ALL SELECT seq + 1 FROM n WHERE seq < {last}), "
        f"d(stream, device, outbox) AS (VALUES {names}) "
    )
    at = f"{NOW_MS} - 8000000 - seq * {step}"
    statements = (
        f"{numbers} INSERT OR REPLACE INTO streams (id, device, outbox, answered, dropped, conflicts, highest_told, "
        f"confirmed_told, first_ms) SELECT stream, device, outbox, '[[1,{last}]]', '[]', '[]', 0, 0, 0 FROM d, n "
        f"WHERE seq = {last}",
        f"{numbers} INSERT INTO arrivals (stream, seq, digest, kind, state, at_ms, mono_ms, boot, dated, arrived_ms) "
        f"SELECT stream, seq, printf('%032x', seq), 'tap', 'stored', {at}, seq, outbox, 1, {at} FROM d, n",
        f"{numbers} INSERT INTO sightings (stream, seq, device, at_ms, uncertainty_ms, pseudonym, outcome, unit, "
        f"estate, arrived_ms) SELECT stream, seq, device, {at}, 0, printf('%064x', seq * 7919 % {CARDS}), 'known', "
        f"printf('DMG/A/%04d', seq % {CARDS}), 'DMG', {at} FROM d, n",
    )  # fmt: skip
    for statement in statements:
        records.write(partial(_execute, statement=statement))


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
