"""What lines and truth make of each other: who was caught, who was accused, what outages had to do with it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.truth.recount import calendar
from bench.truth.recount.judging import Verdict
from bench.truth.recount.running import Line, Recount
from bench.truth.replaying import Said
from demo.truth import days
from demo.truth.city import City
from demo.truth.homes import Home

MONTH: Final = 365.25 / 12


@dataclass(slots=True)
class Caught:
    """Sub-lettings: how many there are, which had to be flagged, which were, and after how many days."""

    families: int = 0
    due: int = 0
    opened: int = 0
    missed: list[str] = field(default_factory=list)
    """Units that had to be flagged and were not."""
    after_days: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening and the run it names."""

    unit: str
    at: int
    first: int
    """The first day of the first missed period."""
    last: int
    """The last day of the last one."""
    until: int
    """When the flag ended, or far in the future."""


def openings(lines: Sequence[Said]) -> list[Opening]:
    """Every opening of UNIT_NO_TAPS, with the instant at which its flag ended."""
    by_unit: dict[str, list[Said]] = defaultdict(list)
    for line in lines:
        if line.kind == "UNIT_NO_TAPS":
            by_unit[line.subject].append(line)
    return [opening for told in by_unit.values() for opening in _openings(told)]


def _openings(told: Sequence[Said]) -> Iterator[Opening]:
    for place, line in enumerate(told):
        if line.change == "opened":
            missed = [period for period in line.evidence["periods"] if period["verdict"] == Verdict.MISSED]
            ends = (later.at for later in told[place + 1 :] if later.change in ("closed", "retracted", "superseded"))
            first, last = calendar.day(missed[0]["from"]), calendar.day(missed[-1]["to"])
            yield Opening(line.subject, line.at, first, last, next(ends, calendar.NEVER))


def caught(city: City, recount: Recount, found: Sequence[Opening]) -> Caught:
    """Sub-lettings with at least three judgeable missed periods must be flagged; *recount* has run to its end."""
    result, go_live = Caught(), {estate.code: estate.go_live for estate in city.estates}
    for home in city.homes:
        if home.sublet_from is None or home.is_courier:
            continue
        since = max(home.sublet_from, go_live[home.estate])
        flagged = [opening.at for opening in found if opening.unit == home.unit and opening.last >= since]
        result.families += 1
        if is_due(recount, home.unit, since):
            result.due += 1
            result.missed += [] if flagged else [home.unit]
        if flagged:
            result.opened += 1
            result.after_days.append(calendar.day_of(min(flagged)) - since)
    return result


def is_due(recount: Recount, unit: str, since: int) -> bool:
    """Whether three missed periods in a row that could be judged end after *since*, by the verdicts at the end."""
    run = 0
    for number in range(recount.units[unit].ever):
        period = recount.judge.verdict(unit, number)
        if period.verdict is Verdict.SATISFIED:
            run = 0
        elif period.verdict is Verdict.MISSED:
            run += 1
            if run >= int(recount.directory.absence["open"]) and period.end > since:
                return True
    return False


def is_honest(home: Home) -> bool:
    """Whether the family lives where it should."""
    return home.sublet_from is None


def honest_months(city: City) -> dict[str, float]:
    """By habit: the months in which an honest unit was let, live and had an obliged card."""
    go_live, found = {estate.code: estate.go_live for estate in city.estates}, Counter[str]()
    for home in filter(is_honest, city.homes):
        for day in range(max(city.first, go_live[home.estate]), city.until):
            is_let = any(let.start <= day and (let.end is None or day < let.end) for let in home.tenancies)
            if is_let and any(card.is_obliged and card.is_held(day) for card in home.cards):
                found[home.habit.name] += 1
    return {habit: number / MONTH for habit, number in found.items()}


def unexplained(found: Sequence[Opening], without: Sequence[Opening]) -> list[Opening]:
    """Openings that the same city *without* its outages does not have, or has later."""
    return [opening for opening in found if not any(_is_same_or_earlier(other, opening) for other in without)]


def _is_same_or_earlier(other: Opening, opening: Opening) -> bool:
    """The other one opened no later, for a run that was still going on when this one began."""
    return (
        other.unit == opening.unit
        and other.at <= opening.at
        and other.first <= opening.first
        and other.until > calendar.begins(opening.first)
    )


def with_taps(found: Sequence[Opening], taps: Mapping[str, Sequence[int]]) -> list[Opening]:
    """Openings in whose run one of these instants lies: a tap that was prevented, or one that was lost."""
    return [
        opening
        for opening in found
        if any(opening.first <= calendar.day_of(at) <= opening.last for at in taps.get(opening.unit, ()))
    ]


def prevented(city: City) -> dict[str, list[int]]:
    """By unit: when somebody stood before a machine that did not work."""
    found: dict[str, list[int]] = defaultdict(list)
    for each in city.prevented:
        if each.because == "machine":
            found[each.unit].append(each.at)
    return found


def lost(city: City) -> dict[str, list[int]]:
    """By unit: taps that a machine took and its disk did not keep."""
    found: dict[str, list[int]] = defaultdict(list)
    for tap in city.taps:
        if tap.is_lost:
            found[tap.unit].append(tap.recorded)
    return found


def lebaran(lines: Sequence[Line], told: Sequence[Said]) -> int:
    """Days of Lebaran that were counted: by the recount's own lists, or more days than a period has without them."""
    counted = sum(days.is_lebaran(day) for line in lines for day in line.days_counted)
    for line in told:
        for period in line.evidence.get("periods", ()):
            all_days = range(calendar.day(period["from"]), calendar.day(period["to"]) + 1)
            counted += max(0, period["counted"] - sum(not days.is_lebaran(day) for day in all_days))
    return counted
