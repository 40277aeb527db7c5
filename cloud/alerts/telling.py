"""What changed becomes notices, in the transaction that wrote the change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from cloud.alerts import stored
from cloud.alerts.dispatch import digests, planning
from cloud.alerts.dispatch.facts import Place
from cloud.alerts.dispatch.hours import Hours
from cloud.alerts.dispatch.planning import Around
from cloud.alerts.flags.changes import Change
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policies
from cloud.records import Connection, marks, notices, people, registry, standing
from cloud.records import flags as flag_rows

DIGESTS_WRITTEN: Final = "digests_written"
"""A mark: the instant (ms) of the latest digest that was written."""


def tell(connection: Connection, policies: Policies, *, now_ms: int, changes: Sequence[Change]) -> None:
    """Write what *changes* make us say, and withdraw what they make untrue."""
    flags = {change.flag for change in changes if change.flag is not None}
    if not flags:
        return
    said = notices.of_flags(connection, flags)
    plan = planning.plan(changes, said, around(connection, policies, now_ms=now_ms), now_ms=now_ms)
    by_reason: defaultdict[str, list[int]] = defaultdict(list)
    for notice, because in plan.withdrawn.items():
        by_reason[because].append(notice)
    for because, ids in by_reason.items():
        notices.withdraw(connection, ids, because=because, now_ms=now_ms)
    notices.add(connection, plan.drafts, now_ms=now_ms)


def put_in_hand(connection: Connection, flag: str, *, by: str, until_ms: int, now_ms: int) -> None:
    """*by* (an opaque name) has *flag* in hand until then: no further rung is told before, and chats show it."""
    said = notices.of_flags(connection, [flag])
    known = by if people.named(connection, by) is not None else ""  # what else somebody calls himself may be his name
    notices.postpone(connection, planning.postponed(said), until_ms=until_ms)
    notices.add(connection, planning.handled(said, by=known, until_ms=until_ms, now_ms=now_ms), now_ms=now_ms)


def write_digests(connection: Connection, *, now_ms: int) -> None:
    """Write the digests whose time has come since the last ones; of each kind only the latest. The first call writes
    none: it only says from when on."""
    written_ms = marks.read(connection, DIGESTS_WRITTEN)
    windows = digests.due(written_ms, now_ms)
    if not written_ms:
        marks.put(connection, DIGESTS_WRITTEN, now_ms)
    if not windows or not written_ms:
        return
    first_ms = min(window.begin_ms for window in windows)
    rows = flag_rows.alive(connection) + flag_rows.ended_since(
        connection, first_ms, kinds=[kind.value for kind in Kind]
    )
    flags = [stored.flag(row) for row in rows]
    drafts = digests.plan(windows, flags, people.everybody(connection), places(connection, now_ms))
    notices.add(connection, drafts, now_ms=now_ms)
    marks.put(connection, DIGESTS_WRITTEN, max(window.end_ms for window in windows))


def around(connection: Connection, policies: Policies, *, now_ms: int) -> Around:
    """Who there is, where, and when they may be disturbed."""
    return Around(
        people.everybody(connection), Hours(policies, people.closed_days(connection)), places(connection, now_ms)
    )


def places(connection: Connection, now_ms: int) -> dict[str, Place]:
    """The estates by code, as texts name them."""
    machines: defaultdict[str, int] = defaultdict(int)
    for installation in standing.installed_at(connection, now_ms):
        machines[installation.estate] += 1
    return {
        each.estate: Place(each.estate, each.name, machines[each.estate]) for each in registry.all_estates(connection)
    }
