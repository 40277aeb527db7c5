"""Machines that come and go: in how many quarter-hours of the last hours something changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from cloud import days
from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind
from cloud.alerts.outages.situation import Machine, Situation


def device_flapping(situation: Situation) -> Iterator[Finding]:
    """Machines whose share of slots with a change is high, until it is low. One that stays silent is offline."""
    for machine in situation.machines:
        flap = situation.policy(machine.estate).flap
        stands = situation.stands(Kind.DEVICE_FLAPPING, machine.device) is not None
        changed = _changed(situation, machine)
        threshold = (flap.low if stands else flap.high) * flap.slots
        if changed and len(changed) >= threshold and not _is_gone(situation, machine):
            evidence = {"changed": len(changed), "slots": flap.slots, "slot_min": flap.slot_min}
            since_ms = changed[0] * flap.slot_min * days.MINUTE
            yield Finding(Kind.DEVICE_FLAPPING, machine.device, machine.estate, since_ms, evidence)


def _changed(situation: Situation, machine: Machine) -> list[int]:
    """The slots in which it fell silent or came back, as numbers since 1970, in order."""
    flap = situation.policy(machine.estate).flap
    slot_ms = flap.slot_min * days.MINUTE
    current = situation.now_ms // slot_ms
    found = {at_ms // slot_ms for at_ms in _changes(situation, machine)}
    return sorted(slot for slot in found if current - flap.slots < slot <= current)


def _changes(situation: Situation, machine: Machine) -> Iterator[int]:
    doubt_ms = situation.doubt_ms(machine.estate)
    for lapse in machine.signs.lapses:
        was_heard = lapse.since_ms >= situation.listening.since_ms
        if was_heard and lapse.until_ms - lapse.since_ms > doubt_ms:
            yield lapse.since_ms
            yield lapse.until_ms
    if machine.heard_ms is not None and situation.is_doubtful(machine):
        yield machine.heard_ms


def _is_gone(situation: Situation, machine: Machine) -> bool:
    """Whether it has been silent for so long that a technician is told of it anyway."""
    return situation.silent_ms(machine) > situation.policy(machine.estate).device.technician_min * days.MINUTE
