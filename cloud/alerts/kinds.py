"""What flags there are: their names, what each is about, how urgent it is. A table, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """A kind of flag. The names are for people and scripts, and never change."""

    INGEST_DOWN = "INGEST_DOWN"
    WIDE_OUTAGE = "WIDE_OUTAGE"
    ESTATE_OFFLINE = "ESTATE_OFFLINE"
    DEVICE_OFFLINE = "DEVICE_OFFLINE"
    DEVICE_FLAPPING = "DEVICE_FLAPPING"
    CLOCK_SKEW = "CLOCK_SKEW"
    READER_FAULT = "READER_FAULT"
    STORAGE_LOW = "STORAGE_LOW"
    QUEUE_STUCK = "QUEUE_STUCK"
    WATERMARK_STUCK = "WATERMARK_STUCK"
    DEVICE_UNKNOWN = "DEVICE_UNKNOWN"
    CRL_EXPIRING = "CRL_EXPIRING"
    NOTIFY_FAILING = "NOTIFY_FAILING"
    LOW_REGISTRATION = "LOW_REGISTRATION"
    UNIT_UNREGISTERED = "UNIT_UNREGISTERED"
    UNIT_NO_TAPS = "UNIT_NO_TAPS"
    HOLDER_ABSENT = "HOLDER_ABSENT"
    ESTATE_TAP_DROP = "ESTATE_TAP_DROP"
    CARD_TWO_ESTATES = "CARD_TWO_ESTATES"
    FOREIGN_ESTATE = "FOREIGN_ESTATE"
    UNKNOWN_CARD = "UNKNOWN_CARD"
    REVOKED_CARD = "REVOKED_CARD"
    PROXY_PATTERN = "PROXY_PATTERN"


class Group(StrEnum):
    """Which rules speak."""

    PATH = "path"
    REGISTRATION = "registration"
    OCCUPANCY = "occupancy"
    CARDS = "cards"


class About(StrEnum):
    """What a flag's subject names."""

    CITY = "city"
    ESTATE = "estate"
    DEVICE = "device"
    UNIT = "unit"
    CARD = "card"


class Severity(StrEnum):
    """P1 any hour, P2 not at night, P3 in office hours, P4 in the weekly digest."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Level(IntEnum):
    """How far a condition has gone; only `UNIT_NO_TAPS` knows others than OPEN."""

    WATCH = 0
    OPEN = 1
    REMIND = 2
    CASE = 3


class Ending(StrEnum):
    """How a flag ended."""

    CLOSED = "closed"
    """What it said was true, and is over."""
    RETRACTED = "retracted"
    """What it rested on has turned out to be wrong: we apologise."""
    SUPERSEDED = "superseded"
    """Another flag says it better."""


@dataclass(frozen=True, slots=True)
class Nature:
    """What is fixed about a kind."""

    group: Group
    about: About
    severity: Severity
    """Unless the finding says otherwise."""

    @property
    def is_about_people(self) -> bool:
        """Whether it touches a household: never told to technicians, and only ever a question."""
        return self.about in (About.UNIT, About.CARD)


NATURE: Final[Mapping[Kind, Nature]] = MappingProxyType(
    {
        Kind.INGEST_DOWN: Nature(Group.PATH, About.CITY, Severity.P1),
        Kind.WIDE_OUTAGE: Nature(Group.PATH, About.CITY, Severity.P1),
        Kind.ESTATE_OFFLINE: Nature(Group.PATH, About.ESTATE, Severity.P2),
        Kind.DEVICE_OFFLINE: Nature(Group.PATH, About.DEVICE, Severity.P2),
        Kind.DEVICE_FLAPPING: Nature(Group.PATH, About.DEVICE, Severity.P3),
        Kind.CLOCK_SKEW: Nature(Group.PATH, About.DEVICE, Severity.P3),
        Kind.READER_FAULT: Nature(Group.PATH, About.DEVICE, Severity.P2),
        Kind.STORAGE_LOW: Nature(Group.PATH, About.DEVICE, Severity.P2),  # P1: taps refused, or about to be
        Kind.QUEUE_STUCK: Nature(Group.PATH, About.DEVICE, Severity.P3),
        Kind.WATERMARK_STUCK: Nature(Group.PATH, About.DEVICE, Severity.P3),
        Kind.DEVICE_UNKNOWN: Nature(Group.PATH, About.DEVICE, Severity.P3),
        Kind.CRL_EXPIRING: Nature(Group.PATH, About.CITY, Severity.P2),
        Kind.NOTIFY_FAILING: Nature(Group.PATH, About.CITY, Severity.P1),
        Kind.LOW_REGISTRATION: Nature(Group.REGISTRATION, About.ESTATE, Severity.P4),
        Kind.UNIT_UNREGISTERED: Nature(Group.REGISTRATION, About.UNIT, Severity.P4),
        Kind.UNIT_NO_TAPS: Nature(Group.OCCUPANCY, About.UNIT, Severity.P3),
        Kind.HOLDER_ABSENT: Nature(Group.OCCUPANCY, About.UNIT, Severity.P4),
        Kind.ESTATE_TAP_DROP: Nature(Group.OCCUPANCY, About.ESTATE, Severity.P3),
        Kind.CARD_TWO_ESTATES: Nature(Group.CARDS, About.CARD, Severity.P4),
        Kind.FOREIGN_ESTATE: Nature(Group.CARDS, About.UNIT, Severity.P4),
        Kind.UNKNOWN_CARD: Nature(Group.CARDS, About.DEVICE, Severity.P4),
        Kind.REVOKED_CARD: Nature(Group.CARDS, About.CARD, Severity.P4),
        Kind.PROXY_PATTERN: Nature(Group.CARDS, About.ESTATE, Severity.P4),
    }
)
