"""The shell of the absence clock: facts from SQL to its rules, estate by estate, and findings out.

Nothing is said while a change of the registry waits for its sweep: until then presence may name the wrong units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Final

from cloud import days
from cloud.alerts.absence import city, evidence, gate, judgeable, periods, registration, run, units
from cloud.alerts.absence.city import City
from cloud.alerts.absence.estate_days import EstateDays
from cloud.alerts.absence.gate import Crowd, Inflow
from cloud.alerts.absence.judgeable import Elsewhere
from cloud.alerts.absence.known import HORIZON, Known
from cloud.alerts.absence.memory import Memory, Remembered
from cloud.alerts.absence.registration import Bare, Registered
from cloud.alerts.findings import Ended, Finding, Findings, Standing, Stands
from cloud.alerts.kinds import Ending, Kind, Level
from cloud.alerts.policy import Mass, Policies, Policy
from cloud.records import Connection, absence, marks, registry

KINDS: Final = frozenset(
    {
        Kind.UNIT_NO_TAPS,
        Kind.ESTATE_TAP_DROP,
        Kind.HOLDER_ABSENT,
        Kind.LOW_REGISTRATION,
        Kind.UNIT_UNREGISTERED,
    }
)
"""What is judged here."""


def judge(
    connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing, memory: Memory | None = None
) -> Findings:
    """What is found at *now_ms*. A *memory* makes it faster and changes nothing."""
    version = registry.version(connection)
    if marks.read(connection, marks.SWEEP_FINISHED) < version:
        return Findings()
    remembered = memory if memory is not None else Memory()
    flags: dict[str, list[Stands]] = {}
    for flag in standing.values():
        if flag.kind in KINDS:
            flags.setdefault(flag.estate, []).append(flag)
    whole = city.read(connection)
    found: list[Findings] = []
    for estate in registry.all_estates(connection):
        own = tuple(flags.get(estate.estate, ()))
        scene = _Scene(connection, policies, now_ms, version, whole, estate, own, remembered)
        found += [_registration(scene), _clock(scene)]
    return _together(found)


def _together(found: Sequence[Findings]) -> Findings:
    return Findings(
        tuple(chain.from_iterable(each.standing for each in found)),
        tuple(chain.from_iterable(each.ended for each in found)),
        frozenset().union(*(each.complete for each in found)),
    )


@dataclass(frozen=True, slots=True)
class _Scene:
    """One estate at one instant."""

    connection: Connection
    policies: Policies
    now_ms: int
    version: int
    """Of the registry."""
    city: City
    estate: registry.Estate
    flags: tuple[Stands, ...]
    """Those of it that stand."""
    memory: Memory

    @property
    def code(self) -> str:
        return self.estate.estate

    @property
    def today(self) -> date:
        return days.day_of(self.now_ms)

    @property
    def policy(self) -> Policy:
        """In force today."""
        return self.policies.at(self.today, self.code)

    @property
    def remembered(self) -> Remembered:
        return self.memory.estate(self.code, self.policies)

    def digest(self) -> frozenset[tuple[object, ...]]:
        """What of the flags matters."""
        return frozenset(
            (each.kind, each.subject, each.level, each.run, each.is_held, each.is_open, run.last_judged(each))
            for each in self.flags
        )


# ---- registration ----------------------------------------------------------------------------------------------------


def _registration(scene: _Scene) -> Findings:
    def make() -> Findings:
        bare = tuple(Bare(*row) for row in absence.unregistered(scene.connection, scene.code, scene.today))
        let = absence.count_let(scene.connection, scene.code, scene.today)
        known = Registered(scene.code, scene.estate.go_live, let, bare)
        return registration.judge(known, scene.policy, scene.today, scene.flags)

    return scene.remembered.recall("registration", (scene.version, scene.today, scene.digest()), make)


# ---- the clock -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cause:
    """All that the findings of the clock depend on."""

    version: int
    today: date
    ended: int
    judgeable: int
    elsewhere: Elsewhere
    changes: Mapping[date, int]
    flags: frozenset[tuple[object, ...]]


def _clock(scene: _Scene) -> Findings:
    ended = periods.ended(scene.code, scene.estate.go_live, scene.policies, now_ms=scene.now_ms)
    own = scene.city.at.get(scene.code, ())
    upto = judgeable.frontier(ended, own)
    if not ended or (upto == 0 and not scene.flags):
        return Findings()
    late = scene.city.waited_for(ended[-1].end_ms + days.SETTLING)
    elsewhere = judgeable.elsewhere(ended, late, own)
    changes = absence.changes(scene.connection, scene.code)
    cause = _Cause(scene.version, scene.today, len(ended), upto, elsewhere, changes, scene.digest())

    def make() -> Findings:
        since_ms = days.starts(scene.today - HORIZON)
        told = absence.ended_runs(scene.connection, scene.code, Kind.UNIT_NO_TAPS, since_ms=since_ms)
        of_days = EstateDays.open(scene.connection, scene.code, scene.remembered, changes)
        known = Known(scene.code, scene.today, ended, upto, elsewhere, of_days, told)
        found = units.judge(scene.connection, known, scene.flags)
        return _gated(scene, known, found) + units.holders(scene.connection, known)

    return scene.remembered.recall("clock", cause, make)


def _gated(scene: _Scene, known: Known, found: Findings) -> Findings:
    """*found* once the mass gate has looked at all units of the estate together."""
    mass = scene.policy.mass
    standing = {flag.subject: flag for flag in scene.flags if flag.kind is Kind.UNIT_NO_TAPS}
    due = {each.subject for each in found.standing if each.level >= Level.OPEN and not _is_open(standing, each.subject)}
    held = {each.subject for each in found.standing if each.is_held}
    tenancies = absence.count_let(scene.connection, known.code, known.today)
    inflow = _inflow(known, mass) if mass.enabled else None
    ruling = gate.rule(Crowd(len(due - held), len(held), tenancies), inflow, mass)
    standings = tuple(
        replace(each, is_held=True) if ruling.holds and each.subject in due else each for each in found.standing
    )
    versions = {"rule": evidence.RULE, "policy": scene.policy.version}
    if ruling.stands:
        since_ms = days.starts(scene.today)
        drop = Finding(Kind.ESTATE_TAP_DROP, known.code, known.code, since_ms, ruling.evidence | versions)
        return Findings((*standings, drop), found.ended)
    over = Ended(Kind.ESTATE_TAP_DROP, known.code, Ending.CLOSED, ruling.evidence)
    was_up = any(flag.kind is Kind.ESTATE_TAP_DROP for flag in scene.flags)
    return Findings(standings, (*found.ended, over) if was_up else found.ended)


def _is_open(standing: Mapping[str, Stands], unit: str) -> bool:
    return unit in standing and standing[unit].is_open


def _inflow(known: Known, mass: Mass) -> Inflow | None:
    recent = known.ended[: known.judgeable][-1 - mass.history_periods :]
    return Inflow.read([known.days.taps(period) for period in recent], mass)
