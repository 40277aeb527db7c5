"""Rule 6: consecutive missed periods, how far they have gone, and when what was said of them is over or was wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cloud.alerts.absence.periods import Period
from cloud.alerts.absence.verdicts import Judged, Tap, Verdict
from cloud.alerts.findings import Stands
from cloud.alerts.kinds import Ending, Level
from cloud.days import Household, Tenancy


@dataclass(frozen=True, slots=True)
class Run:
    """Missed periods with nothing but voids between them."""

    judged: tuple[Judged, ...]
    """From the first missed one to the last judged one before it was reset: missed and void."""
    is_reset: bool = False
    """A satisfied period follows."""

    @property
    def missed(self) -> list[Judged]:
        """Its missed periods."""
        return [each for each in self.judged if each.verdict is Verdict.MISSED]

    @property
    def first(self) -> date:
        """The first day of its first missed period: its name."""
        return self.judged[0].period.first

    @property
    def last(self) -> date:
        """The last day of its last missed period."""
        return self.missed[-1].period.last


def runs(judged: Sequence[Judged], tenancy: Tenancy) -> list[Run]:
    """The runs of *tenancy* in order: only periods that end after it began count, and a satisfied one resets."""
    found: list[Run] = []
    current: list[Judged] = []
    for each in judged:
        if each.period.last < tenancy.start:
            continue
        if each.verdict is Verdict.SATISFIED:
            if current:
                found.append(Run(tuple(current), is_reset=True))
            current = []
        elif current or each.verdict is Verdict.MISSED:
            current.append(each)
    return [*found, Run(tuple(current))] if current else found


def level(run: Run, household: Household) -> Level | None:
    """The last threshold *run* has passed, each counted by the policy of the period that was missed; None = none.

    Nobody is reminded of what was never opened.
    """
    reached: Level | None = None
    for count, each in enumerate(run.missed, 1):
        for passed in _passed(count, each.period, household):
            reached = passed if reached is None else max(reached, passed)
    return reached


def _passed(count: int, period: Period, household: Household) -> Iterator[Level]:
    absence = period.absence
    if count >= absence.watch:
        yield Level.WATCH
    if count < opens_at(period, household):
        return
    yield Level.OPEN
    if count >= absence.remind:
        yield Level.REMIND
    if count >= absence.case:
        yield Level.CASE


def opens_at(period: Period, household: Household) -> int:
    """At how many missed periods a flag opens, *period* being the last of them."""
    absence = period.absence
    if absence.open_one_card is None:
        return absence.open
    is_one = sum(card.is_valid(period.last) for card in household.cards) == 1
    return absence.open_one_card if is_one else absence.open


@dataclass(frozen=True, slots=True)
class Case:
    """A unit on the day it is judged."""

    household: Household
    today: date
    judged: Sequence[Judged]
    """Every period that can be judged, or one that was before: in order, each by the facts of now."""
    judgeable: int
    """How many periods, from the first on, can be judged now. What follows stands as long as its verdict does."""
    taps: Sequence[Tap]
    told: frozenset[str] = frozenset()
    """The runs whose flags have ended: to watch them again is no news."""


@dataclass(frozen=True, slots=True)
class Due:
    """A run that has something to say."""

    run: Run
    level: Level
    name: str
    """Which episode it is: as named when it was first told of, though late facts may have moved its beginning."""
    was_watched: bool = False
    """A flag of it has ended: to watch it again is no news."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is to be said of a unit."""

    due: Due | None = None
    over: Ending | None = None
    """How the flag that stands is over."""


def conclude(case: Case, flag: Stands | None = None) -> Conclusion:
    """What is due for the unit, given the *flag* that stands for it (opened, held or only watched)."""
    if flag is None:
        return Conclusion(_fresh(case))
    if not (flag.is_open or flag.is_held):
        due = _watched(case, flag)
        return Conclusion(due, None if due is not None else Ending.CLOSED)
    due, over = _opened(case, flag)
    return Conclusion(due if over is None else _fresh(replace(case, told=case.told | {flag.run})), over)


def _fresh(case: Case) -> Due | None:
    """What the run of now has to say, opening only if nobody tapped since and the tenancy goes on."""
    run = _current(case, [each for each in case.judged if each.period.number < case.judgeable])
    passed = level(run, case.household) if run is not None else None
    if run is None or passed is None:
        return None
    name = run.first.isoformat()
    if passed > Level.WATCH and not has_tapped_after(run, case.taps) and case.household.tenancy(case.today) is not None:
        return Due(run, passed, name, was_watched=name in case.told)
    return Due(run, Level.WATCH, name) if name not in case.told else None


def _current(case: Case, judged: Sequence[Judged]) -> Run | None:
    tenancy = tenancy_of(case.household, case.today)
    found = runs(judged, tenancy) if tenancy is not None else []
    return found[-1] if found and not found[-1].is_reset else None


def tenancy_of(household: Household, day: date) -> Tenancy | None:
    """The tenancy of *day*, or the last one that began before it and is over."""
    begun = [tenancy for tenancy in household.tenancies if tenancy.start <= day]
    return household.tenancy(day) or max(begun, key=lambda tenancy: tenancy.start, default=None)


def has_tapped_after(run: Run, taps: Sequence[Tap]) -> bool:
    """Whether any tap on record is dated after the last missed period. How uncertain it is does not matter here."""
    return any(tap.day is not None and tap.day > run.last for tap in taps)


# ---- a flag that stands ----------------------------------------------------------------------------------------------


def _watched(case: Case, flag: Stands) -> Due | None:
    """What a watched run has to say: it may open; it stays as long as what was seen of it holds."""
    fresh = _fresh(case)
    if fresh is not None and fresh.level > Level.WATCH:
        return _named(fresh, flag)
    run = _current(case, case.judged)
    if run is None or level(run, case.household) is None:
        return None
    return _named(Due(run, Level.WATCH, run.first.isoformat()), flag)


def _named(due: Due, flag: Stands) -> Due:
    return Due(due.run, due.level, flag.run) if _is_of(due.run, flag) else due


def _opened(case: Case, flag: Stands) -> tuple[Due | None, Ending | None]:
    """An opened or held flag: what it has come to, or how it is over.

    It was wrong if, by the facts of now, no run of its periods went so far; else a tap or the tenancy's end ends it.
    """
    tenancy = tenancy_of(case.household, _last_day(case, flag))
    own = [run for run in runs(case.judged, tenancy) if _is_of(run, flag)] if tenancy is not None else []
    due = [run for run in own if (level(run, case.household) or Level.WATCH) >= Level.OPEN]
    if tenancy is None or not due:
        return None, Ending.RETRACTED
    run = due[-1]
    if run.is_reset or has_tapped_after(run, case.taps) or tenancy != case.household.tenancy(case.today):
        return None, Ending.CLOSED
    return Due(run, _allowed(run, case, flag), flag.run), None


def _allowed(run: Run, case: Case, flag: Stands) -> Level:
    """How far a flag has gone: further than before only by periods that can be judged now."""
    proven = tuple(each for each in run.judged if each.period.number < case.judgeable)
    by_now = level(Run(proven), case.household)
    return max(flag.level, Level.OPEN if by_now is None else by_now, Level.OPEN)


def _last_day(case: Case, flag: Stands) -> date:
    """The last day of the period with which the flag's run began."""
    began = date.fromisoformat(flag.run)
    return next((each.period.last for each in case.judged if each.period.meets(began, began)), began)


def _is_of(run: Run, flag: Stands) -> bool:
    """Whether *run* holds a missed period that *flag* speaks of; late facts may have moved its beginning."""
    began, until = date.fromisoformat(flag.run), last_judged(flag)
    return any(began <= each.period.first and (until is None or each.period.last <= until) for each in run.missed)


def last_judged(flag: Stands) -> date | None:
    """The last day of the last period that *flag* was judged by; None if it does not say."""
    periods = flag.evidence.get("periods")
    last = periods[-1] if isinstance(periods, list) and periods else None
    return date.fromisoformat(str(last["to"])) if isinstance(last, dict) else None
