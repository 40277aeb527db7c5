"""Many unknown cards at one machine within an hour: a reader that misreads, or somebody who tries cards. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from cloud import days
from cloud.alerts.findings import CITY, Finding
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policy
from cloud.records.card_facts import Crowd

Feast = tuple[str, date, date]
"""Scope, first and last day."""


def unknown_card(
    hours: Iterable[Crowd], estates: Mapping[str, str], lebaran: Sequence[Feast], *, policy: Policy
) -> Iterator[Finding]:
    """Machines with hours of many unknown cards. After Lebaran a wave of them is normal, and nothing is said."""
    found: dict[str, list[Crowd]] = {}
    for hour in hours:
        estate = estates.get(hour.device)
        is_many = hour.unknown > policy.cards.unknown_per_hour
        if estate is not None and is_many and not _is_feast(days.day_of(hour.hour_ms), estate, lebaran, policy):
            found.setdefault(hour.device, []).append(hour)
    for device, those in found.items():
        evidence = {
            "hours": len(those),
            "most": max(hour.unknown for hour in those),
            "last_hour_ms": max(hour.hour_ms for hour in those),
        }
        yield Finding(Kind.UNKNOWN_CARD, device, estates[device], min(hour.hour_ms for hour in those), evidence)


def _is_feast(day: date, estate: str, lebaran: Iterable[Feast], policy: Policy) -> bool:
    after = timedelta(days=policy.after.lebaran_after_d)
    return any(scope in (CITY, estate) and first <= day <= last + after for scope, first, last in lebaran)
