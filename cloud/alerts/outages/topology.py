"""What stands above what: a flag says nothing while its root explains it. One cause, one flag. A table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cloud.alerts.findings import CITY
from cloud.alerts.kinds import NATURE, About, Kind

_OFFLINE: Final = (Kind.DEVICE_OFFLINE, Kind.ESTATE_OFFLINE, Kind.WIDE_OUTAGE, Kind.INGEST_DOWN)

ABOVE: Final[Mapping[Kind, tuple[Kind, ...]]] = {
    Kind.WIDE_OUTAGE: (Kind.INGEST_DOWN,),
    Kind.ESTATE_OFFLINE: (Kind.WIDE_OUTAGE, Kind.INGEST_DOWN),
    Kind.DEVICE_OFFLINE: (Kind.DEVICE_FLAPPING, Kind.ESTATE_OFFLINE, Kind.WIDE_OUTAGE, Kind.INGEST_DOWN),
    Kind.DEVICE_FLAPPING: (Kind.ESTATE_OFFLINE, Kind.WIDE_OUTAGE, Kind.INGEST_DOWN),
    Kind.CLOCK_SKEW: _OFFLINE,
    Kind.READER_FAULT: _OFFLINE,
    Kind.STORAGE_LOW: _OFFLINE,
    Kind.QUEUE_STUCK: _OFFLINE,
    Kind.WATERMARK_STUCK: (Kind.QUEUE_STUCK, *_OFFLINE),
    Kind.UNKNOWN_CARD: (Kind.READER_FAULT,),
}
"""By kind, what hushes it, the nearest first. What is not named here speaks for itself."""


def roots(kind: Kind, subject: str, estate: str) -> tuple[tuple[Kind, str], ...]:
    """The flags that would explain this one, the nearest first: (kind, subject) pairs. They never form a circle."""
    place = {About.CITY: CITY, About.ESTATE: estate, About.DEVICE: subject}
    return tuple((above, place[NATURE[above].about]) for above in ABOVE.get(kind, ()))
