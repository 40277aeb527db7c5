"""Every text that is ever sent, as its reader gets it. Read tests/samples/texts as an official would.

HADIR_WRITE_SAMPLES=1 writes them anew: then read the difference before it is committed.
"""

import os
from pathlib import Path

import pytest

from cloud.alerts import texts
from cloud.alerts.kinds import Kind
from cloud.alerts.texts import Wording, templates

SAMPLES = Path(__file__).parents[3] / "samples" / "texts"
CONSOLE = "https://hadir.example"
CHAT, MAIL = Wording(True, CONSOLE), Wording(False, CONSOLE)
IN_GENERAL = ("worsened", "retracted", "superseded", "handled", "struck")

SPOKEN = [(kind, what) for kind in Kind for what in templates.blocks(kind.value)] + [
    (kind, what)
    for kind in (Kind.DEVICE_OFFLINE, Kind.UNIT_NO_TAPS)
    for what in IN_GENERAL
    if what not in templates.blocks(kind.value)
]


def check(name: str, shown: str) -> None:
    file = SAMPLES / f"{name}.txt"
    if os.environ.get("HADIR_WRITE_SAMPLES") == "1":
        file.write_text(shown, "utf-8")
    assert shown == file.read_text("utf-8"), f"read {file.name}, then write it anew"


def both(facts) -> str:
    chat, mail = texts.compose(facts, CHAT).plain(), texts.compose(facts, MAIL).plain()
    return f"{chat}\n" if chat == mail else f"{chat}\n\n-- surel --\n{mail}\n"


@pytest.mark.parametrize(("kind", "what"), SPOKEN, ids=[f"{kind}-{what}" for kind, what in SPOKEN])
def test_what_is_said(kind: Kind, what: str, facts_of) -> None:
    check(f"{kind}.{what}", both(facts_of(kind, what)))


def test_a_repeat_says_so_on_the_first_line(facts_of) -> None:
    again = Wording(True, CONSOLE, is_repeat=True)
    check("repeat", texts.compose(facts_of(Kind.DEVICE_OFFLINE, "opened"), again).plain() + "\n")


def test_where_several_machines_stand_the_machine_is_named(facts_of) -> None:
    check("several-machines", both(facts_of(Kind.DEVICE_OFFLINE, "opened", machines=3)))


def test_a_full_disk_is_said_more_urgently(facts_of) -> None:
    check("STORAGE_LOW.opened-P1", both(facts_of(Kind.STORAGE_LOW, "opened", severity="P1")))


def test_our_fault_comes_first_and_only_where_there_is_one(facts_of) -> None:
    evidence = {"missed_periods": 3, "days_counted": 38, "days_not_counted": {"calendar": 5}}
    check("UNIT_NO_TAPS.opened-no-fault-of-ours", both(facts_of(Kind.UNIT_NO_TAPS, "opened", evidence=evidence)))


def test_a_bundle_names_every_flag(facts_of) -> None:
    items = [facts_of(Kind.DEVICE_OFFLINE, "opened", flag=f"FLG-26-{n:05}", machines=4) for n in range(400, 409)]
    items.append(facts_of(Kind.UNIT_NO_TAPS, "opened"))
    check("bundle", f"{texts.bundle(items, CHAT).plain()}\n")


@pytest.mark.parametrize("what", ["address_lost", "test"])
def test_what_is_said_about_telling(what: str) -> None:
    facts = {"what": what, "person": "tek-03", "channel": "whatsapp", "severity": "P2", "at_ms": 1_778_551_920_000}
    check(f"system.{what}", both(facts))


@pytest.mark.parametrize("span", ["daily", "weekly"])
def test_the_digest_of_an_estate(span: str, line) -> None:
    lines = [
        line("ended", Kind.DEVICE_OFFLINE, "closed"),
        line("new", Kind.UNIT_NO_TAPS, "opened"),
        line("open", Kind.CLOCK_SKEW, "opened"),
    ]
    counts = {"DEVICE_OFFLINE": {"ended": 1}, "UNIT_NO_TAPS": {"new": 1}, "CLOCK_SKEW": {"open": 1}}
    facts = {"span": span, "estate": "PSK", "estate_name": "Pesakih", "day": "2026-05-11"}
    check(f"digest.{span}", both(facts | {"lines": lines, "counts": counts}))


def test_the_monthly_digest_counts_and_names_nobody() -> None:
    counts = {
        "UNIT_NO_TAPS": {"new": 1310, "ended": 1200, "retracted": 3, "open": 110},
        "DEVICE_OFFLINE": {"ended": 25},
    }
    facts = {"span": "monthly", "day": "2026-06-01", "estates": 23, "counts": counts}
    check("digest.monthly", both(facts))


def test_a_weekly_digest_without_news_says_that_nothing_happened() -> None:
    facts = {"span": "weekly", "day": "2026-05-11", "estates": 23, "counts": {}}
    check("digest.weekly-quiet", both(facts))


def test_the_page_of_a_mail(facts_of) -> None:
    check("mail", texts.letter(texts.compose(facts_of(Kind.UNIT_NO_TAPS, "opened"), MAIL)) + "\n")
    check("mail.html", texts.html(texts.compose(facts_of(Kind.UNIT_NO_TAPS, "opened"), MAIL)) + "\n")


def test_every_sample_is_still_said() -> None:
    known = {f"{kind}.{what}" for kind, what in SPOKEN}
    others = {"repeat", "several-machines", "bundle", "STORAGE_LOW.opened-P1", "UNIT_NO_TAPS.opened-no-fault-of-ours"}
    others |= {"system.address_lost", "system.test", "mail", "mail.html"}
    others |= {f"digest.{name}" for name in ("daily", "weekly", "monthly", "weekly-quiet")}
    assert {file.name.removesuffix(".txt") for file in SAMPLES.glob("*.txt")} == known | others
