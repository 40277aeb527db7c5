"""A flag's evidence as an official reads it, in Indonesian: figures, periods, and every day of them. Pure.

What has no words of its own is shown under the name that it has in the records: nothing is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from cloud.alerts.findings import Evidence
from cloud.alerts.texts import wording

NAMES: Final[Mapping[str, str]] = {
    "rule": "Versi aturan",
    "policy": "Versi kebijakan",
    "cause": "Sebab",
    "heard": "Terakhir terdengar",
    "gone": "Berpamitan",
    "backlog": "Catatan tertahan",
    "uptime_s": "Menyala (detik)",
    "missed_periods": "Periode tanpa tap",
    "days_counted": "Hari terhitung",
    "days_not_counted": "Hari tidak dihitung",
    "last_tap": "Tap terakhir",
    "machines_elsewhere_incomplete": "Mesin lain yang datanya belum lengkap",
    "last": "Terakhir",
    "expected": "Tap yang diharapkan",
    "offset": "Selisih jam",
    "machines": "Mesin",
    "estates": "Rusun",
    "waiting": "Pesan tertahan",
    "channels": "Saluran",
    "complete": "Lengkap sampai",
}
VERDICTS: Final = {"missed": "tanpa tap", "void": "tidak dinilai", "satisfied": "ada tap"}
ABSENT: Final = "absent"
_APART: Final = ("periods", "days")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_FIRST_INSTANT: Final = 10**11
"""A number of this size is an instant in ms, not a length of time."""


def figures(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Everything but periods and days, by name; what is not known is left out."""
    for key, value in evidence.items():
        is_apart = key in _APART and isinstance(value, list)
        if not is_apart and value not in (None, [], {}):
            yield NAMES.get(key.removesuffix("_ms"), key), _shown(key, value)


def periods(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """From when to when, what came of it, how many days of it counted."""
    for each in _listed(evidence, "periods"):
        if isinstance(each, dict):
            span = f"{_day(each['from'])} – {_day(each['to'])}"
            yield span, VERDICTS.get(str(each["verdict"]), str(each["verdict"])), str(each["counted"])


def days(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Each day, and whether it counted as absent, or why it did not count."""
    for each in _listed(evidence, "days"):
        if isinstance(each, list) and len(each) == 2:
            yield _day(each[0]), "terhitung, tanpa tap" if each[1] == ABSENT else _reason(str(each[1]))


def _listed(evidence: Evidence, key: str) -> Sequence[object]:
    found = evidence.get(key)
    return found if isinstance(found, list) else ()


def _shown(key: str, value: object) -> str:
    if key.endswith("_ms") and isinstance(value, int) and value >= _FIRST_INSTANT:
        return wording.instant(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{_reason(str(name))} {each}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return _day(value) if isinstance(value, str) and _DATE.fullmatch(value) else str(value)


def _reason(reason: str) -> str:
    return wording.REASONS.get(reason, reason)


def _day(text: object) -> str:
    return wording.day(date.fromisoformat(str(text)))
