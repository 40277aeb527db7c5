"""How long a resident waits: from the card on the reader to the light that says the centre has it.

At 32 machines by real agents, each a process; at 3,200 by the fleet, which speaks the same contract from one process.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import centre, fleet
from bench.figures import Figure, millis, percentile
from bench.fleet import Fleet, seal
from bench.processes import cpu_s, resident_mb, watched
from contract.topics import DeviceId
from demo.servers.system import Program, System
from edge.readers.simulated import Finger

AIMS_S: Final = {32: 1.0, 3200: 2.0}
PAUSE_S: Final = 2.0
SLACK_S: Final = 5.0
HEARTBEAT_S: Final = 30.0
AS_INSTALLED: Final = {"HADIR_HEARTBEAT_S": "30", "HADIR_RESEND_FIRST_S": "30", "HADIR_RESEND_MAX_S": "600"}
"""What a system for tests hurries."""


@dataclass(frozen=True, slots=True)
class Waited:
    """Seconds, one per tap; the ingester's memory meanwhile; what agents take when nobody taps."""

    delays: list[float]
    memory: list[tuple[float, float]]
    missing: int = 0
    repeated: int = 0


def agents(*, machines: int = 32, taps: int = 20) -> Waited:
    """Real agents, a card at each of them every two seconds."""
    names = centre.devices(machines)
    with centre.standing(names) as system:
        ingester = centre.ingester(system)
        programs = {name: _agent(system, name) for name in names}
        time.sleep(SLACK_S)
        with watched(ingester.pid) as memory, ThreadPoolExecutor(max_workers=machines) as hands:
            laid = list(hands.map(lambda item: _tap(system, *item, taps=taps), enumerate(names)))
            time.sleep(SLACK_S)
        delays = [
            shown - at for name, times in zip(names, laid, strict=True) for at, shown in _pairs(programs[name], times)
        ]
    return Waited(delays, memory, machines * taps - len(delays))


def crowd(*, machines: int = 3200, per_second: int = 100, seconds: float = 60) -> Waited:
    """The fleet: so many taps a second spread over all machines, and a heartbeat of each every 30 s."""
    names = centre.devices(machines)
    with centre.standing(names) as system:
        many = Fleet(system.broker, names)
        key = centre.sealing_key(system)
        cards = [seal(key, name, [number % centre.CARDS])[0] for number, name in enumerate(names)]
        ingester = centre.ingester(system)
        with many.connected(), watched(ingester.pid) as memory:
            _keep_pace(many, names, cards, per_second=per_second, seconds=seconds)
            deadline = time.monotonic() + 10 * SLACK_S
            while many.backlog and time.monotonic() < deadline:
                many.repeat()
                time.sleep(0.5)
        return Waited(many.delays, memory, many.backlog, many.repeated)


def figure(machines: int, waited: Waited, *, who: str) -> Figure:
    """p99 against its aim, with the median beside it."""
    aim = AIMS_S.get(machines, 2.0)
    p50, p99 = percentile(waited.delays, 0.5), percentile(waited.delays, 0.99)
    limit = (
        "up to 0.2 s of gathering before a commit, so that a rush costs one transaction; then history, SQL and the "
        f"answer in turn ({waited.missing} of {len(waited.delays) + waited.missing} taps not confirmed in time, "
        f"{waited.repeated} sent again)"
    )
    return Figure(
        f"tap → stored → confirmed, {machines:,} machines ({who}), p99",
        millis(p99),
        f"p50 {millis(p50)}",
        None,
        f"≤ {aim:.0f} s",
        p99 <= aim and not waited.missing,
        limit,
    )


def _agent(system: System, name: DeviceId) -> Program:
    return system.machine(name, f"sim:{_socket(system, name)}", port=None, **AS_INSTALLED)


def _socket(system: System, name: DeviceId) -> Path:
    return system.folder / f"{name}.sock"


def _tap(system: System, number: int, name: DeviceId, *, taps: int) -> list[float]:
    """Lay *taps* cards on; when each was laid."""
    finger, laid = Finger(_socket(system, name)), []
    time.sleep(PAUSE_S * (number % 32) / 32)
    for tap in range(taps):
        laid.append(time.monotonic())
        finger.lay(fleet.uid((number + tap) % centre.CARDS))
        time.sleep(max(0.0, laid[-1] + PAUSE_S - time.monotonic()))
    return laid


def _pairs(program: Program, laid: Sequence[float]) -> list[tuple[float, float]]:
    """When each card was laid and confirmed; a light that comes after the next card belongs to that one."""
    found = []
    for at, following in zip(laid, [*laid[1:], float("inf")], strict=True):
        shown = program.shown("confirmed", at)
        if shown is not None and shown < following:
            found.append((at, shown))
    return found


def _keep_pace(
    many: Fleet, names: Sequence[DeviceId], cards: Sequence[str], *, per_second: int, seconds: float
) -> None:
    """In steps of 20 ms."""
    began = time.monotonic()
    tapped = beaten = 0
    while (passed := time.monotonic() - began) < seconds:
        while tapped < passed * per_second:
            number = tapped * 7919 % len(names)  # a prime: every machine has its turn
            many.tap(names[number], cards[number])
            tapped += 1
        while beaten < passed * len(names) / HEARTBEAT_S:
            many.beat(names[beaten % len(names)])
            beaten += 1
        many.repeat()
        time.sleep(0.02)


# ---- nobody taps -----------------------------------------------------------------------------------------------------


def idle(*, minutes: float = 10) -> list[Figure]:
    """A connected agent that nobody uses, for ten minutes."""
    names = centre.devices(1)
    with centre.standing(names) as system:
        centre.ingester(system)
        agent = _agent(system, names[0])
        time.sleep(SLACK_S)
        before, began, first = cpu_s(agent.pid), time.monotonic(), resident_mb(agent.pid)
        time.sleep(minutes * 60)
        share = (cpu_s(agent.pid) - before) / (time.monotonic() - began)
        last = resident_mb(agent.pid)
    return [
        Figure("edge, resident memory", f"{last:.0f} MB", f"{first:.0f} MB {minutes:.0f} min before"),
        Figure(
            "edge, idle processor", f"{share:.2%} of one core", limit="threads that wake twice a second to show life"
        ),
    ]
