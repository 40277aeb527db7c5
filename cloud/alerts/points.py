"""What the worker tells the history each minute: flags per estate and kind, estates' events, its own stage. Pure.

Nothing here names a unit, a card or a machine; flags about people are only counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cloud.alerts.kinds import Kind
from cloud.records.flags import Lasted, Tally
from contract import series
from contract.series import Point

NS: Final = 10**6
"""Nanoseconds of a millisecond."""
EVERYWHERE: Final = "KOTA"
"""The estate tag of what is about no single estate."""
USUAL: Final = (Kind.DEVICE_OFFLINE, Kind.UNIT_NO_TAPS)
"""Kinds that have a row even where there never was a flag: no row would mean that nobody looked."""
OUTAGES: Final[Mapping[Kind, str]] = {
    Kind.ESTATE_OFFLINE: "Semua mesin rusun luring",
    Kind.DEVICE_OFFLINE: "Mesin rusun luring",
}
"""Flags that are an outage of their estate. One of a machine is, where no other machine stands."""
_CLOSURES: Final[Mapping[str, str]] = {
    "holiday": "Hari libur",
    "lebaran": "Lebaran",
    "flood": "Banjir",
    "closure": "Rusun atau kantor ditutup",
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that happened at an estate; `until_ms` None = it still lasts."""

    estate: str
    kind: str
    text: str
    since_ms: int
    until_ms: int | None


def flags(tallies: Iterable[Tally], estates: Iterable[str], *, minute_ms: int) -> list[Point]:
    """One row per estate and kind of which there ever was a flag; of the usual kinds at every estate."""
    known = {(each.estate, each.kind): each for each in tallies}
    usual = {(code, str(kind)): Tally(code, kind) for code in estates for kind in USUAL}
    return [_flag(tally, minute_ms) for _, tally in sorted({**usual, **known}.items())]


def _flag(tally: Tally, minute_ms: int) -> Point:
    age_ms = minute_ms - tally.oldest_ms if tally.oldest_ms is not None else 0
    fields = {
        "open": tally.open,
        "unacknowledged": tally.unacknowledged,
        "hushed": tally.hushed,
        "oldest_s": max(0, age_ms // 1000),
        "opened_total": tally.opened,
        "closed_total": tally.closed,
        "retracted_total": tally.retracted,
    }
    return series.FLAG.point(minute_ms * NS, {"estate": tally.estate or EVERYWHERE, "kind": tally.kind}, fields)


def outages(lasted: Iterable[Lasted], machines: Mapping[str, int]) -> list[Occasion]:
    """The outages of whole estates among flags: *machines* = how many stand at each."""
    return [
        Occasion(each.estate, "outage", OUTAGES[Kind(each.kind)], each.since_ms, each.ended_ms)
        for each in lasted
        if each.kind == Kind.ESTATE_OFFLINE or machines.get(each.estate, 0) == 1
    ]


def closure(estate: str, kind: str, since_ms: int, until_ms: int) -> Occasion:
    """A row of the calendar, as it holds for one estate. Its reason is people's own text: it stays in the registry."""
    return Occasion(estate, "closure", _CLOSURES[kind], since_ms, until_ms)


def policy(estate: str, version: str, since_ms: int) -> Occasion:
    """The moment at which another policy came into force."""
    return Occasion(estate, "policy", f"Kebijakan {_plain(version)} berlaku", since_ms, since_ms)


def occasions(those: Iterable[Occasion], *, now_ms: int) -> list[Point]:
    """Their points: written again when one ends, to the same point. What begins together is one point."""
    together: dict[tuple[str, str, int], list[Occasion]] = {}
    for each in those:
        together.setdefault((each.estate, each.kind, each.since_ms), []).append(each)
    return [_occasion(_joined(each), now_ms) for _, each in sorted(together.items())]


def _joined(those: Sequence[Occasion]) -> Occasion:
    """Occasions of one estate and kind that begin together, as one that lasts until the last is over."""
    ends = [each.until_ms for each in those if each.until_ms is not None]
    until_ms = max(ends) if len(ends) == len(those) else None
    return replace(those[0], text=", ".join(sorted({each.text for each in those})), until_ms=until_ms)


def _occasion(each: Occasion, now_ms: int) -> Point:
    is_over = each.until_ms is not None and each.until_ms <= now_ms
    end_ms = each.until_ms if each.until_ms is not None and is_over else now_ms
    fields: dict[str, series.Value | None] = {
        "text": each.text,
        "end_ms": end_ms,
        "duration_s": max(0, (end_ms - each.since_ms) // 1000),
        "ongoing": int(not is_over),
    }
    return series.ESTATE_EVENT.point(each.since_ms * NS, {"estate": each.estate, "kind": each.kind}, fields)


@dataclass(frozen=True, slots=True)
class Work:
    """What the worker did since its start, and how long its cycles took in the last minute."""

    cycles: int
    failures: int
    waiting: int
    """Notices that are due and not sent."""
    lags_ms: Sequence[float] = ()


def stage(work: Work, *, instance: str, minute_ms: int) -> Point:
    """The worker's own row: stage `alerts` of the pipeline."""
    lags = sorted(work.lags_ms)
    fields = {
        "msgs_total": work.cycles,
        "errors_total": work.failures,
        "dlq_total": 0,
        "duplicates_total": 0,
        "held": 0,
        "backlog": work.waiting,
        "lag_p50_ms": _nearest_rank(lags, 50),
        "lag_p95_ms": _nearest_rank(lags, 95),
        "lag_max_ms": _nearest_rank(lags, 100),
        "series_total": 0,
    }
    return series.PIPELINE.point(minute_ms * NS, {"instance": instance, "stage": "alerts"}, fields)


def _nearest_rank(ordered: Sequence[float], per_cent: int) -> float:
    return float(ordered[max(0, math.ceil(len(ordered) * per_cent / 100) - 1)]) if ordered else 0.0


def _plain(version: str) -> str:
    """A version as a text field may hold it."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-_") else "-" for letter in version)[
        :40
    ]
