"""The lines of `devices/DEVICE.jsonl`: one recorded fact each, parsed at the border and trusted inside. Pure."""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from cloud.days import HOUR
from cloud.replay import cells, faults
from contract import messages

_LONGEST_S: Final = 10 * 366 * 86_400
"""No clock's uncertainty is greater than this."""

Name = Annotated[str, PlainValidator(cells.name)]
Prose = Annotated[str, PlainValidator(cells.prose)]
Clock = Literal["trusted", "untrusted"]
Instant = Annotated[int, PlainValidator(cells.instant)]
Whole = Annotated[int, Field(strict=True, ge=-messages.MAX_SEQ, le=messages.MAX_SEQ)]
Broken = Annotated[float, Field(strict=True, ge=-messages.MAX_SEQ, le=messages.MAX_SEQ)]
Scalar = Annotated[bool, Field(strict=True)] | Whole | Broken | Prose | None
Detail = Annotated[dict[messages.Slug, Scalar], Field(max_length=messages.MAX_DETAIL)]


class BadLine(ValueError):
    """The line is no fact; *column* is the key that is to blame, if it is one."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


class Line(BaseModel):
    """What every fact says."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    arrived: cells.Arrived


class Numbered(Line):
    """A fact that a machine kept under a number of its outbox."""

    outbox: Prose = ""
    seq: cells.Seq
    clock: Clock = "trusted"


class Tap(Numbered):
    """A card was held to the reader."""

    kind: Literal["tap"]
    at: Instant
    card: Name = Field(repr=False)
    uncertainty_s: Annotated[float, Field(strict=True, ge=0, le=_LONGEST_S)] = 0

    @model_validator(mode="after")
    def _certain_if_trusted(self) -> Self:
        if self.clock == "trusted" and self.uncertainty_s:
            raise ValueError("uncertainty_s must be 0 where the clock is trusted")
        if self.clock == "untrusted" and "uncertainty_s" not in self.model_fields_set:
            raise ValueError("uncertainty_s is missing; a tap under an untrusted clock needs it")
        return self

    @property
    def uncertainty_ms(self) -> int:
        """Upwards: uncertainty favours the resident."""
        return math.ceil(self.uncertainty_s * 1000)


class Hours(Numbered):
    """For how many minutes of an hour the machine could take a tap."""

    kind: Literal["hours"]
    hour: Instant
    able_min: Annotated[int, Field(strict=True, ge=0, le=60)]

    @field_validator("hour")
    @classmethod
    def _full(cls, hour: int) -> int:
        if hour % HOUR:
            raise ValueError("is no instant at which an hour starts")
        return hour


class Dropped(BaseModel):
    """Detail of `records_dropped`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outbox: Prose = ""
    from_seq: cells.Seq
    to_seq: cells.Seq
    from_ms: Instant = Field(alias="from")
    to_ms: Instant = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_seq < self.from_seq or self.to_ms < self.from_ms:
            raise ValueError("ends before it begins")
        return self


class Closed(BaseModel):
    """Detail of `outbox_closed`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outbox: Prose = ""
    last_seq: cells.Number


class Event(Numbered):
    """Something happened at the machine."""

    kind: Literal["event"]
    at: Instant
    event: Literal["boot", "clock_step", "reader_fault", "reader_ok", "self_test", "records_dropped", "outbox_closed"]
    detail: Detail = Field(default_factory=dict)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            self.about()
        except ValidationError as error:
            column, reason = faults.first(error)
            raise ValueError(f"its detail cannot be read: {column} {reason}".replace("  ", " ")) from None
        return self

    def about(self) -> Dropped | Closed | None:
        """What it says of an outbox, if it does."""
        if self.event == "records_dropped":
            return Dropped.model_validate(self.detail)
        return Closed.model_validate(self.detail) if self.event == "outbox_closed" else None


class Heartbeat(Line):
    """A sign of life."""

    kind: Literal["heartbeat"]
    outbox: Prose = ""
    boot: Name
    uptime_s: cells.Number
    last_seq: cells.Number
    confirmed: cells.Number
    oldest_unsent: cells.InstantOrNull = None
    backlog: cells.Number
    clock: Clock = "trusted"
    clock_offset_ms: Whole | None = None
    reader: Literal["ok", "fault"]
    disk_free_pct: Annotated[float, Field(strict=True, ge=0, le=100)]


class Status(Line):
    """Whether the machine is connected."""

    kind: Literal["status"]
    online: Annotated[bool, Field(strict=True)]
    session: cells.Number
    reason: Literal["birth", "goodbye", "will"]
    outbox: Prose = ""
    boot: Name | None = None
    uptime_s: cells.Number | None = None
    last_seq: cells.Number | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.online is not (self.reason == "birth"):
            raise ValueError("online goes with birth, and only with birth")
        if self.reason == "goodbye" and None in (self.boot, self.uptime_s, self.last_seq):
            raise ValueError("a goodbye names boot, uptime_s and last_seq")
        return self


Fact = Tap | Hours | Event | Heartbeat | Status
_FACT: Final[TypeAdapter[Any]] = TypeAdapter(
    Annotated[Fact, Field(discriminator="kind")]
)  # Any: mypy has no unions here


def read(text: bytes) -> Fact:
    """The fact of one line. Raises `BadLine`."""
    try:
        fact: Fact = _FACT.validate_json(text)
    except ValidationError as error:
        raise BadLine(*_fault(error)) from None
    return fact


def _fault(error: ValidationError) -> tuple[str, str]:
    kind = error.errors(include_url=False, include_context=False, include_input=False)[0]["type"]
    if kind == "json_invalid":
        return "", "is no JSON"
    if kind in ("model_attributes_type", "model_type", "dict_type"):
        return "", "is no JSON object"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return "kind", "is none of tap, hours, event, heartbeat, status"
    steps = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
    _, reason = faults.first(error)
    return ".".join(str(step) for step in steps[1:3]), reason
