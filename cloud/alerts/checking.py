"""Does a policy fit the registry? Names estates at which the absence clock could never count a period. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from cloud import days
from cloud.alerts.policy import Policies
from cloud.records.registry import Estate, Installation

PERIODS: Final = 7
"""So many periods are looked at: service hours repeat weekly, so seven of any length meet each weekday alike."""


class Obstacle(StrEnum):
    """Why no period of an estate can ever be missed, or why what the policy says of it is never used."""

    NO_MACHINE = "no_machine"
    NO_SERVICE = "no_service"
    """No day of the periods ahead has service hours."""
    BAD_HOURS = "bad_hours"
    """The service hours of a machine cannot be read."""
    EVERY_MINUTE = "every_minute"
    """A day counts only if its machine is able in every single minute: a restart is enough that it never does."""
    UNKNOWN_ESTATE = "unknown_estate"
    """The policy has an override for an estate that the registry does not know."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with the policy for one estate."""

    estate: str
    obstacle: Obstacle
    since: date
    """The day from which the policy that has it is in force (the day of the check, if it is already)."""


def troubles(
    policies: Policies, estates: Collection[Estate], installations: Sequence[Installation], *, today: date
) -> list[Trouble]:
    """What is wrong from *today* on, in every policy that is or will be in force, by day and estate."""
    known = {each.estate for each in estates}
    found: list[Trouble] = []
    for day in [today, *(day for day in policies.changes() if day > today)]:
        named = policies.overridden(day)
        found += [Trouble(code, Obstacle.UNKNOWN_ESTATE, day) for code in sorted(named - known)]
        for code in sorted(known):
            at_estate = [each for each in installations if each.estate == code]
            found += [Trouble(code, obstacle, day) for obstacle in _obstacles(policies, code, at_estate, day)]
    return found


def _obstacles(policies: Policies, code: str, installations: Sequence[Installation], day: date) -> Iterator[Obstacle]:
    now_ms = days.starts(day)
    standing = [each for each in installations if each.removed_ms is None or each.removed_ms > now_ms]
    if not standing:
        yield Obstacle.NO_MACHINE
        return
    absence = policies.at(day, code).absence
    try:
        hours = [days.ServiceHours.parse(each.service_hours) for each in standing]
    except days.BadServiceHours:
        yield Obstacle.BAD_HOURS
        return
    ahead = [day + timedelta(days=number) for number in range(PERIODS * absence.period_days)]
    if not any(each.windows(ahead_day) for each in hours for ahead_day in ahead):
        yield Obstacle.NO_SERVICE
    if absence.min_able_share == 1:
        yield Obstacle.EVERY_MINUTE
