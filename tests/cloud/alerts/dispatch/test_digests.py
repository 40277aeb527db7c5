"""Digests: when their time has come, and what is in them. All times in WIB."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from cloud.alerts.dispatch import digests
from cloud.alerts.dispatch.digests import Span
from cloud.alerts.dispatch.facts import Place
from cloud.alerts.flags.flag import Condition, Flag, Hush
from cloud.alerts.kinds import NATURE, Kind
from cloud.records.people import Duty, Person, Role

WIB = timezone(timedelta(hours=7))
PLACES = {"PSK": Place("PSK", "Pesakih", 1), "DMG": Place("DMG", "Daan Mogot", 2)}
PEOPLE = [
    Person("uprs", "", frozenset({Duty(Role.UPRS, "PSK"), Duty(Role.UPRS_HEAD, "PSK")})),
    Person("noc", "", frozenset({Duty(Role.NOC)})),
    Person("dinas", "", frozenset({Duty(Role.DEPARTMENT)})),
    Person("tek", "", frozenset({Duty(Role.TECHNICIAN)})),
]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=WIB).timestamp() * 1000)


def flag(kind: Kind, opened: str, ended: str | None = None, **more) -> Flag:
    values = {"opened_ms": ms(opened), "ended_ms": ms(ended) if ended else None, "number": "FLG-26-00001"}
    condition = Condition.CLOSED if ended else Condition.OPEN
    subject = "PSK/B/03/12" if NATURE[kind].is_about_people else "PSK-01"
    plain = Flag(kind, subject, "PSK", "", ms(opened), ms(opened), NATURE[kind].severity, condition=condition)
    return replace(plain, **(values | more))


TUESDAY = "2026-05-12 07:30"
NIGHT_FAULT = flag(Kind.DEVICE_OFFLINE, "2026-05-11 21:15", "2026-05-12 05:00")


def due(written: str, now: str) -> list[str]:
    return [str(window.span) for window in digests.due(ms(written), ms(now))]


@pytest.mark.parametrize(
    ("written", "now", "spans"),
    [
        ("2026-05-11 07:30", "2026-05-12 07:29", []),
        ("2026-05-11 07:30", "2026-05-12 07:30", ["daily"]),
        ("2026-05-12 07:30", "2026-05-12 23:59", []),
        ("2026-05-17 07:30", "2026-05-18 07:30", ["daily", "weekly"]),
        ("2026-05-31 07:30", "2026-06-01 07:30", ["daily", "weekly", "monthly"]),
        ("2026-05-15 07:30", "2026-05-20 12:00", ["daily", "weekly"]),
    ],
)
def test_their_time_comes_at_half_past_seven(written: str, now: str, spans: list[str]) -> None:
    assert due(written, now) == spans


def planned(*flags: Flag, now: str = TUESDAY, span: Span = Span.DAILY):
    windows = [window for window in digests.latest(ms(now)) if window.span is span]
    return {draft.person: draft for draft in digests.plan(windows, flags, PEOPLE, PLACES)}


def test_what_nobody_was_told_at_night_is_in_the_digest() -> None:
    """S16."""
    (line,) = planned(NIGHT_FAULT)["uprs"].facts["lines"]
    assert (line["state"], line["facts"]["what"], line["facts"]["at_ms"]) == ("ended", "closed", ms("2026-05-12 05:00"))


def test_a_day_without_news_has_no_digest() -> None:
    assert planned() == {}
    assert planned(flag(Kind.DEVICE_OFFLINE, "2026-05-09 10:00", "2026-05-10 11:00")) == {}


def test_a_quiet_week_is_reported() -> None:
    assert set(planned(now="2026-05-18 07:30", span=Span.WEEKLY)) == {"uprs", "noc"}


def test_hushed_flags_are_in_no_digest() -> None:
    assert planned(replace(NIGHT_FAULT, hushed={Hush.SHADOW: "its rule is in shadow mode"})) == {}


def test_p4_is_in_the_weekly_one_alone() -> None:
    unregistered = flag(Kind.UNIT_UNREGISTERED, "2026-05-11 10:00")
    assert planned(unregistered) == {}
    (line,) = planned(unregistered, now="2026-05-18 07:30", span=Span.WEEKLY)["uprs"].facts["lines"]
    assert line["facts"]["unit"] == "PSK/B/03/12"


@pytest.mark.parametrize("span", [Span.WEEKLY, Span.MONTHLY])
def test_who_reads_of_the_whole_city_reads_no_unit(span: Span) -> None:
    drafts = planned(flag(Kind.UNIT_NO_TAPS, "2026-05-29 10:00"), NIGHT_FAULT, now="2026-06-01 07:30", span=span)
    readers = {"noc"} if span is Span.WEEKLY else {"dinas"}
    for reader in readers:
        assert "PSK/B" not in str(drafts[reader].facts)
        assert "lines" not in drafts[reader].facts


def test_a_month_counts_what_was_taken_back() -> None:
    wrong = flag(Kind.UNIT_NO_TAPS, "2026-05-20 10:00", "2026-05-21 10:00", condition=Condition.RETRACTED)
    drafts = planned(wrong, now="2026-06-01 07:30", span=Span.MONTHLY)
    assert drafts["dinas"].facts["counts"] == {"UNIT_NO_TAPS": {"ended": 1, "retracted": 1}}


def test_a_digest_is_said_once_and_best_by_mail() -> None:
    draft = planned(NIGHT_FAULT)["uprs"]
    assert (draft.key, draft.by, draft.due_ms) == ("digest:daily:2026-05-12:PSK:uprs", "smtp", ms(TUESDAY))


def test_ended_comes_first_then_new_then_what_is_still_open() -> None:
    flags = [
        flag(Kind.CLOCK_SKEW, "2026-05-01 10:00"),
        flag(Kind.UNIT_NO_TAPS, "2026-05-11 10:00"),
        NIGHT_FAULT,
        flag(Kind.DEVICE_OFFLINE, "2026-05-12 08:00"),
    ]
    assert [line["state"] for line in planned(*flags)["uprs"].facts["lines"]] == ["ended", "new", "open"]
