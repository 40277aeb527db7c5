"""When somebody may be disturbed: P1 at any hour, P2 not at night, P3 while the offices are open. Local time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from cloud import days
from cloud.alerts.kinds import Severity
from cloud.alerts.policy import Policies, Quiet
from cloud.days import jakarta
from cloud.days.jakarta import DaySpan, Span

_FRIDAY: Final = 4
_HORIZON_DAYS: Final = 60
EVERYWHERE: Final = "*"


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of the offices, as the policy and the calendar have them."""

    policies: Policies
    closed: Mapping[str, Sequence[DaySpan]] = field(default_factory=dict)
    """Days on which nobody works, by estate; `*` = nowhere."""

    def may_speak(self, severity: Severity, now_ms: int, *, estate: str = "") -> int:
        """The first instant from *now_ms* on at which something so urgent may disturb somebody of *estate*."""
        if severity is Severity.P1:
            return now_ms
        if severity is Severity.P2:
            return self._after_the_night(now_ms, estate)
        return self._in_the_office(now_ms, estate)

    def office(self, day: date, estate: str = "") -> list[Span]:
        """When the offices of *estate* are open on *day*."""
        if jakarta.covers((*self.closed.get(EVERYWHERE, ()), *self.closed.get(estate, ())), day):
            return []
        quiet = self._quiet(day, estate)
        text = quiet.ramadan if jakarta.covers(quiet.ramadan_days, day) else quiet.office
        open_ = days.ServiceHours.parse(text).windows(day)
        if day.weekday() != _FRIDAY:
            return open_
        return _without(open_, _daily(quiet.friday).windows(day))

    def _in_the_office(self, now_ms: int, estate: str) -> int:
        today = jakarta.day_of(now_ms)
        for number in range(_HORIZON_DAYS):
            for begin, end in self.office(today + timedelta(days=number), estate):
                if now_ms < end:
                    return max(now_ms, begin)
        return now_ms  # an office that never opens must not swallow what it is told

    def _after_the_night(self, now_ms: int, estate: str) -> int:
        today = jakarta.day_of(now_ms)
        nights = _daily(self._quiet(today, estate).p2)
        spans = jakarta.merged(span for number in (-1, 0, 1) for span in nights.windows(today + timedelta(days=number)))
        return next((end for begin, end in spans if begin <= now_ms < end), now_ms)

    def _quiet(self, day: date, estate: str) -> Quiet:
        return self.policies.at(day, estate).quiet


def last_at(now_ms: int, *, hour: int, minute: int) -> int:
    """The last instant at or before *now_ms* at which the clock in Jakarta showed this."""
    at = jakarta.starts(jakarta.day_of(now_ms)) + hour * jakarta.HOUR + minute * jakarta.MINUTE
    return at if at <= now_ms else at - jakarta.DAY


def _daily(text: str) -> days.ServiceHours:
    return days.ServiceHours.parse(f"Mon-Sun {text}")


def _without(spans: Sequence[Span], pauses: Sequence[Span]) -> list[Span]:
    for pause in pauses:
        spans = [
            part for span in spans for part in ((span[0], min(span[1], pause[0])), (max(span[0], pause[1]), span[1]))
        ]
    return [(begin, end) for begin, end in spans if begin < end]
