"""The text of a digest: for an estate what ended, what is new, what is still open; for the city counts alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from cloud.alerts.channels import Text
from cloud.alerts.texts import wording

Facts = Mapping[str, Any]  # Any: JSON

TITLES: Final = {"daily": "Laporan harian", "weekly": "Laporan mingguan", "monthly": "Laporan bulanan"}
STATES: Final = {"ended": "Selesai", "new": "Baru", "open": "Masih terbuka"}
NO_PROOF: Final = "Permintaan klarifikasi bukan bukti pelanggaran; keputusan ada pada petugas."


def compose(facts: Facts, *, headline: Callable[[Facts], str], link: str) -> Text:
    """The text of one digest; *headline* gives the first line of a flag."""
    day = date.fromisoformat(facts["day"])
    title = f"[Hadir] {TITLES[facts['span']]} {_place(facts)}, {_when(facts['span'], day)}: {_summary(facts['counts'])}"
    if "lines" in facts:
        lines = [f"{STATES[line['state']]}: {headline(line['facts'])}" for line in facts["lines"]]
    else:
        lines = [_count(kind, of_kind) for kind, of_kind in facts["counts"].items()]
    closing = NO_PROOF if _is_about_people(facts["counts"]) else ""
    return Text(title, lines=tuple(lines), closing=closing, link=link)


def _place(facts: Facts) -> str:
    if "estate" in facts:
        return wording.rusun(facts["estate_name"])
    return f"{wording.number(facts['estates'])} rusun"


def _when(span: str, day: date) -> str:
    if span == "daily":
        return wording.weekday(day)
    if span == "weekly":
        return f"{wording.day(day - timedelta(days=7))} sampai {wording.day(day - timedelta(days=1))}"
    return wording.month(day - timedelta(days=1))


def _summary(counts: Mapping[str, Mapping[str, int]]) -> str:
    parts = [
        f"{wording.number(total)} {STATES[state].lower()}"
        for state in ("new", "ended", "open")
        if (total := sum(of_kind.get(state, 0) for of_kind in counts.values()))
    ]
    return ", ".join(parts) or "tidak ada kejadian"


def _count(kind: str, of_kind: Mapping[str, int]) -> str:
    parts = [
        f"{wording.number(of_kind[state])} {words}"
        for state, words in (*((state, each.lower()) for state, each in STATES.items()), ("retracted", "ditarik"))
        if of_kind.get(state)
    ]
    words = wording.KINDS.get(kind, kind)
    return f"{words[:1].upper()}{words[1:]}: {', '.join(parts)}"


def _is_about_people(counts: Mapping[str, object]) -> bool:
    return bool(counts.keys() & {"UNIT_NO_TAPS", "HOLDER_ABSENT", "PROXY_PATTERN", "CARD_TWO_ESTATES"})
