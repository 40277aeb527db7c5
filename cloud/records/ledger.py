"""The ledger: every (device, outbox, seq) once. `take` is one transaction, repeatable, for any number of ingesters.

The seqs of a locked position decide what is new; only what is new is written, counted and acted upon.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, select, tuple_, update

from cloud.records import counts, dead_letters, marks, merging, positions
from cloud.records.positions import CHUNK, Position
from cloud.records.schema import arrivals, device_events, device_hours, held, sightings
from cloud.records.verdicts import Delivery, Entry, Held, Kept, Letter, Rejected, Sighting, StreamKey
from contract import topics
from contract.codec import Received
from contract.messages import Clock, Event, Hours

MOST_ROWS: Final = 500
"""Rows above a machine's `confirmed` that one answer describes, besides those of its batch."""

Rows = dict[str, list[dict[str, object]]]
_TABLES: Final = {table.name: table for table in (arrivals, sightings, held, device_hours, device_events)}


@dataclass(frozen=True, slots=True)
class Line:
    """One kept record, as an answer tells it."""

    seq: int
    digest: str
    state: str
    reason: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger holds of one stream after a commit."""

    position: Position
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Under which version of the registry the verdicts were reached, and what time it is."""

    registry_version: int
    now_ms: int


def take(
    connection: Connection, deliveries: Sequence[Delivery], *, letters: Sequence[Letter] = (), facts: Facts
) -> list[Standing]:
    """Enter *deliveries* and file *letters*; what stands now, per delivery. Raises `StaleFacts`."""
    now_ms = facts.now_ms
    marks.require(connection, marks.REGISTRY_CHANGED, facts.registry_version)
    keys = {key for delivery in deliveries for key in merging.mentioned(delivery)}
    before = positions.lock(connection, keys, now_ms=now_ms)
    known = _digests(connection, [(before[each.key], [entry.seq for entry in each.entries]) for each in deliveries])
    after, new = _merge_all(deliveries, before, known)
    _write(connection, new, after)
    dead_letters.file(connection, [*letters, *_rejections(new)])
    counts.apply(connection, _deltas(new), now_ms=now_ms)
    after = {key: position.gap_dated(now_ms) for key, position in after.items()}
    positions.save_changed(connection, before, after.values())
    return [_standing(connection, after[delivery.key], delivery) for delivery in deliveries]


def reconsider(connection: Connection, key: StreamKey, entry: Entry, *, facts: Facts) -> bool:
    """Store a record that was rejected, now that it can be read. False if it is not among the rejected."""
    marks.require(connection, marks.REGISTRY_CHANGED, facts.registry_version)
    before = positions.lock(connection, merging.mentioned(Delivery(key, 0, (entry,))), now_ms=facts.now_ms)
    position = before[key]
    row = _arrival_row(position.id, entry)
    was_rejected = (
        (arrivals.c.stream == position.id)
        & (arrivals.c.seq == entry.seq)
        & (arrivals.c.digest == entry.record.digest)
        & (arrivals.c.state == "rejected")
    )
    if row["state"] == "rejected" or connection.execute(update(arrivals).where(was_rejected).values(row)).rowcount != 1:
        return False
    rows: Rows = {name: [] for name in _TABLES}
    _add_detail(rows, position.id, key.device, entry)
    _insert(connection, rows)
    counts.apply(connection, _deltas([(key, entry)]), now_ms=facts.now_ms)
    after = dict(before)
    merging.close(after, key.device, [entry])
    positions.save_changed(connection, before, [each.gap_dated(facts.now_ms) for each in after.values()])
    return True


# ---- what is new -----------------------------------------------------------------------------------------------------

New = list[tuple[StreamKey, Entry]]


def _merge_all(
    deliveries: Sequence[Delivery], before: Mapping[StreamKey, Position], known: Mapping[int, Mapping[int, str]]
) -> tuple[dict[StreamKey, Position], New]:
    after = dict(before)
    seen = {stream: dict(digests) for stream, digests in known.items()}
    new: New = []
    for delivery in deliveries:
        digests = seen.setdefault(after[delivery.key].id, {})
        merged = merging.merge(after[delivery.key], delivery, digests)
        after[delivery.key] = merged.position
        digests.update((entry.seq, entry.record.digest) for entry in merged.new)
        merging.close(after, delivery.key.device, merged.new)
        new += [(delivery.key, entry) for entry in merged.new]
    return after, new


def already(connection: Connection, seqs: Mapping[StreamKey, Sequence[int]]) -> dict[StreamKey, Mapping[int, str]]:
    """Which of these *seqs* of each stream are kept already, and by which digest they are known."""
    known = positions.read(connection, seqs)
    found = _digests(connection, [(position, seqs[key]) for key, position in known.items()])
    return {key: found.get(known[key].id, {}) if key in known else {} for key in seqs}


def _digests(connection: Connection, asked: Iterable[tuple[Position, Sequence[int]]]) -> dict[int, dict[int, str]]:
    """By stream and seq, the digests of what is kept already: only seqs that are covered need looking up."""
    wanted = [(position.id, seq) for position, seqs in asked for seq in seqs if seq in position.answered]
    found: dict[int, dict[int, str]] = {}
    for start in range(0, len(wanted), CHUNK):
        pairs = wanted[start : start + CHUNK]
        query = select(arrivals.c.stream, arrivals.c.seq, arrivals.c.digest)
        for row in connection.execute(query.where(tuple_(arrivals.c.stream, arrivals.c.seq).in_(pairs))):
            found.setdefault(row.stream, {})[row.seq] = row.digest
    return found


# ---- writing it ------------------------------------------------------------------------------------------------------


def _write(connection: Connection, new: New, after: Mapping[StreamKey, Position]) -> None:
    rows: Rows = {name: [] for name in _TABLES}
    for key, entry in new:
        stream = after[key].id
        rows["arrivals"].append(_arrival_row(stream, entry))
        _add_detail(rows, stream, key.device, entry)
    _insert(connection, rows)


def _insert(connection: Connection, rows: Rows) -> None:
    for name, table in _TABLES.items():
        if rows[name]:
            connection.execute(insert(table), rows[name])


def _arrival_row(stream: int, entry: Entry) -> dict[str, object]:
    record = entry.record.record if isinstance(entry.record, Received) else None
    verdict = entry.verdict
    return {
        "stream": stream,
        "seq": entry.seq,
        "digest": entry.record.digest,
        "kind": record.kind if record else "none",
        "state": state_of(entry),
        "reason": verdict.reason if isinstance(verdict, Held | Rejected) else None,
        "at_ms": record.at if record else None,
        "mono_ms": record.mono if record else None,
        "boot": record.boot if record else None,
        "dated": record.is_dated if record else None,
        "arrived_ms": entry.arrived_ms,
    }


def state_of(entry: Entry) -> str:
    """`stored`, `held` or `rejected`."""
    if isinstance(entry.verdict, Held):
        return "held"
    return "rejected" if isinstance(entry.verdict, Rejected) else "stored"


def _add_detail(rows: Rows, stream: int, device: str, entry: Entry) -> None:
    match entry.verdict:
        case Sighting() as sighting:
            rows["sightings"].append(sighting_row(stream, entry.seq, device, sighting, arrived_ms=entry.arrived_ms))
        case Held(reason):
            since = {"reason": reason, "since_ms": entry.arrived_ms}
            rows["held"].append({"stream": stream, "seq": entry.seq, "body": entry.record.body, **since})
        case Kept(at_ms):
            _add_kept(rows, stream, device, entry, at_ms)


def _add_kept(rows: Rows, stream: int, device: str, entry: Entry, at_ms: int) -> None:
    record = entry.record.record if isinstance(entry.record, Received) else None
    row: dict[str, object] = {"stream": stream, "seq": entry.seq, "device": device}
    if isinstance(record, Hours):
        is_dated = record.clock is not Clock.UNTRUSTED
        rows["device_hours"].append(row | {"hour_ms": record.hour, "able_min": record.able_min, "dated": is_dated})
    elif isinstance(record, Event):
        detail = json.dumps(record.detail, sort_keys=True, separators=(",", ":"))
        what = {"at_ms": at_ms, "event": record.event, "detail": detail, "arrived_ms": entry.arrived_ms}
        rows["device_events"].append(row | what)


def sighting_row(stream: int, seq: int, device: str, sighting: Sighting, *, arrived_ms: int) -> dict[str, object]:
    """A sighting as the table has it."""
    return {
        "stream": stream,
        "seq": seq,
        "device": device,
        "at_ms": sighting.at_ms,
        "uncertainty_ms": sighting.uncertainty_ms,
        "pseudonym": sighting.pseudonym,
        "outcome": sighting.outcome.value,
        "unit": sighting.unit,
        "estate": sighting.estate,
        "first_day": sighting.span[0] if sighting.span else None,
        "last_day": sighting.span[1] if sighting.span else None,
        "arrived_ms": arrived_ms,
    }


def _deltas(new: New) -> counts.Deltas:
    deltas = counts.Deltas()
    for key, entry in new:
        deltas.count(entry.verdict, device=key.device, arrived_ms=entry.arrived_ms)
    return deltas


def _rejections(new: New) -> list[Letter]:
    return [rejection(key, entry, entry.verdict) for key, entry in new if isinstance(entry.verdict, Rejected)]


def rejection(key: StreamKey, entry: Entry, verdict: Rejected) -> Letter:
    """The dead letter of a record that is rejected."""
    return Letter(
        arrived_ms=entry.arrived_ms,
        source="sql" if verdict.reason == "refused_by_sql" else "record",
        topic=str(topics.records(key.device)),
        reason=verdict.reason,
        explanation=verdict.explanation,
        payload=entry.record.body.encode(),
        outbox=key.outbox,
        seq=entry.seq,
    )


# ---- what stands now -------------------------------------------------------------------------------------------------


def _standing(connection: Connection, position: Position, delivery: Delivery) -> Standing:
    first = _lines(connection, _ABOVE, stream=position.id, confirmed=delivery.confirmed)
    named = {entry.seq for entry in delivery.entries} - {line.seq for line in first}
    extra = _lines(connection, _NAMED, stream=position.id, seqs=sorted(named)) if named else []
    own = {entry.seq: entry.record.digest for entry in delivery.entries}
    lines = [
        line for line in (*first, *extra) if line.seq not in position.conflicts or own.get(line.seq) == line.digest
    ]
    return Standing(position, tuple(lines))


def _lines_where(condition: ColumnElement[bool]) -> Select[tuple[int, str, str, str | None, str | None]]:
    joined = arrivals.outerjoin(
        sightings, (sightings.c.stream == arrivals.c.stream) & (sightings.c.seq == arrivals.c.seq)
    )
    return (
        select(arrivals.c.seq, arrivals.c.digest, arrivals.c.state, arrivals.c.reason, sightings.c.outcome)
        .select_from(joined)
        .where(arrivals.c.stream == bindparam("stream"), condition)
        .order_by(arrivals.c.seq)
        .limit(MOST_ROWS)
    )


# Built once: for a lone tap, building its query would cost more than running it.
_ABOVE: Final = _lines_where(arrivals.c.seq > bindparam("confirmed"))
_NAMED: Final = _lines_where(arrivals.c.seq.in_(bindparam("seqs", expanding=True)))


def _lines(
    connection: Connection, query: Select[tuple[Any, ...]], **values: object
) -> list[Line]:  # Any: a row's columns
    return [Line(*row) for row in connection.execute(query, values)]
