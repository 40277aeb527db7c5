"""Stream positions: per (device, outbox) the set of seqs that are answered, merged by several ingesters at once.

Rows are made first, then locked in order of (device, outbox), changed as values, and saved: nobody's update is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Row, bindparam, select, tuple_, update

from cloud.records.schema import streams
from cloud.records.upserts import insert_missing
from cloud.records.verdicts import StreamKey
from contract.ranges import Ranges
from contract.topics import DeviceId

CHUNK = 1000
_NONE = Ranges()


@dataclass(frozen=True, slots=True)
class Position:
    """One row of `streams`."""

    id: int
    key: StreamKey
    answered: Ranges = _NONE
    dropped: Ranges = _NONE
    conflicts: Ranges = _NONE
    highest_told: int = 0
    confirmed_told: int = 0
    closed_at_seq: int | None = None
    gap_since_ms: int | None = None
    asked_ms: int | None = None

    @property
    def missing(self) -> Ranges:
        """What must exist, or have existed, and is not here: below the highest seq seen, confirmed or closed."""
        return self.answered.missing(max(self.answered.highest, self.confirmed_told, self.closed_at_seq or 0))

    def told(self, *, highest: int, confirmed: int) -> Position:
        """With what its machine says of it.

        A disk that was once further has forgotten rows: they must be here, or be declared gone, like confirmed ones.
        """
        forgotten = self.highest_told if highest < self.highest_told else 0
        return replace(
            self,
            highest_told=max(self.highest_told, highest),
            confirmed_told=max(self.confirmed_told, confirmed, forgotten),
        )

    def lost(self, gone: Ranges) -> Position:
        """With *gone* closed as lost, except what has arrived."""
        return replace(self, dropped=self.dropped | (gone - self.answered), answered=self.answered | gone)

    def closed(self, last_seq: int) -> Position:
        """Ended at *last_seq*, or later if that was said before."""
        return replace(self, closed_at_seq=max(self.closed_at_seq or 0, last_seq))

    def gap_dated(self, now_ms: int) -> Position:
        """With `gap_since_ms` true to what is missing now."""
        since = (self.gap_since_ms or now_ms) if self.missing else None
        return replace(self, gap_since_ms=since)


def lock(connection: Connection, keys: Iterable[StreamKey], *, now_ms: int) -> dict[StreamKey, Position]:
    """The positions of *keys*, made where missing, all locked until the transaction ends."""
    ordered = sorted(set(keys))
    present = {position.key for position in _select(connection, ordered, for_update=False)}
    rows = [{"device": key.device, "outbox": key.outbox, "first_ms": now_ms} for key in ordered if key not in present]
    insert_missing(connection, streams, rows)
    return {position.key: position for position in _select(connection, ordered, for_update=True)}


def save(connection: Connection, changed: Iterable[Position]) -> None:
    """Write positions that are locked."""
    rows = [_to_row(position) for position in changed]
    if rows:
        names = [name for name in rows[0] if name != "row_id"]
        values: dict[str, object] = {name: bindparam(name) for name in names}
        connection.execute(update(streams).where(streams.c.id == bindparam("row_id")).values(values), rows)


def save_changed(connection: Connection, before: Mapping[StreamKey, Position], after: Iterable[Position]) -> None:
    """Write those of *after* that differ from *before*."""
    save(connection, [position for position in after if position != before[position.key]])


def with_gaps(connection: Connection, devices: Iterable[str]) -> list[StreamKey]:
    """The streams of *devices* that lack something."""
    query = select(streams.c.device, streams.c.outbox).where(
        streams.c.device.in_(sorted(set(devices))), streams.c.gap_since_ms.is_not(None)
    )
    return [StreamKey(DeviceId(row.device), row.outbox) for row in connection.execute(query)]


def read(connection: Connection, keys: Iterable[StreamKey]) -> dict[StreamKey, Position]:
    """The positions of *keys* that exist, unlocked."""
    return {position.key: position for position in _select(connection, sorted(set(keys)), for_update=False)}


def read_all(connection: Connection, devices: Iterable[str]) -> list[Position]:
    """Every position of these machines, unlocked."""
    query = select(streams).where(streams.c.device.in_(sorted(set(devices))))
    return [_from_row(row) for row in connection.execute(query.order_by(streams.c.device, streams.c.outbox))]


def _select(connection: Connection, keys: list[StreamKey], *, for_update: bool) -> list[Position]:
    found: list[Position] = []
    for start in range(0, len(keys), CHUNK):
        pairs = [(key.device, key.outbox) for key in keys[start : start + CHUNK]]
        query = select(streams).where(tuple_(streams.c.device, streams.c.outbox).in_(pairs))
        query = query.order_by(streams.c.device, streams.c.outbox)
        found += [_from_row(row) for row in connection.execute(query.with_for_update() if for_update else query)]
    return found


def _from_row(row: Row[tuple[object, ...]]) -> Position:
    return Position(
        id=row.id,
        key=StreamKey(DeviceId(row.device), row.outbox),
        answered=_spans(row.answered),
        dropped=_spans(row.dropped),
        conflicts=_spans(row.conflicts),
        highest_told=row.highest_told,
        confirmed_told=row.confirmed_told,
        closed_at_seq=row.closed_at_seq,
        gap_since_ms=row.gap_since_ms,
        asked_ms=row.asked_ms,
    )


def _to_row(position: Position) -> dict[str, object]:
    return {
        "row_id": position.id,
        "answered": _text(position.answered),
        "dropped": _text(position.dropped),
        "conflicts": _text(position.conflicts),
        "highest_told": position.highest_told,
        "confirmed_told": position.confirmed_told,
        "closed_at_seq": position.closed_at_seq,
        "gap_since_ms": position.gap_since_ms,
        "asked_ms": position.asked_ms,
    }


def _spans(text: str) -> Ranges:
    return Ranges.of((first, last) for first, last in json.loads(text))


def _text(ranges: Ranges) -> str:
    return json.dumps(ranges.spans, separators=(",", ":"))
