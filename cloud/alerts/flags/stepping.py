"""From findings to flags: one step moves every flag that stands, roots first. Pure; the same again moves nothing.

A flag is moved by one of three rules: it was found (`_found`), it is over (`_end`), or nothing was found (`_missed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cloud.alerts.findings import Ended, Finding, Findings
from cloud.alerts.flags.causes import Roots, depth
from cloud.alerts.flags.changes import What
from cloud.alerts.flags.flag import NOTHING, Condition, Flag, Gate, Handling, Hush, Hushed
from cloud.alerts.flags.hushes import Quietly
from cloud.alerts.kinds import NATURE, Ending, Group, Kind, Level
from cloud.alerts.policy import Policy
from cloud.days import MINUTE, day_of

RULES: Final = "1"
"""The version of the rules, where a finding does not name its own."""
_LADDERED: Final = frozenset({Kind.UNIT_NO_TAPS})
"""Kinds that are watched before they open, and say so."""
_SAID: Final = {Level.WATCH: What.WATCH, Level.OPEN: What.OPENED, Level.REMIND: What.REMINDED, Level.CASE: What.CASE}
_ENDED: Final = {
    Ending.CLOSED: (Condition.CLOSED, What.CLOSED),
    Ending.RETRACTED: (Condition.RETRACTED, What.RETRACTED),
    Ending.SUPERSEDED: (Condition.SUPERSEDED, What.SUPERSEDED),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A flag that moved."""

    flag: Flag
    """As it is now."""
    before: Flag | None = None
    """As it was; None = it is new."""
    changes: tuple[What, ...] = ()
    """What a replay prints and people may be told, in order."""
    notes: tuple[str, ...] = ()
    """What only the chain of events records, such as `recovering`."""
    speaks: bool = False
    """Whether people are told its changes."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When, and under which silences, a step is made."""

    now_ms: int
    quietly: Quietly
    is_replay: bool = False
    """Nothing but inhibition and the mass gate hushes."""
    kinds: frozenset[Kind] = frozenset(Kind)
    """What is judged; the flags of other kinds only inhibit."""

    def policy(self, estate: str) -> Policy:
        """What holds at an estate today."""
        return self.quietly.policies.at(day_of(self.now_ms), estate)

    def settle_ms(self, flag: Flag) -> int:
        """How long a recovery must last before it is believed: at least as long as so many heartbeats take."""
        if NATURE[flag.kind].group is not Group.PATH:
            return 0
        policy = self.policy(flag.estate)
        beats_ms = policy.device.recover_heartbeats * policy.device.heartbeat_s * 1000
        return max(policy.flap.settle_min * MINUTE, beats_ms)


def step(flags: Sequence[Flag], findings: Findings, moment: Moment) -> list[Step]:
    """What moves: *flags* are those that have not ended, and the roots that ended lately. By kind and subject."""
    roots = Roots(flags, settle_ms=moment.policy("").flap.settle_min * MINUTE)
    living = {flag.key: flag for flag in flags if flag.condition.is_alive}
    found = {(each.kind, each.subject): each for each in findings.standing if each.kind in moment.kinds}
    ended = {(each.kind, each.subject): each for each in findings.ended if each.kind in moment.kinds}
    keys = found.keys() | {key for key in living if key[0] in moment.kinds}
    steps: list[Step] = []
    for key in sorted(keys, key=lambda key: (depth(key[0]), key)):
        moved = _move(living.get(key), ended.get(key), found.get(key), _Scene(moment, findings, roots))
        for each in moved:
            roots.note(each.flag)
        steps += [each for each in moved if each.flag != each.before]
    return sorted(steps, key=lambda each: each.flag.key)


@dataclass(frozen=True, slots=True)
class _Scene:
    moment: Moment
    findings: Findings
    roots: Roots

    def was_judged(self, flag: Flag) -> bool:
        return not self.findings.complete.isdisjoint({(flag.kind, flag.estate), (flag.kind, "")})


def _move(flag: Flag | None, ended: Ended | None, found: Finding | None, scene: _Scene) -> list[Step]:
    over: list[Step] = []
    if flag is not None and (end := _ending(flag, ended, found)) is not None:
        over, flag = [_end(flag, end, scene.moment)], None
        if over[0].flag.condition.is_alive:
            return over
    if found is not None:
        return [*over, _found(flag, found, scene)]
    if flag is not None:
        return [_missed(flag, scene)]
    return over


# ---- it is over ------------------------------------------------------------------------------------------------------


def _ending(flag: Flag, ended: Ended | None, found: Finding | None) -> Ended | None:
    """How it ends, if it does: by what the rules say, or because another episode has begun."""
    if ended is not None:
        return ended
    if found is not None and found.run != flag.run:
        return Ended(flag.kind, flag.subject, Ending.CLOSED)
    return None


def _end(flag: Flag, ended: Ended, moment: Moment) -> Step:
    """The end of *flag*, unless it is not newer than its opening. What only was watched ends without a word."""
    if flag.opened_ms is not None and moment.now_ms <= flag.opened_ms:
        return Step(flag, flag)
    condition, what = _ENDED[ended.how]
    evidence = {**flag.evidence, **ended.evidence}
    after = replace(flag, condition=condition, ended_ms=moment.now_ms, evidence=evidence)
    is_news = flag.is_open or flag.gate in (Gate.HELD, Gate.RELEASED)
    return Step(after, flag, (what,) if is_news else (), () if is_news else ("lapsed",), speaks=flag.is_told)


def _missed(flag: Flag, scene: _Scene) -> Step:
    """Nothing was found: it recovers, if it was looked for, and is over when that has lasted."""
    now_ms = scene.moment.now_ms
    if not scene.was_judged(flag):
        return _spoken(Step(replace(flag, hushed=_hushed(flag, scene)), flag), now_ms)
    since_ms = flag.recovering_ms if flag.recovering_ms is not None else now_ms
    if not flag.is_open or now_ms - since_ms >= scene.moment.settle_ms(flag):
        shown = scene.findings.returns.get(flag.key, {})
        return _end(flag, Ended(flag.kind, flag.subject, Ending.CLOSED, shown), scene.moment)
    if flag.condition is Condition.RECOVERING:
        return Step(flag, flag)
    return Step(replace(flag, condition=Condition.RECOVERING, recovering_ms=now_ms), flag, notes=("recovering",))


# ---- it was found ----------------------------------------------------------------------------------------------------


def _found(before: Flag | None, found: Finding, scene: _Scene) -> Step:
    """It stands, passes the thresholds it has reached, and opens unless something keeps it from that."""
    flag = before or _new(found, scene.moment.now_ms)
    notes: tuple[str, ...] = ()
    if flag.condition is Condition.RECOVERING:
        flag, notes = replace(flag, condition=Condition.OPEN, recovering_ms=None), ("relapsed",)
    is_now_held = found.is_held and flag.gate is Gate.NONE and not flag.is_open
    if is_now_held:
        flag = replace(flag, gate=Gate.HELD)
    flag = replace(flag, hushed=_hushed(flag, scene))
    passed = _passed(flag, found)
    changes = [_SAID[level] for level in passed] + [What.HELD] * is_now_held
    if changes or flag.severity != found.urgency or before is None:
        flag = _risen(flag, found, passed, scene.moment)
    return _spoken(Step(flag, before, tuple(changes), notes), scene.moment.now_ms)


def _new(found: Finding, now_ms: int) -> Flag:
    return Flag(found.kind, found.subject, found.estate, found.run, found.since_ms, now_ms, found.urgency)


def _passed(flag: Flag, found: Finding) -> list[Level]:
    """The thresholds that are passed now, lowest first; none from OPEN on while something keeps it from opening."""
    is_kept = not flag.is_open and (Hush.INHIBITED in flag.hushed or flag.gate in (Gate.HELD, Gate.DISMISSED))
    highest = min(found.level, Level.WATCH) if is_kept else found.level
    lowest = Level.WATCH if found.kind in _LADDERED and not found.was_watched else Level.OPEN
    return [level for level in Level if lowest <= level <= highest and not flag.has_passed(level)]


def _risen(flag: Flag, found: Finding, passed: Sequence[Level], moment: Moment) -> Flag:
    """*flag* with what was found: its evidence is that of its last change."""
    versions = {"rule": RULES, "policy": moment.policy(found.estate).version}
    flag = replace(flag, severity=found.urgency, evidence={**versions, **found.evidence})
    if passed:
        flag = replace(flag, level=passed[-1])
    if Level.OPEN in passed:
        flag = replace(flag, condition=Condition.OPEN, opened_ms=moment.now_ms)
    return flag


# ---- who hears of it -------------------------------------------------------------------------------------------------


def _hushed(flag: Flag, scene: _Scene) -> Hushed:
    """By what it is hushed now, and why."""
    now_ms = scene.moment.now_ms
    found = {} if scene.moment.is_replay else scene.moment.quietly.hushes(flag, now_ms)
    inhibited = scene.roots.reason(flag, now_ms=now_ms)
    if inhibited is not None:
        found[Hush.INHIBITED] = inhibited
    if flag.gate in (Gate.HELD, Gate.DISMISSED) and not flag.is_open:
        found[Hush.MASS_GATE] = f"the mass gate: {flag.gate}"
    return found or NOTHING


def _spoken(step: Step, now_ms: int) -> Step:
    """*step* with what it tells people: its changes, or what was owed to them while it was hushed."""
    flag, before, speaks = step.flag, step.before, not step.flag.hushed
    changes = step.changes
    if not changes and speaks and flag.owes:
        changes = (What.WORSENED if flag.is_told else What.SPOKEN,)
    notes = step.notes
    if dropped := _dropped(flag, changes, now_ms):
        flag, notes = replace(flag, handling=Handling.NEW, acknowledged_until_ms=None), (*notes, dropped)
    if speaks and changes and flag.is_open:
        flag = replace(flag, told=flag.saying)
    if flag.hushed != (before.hushed if before is not None else NOTHING):
        notes += ("hushed" if flag.hushed else "unhushed",)
    return Step(flag, before, changes, notes, speaks)


def _dropped(flag: Flag, changes: Sequence[What], now_ms: int) -> str:
    """Why its acknowledgement no longer holds, if so: its time is over, or it has become worse."""
    if flag.handling is not Handling.ACKNOWLEDGED:
        return ""
    if flag.acknowledged_until_ms is not None and flag.acknowledged_until_ms <= now_ms:
        return "ack_expired"
    return "ack_overtaken" if changes else ""
