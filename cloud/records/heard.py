"""Signs of life: when each machine was last heard, what it last said, its boots, and what it proved to have sent.

Last-heard moves forward only (compare-and-swap), so a late write never undoes a newer one; except from a future that
only a clock which has been set back since can have known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, case, or_, select

from cloud.records import positions, signs
from cloud.records.positions import Position
from cloud.records.schema import boots, heard, proofs
from cloud.records.upserts import insert_into
from cloud.records.verdicts import StreamKey
from contract.messages import Heartbeat, Status

SKEW_MS: Final = 60_000
"""By so much the clocks of two ingesters may differ."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat as it came."""

    message: Heartbeat
    text: str
    arrived_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a machine's life."""

    device: str
    arrived_ms: int
    heartbeat: str | None = field(repr=False)
    session: int
    online: bool
    status_ms: int | None
    beat_ms: int | None
    """When the heartbeat came."""


def all_heard(connection: Connection) -> list[Heard]:
    """Every machine ever heard of, by name."""
    return [_from_row(row) for row in connection.execute(select(heard).order_by(heard.c.device))]


def take_beats(connection: Connection, beats: Sequence[Beat], *, now_ms: int) -> list[Position]:
    """Note *beats*; the positions of their machines that lack something."""
    arrivals: dict[str, list[int]] = {}
    for beat in beats:
        arrivals.setdefault(beat.message.device, []).append(beat.arrived_ms)
    signs.note_lapses(connection, arrivals, now_ms=now_ms)
    signs.note_readings(connection, [(beat.message, beat.arrived_ms) for beat in beats])
    _note_heard(connection, beats, now_ms=now_ms)
    _note_boots(connection, beats)
    _note_proofs(connection, [(beat.message, beat.message.boot, beat.message.uptime_s) for beat in beats])
    return tell_positions(connection, [beat.message for beat in beats], now_ms=now_ms)


def take_status(connection: Connection, status: Status, *, arrived_ms: int, is_retained: bool) -> list[Position]:
    """Believe *status* if it is a birth or speaks of the known session; the positions that lack something.

    What the broker had retained is no sign of life: it may be days old.
    """
    _note_status(connection, status, arrived_ms)
    if is_retained or status.reason == "will":
        return []
    signs.note_lapses(connection, {status.device: [arrived_ms]}, now_ms=arrived_ms)
    _advance(connection, status.device, arrived_ms)
    if status.reason == "goodbye" and status.boot is not None and status.uptime_s is not None:
        _note_proofs(connection, [(status, status.boot, status.uptime_s)])
    return tell_positions(connection, [status], now_ms=arrived_ms)


def tell_positions(connection: Connection, said: Iterable[Heartbeat | Status], *, now_ms: int) -> list[Position]:
    """Enter what machines say of their outboxes; all their positions that lack something, locked."""
    told: dict[StreamKey, tuple[int, int]] = {}
    for message in said:
        if message.outbox is not None:
            key = StreamKey(message.device, message.outbox)
            highest, confirmed = told.get(key, (0, 0))
            told[key] = max(highest, message.last_seq or 0), max(confirmed, message.confirmed or 0)
    lacking = positions.with_gaps(connection, {key.device for key in told})
    before = positions.lock(connection, {*told, *lacking}, now_ms=now_ms)
    after = dict(before)
    for key, (highest, confirmed) in told.items():
        after[key] = after[key].told(highest=highest, confirmed=confirmed).gap_dated(now_ms)
    positions.save_changed(connection, before, after.values())
    return [position for position in after.values() if position.missing]


def ask(
    connection: Connection, keys: Iterable[StreamKey], *, is_due: Callable[[Position], bool], now_ms: int
) -> list[Position]:
    """The streams of these that are due to be asked for what is missing; noted as asked, so that one ingester asks."""
    due = [position for position in positions.lock(connection, keys, now_ms=now_ms).values() if is_due(position)]
    positions.save(connection, [replace(position, asked_ms=now_ms) for position in due])
    return due


# ---- rows ------------------------------------------------------------------------------------------------------------


def _note_heard(connection: Connection, beats: Sequence[Beat], *, now_ms: int) -> None:
    newest: dict[str, Beat] = {}
    for beat in sorted(beats, key=lambda beat: beat.arrived_ms):
        newest[beat.message.device] = beat
    rows = [
        {
            "device": device,
            "arrived_ms": beat.arrived_ms,
            "heartbeat": beat.text,
            "session": beat.message.session,
            "online": True,
            "status_ms": beat.arrived_ms,
            "beat_ms": beat.arrived_ms,
        }
        for device, beat in sorted(newest.items())
    ]
    if rows:
        statement = insert_into(connection, heard)
        new = statement.excluded
        changes = {"arrived_ms": new.arrived_ms, "heartbeat": new.heartbeat, "beat_ms": new.beat_ms}
        is_newer = _is_newer(new.arrived_ms, now_ms=now_ms)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["device"], set_=changes, where=is_newer), rows
        )


def _note_boots(connection: Connection, beats: Sequence[Beat]) -> None:
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for beat in beats:
        key = (beat.message.device, beat.message.boot)
        base, seen = beat.arrived_ms - beat.message.uptime_s * 1000, beat.arrived_ms
        old_base, old_seen = first.get(key, (base, seen))
        first[key] = min(base, old_base), min(seen, old_seen)
    rows = [
        {"device": device, "boot": boot, "base_ms": base, "first_ms": seen}
        for (device, boot), (base, seen) in sorted(first.items())
    ]
    if rows:
        statement = insert_into(connection, boots)
        new = statement.excluded
        changes = {
            name: case((boots.c[name] < new[name], boots.c[name]), else_=new[name]) for name in ("base_ms", "first_ms")
        }
        connection.execute(statement.on_conflict_do_update(index_elements=["device", "boot"], set_=changes), rows)


def _note_proofs(connection: Connection, said: Iterable[tuple[Heartbeat | Status, str, int]]) -> None:
    latest: dict[tuple[str, str, int, str], int] = {}
    for message, boot, uptime_s in said:
        if message.outbox is not None and message.last_seq is not None:
            key = (message.device, message.outbox, message.last_seq, boot)
            latest[key] = max(uptime_s, latest.get(key, 0))
    names = ("device", "outbox", "last_seq", "boot", "uptime_s")
    rows = [dict(zip(names, (*key, uptime_s), strict=True)) for key, uptime_s in sorted(latest.items())]
    if rows:
        statement = insert_into(connection, proofs)
        new = statement.excluded.uptime_s
        later = proofs.c.uptime_s < new
        changed = statement.on_conflict_do_update(index_elements=names[:4], set_={"uptime_s": new}, where=later)
        connection.execute(changed, rows)


def _note_status(connection: Connection, status: Status, arrived_ms: int) -> None:
    """A birth opens its session; a will or goodbye ends the session it names, and no other."""
    row = {"session": status.session, "online": status.online, "status_ms": arrived_ms}
    statement = insert_into(connection, heard).values(device=status.device, arrived_ms=0, **row)
    differs = or_(heard.c.session != status.session, heard.c.online != status.online)
    is_believed = differs if status.reason == "birth" else (heard.c.session == status.session) & heard.c.online
    connection.execute(statement.on_conflict_do_update(index_elements=["device"], set_=row, where=is_believed))


def _advance(connection: Connection, device: str, arrived_ms: int) -> None:
    statement = insert_into(connection, heard).values(
        device=device, arrived_ms=arrived_ms, session=0, online=True, status_ms=arrived_ms
    )
    is_newer = _is_newer(statement.excluded.arrived_ms, now_ms=arrived_ms)
    changes = {"arrived_ms": statement.excluded.arrived_ms}
    connection.execute(statement.on_conflict_do_update(index_elements=["device"], set_=changes, where=is_newer))


def _is_newer(arrived_ms: ColumnElement[int], *, now_ms: int) -> ColumnElement[bool]:
    return or_(heard.c.arrived_ms < arrived_ms, heard.c.arrived_ms > now_ms + SKEW_MS)


def _from_row(row: Row[tuple[object, ...]]) -> Heard:
    return Heard(row.device, row.arrived_ms, row.heartbeat, row.session, row.online, row.status_ms, row.beat_ms)
