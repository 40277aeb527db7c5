"""What keeps a flag from being told: silences, shadow mode, an estate's first periods, a unit found inhabited. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cloud.alerts.flags.flag import Flag, Hush
from cloud.alerts.kinds import NATURE, About, Group
from cloud.alerts.policy import Policies
from cloud.days import DAY, day_of, starts


@dataclass(frozen=True, slots=True)
class Silence:
    """Asked for by a person, for a while: empty kind, estate or subject = any."""

    from_ms: int
    until_ms: int
    reason: str
    author: str
    kind: str = ""
    estate: str = ""
    subject: str = ""

    def covers(self, flag: Flag, now_ms: int) -> bool:
        """Whether *flag* is to be silent at *now_ms*."""
        asked = ((self.kind, flag.kind), (self.estate, flag.estate), (self.subject, flag.subject))
        return self.from_ms <= now_ms < self.until_ms and all(not want or want == have for want, have in asked)


@dataclass(frozen=True, slots=True)
class Quietly:
    """What an evaluation knows of who is not to be told."""

    policies: Policies
    silences: tuple[Silence, ...] = ()
    spoken_from: Mapping[str, int] = field(default_factory=dict)
    """Per estate: until this instant flags about people are told to nobody (its first periods)."""
    inhabited: Mapping[str, int] = field(default_factory=dict)
    """Per unit: when it was last found inhabited."""

    def hushes(self, flag: Flag, now_ms: int) -> dict[Hush, str]:
        """By what *flag* is hushed at *now_ms*, but for inhibition and the mass gate."""
        found = {
            Hush.SHADOW: flag.hushed.get(Hush.SHADOW) if flag.is_open else self._shadow(flag, now_ms),
            Hush.SILENCE: next((_said(each) for each in self.silences if each.covers(flag, now_ms)), None),
            Hush.VERIFIED: self._verified(flag, now_ms),
        }
        return {hush: reason for hush, reason in found.items() if reason is not None}

    def _shadow(self, flag: Flag, now_ms: int) -> str | None:
        if flag.kind in self.policies.at(day_of(now_ms), flag.estate).shadow.kinds:
            return "the rule is in shadow mode"
        is_new = NATURE[flag.kind].is_about_people and now_ms < self.spoken_from.get(flag.estate, now_ms)
        return "the estate's first periods" if is_new else None

    def _verified(self, flag: Flag, now_ms: int) -> str | None:
        found_ms = self.inhabited.get(flag.subject)
        nature = NATURE[flag.kind]
        if found_ms is None or nature.about is not About.UNIT or nature.group is not Group.OCCUPANCY:
            return None
        off_d = self.policies.at(day_of(now_ms), flag.estate).after.verified_off_d
        return f"found inhabited on {day_of(found_ms)}" if now_ms < found_ms + off_d * DAY else None


def _said(silence: Silence) -> str:
    return f"until {day_of(silence.until_ms)}, by {silence.author}: {silence.reason}"


def first_periods_end(policies: Policies, estate: str, go_live_ms: int) -> int:
    """When the first `shadow_periods` periods of an estate are over; each has the length in force when it begins."""
    day = day_of(go_live_ms)
    for _ in range(policies.at(day, estate).after.shadow_periods):
        day += timedelta(days=policies.at(day, estate).absence.period_days)
    return starts(day)
