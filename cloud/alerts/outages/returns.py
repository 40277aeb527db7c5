"""How a machine came back: a new boot means that its power had failed, the same boot its network. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cloud.alerts.findings import Evidence, Stands
from cloud.alerts.kinds import Kind
from cloud.alerts.outages.situation import Machine, Situation

POWER: Final = "listrik"
NETWORK: Final = "jaringan"


def returned(situation: Situation) -> dict[tuple[Kind, str], Evidence]:
    """By flag of an outage that stands, what the return of its machines shows; of those heard again only."""
    machines = {machine.device: machine for machine in situation.machines}
    return {
        (flag.kind, flag.subject): evidence
        for flag in situation.standing.values()
        for evidence in _of(flag, machines, situation.now_ms)
    }


def _of(flag: Stands, machines: Mapping[str, Machine], now_ms: int) -> Iterator[Evidence]:
    if flag.kind is Kind.DEVICE_OFFLINE and flag.subject in machines:
        yield from came_back(machines[flag.subject], flag.evidence, now_ms=now_ms)
    elif flag.kind in (Kind.ESTATE_OFFLINE, Kind.WIDE_OUTAGE):
        then = flag.evidence.get("machines")
        known = then if isinstance(then, Mapping) else {}
        back = sorted(name for name in known if name in machines and machines[name].heard_ms != known[name])
        if back:
            yield {"back": len(back), "of": len(known)}


def came_back(machine: Machine, before: Evidence, *, now_ms: int) -> Iterator[Evidence]:
    """What its return shows, compared with its last words *before*; nothing until it has said how it is."""
    beat, heard_ms = machine.heartbeat, before.get("heard_ms")
    if beat is None or machine.heard_ms is None or machine.heard_ms == heard_ms:
        return
    shown: dict[str, object] = {"uptime_s": beat.uptime_s, "backlog": beat.backlog}
    if isinstance(heard_ms, int):
        silent_s = max(0, now_ms - heard_ms) // 1000
        is_new = beat.boot != before.get("boot") and beat.uptime_s <= silent_s
        shown |= {"cause": POWER if is_new else NETWORK, "silent_since_ms": heard_ms}
    yield shown
