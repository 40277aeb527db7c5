"""What an import would change, decided over plain values: the registry as it is, and the files. Pure.

A fact is found again by its key; it is then unchanged or changed, and never removed: an end is a date. The registry
afterwards must hold together (references, no overlaps), or every line that prevents it is named and nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

from contract.messages import MAX_MS
from provisioning.registry.reading import Fault, Line
from provisioning.registry.rows import KINDS, Kind

Values: TypeAlias = Mapping[str, object]
Registry: TypeAlias = Mapping[str, Sequence[Values]]
"""The rows of each table; rows that exist carry their `id`, where the table has one."""

_ENDLESS: Final = MAX_MS


@dataclass(frozen=True, slots=True)
class Change:
    """A row to be written; *before* is the row it replaces."""

    table: str
    after: Values = field(repr=False)
    before: Values | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many facts of one file are new, changed and unchanged."""

    file: str
    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import does; `registry` is the whole registry afterwards."""

    tallies: tuple[Tally, ...]
    changes: tuple[Change, ...]
    registry: Registry = field(repr=False)


class RegistryRefused(Exception):
    """The files contradict themselves or the registry. Nothing was changed; `faults` names every line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join([*map(str, self.faults), f"Nothing was imported; {len(self.faults)} fault(s)."]))


@dataclass(slots=True)
class _Fact:
    """A row of the registry afterwards, and the line it came from, if any."""

    values: Values
    line: int | None = None
    before: Values | None = None


_Merged: TypeAlias = dict[str, dict[tuple[object, ...], _Fact]]


def plan(present: Registry, incoming: Mapping[str, Sequence[Line]], *, now_ms: int, history: bool = False) -> Plan:
    """What importing the lines of *incoming* (by table) does to *present*. Raises `RegistryRefused`."""
    faults: list[Fault] = []
    merged: _Merged = {}
    for kind in KINDS:
        merged[kind.table] = {_key(kind, row): _Fact(row, before=row) for row in present.get(kind.table, ())}
        faults += _merge(kind, merged[kind.table], incoming.get(kind.table, ()), now_ms=now_ms, history=history)
    for kind in KINDS:
        faults += [*_dangling(kind, merged), *_overlapping(kind, merged[kind.table])]
    if faults:
        raise RegistryRefused(faults)
    registry = {table: [fact.values for fact in facts.values()] for table, facts in merged.items()}
    return Plan(_tallies(incoming, merged), _changes(merged), registry)


def _merge(
    kind: Kind, facts: dict[tuple[object, ...], _Fact], lines: Sequence[Line], *, now_ms: int, history: bool
) -> Iterator[Fault]:
    for line in lines:
        key = _key(kind, line.values)
        known = facts.get(key)
        if known and known.line is not None:
            yield Fault(
                kind.file, line.number, "", f"says the same thing as line {known.line}, once more or differently"
            )
            continue
        before = known.before if known else None
        yield from _learnt(kind, line, before, now_ms=now_ms, history=history)
        yield from _unfixed(kind, line, before)
        facts[key] = _Fact(_completed(line.values, before, now_ms=now_ms), line.number, before)


def _completed(values: Values, before: Values | None, *, now_ms: int) -> Values:
    """The line's row with what the file leaves open: when it was learnt, and which row it is."""
    row = dict(values)
    if "known_from_ms" in row and row["known_from_ms"] is None:
        row["known_from_ms"] = before["known_from_ms"] if before else now_ms
    return {**row, "id": before["id"]} if before and "id" in before else row


def _learnt(kind: Kind, line: Line, before: Values | None, *, now_ms: int, history: bool) -> Iterator[Fault]:
    """Nobody may write that the cloud knew something before it was told."""
    said = line.values.get("known_from_ms")
    if not isinstance(said, int) or (before and said == before["known_from_ms"]):
        return
    if said > now_ms:
        yield Fault(kind.file, line.number, "known_from", "lies in the future")
    elif said < now_ms and not history:
        reason = "is before this import: leave it empty; a recorded past is imported with --history"
        yield Fault(kind.file, line.number, "known_from", reason)


def _unfixed(kind: Kind, line: Line, before: Values | None) -> Iterator[Fault]:
    for name in kind.fixed:
        if before and before[name] != line.values[name]:
            yield Fault(kind.file, line.number, kind.column(name), "is not what is registered, and cannot be changed")


def _dangling(kind: Kind, merged: _Merged) -> Iterator[Fault]:
    """Lines that refer to what is registered neither here nor before."""
    for name, table in kind.refers:
        known = {key[0] for key in merged[table]}
        for fact in merged[kind.table].values():
            target = fact.values[name]
            if fact.line is not None and target not in known and target not in (None, "*"):
                reason = f"is registered neither in {table}.csv nor before"
                yield Fault(kind.file, fact.line, kind.column(name), reason)


def _overlapping(kind: Kind, facts: Mapping[tuple[object, ...], _Fact]) -> Iterator[Fault]:
    """Lines whose span touches another one of the same subject: of two lines, the one that begins later."""
    if kind.span is None:
        return
    open_until: dict[object, tuple[int, _Fact]] = {}
    for (first, last), subject, fact in sorted(_spans(kind, facts), key=lambda item: item[0]):
        until, earlier = open_until.get(subject, (-1, fact))
        if first < until and (fact.line, earlier.line) != (None, None):
            yield _overlap(kind, fact, earlier)
        if last > until:
            open_until[subject] = (last, fact)


def _overlap(kind: Kind, fact: _Fact, earlier: _Fact) -> Fault:
    guilty, other = (fact, earlier) if fact.line is not None else (earlier, fact)
    rival = "one that is already registered" if other.line is None else f"line {other.line}"
    column = kind.column(kind.span[0]) if kind.span else ""
    return Fault(kind.file, guilty.line or 0, column, f"overlaps {rival}: end the earlier one first")


def _spans(kind: Kind, facts: Mapping[tuple[object, ...], _Fact]) -> Iterator[tuple[tuple[int, int], object, _Fact]]:
    first, last = kind.span or ("", "")
    included = 1 if kind.table == "cards" else 0  # `valid_to` is a day on which the card still counts
    for fact in facts.values():
        end = fact.values[last]
        until = _ENDLESS if end is None else _number(end) + included
        yield (_number(fact.values[first]), until), fact.values[kind.key[0]], fact


def _number(value: object) -> int:
    return value.toordinal() if isinstance(value, date) else int(str(value))


def _key(kind: Kind, values: Values) -> tuple[object, ...]:
    return tuple(values[name] for name in kind.key)


def _changes(merged: _Merged) -> tuple[Change, ...]:
    return tuple(
        Change(table, fact.values, fact.before)
        for table, facts in merged.items()
        for fact in facts.values()
        if fact.line is not None and _differs(fact)
    )


def _differs(fact: _Fact) -> bool:
    before = fact.before
    return before is None or any(before[name] != value for name, value in fact.values.items())


def _tallies(incoming: Mapping[str, Sequence[Line]], merged: _Merged) -> tuple[Tally, ...]:
    tallies = []
    for kind in KINDS:
        if kind.table in incoming:
            read = [fact for fact in merged[kind.table].values() if fact.line is not None]
            new = sum(fact.before is None for fact in read)
            changed = sum(fact.before is not None and _differs(fact) for fact in read)
            tallies.append(Tally(kind.file, new, changed, len(read) - new - changed))
    return tuple(tallies)
