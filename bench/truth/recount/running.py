"""Rule 6: the run of missed periods, and the lines that come of it at each instant."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.truth.recount import calendar, gate
from bench.truth.recount.calendar import begins, day_of, text_of
from bench.truth.recount.judging import Judge, Judged, Verdict, is_dated
from bench.truth.recount.knowing import Known
from bench.truth.recount.reading import Directory, Tenancy, read

LATER: Final = (("reminded", "remind"), ("case", "case"))


@dataclass(frozen=True, slots=True)
class Line:
    """A line that must come; of UNIT_NO_TAPS unless `kind` says otherwise."""

    at: int
    subject: str
    change: str
    evidence: dict[str, Any]
    days_counted: tuple[int, ...] = ()
    """Which days counted, to hold against the calendar."""
    kind: str = "UNIT_NO_TAPS"


@dataclass(frozen=True, slots=True)
class Scene:
    """A unit at an instant, once it is known what has ended."""

    name: str
    periods: list[Judged]
    """Those of its tenancy that can be judged now."""
    tenancy: Tenancy | None


@dataclass(slots=True)
class Unit:
    """What was said of a unit so far."""

    ever: int = 0
    """Periods that could be judged at some instant."""
    flag: frozenset[int] = frozenset()
    """The missed periods of the flag that stands."""
    tenancy: int = 0
    """When the tenancy began that it is about."""
    is_held: bool = False
    """It is due, but the mass gate holds it."""
    said: set[str] = field(default_factory=set)
    watched: frozenset[int] = frozenset()
    """The run that is watched."""
    name: int = -1
    """The first missed period of the run that is watched or flagged, as it was when that began."""
    told: set[int] = field(default_factory=set)
    """The names of runs whose watch or flag is over: `watch` is said once of a run."""

    def is_over(self) -> None:
        """Nothing is watched or flagged any more."""
        self.told.add(self.name)
        self.flag, self.said, self.watched, self.is_held = frozenset(), set(), frozenset(), False


def recount(folder: Path, *, absence: dict[str, Any] | None = None) -> list[Line]:
    """Every line of UNIT_NO_TAPS for a replay directory, the mass gate not acting."""
    directory = read(folder)
    directory.absence.update(absence or {})
    return Recount(directory).lines()


class Recount:
    """All units through all instants."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.known = Known(directory)
        self.judge = Judge(self.known)
        self.units = {unit: Unit() for unit in sorted(directory.estate_of)}
        self.dropped: set[str] = set()
        """Estates about which an ESTATE_TAP_DROP stands."""

    def lines(self) -> list[Line]:
        """Line by line, every day at 00.00 WIB."""
        found: list[Line] = []
        for day in range(self.directory.first, self.directory.until + 1):
            self.known.move(begins(day))
            self.judge.refresh()
            for estate in sorted(self.directory.go_live):
                found += self._estate(estate)
        return sorted(found, key=lambda line: (line.at, line.kind, line.subject))

    def _estate(self, estate: str) -> list[Line]:
        """First what ends, then whether the gate is shut, then what begins."""
        found: list[Line] = []
        scenes = []
        for name in [unit for unit, code in self.directory.estate_of.items() if code == estate]:
            scene, ended = self._look(name)
            scenes.append(scene)
            found += ended
        held = [scene for scene in scenes if self.units[scene.name].is_held]
        due = [scene for scene in scenes if self._opens(scene)]
        is_shut, drop = self._gate(estate, len(due) + len(held))
        for scene in scenes:
            found += self._begin(scene, is_shut=is_shut)
        return found + drop

    def _look(self, name: str) -> tuple[Scene, list[Line]]:
        unit, now = self.units[name], day_of(self.known.now)
        sure = self.judge.judgeable(name)
        unit.ever = max(unit.ever, sure)
        tenancy = self.known.tenancy(name, now)
        found: list[Line] = []
        if unit.flag and (tenancy is None or tenancy.start != unit.tenancy):
            found.append(Line(self.known.now, name, "closed", {}))
            unit.is_over()
        since = self._since(name, now)
        periods = [self.judge.verdict(name, number) for number in range(unit.ever)]
        periods = [period for period in periods if period.end > since]
        found += self._end(name, unit, periods)
        return Scene(name, [each for each in periods if each.number < sure], tenancy), found

    def _since(self, name: str, now: int) -> int:
        """When the tenancy began that the run belongs to: that of today, or the last one there was."""
        return max((row.start for row in self.known.tenancies[name] if row.start <= now), default=calendar.NEVER)

    def _end(self, name: str, unit: Unit, periods: list[Judged]) -> list[Line]:
        """Whether the flag that stands ends, by every verdict there ever was, as it reads now."""
        groups, last = runs(periods), current(periods)
        if not unit.flag:
            if unit.watched and not (unit.watched & numbers(last) and len(last) >= self.directory.absence["watch"]):
                unit.is_over()
            return []
        due = [group for group in groups if unit.flag & numbers(group) and self._is_due(name, group)]
        if due and not self._has_tap_after(name, due[-1]):
            unit.flag = numbers(due[-1])
            return []
        unit.is_over()
        return [Line(self.known.now, name, "closed" if due else "retracted", {})]

    def _opens(self, scene: Scene) -> bool:
        """Whether a flag opens now, if nothing holds it."""
        run = current(scene.periods)
        if not run or self.units[scene.name].flag or scene.tenancy is None:
            return False
        return self._is_due(scene.name, run) and not self._has_tap_after(scene.name, run)

    def _begin(self, scene: Scene, *, is_shut: bool) -> list[Line]:
        """The thresholds that are passed now, lowest first; behind a shut gate nothing opens."""
        run, changes, unit = current(scene.periods), [], self.units[scene.name]
        if not run:
            return []
        rule = self.directory.absence
        if len(run) >= rule["watch"] and not (unit.watched | unit.flag) & numbers(run):
            changes += ["watch"] if run[0].number not in unit.told else []
            unit.watched, unit.name = frozenset(), run[0].number
        if len(run) >= rule["watch"] and run[0].number not in unit.told:
            unit.watched |= numbers(run)
        if self._opens(scene) and scene.tenancy is not None:
            changes.append("held" if is_shut else "opened")
            unit.flag, unit.is_held, unit.tenancy = numbers(run), is_shut, scene.tenancy.start
        if unit.flag & numbers(run) and not unit.is_held:
            passed = [change for change, key in LATER if len(run) >= rule[key] and change not in unit.said]
            changes += passed
            unit.said.update(passed)
        return [self._line(scene.name, change, run, scene.periods) for change in changes]

    def _gate(self, estate: str, number: int) -> tuple[bool, list[Line]]:
        """Rule 7: whether what is due is held, and what is said of the estate."""
        if not self.directory.mass["enabled"]:
            return False, []
        is_quiet = gate.is_quiet(self.judge, estate)
        is_shut = is_quiet or gate.is_crowd(self.judge, estate, number, day_of(self.known.now))
        was_up = estate in self.dropped
        is_held = any(self.units[unit].is_held for unit, code in self.directory.estate_of.items() if code == estate)
        is_up = is_shut or (was_up and is_held)
        (self.dropped.add if is_up else self.dropped.discard)(estate)
        change = "opened" if is_up else "closed"
        said = [Line(self.known.now, estate, change, {}, kind="ESTATE_TAP_DROP")] if is_up is not was_up else []
        return is_shut, said

    def _is_due(self, name: str, run: list[Judged]) -> bool:
        """Whether a run has gone so far that a flag opens, at its last missed period or at one before."""
        return any(count >= self._open(name, period) for count, period in enumerate(run, 1))

    def _open(self, name: str, period: Judged) -> int:
        """How many missed periods it takes, *period* being the last of them."""
        rule = self.directory.absence
        valid = [card for card in self.known.cards[name] if card.is_valid(period.end - 1)]
        return int(rule["open_one_card"] if rule["open_one_card"] and len(valid) == 1 else rule["open"])

    def _has_tap_after(self, name: str, run: list[Judged]) -> bool:
        taps = self.known.taps_of(name)
        return any(tap.day >= run[-1].end and is_dated(tap, rows) for tap, rows in taps)

    def _line(self, name: str, change: str, run: list[Judged], periods: list[Judged]) -> Line:
        shown = [period for period in periods if period.number >= run[0].number]
        reasons = Counter(why for period in shown for why in period.reasons if why is not None)
        evidence = {
            "missed_periods": len(run),
            "periods": [
                {
                    "from": text_of(period.first),
                    "to": text_of(period.end - 1),
                    "counted": period.counted,
                    "verdict": str(period.verdict),
                }
                for period in shown
            ],
            "days_counted": sum(period.counted for period in shown),
            "days_not_counted": dict(reasons),
        }
        days = tuple(p.first + place for p in shown for place, why in enumerate(p.reasons) if why is None)
        return Line(self.known.now, name, change, evidence, days)


def runs(periods: list[Judged]) -> list[list[Judged]]:
    """The missed periods, parted where a satisfied one lies between them; voids are skipped."""
    groups: list[list[Judged]] = [[]]
    for period in periods:
        if period.verdict is Verdict.SATISFIED and groups[-1]:
            groups.append([])
        elif period.verdict is Verdict.MISSED:
            groups[-1].append(period)
    return [group for group in groups if group]


def current(periods: list[Judged]) -> list[Judged]:
    """The run of now: empty when nothing is missed or a satisfied period was the last to speak."""
    groups = runs(periods)
    return groups[-1] if groups and not is_broken(periods) else []


def is_broken(periods: list[Judged]) -> bool:
    """Whether the last period that was not void was satisfied."""
    spoken = [period.verdict for period in periods if period.verdict is not Verdict.VOID]
    return bool(spoken) and spoken[-1] is Verdict.SATISFIED


def numbers(run: list[Judged]) -> frozenset[int]:
    """Which periods they are."""
    return frozenset(period.number for period in run)
