"""What the history is told at a minute, read from the records: flags, outages, closures, changes of policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from cloud import days
from cloud.alerts import points
from cloud.alerts.points import OUTAGES, Occasion
from cloud.alerts.policy import Policies
from cloud.records import Connection, closures, flags, registry, standing
from contract.series import Point

AGAIN_MS: Final = days.DAY
"""For so long an occasion that is over is written again: what a history missed meanwhile, it gets."""
EVERY_ESTATE: Final = "*"


def read(connection: Connection, policies: Policies, /, *, minute_ms: int) -> list[Point]:
    """The points of the minute that begins at *minute_ms*."""
    codes = [each.estate for each in registry.all_estates(connection)]
    occasions = [
        *_outages(connection, minute_ms),
        *_closures(connection, codes, minute_ms),
        *_policies(policies, codes, minute_ms),
    ]
    return [
        *points.flags(flags.tallies(connection), codes, minute_ms=minute_ms),
        *points.occasions(occasions, now_ms=minute_ms),
    ]


def _outages(connection: Connection, minute_ms: int) -> list[Occasion]:
    machines = Counter(each.estate for each in standing.installed_at(connection, minute_ms))
    those = flags.lasted(connection, kinds=list(OUTAGES), changed_since_ms=minute_ms - AGAIN_MS)
    return points.outages(those, machines)


def _closures(connection: Connection, codes: list[str], minute_ms: int) -> Iterator[Occasion]:
    today = days.day_of(minute_ms)
    for row in closures.meeting(connection, today - timedelta(days=1), today, known_by_ms=minute_ms):
        since_ms, until_ms = days.starts(row.first), days.starts(row.last + timedelta(days=1))
        for code in codes if row.scope == EVERY_ESTATE else [row.scope]:
            yield points.closure(code, row.kind, since_ms, until_ms)


def _policies(policies: Policies, codes: list[str], minute_ms: int) -> Iterator[Occasion]:
    for day in policies.changes():
        since_ms = days.starts(day)
        if since_ms <= minute_ms < since_ms + AGAIN_MS:
            yield from (points.policy(code, policies.at(day, code).version, since_ms) for code in codes)
