"""The shell of the absence clock: facts from SQL to its rules, estate by estate, and findings out.

Nothing is said while a change of the registry waits for its sweep: until then presence may name the wrong units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from cloud import days
from cloud.alerts.absence import city, evidence, gate, judgeable, periods, run, verdicts
from cloud.alerts.absence.city import City
from cloud.alerts.absence.estate_days import EstateDays
from cloud.alerts.absence.gate import Crowd, Inflow
from cloud.alerts.absence.judgeable import Elsewhere
from cloud.alerts.absence.memory import Memory
from cloud.alerts.absence.periods import Period
from cloud.alerts.absence.run import Case, Conclusion, Due
from cloud.alerts.absence.verdicts import Judged, Tap
from cloud.alerts.findings import Ended, Finding, Findings, Standing, Stands
from cloud.alerts.kinds import Ending, Kind, Level
from cloud.alerts.policy import Mass, Policies
from cloud.days import Household
from cloud.records import Connection, absence, marks, registry
from cloud.records.absence import LastTaps, Seen

HORIZON: Final = timedelta(days=398)
"""Days further back are not recounted: the machines' minutes are kept for 400."""
_KINDS: Final = (Kind.UNIT_NO_TAPS, Kind.ESTATE_TAP_DROP)


def judge(
    connection: Connection, policies: Policies, *, now_ms: int, standing: Standing, memory: Memory | None = None
) -> Findings:
    """What the absence clock finds at *now_ms*. A *memory* makes it faster and changes nothing."""
    if marks.read(connection, marks.SWEEP_FINISHED) < registry.version(connection):
        return Findings()
    remembered = memory if memory is not None else Memory()
    whole = city.read(connection)
    by_estate: dict[str, list[Stands]] = {}
    for flag in standing.values():
        if flag.kind in _KINDS:
            by_estate.setdefault(flag.estate, []).append(flag)
    found = [
        _estate(connection, _Scene(policies, now_ms, whole, remembered), estate, by_estate.get(estate.estate, []))
        for estate in registry.all_estates(connection)
    ]
    return Findings(
        tuple(each for one in found for each in one.standing), tuple(each for one in found for each in one.ended)
    )


@dataclass(frozen=True, slots=True)
class _Scene:
    policies: Policies
    now_ms: int
    city: City
    memory: Memory

    @property
    def today(self) -> date:
        return days.day_of(self.now_ms)


@dataclass(frozen=True, slots=True)
class _Estate:
    """One estate: what holds for all its units."""

    code: str
    today: date
    ended: Sequence[Period]
    judgeable: int
    """How many of its periods can be judged as far as its own machines go."""
    elsewhere: Elsewhere
    days: EstateDays
    told: Mapping[str, frozenset[str]]
    plain: dict[int, Judged] = field(default_factory=dict)
    """By period, what it says of a household of which nothing is known against counting its days."""

    def judged(self, household: Household, taps: Sequence[Tap], begin: int, end: int) -> list[Judged]:
        """Periods *begin* to *end* (not included) for one household."""
        return [self._judge(period, household, taps) for period in self.ended[begin:end]]

    def _judge(self, period: Period, household: Household, taps: Sequence[Tap]) -> Judged:
        if verdicts.is_satisfied(period, taps):
            return Judged(period, verdicts.Verdict.SATISFIED)
        if not verdicts.is_plain(household, period):
            return verdicts.untapped(period, household, self.days.of(period))
        if period.number not in self.plain:
            self.plain[period.number] = verdicts.untapped(period, household, self.days.of(period))
        return self.plain[period.number]


def _estate(connection: Connection, scene: _Scene, estate: registry.Estate, flags: list[Stands]) -> Findings:
    code, today = estate.estate, scene.today
    ended = periods.ended(code, estate.go_live, scene.policies, now_ms=scene.now_ms)
    own = scene.city.at.get(code, ())
    upto = judgeable.frontier(ended, own)
    if not ended or (upto == 0 and not flags):
        return Findings()
    late = scene.city.waited_for(ended[-1].end_ms + days.SETTLING)
    elsewhere = judgeable.elsewhere(ended, late, own)
    remembered = scene.memory.estate(code, scene.policies)
    changes = absence.changes(connection, code)
    cause = _Cause(registry.version(connection), today, upto, len(ended), elsewhere, changes, _digest(flags))
    if remembered.cause != cause:
        told = absence.ended_runs(connection, code, Kind.UNIT_NO_TAPS, since_ms=days.starts(today - HORIZON))
        of_days = EstateDays.open(connection, code, remembered, changes)
        known = _Estate(code, today, ended, upto, elsewhere, of_days, told)
        remembered.findings = _gated(connection, scene, known, _units(connection, known, flags), flags)
        remembered.cause = cause
    return remembered.findings


@dataclass(frozen=True, slots=True)
class _Cause:
    """All that the findings of an estate depend on."""

    version: int
    today: date
    judgeable: int
    ended: int
    elsewhere: Elsewhere
    changes: Mapping[date, int]
    flags: frozenset[tuple[object, ...]]


def _digest(flags: Sequence[Stands]) -> frozenset[tuple[object, ...]]:
    return frozenset(
        (each.kind, each.subject, each.level, each.run, each.is_held, each.is_open, run.last_judged(each))
        for each in flags
    )


def _gated(connection: Connection, scene: _Scene, known: _Estate, found: Findings, flags: Sequence[Stands]) -> Findings:
    """*found* once the mass gate has looked at all units of the estate together."""
    mass = scene.policies.at(known.today, known.code).mass
    standing = {flag.subject: flag for flag in flags if flag.kind is Kind.UNIT_NO_TAPS}
    due = {each.subject for each in found.standing if each.level >= Level.OPEN and not _is_open(standing, each.subject)}
    held = {each.subject for each in found.standing if each.is_held}
    tenancies = absence.count_let(connection, known.code, known.today)
    inflow = _inflow(known, mass) if mass.enabled else None
    ruling = gate.rule(Crowd(len(due - held), len(held), tenancies), inflow, mass)
    standings = tuple(
        replace(each, is_held=True) if ruling.holds and each.subject in due else each for each in found.standing
    )
    versions = {"rule": evidence.RULE, "policy": scene.policies.at(known.today, known.code).version}
    if ruling.stands:
        drop = Finding(Kind.ESTATE_TAP_DROP, known.code, known.code, scene.now_ms, ruling.evidence | versions)
        return Findings((*standings, drop), found.ended)
    over = Ended(Kind.ESTATE_TAP_DROP, known.code, Ending.CLOSED, ruling.evidence)
    was_up = any(flag.kind is Kind.ESTATE_TAP_DROP for flag in flags)
    return Findings(standings, (*found.ended, over) if was_up else found.ended)


def _is_open(standing: Mapping[str, Stands], unit: str) -> bool:
    return unit in standing and standing[unit].is_open


def _inflow(known: _Estate, mass: Mass) -> Inflow | None:
    recent = known.ended[: known.judgeable][-1 - mass.history_periods :]
    return Inflow.read([known.days.taps(period) for period in recent], mass)


# ---- units -----------------------------------------------------------------------------------------------------------


def _units(connection: Connection, known: _Estate, flags: Sequence[Stands]) -> Findings:
    """What is found of the units of an estate, before the mass gate."""
    standing = {flag.subject: flag for flag in flags if flag.kind is Kind.UNIT_NO_TAPS}
    exact = _asking(connection, known) | standing.keys()
    upto = known.ended[known.judgeable - 1].last if known.judgeable else date.min
    rows = {row.unit: row for row in absence.last_taps(connection, known.code, upto=upto)}
    since = _silent_since(known)
    silent = {unit for unit, row in rows.items() if since > (row.upto or date.min)}
    wanted = (exact & rows.keys()) | silent | standing.keys()
    taps = {unit: _taps(seen) for unit, seen in absence.taps(connection, exact & wanted).items()}
    households = absence.households(connection, wanted)
    standings: list[Finding] = []
    ended: list[Ended] = []
    for unit in sorted(wanted):
        of_unit = taps[unit] if unit in taps else _bounds(rows[unit])
        flag = standing.get(unit)
        concluded = _conclude(known, unit, households[unit], of_unit, flag)
        if concluded.over is not None:
            ended.append(Ended(Kind.UNIT_NO_TAPS, unit, concluded.over, _over(of_unit)))
        if concluded.due is not None:
            standings.append(_finding(known, unit, concluded.due, of_unit, flag))
    return Findings(tuple(standings), tuple(ended))


def _asking(connection: Connection, known: _Estate) -> set[str]:
    """Units of which every tap is looked at: uncertain ones, or some at machines that still hold something."""
    found = absence.uncertain(connection, known.code)
    if known.elsewhere.waiting and known.judgeable:
        since = min(min(late) for late in known.elsewhere.waiting.values())
        recent = periods.before(known.ended, since)
        begin = recent[0].first if recent else known.ended[0].first
        found |= absence.seen_at(connection, known.code, known.elsewhere.waiting, since=begin)
    return found


def _silent_since(known: _Estate) -> date:
    """A unit whose last tap in the judgeable periods is as late as this cannot have missed enough of them."""
    judgeable_ones = known.ended[: known.judgeable]
    watch = min((period.absence.watch for period in judgeable_ones), default=1)
    return judgeable_ones[-watch].first if len(judgeable_ones) >= watch else date.min


def _taps(seen: Sequence[Seen]) -> list[Tap]:
    return [Tap(each.day, each.first, each.last, each.device) for each in seen]


def _bounds(row: LastTaps) -> list[Tap]:
    """Of a unit whose taps are certain, the two that decide: the last in a judgeable period, and the last of all."""
    return [Tap.on(day) for day in (row.upto, row.last) if day is not None]


def _conclude(known: _Estate, unit: str, household: Household, taps: Sequence[Tap], flag: Stands | None) -> Conclusion:
    upto = known.elsewhere.frontier(known.ended, known.judgeable, taps)
    end = max(upto, _kept(known, flag))
    begin = _begin(known, taps, end, flag)
    judged = known.judged(household, taps, begin, end)
    case = Case(household, known.today, judged, upto, taps, known.told.get(unit, frozenset()))
    return run.conclude(case, flag)


def _kept(known: _Estate, flag: Stands | None) -> int:
    """How many periods a flag that stands was judged by: what was said of them stands until their verdict changes."""
    last = run.last_judged(flag) if flag is not None else None
    return sum(period.last <= last for period in known.ended) if last is not None else 0


def _begin(known: _Estate, taps: Sequence[Tap], end: int, flag: Stands | None) -> int:
    """The first period that matters: after the last satisfied one, or the one before a flag's run began."""
    least = sum(period.first < known.today - HORIZON for period in known.ended)
    until = end
    if flag is not None and (flag.is_open or flag.is_held):
        began = date.fromisoformat(flag.run)
        until = sum(period.last < began for period in known.ended)
    while until > least and not verdicts.is_satisfied(known.ended[until - 1], taps):
        until -= 1
    return until


def _finding(known: _Estate, unit: str, due: Due, taps: Sequence[Tap], flag: Stands | None) -> Finding:
    """What is due. What was said of a flag stands while nothing is added to it."""
    is_said = flag is not None and flag.level == due.level and flag.run == due.name
    late = known.elsewhere.of(due.run.judged[-1].period)
    return Finding(
        Kind.UNIT_NO_TAPS,
        unit,
        known.code,
        since_ms=days.starts(due.run.first),
        evidence=flag.evidence if flag and is_said else evidence.of_run(due.run, taps=taps, elsewhere=late),
        level=due.level,
        run=due.name,
        is_held=flag is not None and flag.is_held,
    )


def _over(taps: Sequence[Tap]) -> dict[str, object]:
    """What is known at the end: the last day with a tap."""
    last = max((tap.day for tap in taps if tap.day is not None), default=None)
    return {"last_tap": last.isoformat() if last is not None else None}
