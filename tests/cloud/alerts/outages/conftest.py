"""Situations by hand: machines as they were last heard, at minutes after one evening."""

from collections.abc import Callable
from typing import Any

import pytest

from cloud.alerts.findings import Finding, Standing, Stands
from cloud.alerts.outages.situation import Listening, Machine, Situation
from contract.messages import Heartbeat
from contract.topics import DeviceId

T0 = 1_780_000_000_000
MINUTE = 60_000
BOOT = "11111111-1111-4111-8111-111111111111"
OTHER_BOOT = "33333333-3333-4333-8333-333333333333"
OUTBOX = "22222222-2222-4222-8222-222222222222"


def at(minutes: float) -> int:
    """The instant so many minutes after the beginning."""
    return T0 + round(minutes * MINUTE)


def beat(device: str = "DMG-01", at_ms: int = T0, **more: Any) -> Heartbeat:
    made = {
        "device": DeviceId(device), "at": at_ms, "boot": BOOT, "session": 1, "uptime_s": 86_400, "outbox": OUTBOX,
        "last_seq": 3, "confirmed": 3, "backlog": 0, "reader": "ok", "clock": "trusted", "disk_free_pct": 60.0,
        "version": "1",
    }  # fmt: skip
    return Heartbeat(**(made | more))


def machine(device: str, heard: float | None, **said: Any) -> Machine:
    """A machine last heard at that minute; `signs`, `tried` and `reads` are what is known beside its heartbeat."""
    estate = device.split("-")[0]
    if heard is None:
        return Machine(device, estate, at(-10_000))
    known = {name: said.pop(name) for name in ("signs", "tried", "reads") if name in said}
    message = beat(device, at(heard), **said)
    return Machine(device, estate, at(-10_000), at(heard), message, at(heard), **known)


def situation(now: float, *machines: Machine, listening: tuple[float, float] | None = None, **more: Any) -> Situation:
    """As of minute *now*; somebody has listened since long before, and does."""
    since, until = listening if listening is not None else (-10_000, now)
    return Situation(at(now), machines, Listening(at(since), at(until)), **more)


def stands(*findings: Finding) -> Standing:
    """The flags that were opened by *findings*."""
    return {
        (each.kind, each.subject): Stands(
            each.kind, each.subject, each.estate, each.level, each.run, each.since_ms, each.is_held, True,
            each.since_ms, each.evidence,
        )
        for each in findings
    }  # fmt: skip


Rule = Callable[[Situation], Any]


class Hand:
    """What tests take from here: files under importlib mode cannot import one another."""

    T0, BOOT, OTHER_BOOT, OUTBOX = T0, BOOT, OTHER_BOOT, OUTBOX
    at = staticmethod(at)
    beat = staticmethod(beat)
    machine = staticmethod(machine)
    situation = staticmethod(situation)
    stands = staticmethod(stands)


@pytest.fixture(scope="session")
def hand() -> type[Hand]:
    return Hand
