"""Topics. Each one three ways: build it, subscribe to it, read it back. Nothing else may spell a topic.

    hadir/v1/{device}/{kind}
    hadir/v1/canary

A `Topic` or a `DeviceId` that is invalid cannot be held: both refuse it when they are made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic_core import CoreSchema, core_schema

PREFIX: Final = "hadir/v1"
_DEVICE = re.compile(r"[A-Z][A-Z0-9]{1,7}-[0-9]{2,4}")


class BadTopic(ValueError):
    """The text is no topic or no device id of this system; the message says which part is wrong."""


class DeviceId(str):
    """A machine's name, `ESTATE-NN` such as `DMG-01`; safe as topic level, certificate CN and InfluxDB tag."""

    __slots__ = ()

    def __new__(cls, text: str) -> DeviceId:
        if not _DEVICE.fullmatch(text):
            raise BadTopic(f"{text[:40]!r} is no device id: expected ESTATE-NN, such as DMG-01")
        return super().__new__(cls, text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:  # Any: pydantic's own signature
        return core_schema.no_info_after_validator_function(
            cls, core_schema.str_schema(strict=True), serialization=core_schema.to_string_ser_schema()
        )


class Kind(StrEnum):
    """What travels under a device. The value is the topic's last level."""

    RECORDS = "records"
    HEARTBEAT = "heartbeat"
    STATUS = "status"
    APPLIED = "applied"
    STORED = "stored"
    RESUME = "resume"
    DESIRED = "desired"


UP: Final = (Kind.RECORDS, Kind.HEARTBEAT, Kind.STATUS, Kind.APPLIED)
"""Published by the machine."""

DOWN: Final = (Kind.STORED, Kind.RESUME, Kind.DESIRED)
"""Published by the cloud for one machine."""

RETAINED: Final = frozenset({Kind.STATUS, Kind.APPLIED, Kind.DESIRED})
"""Kept by the broker while it lives; their owner re-publishes them at each connect: a restarted broker forgot them."""

SHARED: Final = frozenset({Kind.RECORDS, Kind.HEARTBEAT})
"""Dealt among several ingesters. Status is not: every program must see each of them."""


@dataclass(frozen=True, slots=True, order=True)
class Topic:
    """One device's topic of one kind."""

    device: DeviceId
    kind: Kind

    def __str__(self) -> str:
        return f"{PREFIX}/{self.device}/{self.kind}"


class Canary:
    """Where a program of the cloud says something only to hear it back through the broker. No machine may."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{PREFIX}/canary"


CANARY: Final = Canary()


def is_canary(text: str) -> bool:
    """Whether *text* is the canary's topic; it is none of a machine's, and `parse` refuses it."""
    return text == str(CANARY)


def of(device: DeviceId, kind: Kind) -> Topic:
    """The topic of *kind* under *device*."""
    return Topic(DeviceId(device), Kind(kind))


def records(device: DeviceId) -> Topic:
    """Batches of durable records, up."""
    return of(device, Kind.RECORDS)


def heartbeat(device: DeviceId) -> Topic:
    """Signs of life, up; never queued."""
    return of(device, Kind.HEARTBEAT)


def status(device: DeviceId) -> Topic:
    """Birth, goodbye and last will, up, retained."""
    return of(device, Kind.STATUS)


def applied(device: DeviceId) -> Topic:
    """The configuration the machine runs with, up, retained."""
    return of(device, Kind.APPLIED)


def stored(device: DeviceId) -> Topic:
    """Confirmations, down."""
    return of(device, Kind.STORED)


def resume(device: DeviceId) -> Topic:
    """Requests for records the cloud lost, down."""
    return of(device, Kind.RESUME)


def desired(device: DeviceId) -> Topic:
    """The configuration the machine should run with, down, retained."""
    return of(device, Kind.DESIRED)


def every(kind: Kind) -> str:
    """The filter that receives *kind* of all devices."""
    return f"{PREFIX}/+/{kind}"


def shared(kind: Kind, group: str) -> str:
    """The filter under which the members of *group* share *kind* of all devices among them."""
    if kind not in SHARED:
        raise BadTopic(f"{kind} cannot be shared: every subscriber must see each of its messages")
    if not re.fullmatch(r"[a-z0-9-]+", group):
        raise BadTopic(f"{group!r} is no name for a group of subscribers: use a-z, 0-9 and '-'")
    return f"$share/{group}/{every(kind)}"


def parse(text: str) -> Topic:
    """Read a topic back. Raises `BadTopic`."""
    prefix, _, rest = text.rpartition(f"{PREFIX}/")
    device, _, kind = rest.partition("/")
    if prefix or not rest or not text.startswith(PREFIX):
        raise BadTopic(f"{text[:80]!r} is not under {PREFIX}/")
    try:
        return Topic(DeviceId(device), Kind(kind))
    except BadTopic:
        raise
    except ValueError:
        raise BadTopic(f"{kind[:40]!r} is no kind of message; known are {', '.join(Kind)}") from None
