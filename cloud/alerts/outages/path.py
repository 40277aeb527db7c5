"""What all machines share: broker and ingest, the broker's revocation list, our own voice. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cloud import days
from cloud.alerts.findings import CITY, Finding
from cloud.alerts.kinds import Kind, Severity
from cloud.alerts.outages.situation import PathFacts, Situation

LAST_DAY_MS: Final = days.DAY
"""A revocation list that expires within a day refuses every machine tomorrow."""


def ingest_down(situation: Situation, path: PathFacts) -> Iterator[Finding]:
    """Nobody hears the machines, or what is said through the broker does not come back."""
    since = {"listening": situation.listening.until_ms or path.watching_since_ms, "canary": _last_sung(path)}
    patience_ms = situation.policy().path.ingest_down_min * days.MINUTE + path.slack_ms
    unheard = {
        name: at_ms for name, at_ms in since.items() if at_ms is not None and situation.now_ms - at_ms > patience_ms
    }
    if unheard:
        yield Finding(Kind.INGEST_DOWN, CITY, "", min(unheard.values()), {"unheard_since_ms": dict(unheard)})


def _last_sung(path: PathFacts) -> int | None:
    """When the canary was last known to be alive. Before it was first heard, since it began to sing."""
    if path.watching_since_ms is None:
        return None
    return max(path.watching_since_ms, path.canary_ms or 0)


def crl_expiring(situation: Situation, path: PathFacts) -> Iterator[Finding]:
    """The revocation list runs out: a broker whose list has expired refuses every machine."""
    expires_ms = path.crl_expires_ms
    warn_ms = situation.policy().path.crl_warn_d * days.DAY
    if expires_ms is not None and expires_ms - situation.now_ms < warn_ms:
        is_near = expires_ms - situation.now_ms < LAST_DAY_MS
        evidence = {"expires_ms": expires_ms, "warn_d": situation.policy().path.crl_warn_d}
        severity = Severity.P1 if is_near else None
        yield Finding(Kind.CRL_EXPIRING, CITY, "", expires_ms - warn_ms, evidence, severity=severity)


def notify_failing(situation: Situation, path: PathFacts) -> Iterator[Finding]:
    """What we say reaches nobody."""
    if path.failing is not None:
        failing = path.failing
        evidence = {"waiting": failing.waiting, "channels": list(failing.channels)}
        yield Finding(Kind.NOTIFY_FAILING, CITY, "", min(failing.since_ms, situation.now_ms), evidence)
