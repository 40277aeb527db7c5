"""From the bytes of a registry file to its rows, or to what is wrong with it: every bad line, not only the first. Pure.

Nothing here ever shows what a cell held: a misplaced column could be the one with the cards.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from cloud.records.pseudonyms import Pepper
from provisioning.registry.rows import Kind

_FOREIGN: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong, and where: line 0 is the file itself, column "" the whole line."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}, {self.column}: {self.reason}" if self.column else f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was understood: its values under the table's names."""

    number: int
    values: dict[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as it was read."""

    lines: tuple[Line, ...] = ()
    faults: tuple[Fault, ...] = ()


class _Unusable(Exception):
    """The rest of the file cannot be read; the fault says why."""

    def __init__(self, line: int, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.line, self.reason, self.column = line, reason, column


def read(content: bytes, kind: Kind, *, pepper: Pepper | None) -> Sheet:
    """The lines of the file of *kind*, and what is wrong with it."""
    lines: list[Line] = []
    faults: list[Fault] = []
    try:
        records = _records(_text(content))
        header = _header(next(records, (1, [])), kind)
        for number, cells in records:
            found = _row(number, cells, header, kind, pepper=pepper)
            if isinstance(found, Line):
                lines.append(found)
            else:
                faults.extend(found)
    except _Unusable as error:
        faults.append(Fault(kind.file, error.line, error.column, error.reason))
    return Sheet(tuple(lines), tuple(faults))


def _text(content: bytes) -> str:
    """The file's characters; the mark that some editors put before UTF-8 is taken off."""
    for mark, encoding in _FOREIGN.items():
        if content.startswith(mark):
            raise _Unusable(0, f"is in {encoding}: save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Unusable(line, "is not in UTF-8: save the file as UTF-8") from None
    if "\0" in text:
        raise _Unusable(text.count("\n", 0, text.index("\0")) + 1, "holds a null character")
    return text


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it starts on; empty lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, [cell.strip() for cell in cells]
            start = reader.line_num + 1
    except csv.Error as error:
        raise _Unusable(start, f"cannot be read as CSV, nor can what follows: {error}") from None


def _header(record: tuple[int, list[str]], kind: Kind) -> list[str]:
    """The file's columns, in its order."""
    number, cells = record
    expected = f"expected are {', '.join(kind.columns)}"
    if not cells:
        raise _Unusable(0, f"is empty; {expected}")
    for separator, called in _SEPARATORS.items():
        if len(cells) == 1 and separator in cells[0]:
            raise _Unusable(number, f"is separated by {called}: save it with commas")
    for at, cell in enumerate(cells, start=1):
        if cell not in kind.columns:
            raise _Unusable(number, f"column {at} has no title that belongs here; {expected}")
        if cells.count(cell) > 1:
            raise _Unusable(number, "this column is there more than once", cell)
    for column, is_required in kind.columns.items():
        if is_required and column not in cells:
            raise _Unusable(number, "this column is missing", column)
    return cells


def _row(number: int, cells: list[str], header: list[str], kind: Kind, *, pepper: Pepper | None) -> Line | list[Fault]:
    if len(cells) != len(header):
        return [Fault(kind.file, number, "", f"has {len(cells)} cells; the first line has {len(header)}")]
    try:
        row = kind.row.model_validate(dict(zip(header, cells, strict=True)), context={"pepper": pepper})
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return [
            Fault(kind.file, number, str(fault["loc"][0]), fault["msg"].removeprefix("Value error, "))
            for fault in found
        ]
    return Line(number, row.model_dump())
