"""What is counted from sightings: presence, taps per hour and quarter-hour, and the days to be rolled up again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, Table, bindparam, delete

from cloud.days import HOUR, DaySpan, day_of, span_of
from cloud.records import dirty, registry, upserts
from cloud.records.schema import hour_counts, presence, presence_spans, quarter_counts
from cloud.records.upserts import Row
from cloud.records.verdicts import Kept, Outcome, Sighting, Verdict

QUARTER_MS: Final = 900_000
LATE_AFTER_MS: Final = QUARTER_MS
"""A day is closed a quarter of an hour after it ended; what arrives later is late."""
REACH: Final = timedelta(days=29)
"""For so long after it a tap decides for how long its unit has been silent."""


local_day: Final = day_of
"""The day in Jakarta; here for whoever knows nothing of the cloud but its records."""


def is_late(at_ms: int, arrived_ms: int) -> bool:
    """Whether it arrived after its day was closed."""
    return arrived_ms - at_ms >= LATE_AFTER_MS and arrived_ms >= span_of(day_of(at_ms))[1] + LATE_AFTER_MS


@dataclass(slots=True)
class Deltas:
    """Changes gathered over one transaction, to be added to the tables once."""

    presence: Counter[tuple[str, date, str]] = field(default_factory=Counter)
    spans: Counter[tuple[str, date, str, DaySpan]] = field(default_factory=Counter)
    """Of these, the taps that may have been made on other days."""
    known: Counter[tuple[str, int]] = field(default_factory=Counter)
    unknown: Counter[tuple[str, int]] = field(default_factory=Counter)
    late: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Per (device, quarter): hours are summed from them."""
    dirty: set[tuple[str, date]] = field(default_factory=set)

    def count(self, verdict: Verdict, *, device: str, arrived_ms: int, sign: int = 1) -> None:
        """Add (or take away again, with *sign* -1) what *verdict* contributes."""
        if isinstance(verdict, Kept):
            self.dirty.update(verdict.touches)
        elif isinstance(verdict, Sighting):
            self._sighting(verdict, device, arrived_ms, sign)

    def _sighting(self, sighting: Sighting, device: str, arrived_ms: int, sign: int) -> None:
        if sighting.outcome is Outcome.TEST:
            return
        quarter = (device, sighting.at_ms - sighting.at_ms % QUARTER_MS)
        counter = self.known if sighting.outcome is Outcome.KNOWN else self.unknown
        counter[quarter] += sign
        if is_late(sighting.at_ms, arrived_ms):
            self.late[quarter] += sign
        day = day_of(sighting.at_ms)
        self.dirty.add((sighting.estate, day))
        if sighting.outcome is Outcome.KNOWN and sighting.unit:
            self.presence[sighting.unit, day, device] += sign
            if sighting.span is not None:
                self.spans[sighting.unit, day, device, sighting.span] += sign


def apply(connection: Connection, deltas: Deltas, *, now_ms: int) -> None:
    """Add *deltas* to the tables, in one order of rows for everybody."""
    for table, rows in ((presence, _presence_rows(deltas)), (presence_spans, _span_rows(deltas))):
        upserts.add(connection, table, rows, columns=["taps"])
        _forget_absent(connection, table, rows)
    upserts.add(connection, hour_counts, _hour_rows(deltas), columns=["known", "unknown", "late"])
    upserts.add(connection, quarter_counts, _quarter_rows(deltas), columns=["known", "unknown"])
    today = day_of(now_ms)
    counted = dirty.and_expecting(deltas.dirty, today=today)
    dirty.touch(connection, counted | set(_attended(connection, deltas, today)), now_ms=now_ms)


def _attended(connection: Connection, deltas: Deltas, today: date) -> Iterator[tuple[str, date]]:
    """The days of the units' own estates, wherever they tapped: the day itself, and those it reaches by now."""
    homes = registry.estates_of(connection, {unit for unit, _, _ in deltas.presence})
    for home, day in {(homes[unit], day) for unit, day, _ in deltas.presence if unit in homes}:
        yield home, day
        for number in range(1, (min(day + REACH, today) - day).days + 1):
            yield home, day + timedelta(days=number)


def _forget_absent(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """No row says that a unit was present with no tap."""
    names = [column.name for column in table.primary_key]
    gone = [{f"the_{name}": row[name] for name in names} for row in rows if row["taps"] < 0]
    if gone:
        is_it = [table.c[name] == bindparam(f"the_{name}") for name in names]
        connection.execute(delete(table).where(table.c.taps <= 0, *is_it), gone)


def _presence_rows(deltas: Deltas) -> list[Row]:
    return [
        {"unit": unit, "day": day, "device": device, "taps": taps}
        for (unit, day, device), taps in sorted(deltas.presence.items())
        if taps
    ]


def _span_rows(deltas: Deltas) -> list[Row]:
    return [
        {"unit": unit, "day": day, "device": device, "first_day": first, "last_day": last, "taps": taps}
        for (unit, day, device, (first, last)), taps in sorted(deltas.spans.items())
        if taps
    ]


def _quarter_rows(deltas: Deltas) -> list[dict[str, object]]:
    return [
        {"device": device, "quarter_ms": at, "known": deltas.known[device, at], "unknown": deltas.unknown[device, at]}
        for device, at in sorted({*deltas.known, *deltas.unknown})
    ]


def _hour_rows(deltas: Deltas) -> list[dict[str, object]]:
    names = {"known": deltas.known, "unknown": deltas.unknown, "late": deltas.late}
    sums: dict[tuple[str, int], dict[str, int]] = {}
    for name, counter in names.items():
        for (device, at), change in counter.items():
            row = sums.setdefault((device, at - at % HOUR), dict.fromkeys(names, 0))
            row[name] += change
    return [{"device": device, "hour_ms": at, **row} for (device, at), row in sorted(sums.items())]
