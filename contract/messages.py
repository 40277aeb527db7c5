"""Messages: what is said, as frozen values. Instants are milliseconds since 1970 UTC. Unknown fields are ignored.

Durable records (`Tap`, `Hours`, `Event`) travel in batches under one sequence per outbox and are kept until a `Stored`
answers them. Everything else is said and forgotten, or retained by the broker.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    model_validator,
)

from contract.ranges import Ranges
from contract.topics import DeviceId

VERSION: Final = 1
MAX_MS: Final = 9_000_000_000_000
"""The year 2255: the last instant whose nanoseconds InfluxDB can hold."""
MAX_SEQ: Final = 2**53 - 1
"""What JSON readers of every language agree on."""
MAX_DETAIL: Final = 16
MAX_TEXT: Final = 200

Ms = Annotated[int, Field(strict=True, ge=0, le=MAX_MS)]
Seq = Annotated[int, Field(strict=True, ge=1, le=MAX_SEQ)]
Count = Annotated[int, Field(strict=True, ge=0, le=MAX_SEQ)]
Flag = Annotated[bool, Field(strict=True)]
Uuid = Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Slug = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, Field(strict=True, max_length=MAX_TEXT)]
Digest = Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{32}$")]


def _to_ranges(value: Any) -> Any:  # Any: whatever the JSON held
    if isinstance(value, Ranges):
        return value
    if not isinstance(value, list | tuple) or not all(_is_span(span) for span in value):
        raise ValueError("expected a list of [first, last]")
    return Ranges.of((first, last) for first, last in value)


def _is_span(span: Any) -> bool:
    return (
        isinstance(span, list | tuple)
        and len(span) == 2
        and all(type(number) is int for number in span)
        and 1 <= span[0] <= span[1] <= MAX_SEQ
    )


def _seq_keys(values: dict[int, Any]) -> dict[int, Any]:
    if any(not 1 <= seq <= MAX_SEQ for seq in values):
        raise ValueError("keys must be sequence numbers")
    return values


Spans = Annotated[
    Ranges,
    BeforeValidator(_to_ranges),
    PlainSerializer(lambda ranges: [list(span) for span in ranges.spans], return_type=list[list[int]]),
]
"""A set of sequence numbers, `[[first, last], ...]` on the wire."""


class Message(BaseModel):
    """Anything that crosses the wire."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True, allow_inf_nan=False)


class Clock(StrEnum):
    """How much a record's wall time can be trusted."""

    TRUSTED = "trusted"
    REDATED = "redated"
    """Made under a wrong clock, corrected before it was first sent; as good as trusted."""
    UNTRUSTED = "untrusted"


# ---- durable records -------------------------------------------------------------------------------------------------


class Stamped(Message):
    """What every durable record carries: its number, and when it was made as far as the machine could tell."""

    seq: Seq
    at: Ms
    mono: Count
    """Milliseconds of the monotonic clock of this boot."""
    boot: Uuid
    clock: Clock

    @property
    def is_dated(self) -> bool:
        """Whether `at` may be taken as the time it happened."""
        return self.clock is not Clock.UNTRUSTED


class Tap(Stamped):
    """A card was held to the reader and kept."""

    kind: Literal["tap"] = "tap"
    card: Annotated[str, Field(strict=True, max_length=256, repr=False)]
    """A `SealedCard` in its text form."""


class Hours(Stamped):
    """For how many minutes of one hour the machine could have taken a tap. Records of one hour add up, at most 60."""

    kind: Literal["hours"] = "hours"
    hour: Ms
    """The instant at which the hour begins."""
    able_min: Annotated[int, Field(strict=True, ge=0, le=60)]


class Happening(StrEnum):
    """Events the cloud acts upon. Others are kept as they come: newer machines may know more."""

    BOOT = "boot"
    CLOCK_STEP = "clock_step"
    READER_FAULT = "reader_fault"
    READER_OK = "reader_ok"
    SELF_TEST = "self_test"
    TAPS_REFUSED = "taps_refused"
    RECORDS_REJECTED = "records_rejected"
    RECORDS_DROPPED = "records_dropped"
    OUTBOX_CLOSED = "outbox_closed"


class Dropped(Message):
    """Detail of `records_dropped`: these seqs of that outbox are gone; `from_ms`..`to_ms` is when they were made."""

    outbox: Uuid
    from_seq: Seq
    to_seq: Seq
    from_ms: Ms = Field(alias="from")
    to_ms: Ms = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_seq < self.from_seq or self.to_ms < self.from_ms:
            raise ValueError("ends before it begins")
        return self


class Closed(Message):
    """Detail of `outbox_closed`: that outbox ends at `last_seq`; 0 if it never held a record."""

    outbox: Uuid
    last_seq: Count


_DETAILS: Final[dict[str, type[Message]]] = {Happening.RECORDS_DROPPED: Dropped, Happening.OUTBOX_CLOSED: Closed}


def _scalars(detail: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(detail) > MAX_DETAIL:
        raise ValueError(f"has more than {MAX_DETAIL} entries")
    for value in detail.values():
        if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > MAX_TEXT):
            raise ValueError("holds more than numbers, yes/no and short texts")
        if type(value) is int and abs(value) > MAX_SEQ:
            raise ValueError("holds a number beyond 2^53")
    return detail


class Event(Stamped):
    """Something happened at the machine. Never about a person."""

    kind: Literal["event"] = "event"
    event: Slug
    detail: Annotated[dict[Slug, JsonValue], AfterValidator(_scalars)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_details_parse(self) -> Self:
        if self.event in _DETAILS:
            _DETAILS[self.event].model_validate(self.detail)
        return self

    def dropped(self) -> Dropped | None:
        """What is gone, if that is what happened."""
        return Dropped.model_validate(self.detail) if self.event == Happening.RECORDS_DROPPED else None

    def closed(self) -> Closed | None:
        """Which outbox ended, if that is what happened."""
        return Closed.model_validate(self.detail) if self.event == Happening.OUTBOX_CLOSED else None


Record = Annotated[Tap | Hours | Event, Field(discriminator="kind")]


class Envelope(Message):
    """What a batch says beside its records."""

    v: Literal[1] = VERSION
    device: DeviceId
    outbox: Uuid
    confirmed: Count
    """Every seq up to this one is answered, as far as the machine knows."""


# ---- said and forgotten ----------------------------------------------------------------------------------------------


class Heartbeat(Message):
    """A sign of life, every 30 s."""

    v: Literal[1] = VERSION
    device: DeviceId
    at: Ms
    boot: Uuid
    session: Count
    uptime_s: Count
    outbox: Uuid
    last_seq: Count
    confirmed: Count
    backlog: Count
    """Records not answered yet, of all outboxes this machine still holds."""
    oldest_unsent: Ms | None = None
    rejected: Count = 0
    refused: Count = 0
    parked: Count = 0
    reader: Literal["ok", "fault"]
    clock: Literal["trusted", "untrusted"]
    clock_offset_ms: Annotated[int, Field(strict=True, ge=-MAX_MS, le=MAX_MS)] | None = None
    disk_free_pct: Annotated[float, Field(ge=0, le=100)]
    version: Text


class Status(Message):
    """Whether the machine is connected; retained. A will says only `online=false`, its session and its reason."""

    v: Literal[1] = VERSION
    device: DeviceId
    online: Flag
    session: Count
    reason: Literal["birth", "goodbye", "will"]
    at: Ms | None = None
    boot: Uuid | None = None
    uptime_s: Count | None = None
    outbox: Uuid | None = None
    last_seq: Count | None = None
    confirmed: Count | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.online is not (self.reason == "birth"):
            raise ValueError("online goes with birth, and only with birth")
        if self.reason != "will" and None in (self.boot, self.uptime_s, self.outbox, self.last_seq, self.confirmed):
            raise ValueError(f"a {self.reason} names boot, uptime_s, outbox, last_seq and confirmed")
        return self


class Stored(Message):
    """The answer to records: what both databases hold now, computed from the committed position.

    A machine takes a seq as answered only if it is covered (`upto`, `beyond`) *and* `digests` names the very bytes it
    holds: neither a late answer nor a disk that lost commits can confirm a record the cloud has never seen.
    """

    v: Literal[1] = VERSION
    device: DeviceId
    outbox: Uuid
    at: Ms
    """Server time when the answer was made: a second opinion for the machine's clock."""
    upto: Count
    beyond: Spans = Ranges()
    digests: Annotated[dict[int, Digest], AfterValidator(_seq_keys)] = Field(default_factory=dict)
    outcomes: Annotated[dict[int, Literal["known", "unknown"]], AfterValidator(_seq_keys)] = Field(default_factory=dict)
    rejected: Annotated[dict[int, Slug], AfterValidator(_seq_keys)] = Field(default_factory=dict)
    held: Annotated[dict[int, Slug], AfterValidator(_seq_keys)] = Field(default_factory=dict)
    conflicts: Spans = Ranges()
    """Seqs under which the cloud holds other bytes: never confirmed; they move to a new outbox."""

    @property
    def covered(self) -> Ranges:
        """Every seq the cloud has answered."""
        return Ranges.upto(self.upto) | self.beyond


class Resume(Message):
    """The cloud lacks these seqs of that outbox: send them again, or say that they are gone. Confirms nothing."""

    v: Literal[1] = VERSION
    device: DeviceId
    outbox: Uuid
    missing: Spans


class Canary(Message):
    """Said by a program of the cloud only to be heard back: proof that the broker takes and gives."""

    v: Literal[1] = VERSION
    instance: Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    """Who sings: several programs may, each listens for its own."""
    at: Ms
    number: Count


class DeviceConfig(Message):
    """What may be changed at a distance. Absent = as installed."""

    heartbeat_s: Annotated[int, Field(strict=True, ge=5, le=3600)] | None = None
    same_card_s: Annotated[int, Field(strict=True, ge=1, le=600)] | None = None


class Desired(Message):
    """The configuration the machine should run with; retained. Higher versions win."""

    v: Literal[1] = VERSION
    device: DeviceId
    version: Count
    config: DeviceConfig


class Applied(Message):
    """The configuration the machine runs with; retained. `reason` says why a desired one was not taken."""

    v: Literal[1] = VERSION
    device: DeviceId
    version: Count
    config: DeviceConfig
    refused: Count | None = None
    reason: Text | None = None
