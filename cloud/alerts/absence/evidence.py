"""What a finding rests on, as plain JSON: enough for a resident, an official or a judge to recount it by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final

from cloud.alerts.absence.run import Run
from cloud.alerts.absence.verdicts import Judged, Tap
from cloud.days import Reason

RULE: Final = "absence/1"
"""The words of the absence clock these rules follow; another reading of them is another number."""


def of_run(run: Run, *, taps: Sequence[Tap] = (), elsewhere: Sequence[str] = ()) -> dict[str, object]:
    """Of a run: its periods, and each of their days. *elsewhere*: machines that still hold something of it."""
    reasons: Counter[Reason] = Counter()
    for each in run.judged:
        reasons += each.not_counted
    return {
        "missed_periods": len(run.missed),
        "periods": [_period(each) for each in run.judged],
        "days_counted": sum(each.counted for each in run.judged),
        "days_not_counted": {str(reason): reasons[reason] for reason in Reason if reasons[reason]},
        "days": [
            _day(day, reason) for each in run.judged for day, reason in zip(each.period.days, each.reasons, strict=True)
        ],
        "last_tap": _last(taps, run.first),
        "machines_elsewhere_incomplete": list(elsewhere),
        "rule": RULE,
        "policy": run.missed[-1].period.policy.version,
    }


def _period(judged: Judged) -> dict[str, object]:
    return {
        "from": judged.period.first.isoformat(),
        "to": judged.period.last.isoformat(),
        "counted": judged.counted,
        "verdict": str(judged.verdict),
    }


def _day(day: date, reason: Reason | None) -> list[str]:
    """A day of a run is absent or not counted: a tap on it would have satisfied its period."""
    return [day.isoformat(), "absent" if reason is None else str(reason)]


def _last(taps: Sequence[Tap], before: date) -> str | None:
    """The last day before the run on which the household may have tapped."""
    last = max((tap.last for tap in taps if tap.last < before), default=None)
    return last.isoformat() if last is not None else None
