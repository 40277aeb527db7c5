"""Who is not heard: a machine, all machines of an estate, half the city at once. Pure.

A flag that stands goes on until its machine is heard: a restart of ingest starts no new patience for it, and proves
nothing. Will and goodbye only make it faster to show; the server's time of receipt decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cloud import days
from cloud.alerts.findings import CITY, Ended, Evidence, Finding
from cloud.alerts.kinds import Ending, Kind
from cloud.alerts.outages.situation import Machine, Situation

OF_MACHINES: Final = frozenset(
    {
        Kind.DEVICE_OFFLINE,
        Kind.DEVICE_FLAPPING,
        Kind.CLOCK_SKEW,
        Kind.READER_FAULT,
        Kind.STORAGE_LOW,
        Kind.QUEUE_STUCK,
    }
)
"""Flags that are about a machine where it stands."""

# ---- one machine -----------------------------------------------------------------------------------------------------


def device_offline(situation: Situation) -> Iterator[Finding]:
    """Machines that have not been heard for longer than their patience."""
    for machine in situation.machines:
        if situation.is_overdue(machine) or _is_still_silent(situation, machine):
            yield Finding(
                Kind.DEVICE_OFFLINE, machine.device, machine.estate, _since(machine, situation), last_words(machine)
            )


def removed(situation: Situation) -> Iterator[Ended]:
    """The ends of flags about machines and estates of which nothing is left to be wrong."""
    machines = {machine.device for machine in situation.machines}
    estates = situation.by_estate()
    for kind, subject in situation.standing:
        if kind in OF_MACHINES and subject not in machines:
            yield Ended(kind, subject, Ending.CLOSED, {"reason": "removed"})
        elif kind is Kind.ESTATE_OFFLINE and len(estates.get(subject, ())) < 2:
            how = Ending.SUPERSEDED if subject in estates else Ending.CLOSED
            yield Ended(kind, subject, how, {"reason": "one_machine" if subject in estates else "removed"})


def last_words(machine: Machine) -> Evidence:
    """What a machine had said when it was last heard: enough to tell later whether its power or its network failed."""
    said: dict[str, object] = {"heard_ms": machine.heard_ms, "gone_ms": machine.gone_ms}
    if machine.heartbeat is not None:
        said |= {
            "boot": machine.heartbeat.boot,
            "uptime_s": machine.heartbeat.uptime_s,
            "backlog": machine.heartbeat.backlog,
        }
    return said


def _since(machine: Machine, situation: Situation) -> int:
    return machine.heard_ms if machine.heard_ms is not None else situation.fell_ms(machine)


def _is_still_silent(situation: Situation, machine: Machine) -> bool:
    flag = situation.stands(Kind.DEVICE_OFFLINE, machine.device)
    return flag is not None and flag.evidence.get("heard_ms", -1) == machine.heard_ms


# ---- all machines of an estate ---------------------------------------------------------------------------------------


def estate_offline(situation: Situation) -> Iterator[Finding]:
    """Estates with several machines of which none is heard. With one machine, the machine's flag says it already.

    It is enough that one is overdue when no other gives a sign of life: so the estate's flag comes with the first
    machine's, not after it.
    """
    for estate, machines in situation.by_estate().items():
        if len(machines) > 1 and (_is_dark(situation, machines) or _is_still_dark(situation, estate, machines)):
            since_ms = min(_since(machine, situation) for machine in machines)
            yield Finding(Kind.ESTATE_OFFLINE, estate, estate, since_ms, {"machines": _heard(machines)})


def _is_dark(situation: Situation, machines: Sequence[Machine]) -> bool:
    return any(map(situation.is_overdue, machines)) and all(map(situation.is_doubtful, machines))


def _is_still_dark(situation: Situation, estate: str, machines: Sequence[Machine]) -> bool:
    flag = situation.stands(Kind.ESTATE_OFFLINE, estate)
    return flag is not None and len(_unheard(flag.evidence, machines)) == len(machines)


def _heard(machines: Sequence[Machine]) -> dict[str, object]:
    return {machine.device: machine.heard_ms for machine in machines}


def _unheard(evidence: Evidence, machines: Sequence[Machine]) -> list[Machine]:
    """Those of whom no sign of life has come since *evidence* was taken."""
    known = _machines(evidence)
    return [each for each in machines if each.heard_ms is None or known.get(each.device, -1) == each.heard_ms]


def _machines(evidence: Evidence) -> Mapping[str, object]:
    """By machine, when it had last been heard."""
    known = evidence.get("machines")
    return known if isinstance(known, Mapping) else {}


# ---- half the city at once -------------------------------------------------------------------------------------------


def wide_outage(situation: Situation) -> Iterator[Finding]:
    """Many machines that fell silent within minutes of each other: one cause, to be looked for in what they share.

    It is found before the patience for the first of them is over, so that nobody is told of them one by one.
    """
    flag = situation.stands(Kind.WIDE_OUTAGE, CITY)
    if flag is not None and _are_still_fallen(situation, flag.evidence):
        yield Finding(Kind.WIDE_OUTAGE, CITY, "", flag.since_ms, flag.evidence)
    elif fallen := _fallen_together(situation):
        since_ms = min(_since(machine, situation) for machine in fallen)
        estates = sorted({machine.estate for machine in fallen})
        evidence = {"machines": _heard(fallen), "estates": estates, "installed": len(situation.machines)}
        yield Finding(Kind.WIDE_OUTAGE, CITY, "", since_ms, evidence)


def _are_still_fallen(situation: Situation, evidence: Evidence) -> bool:
    """Whether, of the machines that fell, the same share has not been heard again."""
    fell = [each for each in situation.machines if each.device in _machines(evidence)]
    silent = _unheard(evidence, fell)
    return bool(fell) and len(silent) >= situation.policy().path.wide_share * len(fell)


def _fallen_together(situation: Situation) -> list[Machine]:
    path = situation.policy().path
    window_ms = path.wide_window_min * days.MINUTE
    were_up = [each for each in situation.machines if _was_up(situation, each)]
    silent = sorted(filter(situation.is_doubtful, were_up), key=situation.fell_ms)
    for number, first in enumerate(silent):
        begin_ms = situation.fell_ms(first)
        fallen = [each for each in silent[number:] if situation.fell_ms(each) <= begin_ms + window_ms]
        up = len(were_up) - number
        is_wide = up >= path.wide_min_devices and len(fallen) >= path.wide_share * up
        if is_wide and situation.silent_ms(first) > window_ms:
            return fallen
    return []


def _was_up(situation: Situation, machine: Machine) -> bool:
    """Whether it has ever been heard, and was not offline before."""
    return machine.heard_ms is not None and situation.stands(Kind.DEVICE_OFFLINE, machine.device) is None
