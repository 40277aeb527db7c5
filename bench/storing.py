"""Taps the ingester stores a second, beside a subscriber that only counts and the raw write of the same points."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench import centre
from bench.figures import Figure, rate
from bench.fleet import Fleet, seal, tap_record
from bench.processes import cpu_s, watched
from contract import codec, series
from contract.topics import DeviceId
from demo.servers.system import System

DAY_MS: Final = 86_400_000
AIM: Final = 0.3
LINES: Final = 500
"""Points of one raw write: as many as the ingester writes at once."""
SEALS: Final = 50


@dataclass(frozen=True, slots=True)
class Stored:
    """One drain: records a second, ingester's processor time per record, and its memory over time."""

    per_second: float
    cpu_us: float
    memory: list[tuple[float, float]]


def measure(
    *, machines: int = 32, days: int = 30, a_day: int = 150, singles: int = 3000
) -> tuple[list[Figure], Stored]:
    """The drain of a whole month of backlog, a few thousand single taps, and what both are compared with."""
    each = days * a_day
    names = centre.devices(machines)
    with centre.standing(names, days=days + 2) as system:
        drained = _drain(system, names, each, size=codec.MAX_RECORDS)
    with centre.standing(names, days=days + 2) as system:
        single = _drain(system, names, max(1, singles // machines), size=1)
    with centre.standing(names) as system:
        raw = _raw(system, names, each)
        bare = _bare(system, names, each, size=codec.MAX_RECORDS)
        bare_single = _bare(system, names, max(1, 5 * singles // machines), size=1)
    return _figures(drained, single, raw, (bare, bare_single), f"{machines} machines × {days} days"), drained


def _figures(drained: Stored, single: Stored, raw: float, bare: tuple[float, float], what: str) -> list[Figure]:
    ours = drained.per_second
    return [
        Figure(
            f"drain of {what}", rate(ours), f"raw line protocol {rate(raw)}",
            ours / raw, f"≥ {AIM} ×", ours / raw >= AIM,
            f"the ingester's own processor: {drained.cpu_us:.0f} µs a record in one process (opening the seal 57, "
            "the rest reading, resolving, SQL and the answer); a second ingester takes a second core",
        ),
        Figure("ingest, batches of 100", rate(ours), f"only counting {rate(bare[0])}", ours / bare[0]),
        Figure(
            "ingest, single taps", rate(single.per_second), f"only counting {rate(bare[1])}",
            single.per_second / bare[1],
            limit=f"{single.cpu_us:.0f} µs a message: one answer each, read, computed, encoded and published",
        ),
    ]  # fmt: skip


def _bodies(system: System, device: DeviceId, count: int) -> list[str]:
    cards = seal(centre.sealing_key(system), device, range(SEALS))
    now = round(time.time() * 1000)
    first = now - 30 * DAY_MS
    step = (now - first) // (count + 1)
    return [codec.body(tap_record(seq, cards[seq % SEALS], at=first + seq * step)) for seq in range(1, count + 1)]


def _drain(system: System, names: Sequence[DeviceId], each: int, *, size: int) -> Stored:
    fleet = Fleet(system.broker, names)
    for device in names:
        fleet.load(device, _bodies(system, device, each), size=size)
    ingester = centre.ingester(system)
    with fleet.connected(), watched(ingester.pid) as memory:
        before = cpu_s(ingester.pid)
        seconds = fleet.drain(patience_s=900)
        spent = cpu_s(ingester.pid) - before
    records = each * len(names)
    return Stored(records / seconds, spent / records * 1e6, memory)


def _bare(system: System, names: Sequence[DeviceId], each: int, *, size: int) -> float:
    fleet = Fleet(system.broker, names)
    for device in names:
        fleet.load(device, _bodies(system, device, each), size=size)
    total = each * len(names)
    broker, files = system.broker, system.broker.issue("ingest")
    words = (total, broker.host, broker.port, files.ca, files.certificate, files.key)
    program = [sys.executable, "-m", "bench.counting", *map(str, words)]
    with fleet.connected(), subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline().strip() == "ready"
        fleet.flood()
        return total / float(process.stdout.readline())


def _raw(system: System, names: Sequence[DeviceId], each: int) -> float:
    """The points of the same taps, as bytes that are ready to be sent."""
    now = time.time_ns()
    lines = [
        series.TAP.point(now - seq * 10**9, {"device": device}, {"known": 1, "unknown": 0, "seq": seq, "lag": 1}).line()
        for device in names
        for seq in range(1, each + 1)
    ]
    bodies = ["\n".join(lines[start : start + LINES]).encode() for start in range(0, len(lines), LINES)]
    address = f"{system.influx.url}/api/v2/write?org={system.influx.org}&bucket=taps&precision=ns"
    began = time.monotonic()
    for body in bodies:
        request = urllib.request.Request(address, body, {"Authorization": f"Token {system.influx.token}"})
        with urllib.request.urlopen(request, timeout=60):
            pass
    return len(lines) / (time.monotonic() - began)
