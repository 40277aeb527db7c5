"""The units of one estate: which of them may be due, what is read of them, and what is found before the mass gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from cloud import days
from cloud.alerts.absence import evidence, holder, periods, run, verdicts
from cloud.alerts.absence.holder import Holder
from cloud.alerts.absence.known import HORIZON, Known
from cloud.alerts.absence.run import Case, Conclusion, Due
from cloud.alerts.absence.verdicts import Tap
from cloud.alerts.findings import Ended, Finding, Findings, Stands
from cloud.alerts.kinds import Kind
from cloud.days import Household
from cloud.records import Connection, absence
from cloud.records.absence import LastTaps, Seen


def judge(connection: Connection, known: Known, flags: Sequence[Stands]) -> Findings:
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


def _asking(connection: Connection, known: Known) -> set[str]:
    """Units of which every tap is looked at: uncertain ones, or some at machines that still hold something."""
    found = absence.uncertain(connection, known.code)
    if known.elsewhere.waiting and known.judgeable:
        since = min(min(late) for late in known.elsewhere.waiting.values())
        recent = periods.before(known.ended, since)
        begin = recent[0].first if recent else known.ended[0].first
        found |= absence.seen_at(connection, known.code, known.elsewhere.waiting, since=begin)
    return found


def _silent_since(known: Known) -> date:
    """A unit whose last tap in the judgeable periods is as late as this cannot have missed enough of them."""
    judgeable_ones = known.ended[: known.judgeable]
    watch = min((period.absence.watch for period in judgeable_ones), default=1)
    return judgeable_ones[-watch].first if len(judgeable_ones) >= watch else date.min


def _taps(seen: Sequence[Seen]) -> list[Tap]:
    return [Tap(each.day, each.first, each.last, each.device) for each in seen]


def _bounds(row: LastTaps) -> list[Tap]:
    """Of a unit whose taps are certain, the two that decide: the last in a judgeable period, and the last of all."""
    return [Tap.on(day) for day in (row.upto, row.last) if day is not None]


def _conclude(known: Known, unit: str, household: Household, taps: Sequence[Tap], flag: Stands | None) -> Conclusion:
    upto = known.judgeable_for(taps)
    end = max(upto, _kept(known, flag))
    begin = _begin(known, taps, end, flag)
    judged = known.judged(household, taps, begin, end)
    case = Case(household, known.today, judged, upto, taps, known.told.get(unit, frozenset()))
    return run.conclude(case, flag)


def _kept(known: Known, flag: Stands | None) -> int:
    """How many periods a flag that stands was judged by: what was said of them stands until their verdict changes."""
    last = run.last_judged(flag) if flag is not None else None
    return sum(period.last <= last for period in known.ended) if last is not None else 0


def _begin(known: Known, taps: Sequence[Tap], end: int, flag: Stands | None) -> int:
    """The first period that matters: after the last satisfied one, or the one before a flag's run began."""
    least = sum(period.first < known.today - HORIZON for period in known.ended)
    until = end
    if flag is not None and (flag.is_open or flag.is_held):
        began = date.fromisoformat(flag.run)
        until = sum(period.last < began for period in known.ended)
    while until > least and not verdicts.is_satisfied(known.ended[until - 1], taps):
        until -= 1
    return until


def _finding(known: Known, unit: str, due: Due, taps: Sequence[Tap], flag: Stands | None) -> Finding:
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
        was_watched=due.was_watched,
        is_held=flag is not None and flag.is_held,
    )


def _over(taps: Sequence[Tap]) -> dict[str, object]:
    """What is known at the end: the last day with a tap."""
    last = max((tap.day for tap in taps if tap.day is not None), default=None)
    return {"last_tap": last.isoformat() if last is not None else None}


# ---- holders ---------------------------------------------------------------------------------------------------------


def holders(connection: Connection, known: Known) -> Findings:
    """Whose own card is absent though the household taps."""
    last_own = absence.last_own_taps(connection, known.code)
    taps = {unit: _taps(seen) for unit, seen in absence.taps(connection, last_own).items()}
    found: list[Finding] = []
    for unit, household in absence.households(connection, last_own).items():
        judgeable = known.ended[: known.judgeable_for(taps[unit])]
        about = Holder(unit, known.code, household, taps[unit], last_own[unit])
        finding = holder.absent(about, judgeable, partial(known.untapped, household=household), known.today)
        if finding is not None:
            found.append(finding)
    return Findings(tuple(found), complete=frozenset({(Kind.HOLDER_ABSENT, known.code)}))
