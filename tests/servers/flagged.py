"""Findings by hand, and the course of flags they make, step by step as the evaluator takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cloud.alerts import policy
from cloud.alerts.findings import Ended, Finding, Findings
from cloud.alerts.flags.flag import Flag, Handling
from cloud.alerts.flags.hushes import Quietly, Silence
from cloud.alerts.flags.stepping import Moment, Step, step
from cloud.alerts.kinds import Ending, Kind, Level, Severity
from cloud.days import DAY, MINUTE

NOW = 1_780_000_000_000
UNIT = "DMG/B/03/12"
DEVICE = "DMG-01"
LIVE = policy.parse('[shadow]\nkinds = ["HOLDER_ABSENT"]')


def missed(level: Level = Level.OPEN, *, is_held: bool = False, run: str = "r1") -> Finding:
    return Finding(
        Kind.UNIT_NO_TAPS, UNIT, "DMG", NOW - DAY, {"missed_periods": 3}, level=level, run=run, is_held=is_held
    )


def offline(severity: Severity | None = None) -> Finding:
    return Finding(Kind.DEVICE_OFFLINE, DEVICE, "DMG", NOW - DAY, {"heard_ms": 1}, severity)


def of_kind(kind: Kind, subject: str = DEVICE, estate: str = "DMG") -> Finding:
    return Finding(kind, subject, estate, NOW - DAY)


def ended(how: Ending, kind: Kind = Kind.UNIT_NO_TAPS, subject: str = UNIT) -> Ended:
    return Ended(kind, subject, how, {"reason": "tap"})


JUDGED = frozenset({(Kind.DEVICE_OFFLINE, ""), (Kind.ESTATE_OFFLINE, ""), (Kind.UNIT_NO_TAPS, "DMG")})


@dataclass
class Course:
    """Steps one after another, as the evaluator makes them."""

    quietly: Quietly = field(default_factory=lambda: Quietly(LIVE))
    is_replay: bool = False
    flags: dict[int, Flag] = field(default_factory=dict)

    def step(
        self,
        *standing: Finding,
        ended: Sequence[Ended] = (),
        minutes: float = 0,
        complete: frozenset[tuple[Kind, str]] = frozenset(),
        kinds: frozenset[Kind] = frozenset(Kind),
    ) -> list[Step]:
        now_ms = NOW + round(minutes * MINUTE)
        moment = Moment(now_ms, self.quietly, self.is_replay, kinds)
        steps = step(list(self.flags.values()), Findings(standing, tuple(ended), complete), moment)
        for each in steps:
            flag_id = each.flag.flag_id or len(self.flags) + 1
            number = each.flag.number or (f"FLG-26-{flag_id:05}" if each.flag.opened_ms is not None else None)
            self.flags[flag_id] = replace(each.flag, flag_id=flag_id, number=number)
        return steps

    def said(self, *standing: Finding, **more: object) -> list[str]:
        return [str(what) for each in self.step(*standing, **more) for what in each.changes]  # type: ignore[arg-type]

    @property
    def last(self) -> Flag:
        return self.flags[max(self.flags)]


SILENCE = Silence(NOW, NOW + 60 * MINUTE, "maintenance", "budi", kind=Kind.DEVICE_OFFLINE, estate="DMG")


def acknowledged(course: Course, *, until: float) -> None:
    flag = course.last
    course.flags[flag.flag_id] = replace(
        flag, handling=Handling.ACKNOWLEDGED, owner="budi", acknowledged_until_ms=NOW + round(until * MINUTE)
    )
