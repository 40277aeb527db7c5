"""The registry's files: which columns each has, what one row may say, and what makes two rows the same. Pure.

Field names are those of the tables in `cloud.records.schema`; aliases are the columns of the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, field_validator

from provisioning.registry import fields

Role = Annotated[str, PlainValidator(fields.one_of("holder", "member", "test"))]
Reason = Annotated[str, PlainValidator(fields.one_of("", "replaced", "lost", "tenancy", "stolen"))]
Occasion = Annotated[str, PlainValidator(fields.one_of("holiday", "lebaran", "flood", "closure"))]


class Row(BaseModel):
    """One line of a registry file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Learnt(Row):
    """A row that says from when the cloud knew it; none = this import."""

    known_from_ms: fields.MaybeInstant = Field(None, alias="known_from")


class EstateRow(Row):
    """estates.csv"""

    estate: fields.Estate
    name: fields.Name
    lat: fields.Latitude = None
    lon: fields.Longitude = None
    go_live: fields.Day


class UnitRow(Row):
    """units.csv"""

    unit: fields.Unit
    estate: fields.Estate


class TenancyRow(Learnt):
    """tenancies.csv"""

    unit: fields.Unit
    start: fields.Day
    end: fields.MaybeDay = None

    @field_validator("end")
    @classmethod
    def _after_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        if end and "start" in info.data and end <= info.data["start"]:
            raise ValueError("is not after `start` (`end` is the first day without the tenant)")
        return end


class CardRow(Learnt):
    """cards.csv"""

    pseudonym: fields.Pseudonym = Field(alias="card", repr=False)
    role: Role
    unit: fields.MaybeUnit
    obliged: fields.YesNo
    valid_from: fields.Day
    valid_to: fields.MaybeDay = None
    ended_because: Reason = ""

    @field_validator("unit")
    @classmethod
    def _unless_test(cls, unit: str | None, info: ValidationInfo) -> str | None:
        if "role" in info.data and (unit is None) != (info.data["role"] == "test"):
            raise ValueError("a `test` card belongs to no unit, every other card to one")
        return unit

    @field_validator("obliged")
    @classmethod
    def _never_for_tests(cls, obliged: bool, info: ValidationInfo) -> bool:
        if obliged and info.data.get("role") == "test":
            raise ValueError("a `test` card is not obliged to anything")
        return obliged

    @field_validator("valid_to")
    @classmethod
    def _not_before(cls, valid_to: date | None, info: ValidationInfo) -> date | None:
        if valid_to and "valid_from" in info.data and valid_to < info.data["valid_from"]:
            raise ValueError("is before `valid_from`")
        return valid_to

    @field_validator("ended_because")
    @classmethod
    def _ended(cls, because: str, info: ValidationInfo) -> str:
        if because and "valid_to" in info.data and info.data["valid_to"] is None:
            raise ValueError("gives a reason, but `valid_to` gives no last day")
        return because


class InstallationRow(Learnt):
    """installations.csv"""

    device: fields.Device
    estate: fields.Estate
    installed_ms: fields.Instant = Field(alias="installed")
    removed_ms: fields.MaybeInstant = Field(None, alias="removed")
    service_hours: fields.ServiceHours = ""

    @field_validator("removed_ms")
    @classmethod
    def _after_installed(cls, removed: int | None, info: ValidationInfo) -> int | None:
        if removed is not None and "installed_ms" in info.data and removed <= info.data["installed_ms"]:
            raise ValueError("is not after `installed`")
        return removed


class Days(Learnt):
    """Days from..to, both included."""

    from_day: fields.Day = Field(alias="from")
    to_day: fields.Day = Field(alias="to")

    @field_validator("to_day")
    @classmethod
    def _not_before(cls, to_day: date, info: ValidationInfo) -> date:
        if "from_day" in info.data and to_day < info.data["from_day"]:
            raise ValueError("is before `from`")
        return to_day


class CalendarRow(Days):
    """calendar.csv"""

    scope: fields.Scope
    kind: Occasion
    reason: fields.Prose


class LeaveRow(Days):
    """leave.csv"""

    unit: fields.Unit


class LostRow(Days):
    """declared_lost.csv"""

    device: fields.Device


@dataclass(frozen=True, slots=True)
class Kind:
    """One file of the registry and the table it fills; two rows with the same *key* are the same fact."""

    table: str
    row: type[Row]
    key: tuple[str, ...]
    refers: tuple[tuple[str, str], ...] = ()
    """(field, table): what must be registered, here or before."""
    span: tuple[str, str] | None = None
    """(first field, last field) of a span that may not overlap another one of the same subject (`key[0]`)."""
    fixed: tuple[str, ...] = ()
    """Fields that no import may change."""

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.table}.csv"

    def column(self, field: str) -> str:
        """What *field* is called in the file."""
        return self.row.model_fields[field].alias or field

    @property
    def columns(self) -> dict[str, bool]:
        """The file's columns; true for those that must be there."""
        return {self.column(name): field.is_required() for name, field in self.row.model_fields.items()}


KINDS: Final = (
    Kind("estates", EstateRow, ("estate",)),
    Kind("units", UnitRow, ("unit",), refers=(("estate", "estates"),), fixed=("estate",)),
    Kind("tenancies", TenancyRow, ("unit", "start"), refers=(("unit", "units"),), span=("start", "end")),
    Kind("cards", CardRow, ("pseudonym", "valid_from"), refers=(("unit", "units"),), span=("valid_from", "valid_to")),
    Kind(
        "installations",
        InstallationRow,
        ("device", "installed_ms"),
        refers=(("estate", "estates"),),
        span=("installed_ms", "removed_ms"),
    ),
    Kind("calendar", CalendarRow, ("scope", "from_day", "kind"), refers=(("scope", "estates"),)),
    Kind("leave", LeaveRow, ("unit", "from_day"), refers=(("unit", "units"),)),
    Kind("declared_lost", LostRow, ("device", "from_day"), refers=(("device", "installations"),)),
)
"""In the order in which they may refer to each other."""
