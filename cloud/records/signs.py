"""What is remembered of signs of life beyond the last one: lapses, the last readings of clock and disk, reader faults.

Written with each heartbeat, in the transaction that notes it as heard; read by whoever judges machines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection, Table, delete, select

from cloud.records import marks
from cloud.records.schema import heard
from cloud.records.sign_schema import clock_readings, disk_readings, lapses, reader_faults
from cloud.records.upserts import Row, insert_into, insert_missing
from contract.messages import Heartbeat

LAPSE_MS: Final = 180_000
"""Heard again after longer than this, it had lapsed: that is also when the dashboards show it as offline."""
LAPSES_KEPT_MS: Final = 7 * 86_400_000
CLOCK_SLOT_MS: Final = 30_000
CLOCK_SLOTS: Final = 10
DISK_SLOT_MS: Final = 6 * 3_600_000
DISK_SLOTS: Final = 12

Said = Sequence[tuple[Heartbeat, int]]
"""Heartbeats, each with when it arrived."""


@dataclass(frozen=True, slots=True)
class Lapse:
    """A time in which a machine was not heard though somebody listened: from its last sign of life to the next."""

    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Signs:
    """What is remembered of one machine. Readings are (when it arrived, value), earliest first."""

    lapses: tuple[Lapse, ...] = ()
    offsets_ms: tuple[tuple[int, int], ...] = ()
    free_pct: tuple[tuple[int, float], ...] = ()
    fault_since_ms: int | None = None


# ---- writing ---------------------------------------------------------------------------------------------------------


def note_readings(connection: Connection, said: Said) -> None:
    """Remember what these heartbeats say of clock, disk and reader."""
    in_order = sorted(said, key=lambda pair: pair[1])
    clocks = {
        _place(beat, at_ms, CLOCK_SLOT_MS, CLOCK_SLOTS): (at_ms, _offset(beat, at_ms)) for beat, at_ms in in_order
    }
    disks = {_place(beat, at_ms, DISK_SLOT_MS, DISK_SLOTS): (at_ms, beat.disk_free_pct) for beat, at_ms in in_order}
    _put(connection, clock_readings, clocks)
    _put(connection, disk_readings, disks)
    _note_readers(connection, in_order)


def note_lapses(connection: Connection, arrivals: Mapping[str, Sequence[int]], *, now_ms: int) -> None:
    """Remember the lapses that these signs of life end; before they are noted as heard.

    What nobody listened to is no lapse: a break of ours is not the machine's.
    """
    query = select(heard.c.device, heard.c.arrived_ms).where(heard.c.device.in_(sorted(arrivals)))
    before = {row.device: row.arrived_ms for row in connection.execute(query)}
    found = [
        (device, lapse)
        for device, those in sorted(arrivals.items())
        for lapse in _gaps([before.get(device) or those[0], *sorted(those)])
    ]
    if not found:
        return
    since_ms, until_ms = marks.read(connection, marks.LISTENING_SINCE), marks.read(connection, marks.LISTENING_UNTIL)
    is_break = 0 < until_ms < now_ms - LAPSE_MS
    rows = [
        {"device": device, "since_ms": lapse.since_ms, "until_ms": lapse.until_ms}
        for device, lapse in found
        if since_ms <= lapse.since_ms and not is_break
    ]
    insert_missing(connection, lapses, rows)
    is_old = lapses.c.until_ms < now_ms - LAPSES_KEPT_MS
    connection.execute(delete(lapses).where(lapses.c.device.in_(sorted(arrivals)), is_old))


def _gaps(arrivals: Sequence[int]) -> Iterator[Lapse]:
    for one, other in pairwise(arrivals):
        if other - one > LAPSE_MS:
            yield Lapse(one, other)


def _offset(beat: Heartbeat, arrived_ms: int) -> int:
    return beat.clock_offset_ms if beat.clock_offset_ms is not None else beat.at - arrived_ms


def _place(beat: Heartbeat, arrived_ms: int, slot_ms: int, slots: int) -> tuple[str, int]:
    return str(beat.device), arrived_ms // slot_ms % slots


def _put(connection: Connection, table: Table, readings: Mapping[tuple[str, int], tuple[int, float]]) -> None:
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, (*place, *reading), strict=True)) for place, reading in sorted(readings.items())]
    if rows:
        statement = insert_into(connection, table)
        new = {name: statement.excluded[name] for name in names[2:]}
        connection.execute(statement.on_conflict_do_update(index_elements=names[:2], set_=new), rows)


def _note_readers(connection: Connection, in_order: Said) -> None:
    """A reader that was ok in between fails anew; one that is not said to be ok fails since it first did."""
    well: set[str] = set()
    failing: dict[str, int] = {}
    for beat, at_ms in in_order:
        if beat.reader == "ok":
            well.add(beat.device)
            failing.pop(beat.device, None)
        else:
            failing.setdefault(beat.device, at_ms)
    if well:
        connection.execute(delete(reader_faults).where(reader_faults.c.device.in_(sorted(well))))
    rows: list[Row] = [{"device": device, "since_ms": at_ms} for device, at_ms in sorted(failing.items())]
    insert_missing(connection, reader_faults, rows)


# ---- reading ---------------------------------------------------------------------------------------------------------


def remembered(connection: Connection, *, since_ms: int) -> dict[str, Signs]:
    """By machine; of lapses those that ended after *since_ms*. A machine that is missing has said nothing."""
    ended: dict[str, list[Lapse]] = {}
    recent = select(lapses).where(lapses.c.until_ms > since_ms).order_by(lapses.c.device, lapses.c.since_ms)
    for row in connection.execute(recent):
        ended.setdefault(row.device, []).append(Lapse(row.since_ms, row.until_ms))
    offsets, free = _readings(connection, clock_readings), _readings(connection, disk_readings)
    faults = {row.device: row.since_ms for row in connection.execute(select(reader_faults))}
    return {
        device: Signs(
            tuple(ended.get(device, ())),
            tuple((at_ms, round(value)) for at_ms, value in offsets.get(device, ())),
            tuple(free.get(device, ())),
            faults.get(device),
        )
        for device in {*ended, *offsets, *free, *faults}
    }


def _readings(connection: Connection, table: Table) -> dict[str, list[tuple[int, float]]]:
    value = table.columns.values()[-1]
    query = select(table.c.device, table.c.arrived_ms, value).order_by(table.c.device, table.c.arrived_ms)
    found: dict[str, list[tuple[int, float]]] = {}
    for device, arrived_ms, reading in connection.execute(query):
        found.setdefault(device, []).append((arrived_ms, reading))
    return found
