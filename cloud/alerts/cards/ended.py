"""Taps of cards that were lost or stolen long before. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from cloud import days
from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policy
from cloud.records.card_facts import Revoked


def revoked_card(taps: Iterable[Revoked], *, policy: Policy) -> Iterator[Finding]:
    """Cards tapped when they had been lost or stolen for longer than it takes to say so."""
    margin_ms = policy.cards.revoked_h * days.HOUR
    found: dict[str, list[Revoked]] = {}
    for tap in taps:
        if tap.at_ms - days.starts(tap.valid_to + timedelta(days=1)) >= margin_ms:
            found.setdefault(tap.card, []).append(tap)
    for card, those in found.items():
        last = max(those, key=lambda tap: tap.at_ms)
        evidence = {
            "taps": len({tap.at_ms for tap in those}),
            "ended_because": last.because,
            "ended": last.valid_to.isoformat(),
            "last_day": days.day_of(last.at_ms).isoformat(),
        }
        yield Finding(Kind.REVOKED_CARD, card, last.estate, min(tap.at_ms for tap in those), evidence)
