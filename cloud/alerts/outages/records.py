"""Records that do not come, and records of machines nobody knows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

from cloud import days
from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policy
from cloud.records.path_facts import Kept, Stranger

PolicyOf = Callable[[str], Policy]


def watermark_stuck(machines: Iterable[Kept], now_ms: int, *, policy: PolicyOf) -> Iterator[Finding]:
    """Machines whose record has long been incomplete while days wait for it: nobody there can be judged."""
    for each in machines:
        stuck_d = policy(each.estate).after.watermark_stuck_d
        last = days.day_of(now_ms - stuck_d * days.DAY) - timedelta(days=1)
        waiting = _waiting(each, last)
        if waiting:
            since_ms = each.complete_ms if each.complete_ms is not None else each.machine.stays[0].installed_ms
            evidence = {
                "complete_ms": each.complete_ms,
                "days_waiting": len(waiting),
                "first_day": waiting[0].isoformat(),
                "last_day": waiting[-1].isoformat(),
            }
            yield Finding(Kind.WATERMARK_STUCK, each.machine.device, each.estate, since_ms, evidence)


def _waiting(kept: Kept, last: date) -> list[date]:
    """The days up to *last* that wait for its record, in order."""
    stays = kept.machine.stays
    since_ms = max(kept.complete_ms or 0, min(stay.installed_ms for stay in stays))
    first = days.day_of(since_ms)
    those = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [day for day in those if not days.is_settled(kept.machine, kept.complete_ms, (day, day))]


def device_unknown(strangers: Iterable[Stranger], now_ms: int, *, policy: Policy) -> Iterator[Finding]:
    """Machines that speak and are installed nowhere. One just taken away may still send what it holds."""
    patience_ms = policy.path.unknown_device_h * days.HOUR
    for each in strangers:
        is_leaving = each.removed_ms is not None and now_ms - each.removed_ms <= patience_ms
        if now_ms - each.heard_ms <= patience_ms and not is_leaving:
            evidence = {"heard_ms": each.heard_ms, "stood_at": each.stood_at, "removed_ms": each.removed_ms}
            yield Finding(Kind.DEVICE_UNKNOWN, each.device, "", each.removed_ms or each.heard_ms, evidence)
