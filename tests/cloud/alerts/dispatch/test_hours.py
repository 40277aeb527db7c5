"""When somebody may be disturbed. All times in WIB."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.alerts import policy
from cloud.alerts.dispatch.hours import Hours
from cloud.alerts.kinds import Severity

WIB = timezone(timedelta(hours=7))
P1, P2, P3, P4 = Severity


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=WIB).timestamp() * 1000)


def shown(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(WIB).strftime("%Y-%m-%d %H:%M")


RAMADAN = """
[quiet]
ramadan_days = [[2026-02-19, 2026-03-20]]
[estate.DMG.quiet]
p2 = "22:00-05:00"
office = "Mon-Sat 09:00-17:00"
"""
HOURS = Hours(
    policy.parse(RAMADAN),
    {"*": [(date(2026, 5, 14), date(2026, 5, 15))], "MRD": [(date(2026, 5, 12), date(2026, 5, 12))]},
)

CASES = [
    ("P1 at night", P1, "2026-05-12 02:00", "", "2026-05-12 02:00"),
    ("P2 by day", P2, "2026-05-12 19:59", "", "2026-05-12 19:59"),
    ("P2 as the night begins", P2, "2026-05-12 20:00", "", "2026-05-13 06:00"),
    ("P2 before midnight", P2, "2026-05-12 23:59", "", "2026-05-13 06:00"),
    ("P2 at midnight", P2, "2026-05-13 00:00", "", "2026-05-13 06:00"),
    ("P2 a minute before the end", P2, "2026-05-13 05:59", "", "2026-05-13 06:00"),
    ("P2 as the night ends", P2, "2026-05-13 06:00", "", "2026-05-13 06:00"),
    ("P2 at an estate with hours of its own", P2, "2026-05-12 20:30", "DMG", "2026-05-12 20:30"),
    ("P2 in the night of that estate", P2, "2026-05-12 22:30", "DMG", "2026-05-13 05:00"),
    ("P3 in the office", P3, "2026-05-12 10:00", "", "2026-05-12 10:00"),
    ("P3 before it opens", P3, "2026-05-12 07:59", "", "2026-05-12 08:00"),
    ("P3 as it closes", P3, "2026-05-12 16:00", "", "2026-05-13 08:00"),
    ("P3 on a closed day of that estate", P3, "2026-05-12 10:00", "MRD", "2026-05-13 08:00"),
    ("P3 before two holidays and a weekend", P3, "2026-05-13 17:00", "", "2026-05-18 08:00"),
    ("P3 on Friday before the pause", P3, "2026-05-08 11:29", "", "2026-05-08 11:29"),
    ("P3 in the pause on Friday", P3, "2026-05-08 11:30", "", "2026-05-08 13:00"),
    ("P3 on Friday as the pause ends", P3, "2026-05-08 13:00", "", "2026-05-08 13:00"),
    ("P3 at that time on a Thursday", P3, "2026-05-07 11:30", "", "2026-05-07 11:30"),
    ("P3 in Ramadan after three", P3, "2026-02-19 15:00", "", "2026-02-20 08:00"),
    ("P3 after Ramadan after three", P3, "2026-03-23 15:00", "", "2026-03-23 15:00"),
    ("P3 on a Saturday", P3, "2026-05-09 10:00", "", "2026-05-11 08:00"),
    ("P3 on a Saturday of an estate that is open", P3, "2026-05-09 10:00", "DMG", "2026-05-09 10:00"),
]


@pytest.mark.parametrize(
    ("severity", "now", "estate", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_when_somebody_may_be_disturbed(severity: Severity, now: str, estate: str, expected: str) -> None:
    assert shown(HOURS.may_speak(severity, ms(now), estate=estate)) == expected


def test_an_office_that_never_opens_swallows_nothing() -> None:
    closed = Hours(policy.shipped(), {"*": [(date(2026, 1, 1), date(2026, 12, 31))]})
    now_ms = ms("2026-05-12 10:00")
    assert closed.may_speak(P3, now_ms) == now_ms


@given(st.sampled_from(list(Severity)), st.integers(0, 400 * 24 * 60), st.sampled_from(["", "DMG", "MRD"]))
def test_it_is_never_earlier_and_then_it_is_allowed(severity: Severity, minutes: int, estate: str) -> None:
    now_ms = ms("2026-01-01 00:00") + minutes * 60_000
    at_ms = HOURS.may_speak(severity, now_ms, estate=estate)
    assert at_ms >= now_ms
    assert HOURS.may_speak(severity, at_ms, estate=estate) == at_ms


def test_hours_that_cannot_be_read_stop_the_start() -> None:
    with pytest.raises(policy.BadPolicy, match=r"quiet\.office"):
        policy.parse('[quiet]\noffice = "nine to five"')
    with pytest.raises(policy.BadPolicy, match=r"quiet\.friday"):
        policy.parse('[quiet]\nfriday = "25:00-26:00"')
