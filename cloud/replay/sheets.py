"""The CSV files of a replay directory: their columns, what a row may say, and from a file to its rows.

Field names are those of the tables in `cloud.records.schema`; aliases are the columns of the files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, ValidationInfo, field_validator

from cloud.replay import cells, faults
from cloud.replay.faults import BadReplay
from contract.topics import BadTopic, DeviceId


def _device(text: object) -> str:
    try:
        return DeviceId(str(text))
    except BadTopic:
        raise ValueError("is no machine: expected ESTATE-NN, such as DMG-01") from None


Device = Annotated[str, PlainValidator(_device)]
Role = Annotated[str, PlainValidator(cells.one_of("holder", "member", "test"))]
Reason = Annotated[str, PlainValidator(cells.one_of("", "replaced", "lost", "tenancy", "stolen"))]
Occasion = Annotated[str, PlainValidator(cells.one_of("holiday", "lebaran", "flood", "closure"))]


class Row(BaseModel):
    """One line of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Learnt(Row):
    """A row that says from when the cloud knew it."""

    known_from_ms: cells.Known = Field(alias="known_from")


class EstateRow(Row):
    """estates.csv"""

    estate: cells.Estate
    name: cells.Name
    lat: cells.Latitude
    lon: cells.Longitude
    go_live: cells.Day


class UnitRow(Row):
    """units.csv"""

    unit: cells.Unit
    estate: cells.Estate


class TenancyRow(Learnt):
    """tenancies.csv"""

    unit: cells.Unit
    start: cells.Day
    end: cells.MaybeDay

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        if end and "start" in info.data and end <= info.data["start"]:
            raise ValueError("is not after start (end is the first day without the tenant)")
        return end


class CardRow(Learnt):
    """cards.csv. A test card stands for no unit and is obliged to nothing, whatever its row says."""

    pseudonym: Annotated[str, PlainValidator(cells.name)] = Field(alias="card", repr=False)
    unit: cells.MaybeUnit
    role: Role
    obliged: cells.YesNo
    valid_from: cells.Day
    valid_to: cells.MaybeDay
    ended_because: Reason

    @field_validator("role")
    @classmethod
    def _of_a_unit(cls, role: str, info: ValidationInfo) -> str:
        if role != "test" and "unit" in info.data and info.data["unit"] is None:
            raise ValueError("is the card of a resident, but unit is empty")
        return role

    @field_validator("valid_to")
    @classmethod
    def _not_before(cls, valid_to: date | None, info: ValidationInfo) -> date | None:
        if valid_to and "valid_from" in info.data and valid_to < info.data["valid_from"]:
            raise ValueError("is before valid_from")
        return valid_to

    def stands_for_nobody(self) -> Self:
        """The same as a test card is stored."""
        return self.model_copy(update={"unit": None, "obliged": False}) if self.role == "test" else self


class InstallationRow(Learnt):
    """installations.csv"""

    device: Device
    estate: cells.Estate
    installed_ms: cells.Instant = Field(alias="installed")
    removed_ms: cells.MaybeInstant = Field(alias="removed")
    service_hours: cells.ServiceHoursText

    @field_validator("removed_ms")
    @classmethod
    def _after_installed(cls, removed: int | None, info: ValidationInfo) -> int | None:
        if removed is not None and "installed_ms" in info.data and removed <= info.data["installed_ms"]:
            raise ValueError("is not after installed")
        return removed


class Days(Learnt):
    """Days from..to, both included."""

    from_day: cells.Day = Field(alias="from")
    to_day: cells.Day = Field(alias="to")

    @field_validator("to_day")
    @classmethod
    def _not_before(cls, to_day: date, info: ValidationInfo) -> date:
        if "from_day" in info.data and to_day < info.data["from_day"]:
            raise ValueError("is before from")
        return to_day


class CalendarRow(Days):
    """calendar.csv"""

    scope: cells.Scope
    kind: Occasion
    reason: cells.Prose


class LeaveRow(Days):
    """leave.csv"""

    unit: cells.Unit


class LostRow(Days):
    """declared_lost.csv"""

    device: Device


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file and the table it fills."""

    table: str
    row: type[Row]
    header: str
    refers: Mapping[str, str] = field(default_factory=dict)
    """By field, the table that must name it."""
    names: str = ""
    """The field under which others refer to its rows."""
    is_key: bool = False
    """Whether no two rows may be named alike."""

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.table}.csv"

    def column(self, name: str) -> str:
        """What field *name* is called in the file."""
        return self.row.model_fields[name].alias or name

    @property
    def columns(self) -> list[str]:
        """The file's columns."""
        return self.header.split(",")


SHEETS: Final = (
    Sheet("estates", EstateRow, "estate,name,lat,lon,go_live", names="estate", is_key=True),
    Sheet("units", UnitRow, "unit,estate", {"estate": "estates"}, names="unit", is_key=True),
    Sheet("tenancies", TenancyRow, "unit,start,end,known_from", {"unit": "units"}),
    Sheet(
        "cards",
        CardRow,
        "card,unit,role,obliged,valid_from,valid_to,ended_because,known_from",
        {"unit": "units"},
    ),
    Sheet(
        "installations",
        InstallationRow,
        "device,estate,installed,removed,service_hours,known_from",
        {"estate": "estates"},
        names="device",
    ),
    Sheet("calendar", CalendarRow, "scope,from,to,kind,reason,known_from", {"scope": "estates"}),
    Sheet("leave", LeaveRow, "unit,from,to,known_from", {"unit": "units"}),
    Sheet("declared_lost", LostRow, "device,from,to,known_from", {"device": "installations"}),
)
"""In the order in which they refer to each other."""

Numbered = tuple[int, dict[str, object]]
"""A row's line and its values under the table's names."""


def read(path: Path, sheet: Sheet) -> Iterator[Numbered]:
    """The rows of the file at *path*. Raises `BadReplay`."""
    header: list[str] = []
    for line, record in _records(path):
        if not header:
            header = _header(record, sheet, line)
            continue
        if len(record) != len(header):
            reason = f"has {len(record)} cells; the first line has {len(header)}"
            raise BadReplay(sheet.file, reason, line=line)
        yield line, _row(dict(zip(header, record, strict=True)), sheet, line)
    if not header:
        raise BadReplay(sheet.file, f"is empty; the first line must be {sheet.header}")


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it starts on; empty lines are passed over."""
    start = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for record in reader:
                if record:
                    yield start, record
                start = reader.line_num + 1
    except csv.Error as error:
        raise BadReplay(path.name, f"cannot be read as CSV ({error})", line=start) from None
    except UnicodeDecodeError:
        raise BadReplay(path.name, "is not in UTF-8 from about here on: save the file as UTF-8", line=start) from None
    except FileNotFoundError:
        raise BadReplay(path.name, "is missing; a file without rows still needs its first line") from None
    except OSError as error:
        raise BadReplay(path.name, f"cannot be read ({error.strerror})") from error


def _header(record: list[str], sheet: Sheet, line: int) -> list[str]:
    expected = f"the first line must be {sheet.header}"
    for cell in record:
        if cell not in sheet.columns:
            raise BadReplay(sheet.file, f"the column {cell[:40]!r} does not belong here; {expected}", line=line)
        if record.count(cell) > 1:
            raise BadReplay(sheet.file, "this column is there more than once", line=line, column=cell)
    for column in sheet.columns:
        if column not in record:
            raise BadReplay(sheet.file, f"this column is missing; {expected}", line=line, column=column)
    return record


def _row(record: dict[str, str], sheet: Sheet, line: int) -> dict[str, object]:
    try:
        row = sheet.row.model_validate(record)
    except ValidationError as error:
        column, reason = faults.first(error)
        raise BadReplay(sheet.file, reason, line=line, column=column) from None
    return (row.stands_for_nobody() if isinstance(row, CardRow) else row).model_dump()
