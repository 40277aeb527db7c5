"""A replay directory as a whole: what it says of itself, its registry, its policy, and its facts as one stream.

Everything is read once before anything is replayed, so that a bad line of June is refused before January speaks; the
facts are never in memory together.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cloud import days
from cloud.alerts import policy
from cloud.alerts.policy import BadPolicy, Policies
from cloud.replay import cells, faults, lines, sheets
from cloud.replay.faults import BadReplay
from cloud.replay.lines import BadLine, Fact
from cloud.replay.sheets import SHEETS, Numbered, Sheet
from contract.topics import BadTopic, DeviceId

FORMAT: Final = "hadir-replay/1"
META: Final = "meta.json"
POLICY: Final = "policy.toml"
DEVICES: Final = "devices"
CHUNK: Final = 1 << 16
LONGEST: Final = 1 << 16
"""Bytes of a line; no fact needs a tenth of it."""

Row = Mapping[str, object]
Rows = Mapping[str, Sequence[Row]]
"""By table of the registry, in the order in which they refer to each other."""


class Arrival(NamedTuple):
    """A fact with the order in which it is taken: by arrival, then by machine, then as its file has it."""

    arrived_ms: int
    device: DeviceId
    number: int
    fact: Fact


class _Meta(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["hadir-replay/1"]
    first: cells.Day = Field(alias="from")
    until: cells.Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until < self.first:
            raise ValueError("until is before from")
        return self


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that can be replayed."""

    folder: Path
    first: date
    until: date
    policies: Policies = field(repr=False)
    registry: Rows = field(repr=False)

    @property
    def span(self) -> days.Span:
        """The first and the last instant at which it can be judged."""
        return days.starts(self.first), days.starts(self.until)

    def arrivals(self) -> Iterator[Arrival]:
        """Every fact of every machine, in order of arrival. Raises `BadReplay`."""
        return heapq.merge(*(_arrivals(self.folder, path) for path in _files(self.folder)))


def open_directory(folder: Path) -> Directory:
    """The directory *folder*, wholly checked. Raises `BadReplay`."""
    if not folder.is_dir():
        raise BadReplay(str(folder), "is no directory")
    meta = _meta(folder)
    _refuse_strangers(folder)
    found = Directory(folder, meta.first, meta.until, _policies(folder), _registry(folder))
    for path in _files(folder):
        for _ in _arrivals(folder, path):
            pass
    return found


def _meta(folder: Path) -> _Meta:
    try:
        return _Meta.model_validate_json((folder / META).read_bytes())
    except OSError:
        raise BadReplay(META, f'is missing or cannot be read; it says {{"format": "{FORMAT}", …}}') from None
    except ValidationError as error:
        column, reason = faults.first(error)
        if column == "format":
            reason = f"is not {FORMAT}, the only version this program knows"
        raise BadReplay(META, reason, column=column) from None


def _refuse_strangers(folder: Path) -> None:
    """A misspelt calendar would be a calendar without days."""
    known = {sheet.file for sheet in SHEETS}
    for path in sorted(folder.glob("*.csv")):
        if path.name not in known:
            raise BadReplay(path.name, f"is no file of a replay; known are {', '.join(sorted(known))}")


def _policies(folder: Path) -> Policies:
    path = folder / POLICY
    try:
        return policy.read(path) if path.exists() else policy.shipped()
    except BadPolicy as error:
        raise BadReplay(POLICY, str(error)) from error


# ---- the registry ----------------------------------------------------------------------------------------------------


def _registry(folder: Path) -> Rows:
    read: dict[str, list[dict[str, object]]] = {}
    known: dict[str, set[object]] = {}
    for sheet in SHEETS:
        numbered = list(sheets.read(folder / sheet.file, sheet))
        _unique(sheet, numbered)
        _refer(sheet, numbered, known)
        read[sheet.table] = [row for _, row in numbered]
        known[sheet.table] = {row[sheet.names] for row in read[sheet.table]} if sheet.names else set()
    return read


def _unique(sheet: Sheet, rows: Sequence[Numbered]) -> None:
    lines_of: dict[object, int] = {}
    for line, row in rows if sheet.is_key else ():
        name = row[sheet.names]
        if name in lines_of:
            reason = f"is there already, in line {lines_of[name]}"
            raise BadReplay(sheet.file, reason, line=line, column=sheet.column(sheet.names))
        lines_of[name] = line


def _refer(sheet: Sheet, rows: Sequence[Numbered], known: Mapping[str, set[object]]) -> None:
    for name, table in sheet.refers.items():
        for line, row in rows:
            if row[name] not in known[table] and row[name] not in (None, "*"):
                reason = f"{row[name]} is not in {table}.csv"
                raise BadReplay(sheet.file, reason, line=line, column=sheet.column(name))


# ---- the facts -------------------------------------------------------------------------------------------------------


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / DEVICES).glob("*") if not path.name.startswith("."))


def _arrivals(folder: Path, path: Path) -> Iterator[Arrival]:
    name = f"{path.relative_to(folder)}"
    device = _device(path, name)
    before = 0
    for number, text in _lines(path, name):
        try:
            fact = lines.read(text)
        except BadLine as bad:
            raise BadReplay(name, bad.reason, line=number, column=bad.column) from None
        if fact.arrived < before:
            raise BadReplay(name, "lies before the line above: facts stand in order of arrival", line=number,
                            column="arrived")  # fmt: skip
        before = fact.arrived
        yield Arrival(fact.arrived, device, number, fact)


def _device(path: Path, name: str) -> DeviceId:
    try:
        if path.suffix == ".jsonl" and path.is_file():
            return DeviceId(path.stem)
    except BadTopic:
        pass
    raise BadReplay(name, "is no machine's file: expected such as DMG-01.jsonl")


def _lines(path: Path, name: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers. The file is open only while a chunk of it is read:
    thousands of machines do not need thousands of open files."""
    number, offset, rest = 0, 0, b""
    while chunk := _chunk(path, name, offset):
        offset += len(chunk)
        *whole, rest = (rest + chunk).split(b"\n")
        for text in whole:
            number += 1
            if text.strip():
                yield number, text
        if len(rest) > LONGEST:
            raise BadReplay(name, "is longer than any fact", line=number + 1)
    if rest.strip():
        yield number + 1, rest


def _chunk(path: Path, name: str, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(CHUNK)
    except OSError as error:
        raise BadReplay(name, f"cannot be read ({error.strerror})") from error
