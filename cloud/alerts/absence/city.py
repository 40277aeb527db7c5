"""Every machine of the city and how far its record is complete, read once an evaluation; each estate takes its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cloud import days
from cloud.alerts.absence.judgeable import Sent
from cloud.days import Machine, Stay
from cloud.records import Connection, absence, completeness, registry
from cloud.records.registry import Installation


@dataclass(frozen=True, slots=True)
class City:
    """Its machines, least complete first, each with its stays at all estates; and the same by estate."""

    machines: Sequence[Sent]
    at: Mapping[str, Sequence[Sent]]
    """By estate, the machines that ever stood there, with their stays there alone."""

    def waited_for(self, until_ms: int) -> list[Sent]:
        """The machines whose record is not complete up to *until_ms*."""
        found: list[Sent] = []
        for sent in self.machines:
            if sent.complete_ms is not None and sent.complete_ms >= until_ms:
                break
            found.append(sent)
        return found


def read(connection: Connection) -> City:
    """The city as it is known now."""
    places = registry.all_installations(connection)
    devices = sorted({place.device for place in places})
    evidence = completeness.evidence(connection, devices)
    lost = absence.lost_days(connection)
    complete = {
        device: days.complete(
            evidence[device].outboxes,
            evidence[device].proofs,
            evidence[device].base_ms,
            declared_lost=lost.get(device, ()),
        )
        for device in devices
    }
    stays: dict[str, list[tuple[str, Stay]]] = {}
    for place in places:
        stays.setdefault(place.device, []).append((place.estate, _stay(place)))
    machines: list[Sent] = []
    at: dict[str, list[Sent]] = {}
    for device, of_device in stays.items():
        whole = Machine(device, tuple(stay for _, stay in of_device), declared_lost=lost.get(device, ()))
        machines.append(Sent(whole, complete[device]))
        for code in sorted({estate for estate, _ in of_device}):
            own = replace(whole, stays=tuple(stay for estate, stay in of_device if estate == code))
            at.setdefault(code, []).append(Sent(own, complete[device]))
    return City(sorted(machines, key=lambda sent: -1 if sent.complete_ms is None else sent.complete_ms), at)


def _stay(place: Installation) -> Stay:
    return Stay(place.installed_ms, place.removed_ms, days.ServiceHours.parse(place.service_hours))
