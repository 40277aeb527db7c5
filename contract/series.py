"""Series: every measurement, tag, field, type and bucket. Ingest writes from it, dashboards are generated from it.

Nothing here is about a person, a card or a unit; units are only counted. Counted = integer, measured = float, for ever;
the tags of a measurement are complete from its first point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contract.points import MAX_TIME_NS, BadPoint, Bucket, Field, Measurement, Point, Type, Value, read_fields

__all__ = ["MAX_TIME_NS", "SERIES", "BadPoint", "Bucket", "Field", "Measurement", "Point", "Type", "Value", "read"]


def _count(name: str, meaning: str) -> Field:
    return Field(name, Type.INT, meaning)


def _measure(name: str, meaning: str, *, optional: bool = False) -> Field:
    return Field(name, Type.FLOAT, meaning, optional)


def _text(name: str, meaning: str) -> Field:
    return Field(name, Type.TEXT, meaning)


# ---- taps: 90 days, nobody's dashboard -------------------------------------------------------------------------------

TAP: Final = Measurement(
    "tap",
    Bucket.TAPS,
    ("device",),
    (
        _count("known", "1 if the card was registered to a unit, or 0"),
        _count("unknown", "1 if the card was registered nowhere, or 0; a test card is neither"),
        _count("seq", "number of the record in its outbox"),
        _count("lag", "milliseconds from the tap to its arrival at the cloud"),
    ),
    "one tap; time = the tap's ms * 10^6 + seq mod 10^6 ns",
)

# ---- ops: 400 days, the NOC ------------------------------------------------------------------------------------------

MACHINE: Final = Measurement(
    "machine",
    Bucket.OPS,
    ("device", "estate"),
    (
        _count("online", "1 = heard within the dashboard's patience"),
        _count("heard", "1 = a heartbeat has ever come from it; at 0 everything below is 0"),
        _count("reader_ok", "1 = the card reader worked at the last heartbeat"),
        _count("clock_trusted", "1 = the clock was synchronised at the last heartbeat"),
        _count("last_seen_s", "seconds since the last heartbeat; before the first, since the installation"),
        _count("uptime_s", "seconds since its boot, at the last heartbeat"),
        _count("backlog", "records not answered yet, at the last heartbeat"),
        _count("oldest_unsent_s", "age of the oldest of them at the time of this row; 0 = none"),
        _count("clock_offset_ms", "machine's clock minus server's: positive = ahead"),
        _count("refused", "taps refused for want of space, at the last heartbeat"),
        _count("parked", "records set aside by the machine, at the last heartbeat"),
        _count("made", "records made; moves in steps of 15 minutes, as do the next four"),
        _count("stored", "records stored"),
        _count("missing", "records made and never arrived"),
        _count("held", "records waiting for registry, key or clock"),
        _count("rejected", "records that can never be read"),
        _measure("disk_free_pct", "free disk in per cent, at the last heartbeat"),
        _text("version", "version of its program"),
    ),
    "a full row per registered machine and minute; a silent machine has its last values and online = 0",
)

MACHINE_EVENT: Final = Measurement(
    "machine_event",
    Bucket.OPS,
    ("device", "estate"),
    (
        _text("kind", "offline, or what the machine reported: boot, reader_fault, ..."),
        _text("text", "the same in Indonesian, for annotations"),
        _count("end_ms", "when it ended, ms since 1970; a moment ends as it begins"),
        _count("duration_s", "seconds from begin to end"),
        _count("ongoing", "1 = not over yet: end and duration are as of the last writing"),
    ),
    "something happened at a machine; time = when it began",
)

FLEET: Final = Measurement(
    "fleet",
    Bucket.OPS,
    ("estate",),
    (
        _count("registered", "machines installed"),
        _count("online", "of these, heard within the dashboard's patience"),
        _measure("lat", "latitude of the estate", optional=True),
        _measure("lon", "longitude of the estate", optional=True),
    ),
    "a row per estate and minute",
)

PIPELINE: Final = Measurement(
    "pipeline",
    Bucket.OPS,
    ("instance", "stage"),
    (
        _count("msgs_total", "messages or records taken since the program's start"),
        _count("errors_total", "attempts that failed since the program's start"),
        _count("dlq_total", "dead letters made since the program's start"),
        _count("duplicates_total", "records that had been stored before, since the program's start"),
        _count("held", "records waiting for registry, key or clock"),
        _count("backlog", "messages or points waiting in this stage"),
        _measure("lag_p50_ms", "time through this stage in the last minute, median"),
        _measure("lag_p95_ms", "time through this stage in the last minute, 95th percentile"),
        _measure("lag_max_ms", "time through this stage in the last minute, longest"),
        _count(
            "series_total", "series held by the database; 0 = not known, as by any program that may only write to it"
        ),
    ),
    "a row per program, stage and minute, written by the program that is spoken of",
)

BROKER: Final = Measurement(
    "broker",
    Bucket.OPS,
    ("instance",),
    (
        _count("clients_connected", "clients connected now"),
        _count("subscribed", "subscriptions held"),
        _count("retained", "retained messages held"),
        _count("queued", "messages waiting for a client"),
        _count("received_total", "messages received since its start"),
        _count("sent_total", "messages sent since its start"),
        _count("dropped_total", "messages dropped since its start"),
        _count("received_bytes_total", "bytes received since its start"),
        _count("sent_bytes_total", "bytes sent since its start"),
        _count("heap_bytes", "memory in use"),
        _count("uptime_s", "seconds since its start"),
    ),
    "what the broker says of itself under $SYS, once a minute",
)

TAP_15M: Final = Measurement(
    "tap_15m",
    Bucket.OPS,
    ("device", "estate"),
    (
        _count("known", "taps by registered cards"),
        _count("unknown", "taps by cards registered nowhere"),
        _measure("expected", "taps of both sorts on like weekdays of the last 8 weeks, mean", optional=True),
    ),
    "taps of one machine in one quarter-hour; time = its start",
)

FLAG: Final = Measurement(
    "flag",
    Bucket.OPS,
    ("estate", "kind"),
    (
        _count("open", "flags open now"),
        _count("unacknowledged", "of these, nobody has taken yet"),
        _count("hushed", "of these, deliberately not spoken of"),
        _count("oldest_s", "age of the oldest open one; 0 = none"),
        _count("opened_total", "opened since the estate went live"),
        _count("closed_total", "closed since then"),
        _count("retracted_total", "retracted since then: opened by mistake"),
    ),
    "flags of one estate and kind, written by the alert worker",
)

# ---- aggregate: 5 years, NOC and officials ---------------------------------------------------------------------------

TAP_HOUR: Final = Measurement(
    "tap_hour",
    Bucket.AGGREGATE,
    ("estate", "hour"),
    (
        _count("n", "taps; 0 where they are withheld"),
        _count("withheld", "1 = not shown: 1-4 taps in this hour or in that of its pair (00 with 01, 02 with 03, ...)"),
    ),
    "taps of one estate in one hour; time = its start, tag hour = its hour of the day in Jakarta",
)

NOT_COUNTED: Final = (
    "not_live",
    "no_tenancy",
    "new_tenant",
    "no_card",
    "calendar",
    "leave",
    "lost",
    "no_machine",
    "closed",
    "machine",
)
"""Why a day does not count for a unit; the first that holds is the reason."""

_UNITS: Final = (
    _count("present_units", "units with a tap by any valid card, at any estate"),
    _count("obliged_units", "units with a tenancy and a valid obliged card"),
    _count("registered_units", "units with a tenancy and any valid card"),
    _count("total_units", "units of the estate"),
    _count("taps", "taps at the estate's machines, known and unknown"),
    _count("unknown_taps", "of these, by cards registered nowhere"),
    _count("late_taps", "of these, arrived more than 15 minutes after their day had ended"),
    _measure("able_min", "minutes in which a machine could take a tap, inside service hours"),
    _measure("service_min", "minutes of service hours"),
    _measure("complete_pct", "able of service minutes in per cent; none without service", optional=True),
    Field("completed_at", Type.INT, "ms since 1970: when every record of the window had arrived", optional=True),
)

ATTENDANCE_DAY: Final = Measurement(
    "attendance_day",
    Bucket.AGGREGATE,
    ("estate",),
    (
        *_UNITS,
        _count("silent_units_7d", "obliged units without a tap in the 7 days that end with this one"),
        _count("silent_units_14d", "the same for 14 days"),
        _count("silent_units_30d", "the same for 30 days"),
        _count("counted_units", "units for which this day counts"),
        *(_count(f"uncounted_{reason}", f"units for which it does not, because: {reason}") for reason in NOT_COUNTED),
    ),
    "one estate on one day; time = 00.00 WIB",
)

ATTENDANCE_MONTH: Final = Measurement(
    "attendance_month",
    Bucket.AGGREGATE,
    ("estate",),
    (
        *_UNITS,
        _count("days", "days of the month that are rolled up"),
        _count("present_unit_days", "sum of the days' present units"),
        _count("obliged_unit_days", "sum of the days' obliged units"),
        _count("counted_unit_days", "sum of the days' counted units"),
    ),
    "one estate in one month, units counted once; time = 00.00 WIB of its first day",
)

MACHINE_DAY: Final = Measurement(
    "machine_day",
    Bucket.AGGREGATE,
    ("device", "estate"),
    (
        _measure("minutes_able", "minutes in which it could take a tap, inside service hours"),
        _measure("minutes_expected", "minutes of service hours while it was installed"),
        _measure("minutes_online", "of the expected minutes, those in which it was heard"),
        _count("taps", "taps, known and unknown"),
        _count("restarts", "boots"),
    ),
    "one machine on one day; time = 00.00 WIB",
)

ESTATE_EVENT: Final = Measurement(
    "estate_event",
    Bucket.AGGREGATE,
    ("estate", "kind"),
    (
        _text("text", "what happened, in Indonesian"),
        _count("end_ms", "when it ended, ms since 1970; a moment ends as it begins"),
        _count("duration_s", "seconds from begin to end"),
        _count("ongoing", "1 = not over yet: end and duration are as of the last writing"),
    ),
    "outage, maintenance, closure or policy change at an estate; time = when it began",
)

SERIES: Final[Mapping[str, Measurement]] = MappingProxyType(
    {
        each.name: each
        for each in (
            TAP,
            MACHINE,
            MACHINE_EVENT,
            FLEET,
            PIPELINE,
            BROKER,
            TAP_15M,
            FLAG,
            TAP_HOUR,
            ATTENDANCE_DAY,
            ATTENDANCE_MONTH,
            MACHINE_DAY,
            ESTATE_EVENT,
        )
    }
)
"""Everything that is ever written, by name."""

_LINE: Final = re.compile(r"(?P<name>[a-z0-9_]+)(?P<tags>(?:,[a-z]+=[^ ,=]+)*) (?P<fields>.+) (?P<time>[0-9]{1,19})")


def read(line: str) -> Point:
    """A point back from its line. Raises `BadPoint`."""
    parts = _LINE.fullmatch(line)
    if parts is None or parts["name"] not in SERIES:
        raise BadPoint("the line is no point of this system")
    tags = dict(pair.split("=", 1) for pair in parts["tags"].split(",")[1:])
    return SERIES[parts["name"]].point(int(parts["time"]), tags, read_fields(parts["fields"]))
