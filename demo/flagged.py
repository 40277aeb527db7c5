"""What the alert worker has decided about households so far: counts, for the closing table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from cloud import days
from cloud.alerts.kinds import Kind
from cloud.records import Connection, Records, facts
from cloud.records import flags as flag_rows


@dataclass(frozen=True, slots=True)
class Flagged:
    """Households that are asked."""

    units: int
    """Flags `UNIT_NO_TAPS` that stand."""
    holidays_counted: int
    """Days of the calendar among the absent days of their evidence: must be 0."""


def look(records: Records) -> Flagged:
    """Recount the evidence of every such flag against the calendar."""
    return records.read(_look)


def _look(connection: Connection) -> Flagged:
    found = [row for row in flag_rows.alive(connection) if row.kind == Kind.UNIT_NO_TAPS and row.number]
    calendars = {code: facts.holidays(connection, code) for code in {row.estate for row in found}}
    counted = [
        day
        for row in found
        for day, verdict in json.loads(row.evidence).get("days", [])
        if verdict == "absent" and days.covers(calendars[row.estate], date.fromisoformat(day))
    ]
    return Flagged(len(found), len(counted))
