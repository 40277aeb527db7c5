"""What was observed, as points: taps, machines by the minute, fleet, events, pipeline, broker. Pure; times are ms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from contract import series
from contract.messages import Event, Heartbeat
from contract.series import BadPoint, Point

NS: Final = 10**6
"""Nanoseconds of a millisecond."""
STALE_AFTER_MS: Final = 180_000
"""A machine not heard for longer than this is shown as offline."""
QUARTER: Final = 900_000


# ---- taps ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResolvedTap:
    """A tap as it was resolved: `at_ms` is when it was made, as finally dated. A test card counts as neither."""

    device: str
    seq: int
    at_ms: int
    arrived_ms: int
    outcome: Literal["known", "unknown", "test"]


def tap(resolved: ResolvedTap) -> Point:
    """Its point: the same for the same tap, whatever it resolves to later."""
    fields = {
        "known": int(resolved.outcome == "known"),
        "unknown": int(resolved.outcome == "unknown"),
        "seq": resolved.seq,
        "lag": resolved.arrived_ms - resolved.at_ms,
    }
    return series.TAP.point(_record_ns(resolved.at_ms, resolved.seq), {"device": resolved.device}, fields)


def _record_ns(at_ms: int, seq: int) -> int:
    """Apart for two records of one millisecond."""
    return at_ms * NS + seq % NS


# ---- machines by the minute ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ledger:
    """A machine's records over all its outboxes as of the quarter-hour that begins at `quarter_ms`.

    It stands until that is over, so that single taps leave no trace.
    """

    quarter_ms: int
    made: int = 0
    stored: int = 0
    missing: int = 0
    held: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Registered:
    """A machine that stands at an estate, and the last that was heard of it."""

    device: str
    estate: str
    installed_ms: int
    ledger: Ledger
    """What is shown in this quarter-hour."""
    heartbeat: Heartbeat | None = None
    """The last one; None if there never was one."""
    heard_ms: int | None = None
    """When it arrived."""
    gone_ms: int | None = None
    """When it said goodbye or its will arrived, if it has not been born again since."""
    born_ms: int | None = None
    """When the session it is in began."""
    beat_ms: int | None = None
    """When the heartbeat arrived: a birth may have been heard since."""

    def is_online(self, now_ms: int) -> bool:
        """Whether it was heard within the patience of the dashboards, and not said to be gone since."""
        if self.heard_ms is None or now_ms - self.heard_ms > STALE_AFTER_MS:
            return False
        return self.gone_ms is None or self.heard_ms > self.gone_ms


@dataclass(frozen=True, slots=True)
class Place:
    """Where an estate lies, if that is known."""

    estate: str
    lat: float | None = None
    lon: float | None = None


def machines(registered: Iterable[Registered], *, minute_ms: int) -> list[Point]:
    """One full row for each registered machine at the minute that begins at *minute_ms*, silent ones included."""
    return [_machine(minute_ms, each) for each in registered]


def fleet(registered: Sequence[Registered], places: Iterable[Place], *, minute_ms: int) -> list[Point]:
    """One row for each estate, those without a machine included."""
    online: dict[str, list[bool]] = {}
    for each in registered:
        online.setdefault(each.estate, []).append(each.is_online(minute_ms))
    return [_estate(minute_ms, place, online.get(place.estate, [])) for place in places]


def _estate(minute_ms: int, place: Place, online: Sequence[bool]) -> Point:
    fields = {"registered": len(online), "online": sum(online), "lat": place.lat, "lon": place.lon}
    return series.FLEET.point(minute_ms * NS, {"estate": place.estate}, fields)


def _machine(minute_ms: int, each: Registered) -> Point:
    seen_ms = each.heard_ms if each.heard_ms is not None else each.installed_ms
    fields: dict[str, series.Value | None] = {
        "online": int(each.is_online(minute_ms)),
        "heard": int(each.heartbeat is not None),
        "last_seen_s": _seconds(minute_ms - seen_ms),
        "made": each.ledger.made,
        "stored": each.ledger.stored,
        "missing": each.ledger.missing,
        "held": each.ledger.held,
        "rejected": each.ledger.rejected,
    }
    said = _said(each.heartbeat, each.beat_ms, minute_ms=minute_ms) if each.heartbeat is not None else _SILENCE
    return series.MACHINE.point(minute_ms * NS, {"device": each.device, "estate": each.estate}, {**fields, **said})


def _said(heartbeat: Heartbeat, beat_ms: int | None, *, minute_ms: int) -> Mapping[str, series.Value]:
    oldest = heartbeat.oldest_unsent
    offset = heartbeat.clock_offset_ms
    if offset is None:
        offset = heartbeat.at - beat_ms if beat_ms is not None else 0
    return {
        "reader_ok": int(heartbeat.reader == "ok"),
        "clock_trusted": int(heartbeat.clock == "trusted"),
        "uptime_s": heartbeat.uptime_s,
        "backlog": heartbeat.backlog,
        "oldest_unsent_s": _seconds(minute_ms - oldest) if oldest is not None else 0,
        "clock_offset_ms": offset,
        "refused": heartbeat.refused,
        "parked": heartbeat.parked,
        "disk_free_pct": heartbeat.disk_free_pct,
        "version": _plain(heartbeat.version),
    }


_UNREADABLE: Final = "unreadable"
_SILENCE: Final[Mapping[str, series.Value]] = {
    "reader_ok": 0,
    "clock_trusted": 0,
    "uptime_s": 0,
    "backlog": 0,
    "oldest_unsent_s": 0,
    "clock_offset_ms": 0,
    "refused": 0,
    "parked": 0,
    "disk_free_pct": 0.0,
    "version": "none",
}


def _seconds(ms: int) -> int:
    return max(0, ms // 1000)


def _plain(text: str) -> str:
    """A machine's own text, or a word for one that must not be written."""
    try:
        series.MACHINE.field("version").accept(text, series.MACHINE.name)
    except BadPoint:
        return _UNREADABLE
    return text


# ---- events ----------------------------------------------------------------------------------------------------------

OFFLINE: Final = "offline"
_TEXTS: Final[Mapping[str, str]] = {
    OFFLINE: "Mesin luring",
    "boot": "Mesin menyala",
    "clock_step": "Jam mesin disetel",
    "reader_fault": "Pembaca kartu terganggu",
    "reader_ok": "Pembaca kartu pulih",
    "self_test": "Uji mandiri mesin",
    "taps_refused": "Tap ditolak karena penyimpanan penuh",
    "records_rejected": "Catatan mesin tidak dapat dibaca",
    "records_dropped": "Catatan mesin hilang",
    "outbox_closed": "Penyimpanan mesin diganti",
}
_OTHER: Final = "other"
_OTHER_TEXT: Final = "Kejadian lain pada mesin"


@dataclass(frozen=True, slots=True)
class Interval:
    """From when to when something lasted; `until_ms` None = it still lasts."""

    since_ms: int
    until_ms: int | None


def event(record: Event, *, device: str, estate: str) -> Point:
    """What a machine reported: a moment. A kind the cloud does not know is written as `other`."""
    kind = record.event if record.event in _TEXTS else _OTHER
    where = {"device": device, "estate": estate}
    return _event(where, kind, time_ns=_record_ns(record.at, record.seq), lasted=(record.at, record.at))


def offline(interval: Interval, *, device: str, estate: str, now_ms: int) -> Point:
    """A time in which a machine was not heard; written again when it ends, to the same point."""
    is_over = interval.until_ms is not None
    lasted = interval.since_ms, interval.until_ms if interval.until_ms is not None else now_ms
    where = {"device": device, "estate": estate}
    return _event(where, OFFLINE, time_ns=interval.since_ms * NS, lasted=lasted, is_over=is_over)


def _event(
    where: Mapping[str, str], kind: str, *, time_ns: int, lasted: tuple[int, int], is_over: bool = True
) -> Point:
    since_ms, end_ms = lasted
    fields: dict[str, series.Value | None] = {
        "kind": kind,
        "text": _TEXTS.get(kind, _OTHER_TEXT),
        "end_ms": end_ms,
        "duration_s": _seconds(end_ms - since_ms),
        "ongoing": int(not is_over),
    }
    return series.MACHINE_EVENT.point(time_ns, where, fields)


# ---- the pipeline and the broker -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a program, such as `mqtt`, `resolve`, `influx`, `sql`: totals since its start, the minute's lags."""

    stage: str
    msgs_total: int
    errors_total: int = 0
    dlq_total: int = 0
    duplicates_total: int = 0
    held: int = 0
    backlog: int = 0
    series_total: int = 0
    lags_ms: tuple[float, ...] = ()


def pipeline(stages: Iterable[Stage], *, instance: str, minute_ms: int) -> list[Point]:
    """How *instance* (the program's name, a slug) is doing, a row for each stage."""
    return [_stage(stage, instance, minute_ms=minute_ms) for stage in stages]


def _stage(stage: Stage, instance: str, *, minute_ms: int) -> Point:
    lags = sorted(stage.lags_ms)
    fields = {
        "msgs_total": stage.msgs_total,
        "errors_total": stage.errors_total,
        "dlq_total": stage.dlq_total,
        "duplicates_total": stage.duplicates_total,
        "held": stage.held,
        "backlog": stage.backlog,
        "lag_p50_ms": percentile(lags, 50),
        "lag_p95_ms": percentile(lags, 95),
        "lag_max_ms": percentile(lags, 100),
        "series_total": stage.series_total,
    }
    return series.PIPELINE.point(minute_ms * NS, {"instance": instance, "stage": stage.stage}, fields)


def percentile(ordered: Sequence[float], per_cent: int) -> float:
    """The nearest-rank percentile of *ordered* (rising); 0 of nothing."""
    if not ordered:
        return 0.0
    return float(ordered[max(0, math.ceil(len(ordered) * per_cent / 100) - 1)])


_SYS: Final[Mapping[str, str]] = {
    "clients_connected": "clients/connected",
    "subscribed": "subscriptions/count",
    "retained": "retained messages/count",
    "queued": "store/messages/count",
    "received_total": "messages/received",
    "sent_total": "messages/sent",
    "dropped_total": "publish/messages/dropped",
    "received_bytes_total": "bytes/received",
    "sent_bytes_total": "bytes/sent",
    "heap_bytes": "heap/current",
    "uptime_s": "uptime",
}


def broker(sys: Mapping[str, str], *, instance: str, minute_ms: int) -> Point | None:
    """What the broker *instance* says under `$SYS/broker/` (topic without that prefix → payload); None of silence."""
    told = {name: _leading_int(sys[topic]) for name, topic in _SYS.items() if topic in sys}
    if not told:
        return None
    fields = dict.fromkeys(_SYS, 0) | told
    return series.BROKER.point(minute_ms * NS, {"instance": instance}, fields)


def _leading_int(text: str) -> int:
    """The number of `123` and of `123 seconds`; 0 if there is none."""
    word = text.split(" ", 1)[0]
    return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else 0
