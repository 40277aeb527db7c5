"""Facts of notices as the dispatch writes them."""

from typing import Any

import pytest

from cloud.alerts.kinds import NATURE, About, Kind

SINCE_MS = 1_778_551_920_000  # 12 Mei 2026 09.12 WIB
HOUR_MS = 3_600_000
UNIT = "PSK/B/03/12"

EVIDENCE: dict[Kind, dict[str, Any]] = {
    Kind.DEVICE_OFFLINE: {"cause": "listrik", "uptime_s": 95},
    Kind.WIDE_OUTAGE: {"machines": [f"PSK-{n:02}" for n in range(17)], "estates": ["PSK", "DMG", "MRD"]},
    Kind.CRL_EXPIRING: {"expires_ms": SINCE_MS + 9 * 24 * HOUR_MS, "warn_d": 10},
    Kind.NOTIFY_FAILING: {"channels": ["telegram"], "waiting": 4},
    Kind.UNIT_NO_TAPS: {
        "missed_periods": 3,
        "days_counted": 38,
        "days_not_counted": {"calendar": 5, "machine": 4},
    },
}


def facts_of(kind: Kind, what: str, **more: Any) -> dict[str, Any]:
    about = NATURE[kind].about
    found = {
        "kind": kind.value,
        "what": what,
        "flag": "FLG-26-00417",
        "severity": NATURE[kind].severity.value,
        "estate": "" if about is About.CITY else "PSK",
        "estate_name": "" if about is About.CITY or kind is Kind.DEVICE_UNKNOWN else "Pesakih",
        "machines": 1,
        "since_ms": SINCE_MS,
        "at_ms": SINCE_MS + 3 * HOUR_MS + 25 * 60_000,
        "evidence": EVIDENCE.get(kind, {}),
    }
    if about is About.DEVICE:
        found["device"] = "PSK-02"
    if about is About.UNIT:
        found["unit"] = UNIT
    if what == "handled":
        found |= {"by": "tek-03", "until_ms": SINCE_MS + 72 * HOUR_MS}
    return found | more


@pytest.fixture(name="facts_of")
def _facts_of() -> Any:
    return facts_of


@pytest.fixture
def line() -> Any:
    """A line of a digest, as `dispatch.digests` writes it."""
    return lambda state, kind, what: {"state": state, "facts": facts_of(kind, what)}
